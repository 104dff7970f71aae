"""What a witness promised: the largest checkpoint that it signed, and under which key.

Invariant: every checkpoint that a key signs is the one before, grown. It is written down before a signature leaves, so neither
a crash nor a reorganisation makes a witness contradict itself. The file is made together with the key (``begin``), saying that
nothing is signed yet: a key without it, or with that of another key, may have signed anything, and signs no more. So does a
node whose own chain left what it signed. What to do is in docs/operating.md.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from horoi.base.codec import Codec, Record, encode
from horoi.base.errors import DecodeError
from horoi.ledger.conditions import Hash
from horoi.ledger.merkle import EMPTY_ROOT
from horoi.machine.disk import Disk
from horoi.node.small_files import read_sealed, write_sealed

PROMISE_FILE = "witness"
NEW_KEY = "to be a witness under a new key, move node-key away and start again"


class PromiseRecord(Record, frozen=True):
    """Record for the world: the key, and size and root of the largest checkpoint that it signed (of size 0: none yet)."""

    key: Annotated[bytes, Meta(min_length=32, max_length=32)]
    size: int
    root: Hash

    def file(self) -> tuple[str, bytes]:
        """The name of the file that it becomes the whole content of, and the content."""
        return PROMISE_FILE, encode(self)


class _Unnamed(Record, frozen=True):
    """As it was written before it named its key."""

    size: int
    root: Hash


_codec: Codec[PromiseRecord] = Codec(PromiseRecord, max_size_bytes=128)
_unnamed_codec: Codec[_Unnamed] = Codec(_Unnamed, max_size_bytes=64)


class Promise:
    """The promise of an earlier life. ``broken`` says why this witness may not sign."""

    def __init__(self, disk: Disk) -> None:
        self.kept: PromiseRecord | None = None
        self.broken: str | None = None
        self._read: PromiseRecord | _Unnamed | None = None
        if PROMISE_FILE not in disk.names():
            return
        data = read_sealed(disk, PROMISE_FILE)
        self._read = _decode(data) if data is not None else None
        if self._read is None:
            self.broken = (
                f"the file {PROMISE_FILE!r} is damaged, so what this node signed is not known: it signs no more"
            )

    def bind(self, key: bytes) -> None:
        """This key is to sign from now on, if the promise is its own."""
        read = self._read
        if self.broken is not None:
            return
        if read is None:
            self.broken = (
                f"this node's key has no file {PROMISE_FILE!r}, so what it signed is not known: it signs no more; put the file "
                f"back, or {NEW_KEY}"
            )
        elif isinstance(read, _Unnamed):
            self.kept = PromiseRecord(key, read.size, read.root)
        elif read.key == key:
            self.kept = read
        else:
            self.broken = (
                f"the file {PROMISE_FILE!r} is of another key than this node's ({key.hex()[:16]}), so what that signed is not "
                f"known: it signs no more; put its own file back, or {NEW_KEY}"
            )


def begin(disk: Disk, key: bytes) -> None:
    """Write the promise of a key that was made just now, before the key is: it signed nothing."""
    write_sealed(disk, *PromiseRecord(key, 0, EMPTY_ROOT).file())


def _decode(data: bytes) -> PromiseRecord | _Unnamed | None:
    for codec in (_codec, _unnamed_codec):
        try:
            return codec.decode(data)
        except DecodeError:
            continue
    return None
