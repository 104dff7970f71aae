"""The block log: what goes in comes out; damage is found, named and repaired; another network's log is refused."""

from __future__ import annotations

import hashlib
import random
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from horoi.base.errors import StorageError
from horoi.node.storage import BLOCK, COMMIT, MAX_PAYLOAD_BYTES, UNDO, BlockLog, Damage, Entry, Location
from horoi.node.storage.record import OVERHEAD_BYTES
from horoi.node.storage.segment import HEAD_SIZE_BYTES
from horoi.world.live.disk import LiveDisk
from horoi.world.sim.disk import SimDisk

NETWORK = bytes(range(32))
SALT = b"sixteen bytes ok"


def name(n: int) -> bytes:
    return hashlib.sha256(b"%d" % n).digest()


def open_log(disk: SimDisk | LiveDisk, **options: object) -> BlockLog:
    return BlockLog(disk, network_id=NETWORK, salt=SALT, **options)  # type: ignore[arg-type]


@pytest.fixture
def disk() -> SimDisk:
    return SimDisk(random.Random(7))


def fill(log: BlockLog, count: int, size_bytes: int = 20) -> list[Location]:
    places = [log.append(BLOCK, name(n), bytes([n % 256]) * size_bytes) for n in range(count)]
    log.sync()
    return places


def summary(log: BlockLog, since: Location | None = None) -> list[object]:
    """Payload's first byte of each entry; for damage, its place."""
    return [e.payload[0] if isinstance(e, Entry) else e.location for e in log.scan(since)]


records = st.lists(
    st.tuples(st.sampled_from([BLOCK, UNDO, COMMIT]), st.binary(min_size=32, max_size=32), st.binary(max_size=200))
)


@settings(max_examples=100, deadline=None)
@given(records, st.integers(200, 1_000))
def test_what_was_appended_is_read_and_scanned_in_order(
    items: list[tuple[int, bytes, bytes]], segment_bytes: int
) -> None:
    disk = SimDisk(random.Random(1))
    log = open_log(disk, segment_bytes=segment_bytes)
    places = [log.append(*item) for item in items]
    for _ in range(2):
        assert [log.read(place) for place in places] == [payload for _, _, payload in items]
        expected = [Entry(place, *item) for place, item in zip(places, items, strict=True)]
        assert list(log.scan()) == expected
        for n, place in enumerate(places):
            assert list(log.scan(place)) == expected[n:]
        assert list(log.scan(log.end)) == []
        assert places == sorted(places)
        log = open_log(disk, segment_bytes=segment_bytes)
    assert all(
        disk.open(n).size_bytes <= max(segment_bytes, HEAD_SIZE_BYTES + OVERHEAD_BYTES + 200) for n in disk.names()
    )


def test_the_end_is_a_place_to_go_on_scanning_from(disk: SimDisk) -> None:
    log = open_log(disk, segment_bytes=400)
    assert summary(log, log.end) == []
    start = log.end
    fill(log, 3)
    middle = log.end
    places = fill(log, 9)
    assert summary(log, start) == [0, 1, 2, *range(9)]
    assert summary(log, middle) == list(range(9))
    assert places[-1].segment > middle.segment
    assert summary(open_log(disk, synced=middle), middle) == list(range(9))


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_one_damaged_bit_anywhere_is_found_and_costs_one_record(data: st.DataObject) -> None:
    disk = SimDisk(random.Random(1))
    log = open_log(disk)
    places = fill(log, 6, size_bytes=data.draw(st.integers(1, 60)))
    end = log.end
    offset = data.draw(st.integers(HEAD_SIZE_BYTES, end.offset - 1))
    disk.flip("blocks-000000.log", offset, data.draw(st.integers(0, 7)))
    hit = next(n for n, place in enumerate(places) if offset < place.end)

    log = open_log(disk, synced=end)
    assert log.recovery.cut_bytes == 0
    assert [d.location for d in log.recovery.damages] == ([places[hit]] if hit == 6 else [])
    assert summary(log) == [*range(hit), places[hit], *range(hit + 1, 6)]
    with pytest.raises(StorageError, match=r"log-record-intact: block .* blocks-000000.log at .* fetch it from a peer"):
        log.read(places[hit])
    assert [log.read(p)[0] for n, p in enumerate(places) if n != hit] == [n for n in range(6) if n != hit]


def test_damage_in_the_middle_is_reported_not_cut_even_if_nobody_says_what_was_synced(disk: SimDisk) -> None:
    places = fill(open_log(disk), 5)
    disk.flip("blocks-000000.log", places[2].offset + 50)
    log = open_log(disk)
    assert log.recovery.cut_bytes == 0
    assert log.recovery.damages == (Damage(places[2], "its checksum does not match", name(2)),)
    assert summary(log) == [0, 1, places[2], 3, 4]


