"""What a witness promised: the largest checkpoint that it signed.

Invariant: every checkpoint that it signs is the one before, grown. It is written down before a signature leaves, so neither
a crash nor a reorganisation makes a witness contradict itself. A node whose own chain left what it signed signs no more: that
is for its operator to look at (docs/operating.md).
"""

from __future__ import annotations

from horoi.base.codec import Codec, Record, encode
from horoi.base.errors import DecodeError
from horoi.ledger.conditions import Hash
from horoi.machine.disk import Disk
from horoi.node.small_files import read_sealed

PROMISE_FILE = "witness"


class PromiseRecord(Record, frozen=True):
    """Record for the world: size and root of the largest checkpoint that was signed."""

    size: int
    root: Hash

    def file(self) -> tuple[str, bytes]:
        """The name of the file that it becomes the whole content of, and the content."""
        return PROMISE_FILE, encode(self)


_codec: Codec[PromiseRecord] = Codec(PromiseRecord, max_size_bytes=64)


class Promise:
    """The promise of an earlier life, or none. ``broken`` says why this witness may not sign."""

    def __init__(self, disk: Disk) -> None:
        self.kept: PromiseRecord | None = None
        self.broken: str | None = None
        if PROMISE_FILE not in disk.names():
            return
        data = read_sealed(disk, PROMISE_FILE)
        try:
            self.kept = _codec.decode(data) if data is not None else None
        except DecodeError:
            self.kept = None
        if self.kept is None:
            self.broken = (
                f"the file {PROMISE_FILE!r} is damaged, so what this node signed is not known: it signs no more"
            )
