"""The simulated disk loses what its promises let it lose, and never more."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from horoi.base.errors import StorageError
from horoi.world.sim.disk import Crashed, SimDisk

file_steps = st.lists(
    st.one_of(
        st.tuples(st.just("append"), st.binary(min_size=1, max_size=12)),
        st.tuples(st.just("truncate"), st.integers(0, 40)),
        st.tuples(st.just("sync"), st.none()),
    ),
    max_size=15,
)


@settings(max_examples=500, deadline=None)
@given(file_steps, st.integers(0, 2**32))
def test_a_file_keeps_what_was_synced_and_a_prefix_of_the_rest(steps: list[tuple[str, Any]], seed: int) -> None:
    disk = SimDisk(random.Random(seed))
    file = disk.open("f")
    states = [b""]  # contents since the last sync, oldest (durable) first
    for verb, value in steps:
        if verb == "append":
            file.append(value)
            states.append(states[-1] + value)
        elif verb == "truncate":
            size_bytes = min(value, len(states[-1]))
            file.truncate(size_bytes)
            states.append(states[-1][:size_bytes])
        else:
            file.sync()
            states = states[-1:]
    disk.crash()
    file = disk.open("f")
    survived = file.read(0, file.size_bytes)

    def explains(i: int) -> bool:
        """Steps up to i survived whole, the next perhaps in part, and only unsynced bytes are spoilt."""
        intact = min(len(s) for s in states[: i + 1])
        longest = max(len(s) for s in states[i : i + 2])
        return len(states[i]) <= len(survived) <= longest and survived[:intact] == states[i][:intact]

    assert any(explains(i) for i in range(len(states)))


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.tuples(st.dictionaries(st.binary(max_size=1), st.none() | st.binary(max_size=3), max_size=4), st.booleans()),
        max_size=10,
    ),
    st.integers(0, 2**32),
)
def test_a_store_keeps_a_prefix_of_whole_writes(writes: list[tuple[dict[bytes, Any], bool]], seed: int) -> None:
    disk = SimDisk(random.Random(seed))
    store = disk.store("s")
    possible: list[dict[bytes, bytes]] = [{}]
    for changes, sync in writes:
        store.write(changes, sync=sync)
        merged = {**possible[-1], **changes}
        possible.append({k: v for k, v in merged.items() if v is not None})
        if sync:
            possible = possible[-1:]
    disk.crash()
    assert dict(disk.store("s").items()) in possible


def test_a_crash_tears_in_every_way_that_the_promises_allow() -> None:
    seen: Counter[str] = Counter()
    for seed in range(300):
        disk = SimDisk(random.Random(seed))
        file = disk.open("f")
        file.append(b"durable.")
        file.sync()
        for _ in range(4):
            file.append(b"unsynced")
        disk.crash()
        tail = disk.open("f").read(8, 100)
        whole = b"unsynced" * 4
        seen[
            "all lost" if not tail else "all kept" if tail == whole else "cut" if whole.startswith(tail) else "spoilt"
        ] += 1
        seen["zeros"] += tail.endswith(bytes(8))
        seen["hole before good bytes"] += bytes(3) in tail and tail.endswith(b"ced") and len(tail) == 32
    for fault in ("all lost", "all kept", "cut", "spoilt", "zeros", "hole before good bytes"):
        assert seen[fault] > 2, (fault, seen)


def test_an_armed_crash_strikes_at_that_operation_before_or_after_its_effect() -> None:
    outcomes = set()
    for seed in range(30):
        disk = SimDisk(random.Random(seed))
        file = disk.open("f")
        disk.replace("note", b"old")
        disk.arm_crash(after_operations=2)
        file.append(b"x")
        with pytest.raises(Crashed):
            disk.replace("note", b"new")
        with pytest.raises(Crashed):
            file.append(b"a finally clause that goes on writing")
        with pytest.raises(Crashed):
            disk.open("note")
        disk.crash()
        outcomes.add(disk.open("note").read(0, 9))
        with pytest.raises(Crashed):
            file.read(0, 1)
    assert outcomes == {b"old", b"new"}


@pytest.mark.parametrize("operation", ["append", "sync", "truncate", "write", "replace", "remove"])
def test_every_mutating_operation_can_be_the_last(operation: str) -> None:
    disk = SimDisk(random.Random(3))
    file, store = disk.open("f"), disk.store("s")
    disk.arm_crash(1)
    run: dict[str, Any] = {
        "append": lambda: file.append(b"x"),
        "sync": file.sync,
        "truncate": lambda: file.truncate(0),
        "write": lambda: store.write({b"k": b"v"}, sync=True),
        "replace": lambda: disk.replace("g", b""),
        "remove": lambda: disk.remove("f"),
    }
    with pytest.raises(Crashed):
        run[operation]()


def test_no_handler_of_ordinary_errors_survives_a_crash() -> None:
    assert not issubclass(Crashed, Exception)


def test_the_same_dice_give_the_same_universe() -> None:
    def live(seed: int) -> bytes:
        disk = SimDisk(random.Random(seed))
        file = disk.open("f")
        for n in range(20):
            file.append(bytes([n]) * n)
        disk.crash()
        return disk.open("f").read(0, 1_000)

    assert [live(n) for n in range(20)] == [live(n) for n in range(20)]


def test_a_full_disk_refuses_and_says_so_and_may_leave_a_part() -> None:
    left = set()
    for seed in range(40):
        disk = SimDisk(random.Random(seed))
        file, store = disk.open("f"), disk.store("s")
        file.append(b"1234")
        disk.fill(10)
        with pytest.raises(StorageError, match="disk is full"):
            file.append(b"x" * 7)
        assert file.read(0, 4) == b"1234"
        left.add(file.size_bytes)
        with pytest.raises(StorageError, match="disk is full"):
            store.write({b"key": b"a long value"}, sync=True)
        assert store.get(b"key") is None
        disk.fill(None)
        file.append(b"x" * 7)
    assert min(left) == 4
    assert 4 < max(left) <= 10


def test_flip_damages_one_bit() -> None:
    disk = SimDisk(random.Random(1))
    disk.open("f").append(b"ab")
    disk.flip("f", 1, 0)
    assert disk.open("f").read(0, 2) == b"ac"
    with pytest.raises(IndexError):
        disk.flip("f", 2)
