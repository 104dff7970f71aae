"""The block log: everything the node ever accepted, in order, append-only and checksummed.

Blocks are the truth and all else is derived (write-ahead logging, Gray and Reuter, "Transaction Processing", 1993, ch. 9):
state and indexes can be thrown away and rebuilt from here. Records lie one after another in segment files of up to 64 MiB.

Invariants. A segment is synced before the next one is begun, so only the last can have a torn tail. Recovery cuts nothing
before the last intact record; damage before that is reported and can be repaired from a peer's copy: ``rewrite`` appends
the good copy and notes that it stands in for the damaged one.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from horoi.base.errors import StorageError
from horoi.base.hashing import HASH_SIZE_BYTES
from horoi.machine.disk import Disk, File
from horoi.node.storage.record import (
    BLOCK,
    COMMIT,
    HEADER_SIZE_BYTES,
    KIND_NAMES,
    MAX_PAYLOAD_BYTES,
    OVERHEAD_BYTES,
    SALT_SIZE_BYTES,
    UNDO,
    Damage,
    Entry,
    Format,
    Location,
)
from horoi.node.storage.repairs import Repairs
from horoi.node.storage.segment import (
    HEAD_SIZE_BYTES,
    MAX_SEGMENTS,
    pack_head,
    read_head,
    segment_name,
    segment_numbers,
)

__all__ = ["BLOCK", "COMMIT", "UNDO", "BlockLog", "Damage", "Entry", "Location", "Recovery"]

SEGMENT_BYTES = 64 << 20
WINDOW_BYTES = 4 << 20  # read at once by a scan; larger was not faster
MAX_OPEN_SEGMENTS = 8  # for reading; a guess
MAX_REPORTED_DAMAGES = 1_000


class Recovery(msgspec.Struct, frozen=True):
    """What opening found in the last segment, from ``synced`` on: bytes cut off its end, and damages not yet repaired (the
    first thousand)."""

    cut_bytes: int
    damages: tuple[Damage, ...]


class BlockLog:
    """Append-only log of blocks, undo data and commits.

    ``network_id`` (32 bytes) stands in every segment; ``salt`` (16 random bytes, see ``record``) is used when the log is new.
    ``synced`` is a place up to which the caller knows the log to have been synced (``end``, as the store's marker keeps it):
    nothing before it is taken for a torn tail. Opening cuts a torn tail off; ``recovery`` says what it found.

    Raises StorageError if the log belongs to another network or ends before ``synced``.
    """

    def __init__(
        self,
        disk: Disk,
        *,
        network_id: bytes,
        salt: bytes = bytes(SALT_SIZE_BYTES),
        synced: Location | None = None,
        name: str = "blocks",
        segment_bytes: int = SEGMENT_BYTES,
    ) -> None:
        if len(network_id) != HASH_SIZE_BYTES or len(salt) != SALT_SIZE_BYTES:
            raise ValueError(f"network id of {len(network_id)} bytes, salt of {len(salt)}; they have 32 and 16")
        self._disk = disk
        self._network_id = network_id
        self._name = name
        self._segment_bytes = segment_bytes
        self._segments = segment_numbers(name, disk.names())
        self._files: dict[int, File] = {}
        self._salt = self._find_salt(salt)
        self._format = Format(network_id + self._salt)
        self._repairs = Repairs(disk, f"{name}.repairs")
        self._end = self._file(self._segments[-1]).size_bytes if self._segments else 0
        self._has_rest = False  # bytes of a failed append may lie after the end
        self.recovery = self._recover(synced)

    # Writing

    def append(self, kind: int, name: bytes, payload: bytes) -> Location:
        """Add a record, durable once ``sync`` returned. Raises StorageError if the disk is full; then nothing was added."""
        if kind not in KIND_NAMES or len(name) != HASH_SIZE_BYTES or len(payload) > MAX_PAYLOAD_BYTES:
            raise ValueError(
                f"record of kind {kind}, hash of {len(name)} bytes, payload of {len(payload)}; a record has kind "
                f"{list(KIND_NAMES)}, 32 bytes and at most {MAX_PAYLOAD_BYTES}"
            )
        size_bytes = OVERHEAD_BYTES + len(payload)
        if not self._segments or self._end + size_bytes > max(self._segment_bytes, HEAD_SIZE_BYTES + size_bytes):
            self._begin_segment()
        location = Location(self._segments[-1], self._end, size_bytes)
        self._add(self._file(location.segment), self._format.pack(location.segment, self._end, kind, name, payload))
        return location

    def sync(self) -> None:
        """Return when every record so far is durable."""
        if self._segments:
            self._file(self._segments[-1]).sync()

    def rewrite(self, location: Location, kind: int, name: bytes, payload: bytes) -> Location:
        """Let a good copy, appended and synced, stand in for the damaged record at ``location``.

        From then on ``read(location)`` gives the copy and ``scan`` yields it in the old place.
        """
        self._repairs.check_room()
        copy = self.append(kind, name, payload)
        self.sync()
        self._repairs.add(location, copy)
        return copy

    def give_up(self, stretch: Location) -> None:
        """Note that what lay here is lost and not missed: a torn append, or what its owner fetches anew.

        An empty commit record stands in for it, so that ``scan`` does not report it again.
        """
        self.rewrite(stretch, COMMIT, bytes(HASH_SIZE_BYTES), b"")

    def close(self) -> None:
        """Close the files. What was not synced is not made durable by it."""
        for file in self._files.values():
            file.close()
        self._files.clear()

    # Reading

    @property
    def end(self) -> Location:
        """The place (of no bytes) where the next record goes, unless it begins a segment. For ``scan`` and ``synced``."""
        return Location(self._segments[-1], self._end, 0) if self._segments else Location(0, 0, 0)

    @property
    def size_bytes(self) -> int:
        """Size of all segments."""
        return sum(self._file(segment).size_bytes for segment in self._segments)

    def read(self, location: Location) -> bytes:
        """Return the payload of the record at ``location``, verified. Raises StorageError that names block and rule."""
        location = self._repairs.resolve(location)
        found = self._read_record(location)
        if isinstance(found, Damage):
            name = found.name.hex() or "(unknown, its header is damaged)"
            raise StorageError(
                f"log-record-intact: block {name} in {segment_name(self._name, location.segment)} at {location.offset}: "
                f"{found.reason}; fetch it from a peer and rewrite it"
            )
        return found.payload

    def read_part(self, location: Location, offset: int, size_bytes: int) -> bytes:
        """Return a part of a payload, unverified: whoever asks must know it by a hash of its own."""
        location = self._repairs.resolve(location)
        return self._file(location.segment).read(location.offset + HEADER_SIZE_BYTES + offset, size_bytes)

    def scan(self, since: Location | None = None) -> Iterator[Entry | Damage]:
        """Yield every record from ``since`` (included; None: the first) on, in order; damage where there is none.

        After damage the scan goes on at the next intact record. A repaired record stands in its old place.
        """
        if since is not None:
            self._check_holds(since)
        first = since.segment if since else 0
        expected = first
        for segment in [s for s in self._segments if s >= first]:
            for missing in range(expected, segment):
                yield Damage(Location(missing, 0, 0), f"{segment_name(self._name, missing)} is missing")
            expected = segment + 1
            if since is None or segment > first or since.offset < HEAD_SIZE_BYTES:
                yield from self._damaged_head(segment)
            start = max(HEAD_SIZE_BYTES, since.offset) if since and segment == first else HEAD_SIZE_BYTES
            for found in self._scan_segment(segment, start):
                yield from self._with_repairs(found)

    # Inside

    def _recover(self, synced: Location | None) -> Recovery:
        """Find the end of the log and cut off what a crash left torn there; only the last segment can hold that."""
        if synced is not None:
            self._check_holds(synced)
        if not self._segments:
            return Recovery(0, ())
        last = self._segments[-1]
        file = self._file(last)
        size_before = self._end
        if size_before <= HEAD_SIZE_BYTES:
            return Recovery(self._recover_empty(file, last), ())
        start = HEAD_SIZE_BYTES
        if synced is not None and synced.segment == last:
            start = max(start, synced.offset)
        intact_end = max(start, synced.end) if synced is not None and synced.segment == last else start
        damages = list(self._damaged_head(last))
        for raw in self._scan_segment(last, start):
            if isinstance(raw, Entry):
                intact_end = raw.location.end
            elif len(damages) < MAX_REPORTED_DAMAGES:
                damages += [found for found in self._with_repairs(raw) if isinstance(found, Damage)]
        self._end = intact_end
        if intact_end < size_before:
            file.truncate(intact_end)
        file.sync()  # a process that was killed left records that only the system's cache holds, and they count from now on
        return Recovery(size_before - intact_end, tuple(d for d in damages if d.location.offset < intact_end))

    def _check_holds(self, place: Location) -> None:
        """Raise StorageError if the log ends before the end of ``place``."""
        if place.end == 0:
            return
        end = 0
        if place.segment in self._segments:
            end = self._end_of(place.segment)
        if place.end > end:
            raise StorageError(
                f"log-holds-marker: {segment_name(self._name, place.segment)} ends at {end}, before {place.end}, which the store "
                "names; the log was cut by other hands: remove the store, and it is rebuilt from the log"
            )

    def _file(self, segment: int) -> File:
        file = self._files.get(segment)
        if file is not None:
            return file
        for oldest in list(self._files):
            if len(self._files) < MAX_OPEN_SEGMENTS:
                break
            if oldest != self._segments[-1]:
                self._files.pop(oldest).close()
        file = self._files[segment] = self._disk.open(segment_name(self._name, segment))
        return file

    def _end_of(self, segment: int) -> int:
        """Offset of the byte after the last record of a segment."""
        return self._end if segment == self._segments[-1] else self._file(segment).size_bytes

    def _find_salt(self, salt_if_new: bytes) -> bytes:
        """The salt of the newest segment with an intact head; all segments share it."""
        has_records = False
        for segment in reversed(self._segments):
            file = self._file(segment)
            salt = read_head(
                segment_name(self._name, segment), segment, file.read(0, HEAD_SIZE_BYTES), self._network_id
            )
            if salt is not None:
                return salt
            has_records = has_records or file.size_bytes > HEAD_SIZE_BYTES
        if has_records:
            raise StorageError(
                f"log-head-intact: no segment of {self._name} has an intact head, so its records cannot be verified; "
                "restore the folder from a copy, or remove it and fetch the blocks from peers"
            )
        return salt_if_new

    def _damaged_head(self, segment: int) -> Iterator[Damage]:
        head = self._file(segment).read(0, HEAD_SIZE_BYTES)
        if head != pack_head(segment, self._network_id, self._salt):
            name = segment_name(self._name, segment)
            yield Damage(Location(segment, 0, HEAD_SIZE_BYTES), f"the head of {name} is damaged")

    def _begin_segment(self) -> None:
        number = self._segments[-1] + 1 if self._segments else 0
        if number >= MAX_SEGMENTS:
            raise StorageError(
                f"{self._name}: {MAX_SEGMENTS} segments is the limit; start a new folder from a snapshot"
            )
        if self._segments:
            self._cut_rest(self._file(self._segments[-1]))
            self.sync()
        file = self._disk.open(segment_name(self._name, number))
        file.truncate(0)  # of a beginning that failed, on a full disk say
        file.append(pack_head(number, self._network_id, self._salt))
        file.sync()
        self._segments.append(number)
        self._files[number] = file
        self._end = HEAD_SIZE_BYTES

    def _recover_empty(self, file: File, segment: int) -> int:
        """Make anew the head of a segment that holds no record yet; return the bytes of the torn one."""
        self._end = HEAD_SIZE_BYTES
        head = pack_head(segment, self._network_id, self._salt)
        torn = file.read(0, HEAD_SIZE_BYTES)
        if torn == head:
            return 0
        file.truncate(0)
        file.append(head)
        file.sync()
        return len(torn)

    def _add(self, file: File, data: bytes) -> None:
        self._cut_rest(file)
        try:
            file.append(data)
        except StorageError:
            self._has_rest = True
            raise
        self._end += len(data)

    def _cut_rest(self, file: File) -> None:
        """Cut what a failed append may have left."""
        if self._has_rest:
            file.truncate(self._end)
            self._has_rest = False

    def _read_record(self, location: Location) -> Entry | Damage:
        """Read one record of known place and size."""
        if location.segment not in self._segments:
            return Damage(location, "the segment is missing")
        data = self._file(location.segment).read(location.offset, location.size_bytes)
        header = self._format.read_header(location.segment, location.offset, data, 0)
        if header is None:
            return Damage(location, "its header is damaged")
        kind, size_bytes, name = header
        if size_bytes != location.size_bytes or size_bytes != len(data):
            return Damage(location, f"it has {size_bytes} bytes, not the {location.size_bytes} asked for", name)
        payload = self._format.read_payload(location, memoryview(data), 0)
        if payload is None:
            return Damage(location, "its checksum does not match", name)
        return Entry(location, kind, name, payload)

    def _scan_segment(self, segment: int, offset: int) -> Iterator[Entry | Damage]:
        """Yield what lies in a segment from ``offset`` on, as it stands, repairs not applied."""
        file = self._file(segment)
        form = self._format
        size_bytes = self._end_of(segment)
        window = _Window(file)
        while offset < size_bytes:
            data, at = window.at(offset, HEADER_SIZE_BYTES)
            header = form.read_header(segment, offset, data, at)
            if header is None:
                end = min(size_bytes, self._next_record(file, segment, offset + 1))
                yield Damage(Location(segment, offset, end - offset), "a header is damaged")
                offset = end
                continue
            kind, record_size, name = header
            location = Location(segment, offset, record_size)
            if location.end > size_bytes:
                rest = Location(segment, offset, size_bytes - offset)
                yield Damage(rest, "the file ends within the record", name)
                return
            data, at = window.at(offset, record_size)
            payload = form.read_payload(location, data, at)
            if payload is None:
                yield Damage(location, "its checksum does not match", name)
            else:
                yield Entry(location, kind, name, payload)
            offset += record_size

    def _next_record(self, file: File, segment: int, offset: int) -> int:
        """Offset of the next intact header from ``offset`` on; the end of the file if there is none."""
        while True:
            data = file.read(offset, WINDOW_BYTES)
            at = data.find(self._format.magic)
            while at >= 0 and len(data) - at >= HEADER_SIZE_BYTES:
                if self._format.read_header(segment, offset + at, data, at) is not None:
                    return offset + at
                at = data.find(self._format.magic, at + 1)
            if len(data) < WINDOW_BYTES:
                return offset + len(data)
            offset += len(data) - HEADER_SIZE_BYTES + 1

    def _with_repairs(self, found: Entry | Damage) -> Iterator[Entry | Damage]:
        """Put good copies in the places of what they stand in for."""
        place = found.location
        if self._repairs.is_copy(place):
            return
        if isinstance(found, Entry):
            yield found
            return
        repaired, accounted_bytes = self._repairs.within(place)
        if accounted_bytes < place.size_bytes:
            yield found
        for old in repaired:
            yield self._read_record(self._repairs.resolve(old))


class _Window:
    """A stretch of a file in memory, moved on as a scan proceeds."""

    def __init__(self, file: File) -> None:
        self._file = file
        self._start = 0
        self._data = memoryview(b"")

    def at(self, offset: int, size_bytes: int) -> tuple[memoryview, int]:
        """Bytes and the position of ``offset`` in them; at least ``size_bytes`` from there, unless the file ends."""
        if not self._start <= offset <= self._start + len(self._data) - size_bytes:
            self._start = offset
            self._data = memoryview(self._file.read(offset, max(WINDOW_BYTES, size_bytes)))
        return self._data, offset - self._start
