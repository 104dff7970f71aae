"""Which good copy stands in for which damaged record of the block log: a small file, replaced as a whole."""

from __future__ import annotations

import hashlib

from horoi.base.codec import Codec, encode
from horoi.base.errors import DecodeError, StorageError
from horoi.machine.disk import Disk
from horoi.node.storage.record import Location

MAX_REPAIRS = 65_536  # far more than a disk that is still worth keeping needs; under 4 MiB
_CODEC: Codec[list[tuple[Location, Location]]] = Codec(list[tuple[Location, Location]], max_size_bytes=MAX_REPAIRS * 64)


class Repairs:
    """The list, in memory and on disk."""

    def __init__(self, disk: Disk, name: str) -> None:
        self._disk = disk
        self._name = name
        self._copies: dict[Location, Location] = {}
        if name in disk.names():
            self._load()
        self._is_copy = dict.fromkeys(self._copies.values(), True)

    def _load(self) -> None:
        """A damaged list is taken for an empty one: the damages show again and are repaired again."""
        file = self._disk.open(self._name)
        data = file.read(0, file.size_bytes)
        file.close()
        if data[:8] != _check(data[8:]):
            return
        try:
            self._copies = dict(_CODEC.decode(data[8:]))
        except DecodeError:
            return

    def check_room(self) -> None:
        """Raise StorageError if the list is full."""
        if len(self._copies) >= MAX_REPAIRS:
            raise StorageError(
                f"{self._name}: {MAX_REPAIRS} repairs is the limit, this disk is failing; replace it and fetch the blocks anew"
            )

    def add(self, old: Location, copy: Location) -> None:
        """Note, durably, that ``copy`` stands in for ``old``. A copy lies after what it stands in for."""
        if copy <= old:
            raise ValueError(f"copy at {copy} lies before what it stands in for, {old}")
        copies = {**self._copies, old: copy}
        data = encode(list(copies.items()))
        self._disk.replace(self._name, _check(data) + data)
        self._copies = copies
        self._is_copy[copy] = True

    def resolve(self, location: Location) -> Location:
        """The place to read. Copies of copies lie ever farther on, so the chain ends."""
        while (copy := self._copies.get(location)) is not None:
            location = copy
        return location

    def is_copy(self, location: Location) -> bool:
        """Whether the record here stands in for an earlier one."""
        return location in self._is_copy

    def within(self, stretch: Location) -> tuple[list[Location], int]:
        """What was repaired within a damaged stretch, in order; and how many of its bytes need no report.

        A damaged copy that was repaired again is read through the first record of its chain, so it is not listed.
        """
        known = {**self._copies, **self._is_copy}
        inside = sorted(p for p in known if p.segment == stretch.segment and stretch.offset <= p.offset < stretch.end)
        return [p for p in inside if p not in self._is_copy], sum(p.size_bytes for p in inside)


def _check(data: bytes) -> bytes:
    return hashlib.sha256(b"horoi/log/repairs" + data).digest()[:8]