def test_the_message_names_the_block_where_its_header_is_intact(disk: SimDisk) -> None:
    log = open_log(disk)
    places = fill(log, 3)
    disk.flip("blocks-000000.log", places[1].offset + 50)
    disk.flip("blocks-000000.log", places[2].offset + 1)
    with pytest.raises(StorageError, match=name(1).hex()):
        log.read(places[1])
    with pytest.raises(StorageError, match="unknown, its header is damaged"):
        log.read(places[2])
    with pytest.raises(StorageError, match="segment is missing"):
        log.read(Location(3, 200, 80))
    with pytest.raises(StorageError, match="header is damaged"):
        log.read(Location(0, places[0].offset + 1, 80))
    with pytest.raises(StorageError, match="not the 70 asked for"):
        log.read(Location(0, places[0].offset, 70))


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 200), st.binary(max_size=80))
def test_a_torn_tail_is_cut_and_the_log_goes_on(cut_bytes: int, garbage: bytes) -> None:
    disk = SimDisk(random.Random(1))
    log = open_log(disk)
    places = fill(log, 4)
    file = disk.open("blocks-000000.log")
    file.truncate(max(HEAD_SIZE_BYTES, file.size_bytes - cut_bytes))
    file.append(garbage)
    size_bytes = file.size_bytes
    intact = [p for p in places if p.end <= size_bytes - len(garbage)]
    end = intact[-1].end if intact else HEAD_SIZE_BYTES

    log = open_log(disk)
    assert log.recovery.cut_bytes == size_bytes - end
    assert log.recovery.damages == ()
    again = log.append(COMMIT, name(9), b"\x09")
    assert again.offset == end
    assert summary(open_log(disk)) == [*range(len(intact)), 9]


@pytest.mark.parametrize("by", ["end", "last record"])
def test_nothing_that_the_caller_knows_to_be_synced_is_cut(disk: SimDisk, by: str) -> None:
    log = open_log(disk)
    places = fill(log, 4)
    end = log.end
    disk.flip("blocks-000000.log", places[3].end - 1)
    log = open_log(disk, synced=end if by == "end" else places[3])
    assert log.recovery.cut_bytes == 0
    assert summary(log) == [0, 1, 2, places[3]]
    assert log.end == end


def test_a_log_that_ends_before_the_marker_is_refused(disk: SimDisk) -> None:
    log = open_log(disk)
    fill(log, 4)
    end = log.end
    disk.open("blocks-000000.log").truncate(300)
    with pytest.raises(StorageError, match=r"log-holds-marker.*remove the store"):
        open_log(disk, synced=end)
    disk.remove("blocks-000000.log")
    with pytest.raises(StorageError, match="log-holds-marker"):
        open_log(disk, synced=end)
    with pytest.raises(StorageError, match="log-holds-marker"):
        list(open_log(disk).scan(end))


@settings(max_examples=60, deadline=None)
@given(st.sets(st.integers(0, 11), min_size=1), st.randoms(use_true_random=False), st.booleans())
def test_repaired_records_stand_in_their_old_places(hits: set[int], dice: random.Random, twice: bool) -> None:
    disk = SimDisk(random.Random(1))
    log = open_log(disk, segment_bytes=500)
    places = fill(log, 12)
    damaged = sorted(hits)
    for n in damaged:
        disk.flip(f"blocks-{places[n].segment:06}.log", dice.randrange(places[n].offset, places[n].end), 3)
    end = log.end
    log = open_log(disk, segment_bytes=500, synced=end)
    copies = {n: log.rewrite(places[n], BLOCK, name(n), bytes([n]) * 20) for n in damaged}
    if twice:
        n = damaged[0]
        disk.flip(f"blocks-{copies[n].segment:06}.log", copies[n].offset + dice.randrange(copies[n].size_bytes))
        log.rewrite(copies[n], BLOCK, name(n), bytes([n]) * 20)
    for _ in range(2):
        assert summary(log) == list(range(12))
        assert [log.read(p)[0] for p in places] == list(range(12))
        log = open_log(disk, segment_bytes=500, synced=end)


def test_a_lost_list_of_repairs_loses_nothing_but_order(disk: SimDisk) -> None:
    log = open_log(disk)
    places = fill(log, 3)
    disk.flip("blocks-000000.log", places[1].offset + 50)
    log.rewrite(places[1], BLOCK, name(1), b"\x01" * 20)
    disk.flip("blocks.repairs", 12)
    assert summary(open_log(disk)) == [0, places[1], 2, 1]


def test_another_networks_log_is_refused(disk: SimDisk) -> None:
    fill(open_log(disk), 1)
    with pytest.raises(StorageError, match="belongs to another network"):
        BlockLog(disk, network_id=bytes(32))


def test_a_segment_of_another_network_among_ours_is_not_read(disk: SimDisk) -> None:
    other = SimDisk(random.Random(1))
    fill(BlockLog(other, network_id=bytes(32), salt=SALT, segment_bytes=400), 8)
    fill(open_log(disk, segment_bytes=400), 8)
    file = other.open("blocks-000001.log")
    disk.replace("blocks-000001.log", file.read(0, file.size_bytes))
    assert [s for s in summary(open_log(disk)) if isinstance(s, int)] == [0, 1, 2, 6, 7]


