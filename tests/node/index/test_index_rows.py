"""The index is a function of the chain: what a reorganisation leaves is what a fresh index has; and it answers by words."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.node.chains import LATER_MS, give, mine, small_genesis
from tests.web.web_api import Api, running_api
from tests.web.web_node import ALICE, BOB

from horoi.base.address import address_of
from horoi.base.codec import encode
from horoi.base.errors import StorageError
from horoi.machine.contract import Asked
from horoi.node.chain import Chain
from horoi.node.index import index as indexes
from horoi.node.index.index import Index
from horoi.world.sim.disk import SimDisk


@pytest.fixture
def api() -> Iterator[Api]:
    with running_api() as running:
        yield running


def fresh_rows(api: Api) -> list[tuple[bytes, bytes]]:
    index = Index(api.host.node.chain, SimDisk(random.Random(0)))
    index.catch_up()
    return [row for row in index.store.items() if row[0] != b"m"]


def rows(index: Index) -> list[tuple[bytes, bytes]]:
    return [row for row in index.store.items() if row[0] != b"m"]


def history(api: Api) -> None:
    """Some of everything."""
    crude = api.post("/v1/wallet/define", {"name": "crude oil", "unit": "bbl", "limit": "1000"})["assets"][0]
    api.host.mine()
    api.post("/v1/wallet/issue", {"asset": crude, "amount": "100"})
    api.host.mine()
    api.post("/v1/wallet/post", {"text": "name: Alice of Thasos"})
    api.post("/v1/wallet/post", {"text": "100 barrels, βαρέλια", "about": crude, "document": "ab" * 32})
    api.host.mine()
    api.post("/v1/wallet/retire", {"asset": crude, "amount": "3", "reason": "loss"})
    api.post("/v1/wallet/transfer", {"asset": "coin", "amount": "5", "to": address_of(BOB.public)})
    api.host.mine(2)


@settings(max_examples=8, deadline=None)
@given(st.integers(1, 5))
def test_taking_blocks_back_leaves_what_a_shorter_chain_has(back: int) -> None:
    with running_api() as api:
        history(api)
        index = api.host.node.index
        assert index is not None
        assert rows(index) == fresh_rows(api)
        chain = api.host.node.chain
        index.flush()
        blocks = [index._read(known.name) for known in chain.active[-back:]]
        for block in reversed(blocks):
            index._disconnect(block)
        shorter = Index(chain, SimDisk(random.Random(0)))
        while shorter.marker.height < chain.tip.height - back:
            shorter._one_block()
        assert rows(index) == rows(shorter)
        assert index.marker == shorter.marker
        for block in blocks:
            index._connect(block)
        assert rows(index) == fresh_rows(api)


def test_a_transaction_is_read_where_the_index_says(api: Api) -> None:
    history(api)
    chain, index = api.host.node.chain, api.host.node.index
    assert index is not None
    for known in chain.active:
        ids = index.block_ids(known.height)
        assert [chain.ledger.id_of(t.body) for t in chain.block(known.name).transactions] == ids
        for item in ids:
            place = index.transaction_place(item)
            assert place is not None
            found = chain.transaction_at(known.name, place.offset, place.size_bytes, item)
            assert found == chain.block(known.name).transactions[place.position]
        figures = index.figures(known.height)
        assert figures.transactions == len(ids)
        size_bytes = figures.total_bytes - index.figures(known.height - 1).total_bytes
        assert size_bytes == len(chain.read_block(known.name))
    assert chain.transaction_at(chain.tip.name, 0, 50, bytes(32)) is None


def test_an_index_of_an_older_format_is_made_anew(api: Api) -> None:
    history(api)
    disk = SimDisk(random.Random(0))
    old = disk.store("index")
    old.write({b"m": b"old", b"t" + bytes(32): b"old"}, sync=True)
    old.close()
    index = Index(api.host.node.chain, disk)
    index.catch_up()
    assert rows(index) == fresh_rows(api)


def test_questions_about_assets_and_names(api: Api) -> None:
    history(api)
    index = api.host.node.index
    assert index is not None
    ((crude, record),) = index.assets()
    assert (record.issued, record.retired) == (100, 3)
    assert index.retired_by_reason(crude, 10) == [("loss", 3)]
    assert index.assets_like("OIL cru", 5) == index.assets_like("cru", 5) == [crude]
    assert index.assets_like("cru petrol", 5) == index.assets_like("!", 5) == []
    assert [name for _, name in index.claims(ALICE.public, 5)] == ["Alice of Thasos"]
    latest = index.latest_of_key(ALICE.public, 100)
    assert [item for _, item in latest][::-1] == index.history_of_key(ALICE.public, 100)
    place, _ = latest[2]
    assert index.latest_of_key(ALICE.public, 100, place) == latest[3:]


def test_an_index_does_not_run_ahead_of_a_log_that_could_not_be_written() -> None:
    """The disk was full: the block is in memory, and followed, and not in the log when the node stops."""
    disk = SimDisk(random.Random(0))
    chain = Chain(small_genesis("full"), disk)
    index = Index(chain, disk)
    change = give(chain, mine(chain))
    index.handle(Asked(change), 0.0)
    index.flush()
    staged = chain.stage(encode(mine(chain)), LATER_MS)
    chain.keep(staged)
    index.handle(Asked(chain.advance(staged)), 0.0)
    assert index.marker.height == 2
    chain.state.close()
    chain.log.close()
    index.close()
    again = Index(Chain(small_genesis("full"), disk), disk)
    assert again.marker.height == 1


def test_an_index_of_a_block_that_the_log_does_not_have_is_made_anew(api: Api) -> None:
    history(api)
    index = api.host.node.index
    assert index is not None
    disk = SimDisk(random.Random(0))
    ahead = Index(api.host.node.chain, disk)
    ahead.catch_up()
    ahead.close()
    chain = Chain(api.host.node.chain.genesis, SimDisk(random.Random(1)))  # whose log is lost
    again = Index(chain, disk)
    assert rows(again) == rows(Index(chain, SimDisk(random.Random(0))))


def test_a_crash_while_an_index_is_thrown_away_leaves_nothing_of_it(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    history(api)
    monkeypatch.setattr(indexes, "CLEAR_ROWS", 1)
    chain = Chain(api.host.node.chain.genesis, SimDisk(random.Random(1)))
    fresh = rows(Index(chain, SimDisk(random.Random(0))))
    keys = sorted([*dict(fresh_rows(api)), b"m"])
    for writes in (1, 2, keys.index(b"m"), keys.index(b"m") + 1, keys.index(b"m") + 2, len(keys) - 1):
        disk = SimDisk(random.Random(0))
        ahead = Index(api.host.node.chain, disk)
        ahead.catch_up()
        ahead.close()
        with monkeypatch.context() as crash:
            crash.setattr(Index, "_clear", _crashing(writes))
            with pytest.raises(StorageError, match="crash"):
                Index(chain, disk)
        assert rows(Index(chain, disk)) == fresh


def _crashing(writes: int) -> Callable[[Index], None]:
    """An index's clearing that ends after so many writes."""
    clear = Index._clear

    class Ending:
        def __init__(self, store: Any) -> None:
            self.store, self.left = store, writes

        def items(self) -> Any:
            return self.store.items()

        def write(self, changes: Any, *, sync: bool) -> None:
            if not self.left:
                raise StorageError("crash")
            self.left -= 1
            self.store.write(changes, sync=sync)

    def crashing(index: Index) -> None:
        whole, index.store.store = index.store.store, Ending(index.store.store)
        try:
            clear(index)
        finally:
            index.store.store = whole
            whole.close()

    return crashing
