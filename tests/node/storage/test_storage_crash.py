"""Thousands of lives that end in a crash at a random disk operation: log and state always come back together."""

from __future__ import annotations

import hashlib
import random
from itertools import islice

import pytest

from horoi.base.codec import Codec, Record, encode
from horoi.base.errors import StorageError
from horoi.node.storage import BLOCK, COMMIT, UNDO, BlockLog, CachedStore, Damage, Entry, Location
from horoi.world.sim.disk import Crashed, SimDisk

NETWORK = bytes(32)
LIVES_PER_UNIVERSE = 25
UNIVERSES = 300


class Marker(Record, frozen=True):
    """What the store says it is the state after."""

    block: Location
    name: bytes
    log_end: Location


marker_codec: Codec[Marker] = Codec(Marker, max_size_bytes=200)


class Universe:
    """One disk and what is known about it: records known synced, records perhaps there, states by their marker's block."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.disk = SimDisk(random.Random(seed + 1))
        self.synced: list[Entry | Damage] = []
        self.unsynced: list[Entry] = []
        self.state: dict[bytes, bytes] = {}
        self.states: dict[bytes, dict[bytes, bytes]] = {}
        self.is_marked = False
        self.count = 0
        self.kept_unsynced = 0

    def open(self) -> tuple[BlockLog, CachedStore]:
        cache = CachedStore(self.disk.store("state"), 50)
        raw = cache.get(b"marker")
        marker = marker_codec.decode(raw) if raw else None
        log = BlockLog(
            self.disk, network_id=NETWORK, salt=bytes(16), segment_bytes=900, synced=marker.log_end if marker else None
        )
        self.check(log, cache, marker)
        return log, cache

    def check(self, log: BlockLog, cache: CachedStore, marker: Marker | None) -> None:
        found = list(log.scan())
        assert found[: len(self.synced)] == self.synced, "a synced record was lost, changed or moved"
        rest = found[len(self.synced) :]
        maybe = iter(self.unsynced)
        for record in rest:
            if isinstance(record, Entry):
                assert any(record == other for other in maybe), "a record that nobody appended, or out of order"
                self.kept_unsynced += 1
        if marker is None:
            assert not self.is_marked, "a marker that was synced is gone"
        else:
            assert hashlib.sha256(log.read(marker.block)).digest() == marker.name
            self.state = dict(self.states[marker.name])
            assert dict(cache.items(b"k", b"l")) == self.state
        self.states = {marker.name: dict(self.state)} if marker else {}
        if not marker:
            self.state = {}
        self.synced = found  # opening synced what it found, holes between intact records included
        self.unsynced = []

    def append(self, log: BlockLog, kind: int) -> Entry:
        self.count += 1
        payload = b"%d:" % self.count + self.dice.randbytes(self.dice.choice((0, 10, 300)))
        name = hashlib.sha256(payload).digest()
        before = log.end
        here = Entry(Location(0, 0, 0), kind, name, payload)
        self.unsynced.append(here)
        try:
            here = Entry(log.append(kind, name, payload), kind, name, payload)
        except Crashed:
            # it may be there all the same, at one of two places: where the segment goes on, or at the head of the next
            self.unsynced.pop()
            size_bytes = len(payload) + 53
            for place in (before, Location(before.segment + (before.end > 0), 138, 0)):
                self.unsynced.append(
                    Entry(Location(place.segment, place.offset or 138, size_bytes), kind, name, payload)
                )
            raise
        except StorageError:
            self.unsynced.pop()
            raise
        self.unsynced[-1] = here
        return here

    def sync(self, log: BlockLog) -> None:
        log.sync()
        self.synced += self.unsynced
        self.unsynced = []

    def live(self, log: BlockLog, cache: CachedStore) -> None:
        """Write blocks until the power fails."""
        while True:
            block = self.append(log, BLOCK)
            for n in range(self.dice.randrange(4)):
                key = b"k%d" % self.dice.randrange(30)
                if self.state.pop(key, None) is not None:
                    cache.delete(key)
                else:
                    self.state[key] = b"%d.%d" % (self.count, n)
                    cache.put(key, self.state[key])
            self.append(log, UNDO)
            if self.dice.random() < 0.5:
                continue
            self.append(log, COMMIT)
            self.sync(log)
            if self.dice.random() < 0.4:
                self.states[block.name] = dict(self.state)
                marker = Marker(block.location, block.name, log.end)
                sync = self.dice.random() < 0.7
                cache.flush({b"marker": encode(marker)}, sync=sync)
                if sync:  # no older state can come back now
                    self.is_marked = True
                    self.states = {block.name: dict(self.state)}


@pytest.mark.parametrize("first_seed", range(0, UNIVERSES, 30))
def test_after_any_crash_the_log_holds_all_that_was_synced_and_the_marker_names_a_block_in_it(first_seed: int) -> None:
    crashes, unsynced = 0, 0
    for seed in range(first_seed, first_seed + 30):
        universe = Universe(seed)
        try:
            for _ in range(LIVES_PER_UNIVERSE):
                universe.disk.arm_crash(universe.dice.randint(1, 60))
                with pytest.raises(Crashed):
                    universe.live(*universe.open())
                universe.disk.crash()
                crashes += 1
            universe.open()
        except AssertionError as error:
            raise AssertionError(f"universe {seed}, after {crashes} crashes: {error}") from error
        unsynced += universe.kept_unsynced
    assert crashes == 30 * LIVES_PER_UNIVERSE
    assert unsynced > 50  # the dice did leave records that nobody had synced


def test_a_record_that_vanished_after_its_sync_would_be_noticed() -> None:
    """The check above can fail."""
    universe = Universe(3)
    log, cache = universe.open()
    for _ in range(3):
        universe.append(log, BLOCK)
    universe.sync(log)
    place = universe.synced[1].location
    universe.disk.flip("blocks-000000.log", place.offset + 60)
    cache.close()
    with pytest.raises(AssertionError, match="synced record was lost"):
        universe.open()


def test_after_a_crash_the_log_goes_on_where_it_was_cut() -> None:
    for seed in range(50):
        disk = SimDisk(random.Random(seed))
        log = BlockLog(disk, network_id=NETWORK, segment_bytes=400)
        for n in range(10):
            log.append(BLOCK, bytes(32), b"%d" % n)
            if n == 4:
                log.sync()
        disk.crash()
        log = BlockLog(disk, network_id=NETWORK, segment_bytes=400)
        log.append(BLOCK, bytes(32), b"new")
        log.sync()
        disk.crash()
        log = BlockLog(disk, network_id=NETWORK, segment_bytes=400)
        payloads = [e.payload for e in log.scan() if isinstance(e, Entry)]
        assert list(islice(payloads, 5)) == [b"0", b"1", b"2", b"3", b"4"]
        assert payloads[-1] == b"new"


def test_what_a_killed_process_left_unsynced_counts_only_after_it_is_synced() -> None:
    """The next life reads it from the system's cache and may build on it; then the power fails."""
    for seed in range(30):
        disk = SimDisk(random.Random(seed))
        log = BlockLog(disk, network_id=NETWORK)
        places = [log.append(BLOCK, bytes(32), b"%d" % n) for n in range(3)]
        log = BlockLog(disk, network_id=NETWORK)  # killed and started again, without a power loss
        assert [log.read(place) for place in places] == [b"0", b"1", b"2"]
        disk.crash()
        log = BlockLog(disk, network_id=NETWORK)
        assert [log.read(place) for place in places] == [b"0", b"1", b"2"]


def test_a_repair_is_durable_or_did_not_happen() -> None:
    done = 0
    for seed in range(60):
        disk = SimDisk(random.Random(seed))
        log = BlockLog(disk, network_id=NETWORK)
        places = [log.append(BLOCK, bytes(32), b"payload %d" % n) for n in range(3)]
        log.sync()
        disk.flip("blocks-000000.log", places[1].offset + 50)
        disk.arm_crash(seed % 6 + 1)
        try:
            log.rewrite(places[1], BLOCK, bytes(32), b"payload 1")
            repaired = True
        except Crashed:
            repaired = False
        disk.crash()
        log = BlockLog(disk, network_id=NETWORK)
        damages = [d.location for d in log.scan() if isinstance(d, Damage)]
        if repaired or not damages:
            assert log.read(places[1]) == b"payload 1"
            done += 1
        else:
            assert damages == [places[1]]
        assert [log.read(places[n]) for n in (0, 2)] == [b"payload 0", b"payload 2"]
    assert 20 < done < 60