def test_a_head_with_one_damaged_copy_is_read_from_the_other(disk: SimDisk) -> None:
    fill(open_log(disk), 2)
    disk.flip("blocks-000000.log", 45)
    head, *records = summary(open_log(disk))
    assert records == [0, 1]
    assert head == Location(0, 0, HEAD_SIZE_BYTES), "the damage is reported all the same"


def test_a_segment_without_head_is_read_with_the_salt_of_its_neighbours(disk: SimDisk) -> None:
    fill(open_log(disk, segment_bytes=400), 8)
    for segment in (0, 1):
        disk.flip(f"blocks-{segment:06}.log", 45)
        disk.flip(f"blocks-{segment:06}.log", HEAD_SIZE_BYTES - 1)
    log = BlockLog(disk, network_id=NETWORK, salt=b"another salt 16b")
    heads = [Location(segment, 0, HEAD_SIZE_BYTES) for segment in (0, 1)]
    assert summary(log) == [heads[0], 0, 1, 2, heads[1], 3, 4, 5, 6, 7]


def test_a_log_without_any_head_says_so(disk: SimDisk) -> None:
    fill(open_log(disk), 2)
    disk.flip("blocks-000000.log", 45)
    disk.flip("blocks-000000.log", HEAD_SIZE_BYTES - 1)
    with pytest.raises(StorageError, match="log-head-intact"):
        open_log(disk)


def test_a_missing_segment_is_damage(disk: SimDisk) -> None:
    places = fill(open_log(disk, segment_bytes=300), 9)
    disk.remove("blocks-000001.log")
    seen = summary(open_log(disk, segment_bytes=300))
    assert Location(1, 0, 0) in seen
    assert [s for s in seen if isinstance(s, int)] == [n for n, p in enumerate(places) if p.segment != 1]


def test_bytes_of_a_record_inside_a_payload_are_not_taken_for_a_record(disk: SimDisk) -> None:
    """A peer who knows the format but not the salt sends a block full of records, and its header is damaged."""
    forger = SimDisk(random.Random(1))
    log = open_log(disk)
    first = log.append(BLOCK, name(0), b"\x00")
    guess = BlockLog(forger, network_id=NETWORK)  # without the salt
    for n in range(5):
        guess.append(COMMIT, name(n), b"forged")
    forged = forger.open("blocks-000000.log").read(HEAD_SIZE_BYTES, 10_000)
    hit = log.append(BLOCK, name(1), forged)
    last = log.append(BLOCK, name(2), b"\x02")
    disk.flip("blocks-000000.log", hit.offset)
    assert summary(log) == [0, hit, 2]
    assert (first.segment, last.segment) == (0, 0)


def test_a_record_moved_to_another_place_is_damage(disk: SimDisk) -> None:
    log = open_log(disk)
    places = fill(log, 3)
    file = disk.open("blocks-000000.log")
    second = file.read(places[1].offset, places[1].size_bytes)
    file.truncate(places[2].offset)
    file.append(second)
    assert [e.payload[0] for e in open_log(disk).scan() if isinstance(e, Entry)] == [0, 1]


def test_records_are_bounded_and_of_a_known_kind(disk: SimDisk) -> None:
    log = open_log(disk)
    for kind, hashed, payload in ((0, name(0), b""), (9, name(0), b""), (BLOCK, b"short", b"")):
        with pytest.raises(ValueError, match="a record has kind"):
            log.append(kind, hashed, payload)
    with pytest.raises(ValueError, match=f"at most {MAX_PAYLOAD_BYTES}"):
        log.append(BLOCK, name(0), bytes(MAX_PAYLOAD_BYTES + 1))
    with pytest.raises(ValueError, match="they have 32 and 16"):
        BlockLog(disk, network_id=b"short")
    assert disk.names() == []


def test_a_full_disk_adds_nothing_and_the_log_goes_on_when_there_is_room() -> None:
    for seed in range(30):
        disk = SimDisk(random.Random(seed))
        log = open_log(disk, segment_bytes=500)
        fill(log, 3)
        disk.fill(disk.used_bytes + 60)
        with pytest.raises(StorageError, match="disk is full"):
            log.append(BLOCK, name(3), b"\x03" * 20)
        assert summary(log) == [0, 1, 2]
        disk.fill(None)
        log.append(BLOCK, name(3), b"\x03" * 20)
        for n in range(4, 12):
            log.append(BLOCK, name(n), bytes([n]) * 20)
        log.sync()
        assert summary(open_log(disk)) == list(range(12))


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as path:
        yield Path(path)


def test_on_a_real_disk_with_records_larger_than_the_window(folder: Path) -> None:
    sizes = [0, 5 << 20, 1, 3 << 20, 4 << 20, 17]
    with LiveDisk(folder) as disk:
        log = open_log(disk, segment_bytes=9 << 20)
        for n, size_bytes in enumerate(sizes):
            log.append(BLOCK, name(n), bytes([n]) * size_bytes)
        log.sync()
        log.close()
        log = open_log(disk)
        assert [len(e.payload) for e in log.scan() if isinstance(e, Entry)] == sizes
        assert len([n for n in disk.names() if n.startswith("blocks-")]) == 2
