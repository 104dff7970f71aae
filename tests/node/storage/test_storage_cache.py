"""The write-back cache behaves as one dict, and the store below sees whole flushes only."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from horoi.base.errors import StorageError
from horoi.node.storage import CachedStore
from horoi.world.sim.disk import SimDisk

KEYS = st.binary(min_size=1, max_size=1).map(lambda b: bytes([b[0] % 6]))
steps = st.lists(
    st.one_of(
        st.tuples(st.just("put"), KEYS, st.binary(max_size=2)),
        st.tuples(st.just("delete"), KEYS),
        st.tuples(st.just("flush")),
        st.tuples(st.just("discard")),
        st.tuples(st.just("items"), KEYS, st.none() | KEYS),
    ),
    max_size=40,
)


class Watched:
    """A store that remembers what was written to it."""

    def __init__(self, below: Any) -> None:
        self.below = below
        self.writes: list[dict[bytes, bytes | None]] = []
        self.get, self.close = below.get, below.close
        self.items, self.items_down = below.items, below.items_down

    def write(self, changes: Mapping[bytes, bytes | None], *, sync: bool) -> None:
        self.writes.append(dict(changes))
        self.below.write(changes, sync=sync)


@settings(max_examples=300, deadline=None)
@given(steps)
def test_it_is_one_dict(sequence: list[tuple[Any, ...]]) -> None:
    store = Watched(SimDisk(random.Random(1)).store("s"))
    cache = CachedStore(store, 5)
    now: dict[bytes, bytes] = {}
    flushed: dict[bytes, bytes] = {}
    for verb, *rest in sequence:
        if verb == "put":
            key, value = rest
            cache.put(key, value, is_fresh=key not in now and key not in flushed)
            now[key] = value
        elif verb == "delete":
            cache.delete(rest[0])
            now.pop(rest[0], None)
        elif verb == "flush":
            cache.flush({b"m": b"marker"})
            now[b"m"] = b"marker"
            flushed = dict(now)
            assert dict(store.below.items()) == now
        elif verb == "discard":
            cache.discard()
            now = dict(flushed)
        else:
            start, stop = rest
            expected = sorted((k, v) for k, v in now.items() if start <= k and (stop is None or k < stop))
            assert list(cache.items(start, stop)) == expected
            assert list(cache.items_down(start, stop)) == expected[::-1]
        assert [cache.get(bytes([n])) for n in range(6)] == [now.get(bytes([n])) for n in range(6)]
        assert cache.full == (len(cache.changes) >= 5)
        assert all(key in cache.changes for key in sorted(cache.fresh))
    assert dict(store.below.items()) == flushed


def test_what_is_born_and_dies_between_flushes_never_reaches_the_store() -> None:
    store = Watched(SimDisk(random.Random(1)).store("s"))
    cache = CachedStore(store, 100)
    cache.put(b"short-lived", b"v", is_fresh=True)
    cache.put(b"lasting", b"v", is_fresh=True)
    cache.delete(b"short-lived")
    cache.put(b"perhaps below", b"v")
    cache.delete(b"perhaps below")
    cache.flush({b"marker": b"1"})
    assert store.writes == [{b"lasting": b"v", b"perhaps below": None, b"marker": b"1"}]


def test_a_key_that_is_below_is_not_fresh_when_it_comes_back() -> None:
    """A reorganisation: spent, then unspent by undo data, then spent again."""
    store = SimDisk(random.Random(1)).store("s")
    cache = CachedStore(store, 100)
    cache.put(b"holding", b"v", is_fresh=True)
    cache.flush({})
    cache.delete(b"holding")
    cache.put(b"holding", b"v", is_fresh=True)
    cache.delete(b"holding")
    assert cache.get(b"holding") is None
    cache.flush({})
    assert store.get(b"holding") is None


def test_a_refused_flush_loses_nothing() -> None:
    disk = SimDisk(random.Random(1))
    cache = CachedStore(disk.store("s"), 100)
    changes = cache.changes
    cache.put(b"k", b"v" * 50)
    disk.fill(10)
    with pytest.raises(StorageError, match="full"):
        cache.flush({b"m": b"1"})
    assert cache.get(b"k") == b"v" * 50
    assert cache.store.get(b"m") is None
    disk.fill(None)
    cache.flush({b"m": b"1"})
    assert cache.changes is changes == {}
    assert cache.get(b"k") == b"v" * 50


def test_at_least_one_change_fits() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        CachedStore(SimDisk(random.Random(1)).store("s"), 0)
