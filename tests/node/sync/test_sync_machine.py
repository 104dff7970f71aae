"""The sync machine, event by event: what it asks, what it refuses, what it forgets."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.node.chains import COMPANIES, START_MS, grow, mine, new_chain, small_genesis, solve, spend_grant

from horoi.base.codec import encode
from horoi.ledger.block import Block, Header, block_hash
from horoi.machine import Action, Asked, Finished, Fired, Lost, Received, Run, Save, Send, Tell
from horoi.node.chain import Chain
from horoi.node.events import Misbehaved, PeerReady, SubmitBlock, TipChanged
from horoi.node.records import FlushState
from horoi.node.sync.fetching import BLOCK_TIMEOUT_S, WINDOW_BLOCKS
from horoi.node.sync.machine import FLUSH_EVERY_S, MAX_LIGHT_HEADERS, Sync
from horoi.node.sync.messages import BlockData, GetBlocks, GetHeaders, Headers, NoBlocks
from horoi.node.sync.serving import GETHEADERS_BURST

NOW = START_MS / 1000 + 10_000_000.0


class Driver:
    """A sync machine over a chain; jobs run and saves happen at once."""

    def __init__(self, chain: Chain | None = None) -> None:
        self.chain = chain or new_chain()
        self.sync = Sync(self.chain, lambda _: None)
        self.now = NOW
        self.sent: list[tuple[Any, Any]] = []
        self.told: list[Any] = []

    def give(self, event: Any) -> list[Action]:
        actions = self.sync.handle(event, self.now)
        for action in actions:
            if isinstance(action, Save):
                if isinstance(action.record, FlushState):
                    self.chain.flush()
                else:
                    self.chain.save(action.record)
            elif isinstance(action, Send):
                self.sent.append((action.peer, action.message))
            elif isinstance(action, Tell):
                self.told.append(action.notice)
            elif isinstance(action, Run):
                self.give(Finished(action.job, action.job.run()))
        return actions

    def ready(self, *peers: str) -> None:
        for peer in peers:
            self.give(Asked(PeerReady(peer, True, 0)))

    def misbehaved(self) -> int:
        return sum(notice.points for notice in self.told if isinstance(notice, Misbehaved))

    def requests(self) -> list[tuple[Any, GetBlocks]]:
        return [(peer, message) for peer, message in self.sent if isinstance(message, GetBlocks)]


def headers_of(blocks: list[Block]) -> Headers:
    return Headers(tuple(block.header for block in blocks))


def deliver_all(driver: Driver, blocks: list[Block]) -> None:
    """Answer every request for these blocks until nothing is asked any more."""
    by_name = {block_hash(block.header): block for block in blocks}
    while driver.requests():
        asked = driver.requests()
        driver.sent.clear()
        for peer, request in asked:
            for name in request.names:
                driver.give(Received(peer, BlockData(name, encode(by_name[name]))))


def test_a_new_peer_is_asked_for_headers_from_our_tip_down() -> None:
    chain = new_chain()
    grow(chain, 5)
    driver = Driver(chain)
    driver.ready("a")
    [(peer, message)] = driver.sent
    assert peer == "a"
    assert isinstance(message, GetHeaders)
    assert message.locator[0] == chain.tip.name
    assert message.locator[-1] == chain.tree.root.name


def test_headers_then_blocks_from_several_peers_then_the_tip_is_told() -> None:
    source = new_chain()
    blocks = grow(source, 40)
    driver = Driver()
    driver.ready("a", "b", "c")
    for peer in ("a", "b", "c"):
        driver.give(Received(peer, headers_of(blocks)))
    asked = driver.requests()
    assert {peer for peer, _ in asked} == {"a", "b", "c"}
    names = [name for _, request in asked for name in request.names]
    assert len(names) == len(set(names)) == 40, "each block is asked of one peer"
    deliver_all(driver, blocks)
    assert driver.chain.tip.name == source.tip.name
    tips = [notice.tip for notice in driver.told if isinstance(notice, TipChanged)]
    assert tips[-1].name == source.tip.name
    assert driver.misbehaved() == 0


def test_a_block_is_saved_before_anyone_hears_of_it() -> None:
    source = new_chain()
    block = grow(source, 1)[0]
    driver = Driver()
    driver.ready("a", "b")
    driver.give(Received("a", headers_of([block])))
    actions = driver.give(Received("a", BlockData(block_hash(block.header), encode(block))))
    kinds = [type(action) for action in actions]
    assert kinds.index(Save) < kinds.index(Tell)
    assert any(isinstance(action, Send) and action.peer == "b" for action in actions[kinds.index(Save) :])


def test_a_stalling_peer_is_replaced() -> None:
    source = new_chain()
    blocks = grow(source, 3)
    driver = Driver()
    driver.ready("slow", "good")
    driver.give(Received("slow", headers_of(blocks)))
    driver.sent.clear()
    driver.give(Received("good", headers_of(blocks)))
    driver.now += BLOCK_TIMEOUT_S + 1
    driver.give(Fired("tick"))
    assert {peer for peer, _ in driver.requests()} == {"good"}
    assert driver.misbehaved() > 0
    deliver_all(driver, blocks)
    assert driver.chain.tip.height == 3


def test_a_lost_peers_blocks_are_asked_of_another() -> None:
    source = new_chain()
    blocks = grow(source, 3)
    driver = Driver()
    driver.ready("a")
    driver.give(Received("a", headers_of(blocks)))
    driver.ready("b")
    driver.give(Received("b", headers_of(blocks)))
    driver.sent.clear()
    driver.give(Lost("a"))
    assert {peer for peer, _ in driver.requests()} == {"b"}


def test_an_unasked_block_costs_points_and_nothing_is_kept() -> None:
    source = new_chain()
    block = grow(source, 1)[0]
    driver = Driver()
    driver.ready("a")
    driver.give(Received("a", BlockData(block_hash(block.header), encode(block))))
    assert 0 < driver.misbehaved() < 100
    assert driver.chain.tip.height == 0


@pytest.mark.parametrize("what", ["garbage", "signature", "name", "content"])
def test_a_bad_block_costs_its_sender_the_link_and_the_good_one_is_fetched(what: str) -> None:
    source = new_chain()
    block = mine(source, (spend_grant(source, 0, COMPANIES[1]),))
    name = block_hash(block.header)
    bad = {
        "garbage": b"\x93" + bytes(50),
        "signature": encode(forged_signature(source)),
        "name": encode(mine(source)),
        "content": encode(Block(block.header, block.reward, ())),
    }[what]
    asked = block_hash(forged_signature(source).header) if what == "signature" else name
    header = forged_signature(source).header if what == "signature" else block.header
    driver = Driver()
    driver.ready("a", "b")
    driver.give(Received("a", Headers((header,))))
    driver.give(Received("a", BlockData(asked, bad)))
    assert driver.misbehaved() >= 100
    assert driver.chain.tip.height == 0
    if what != "signature":
        driver.give(Lost("a"))
        driver.sent.clear()
        driver.give(Received("b", Headers((block.header,))))
        deliver_all(driver, [block])
        assert driver.chain.tip.name == name


def forged_signature(chain: Chain) -> Block:
    """A block that keeps every rule but the validity of one signature."""
    from horoi.ledger.transaction import Signature, Transaction, Witness

    good = spend_grant(chain, 0, COMPANIES[1])
    key = good.witness.signatures[0].key
    return mine(chain, (Transaction(good.body, Witness((Signature(key, b"\x01" * 64),))),))


def test_headers_that_do_not_follow_each_other_or_break_a_rule_cost_the_link() -> None:
    source = new_chain()
    blocks = grow(source, 4)
    driver = Driver()
    driver.ready("a", "b")
    driver.give(Received("a", headers_of([blocks[0], blocks[2]])))
    assert driver.misbehaved() >= 100
    header = blocks[0].header
    unsolved = Header(*(getattr(header, f) for f in header.__struct_fields__[:-1]), nonce=b"\xff" * 8)
    driver.told.clear()
    if int.from_bytes(block_hash(unsolved), "big") > 2**254:
        driver.give(Received("b", Headers((unsolved,))))
        assert driver.misbehaved() >= 100


def test_a_header_in_the_future_is_refused_but_not_held_against_anyone() -> None:
    driver = Driver()
    driver.ready("a")
    chain = driver.chain
    template = mine(chain).header
    late_ms = int(driver.now * 1000) + 13 * 60_000
    future = solve(
        Header(
            template.height,
            template.parent,
            template.content_root,
            template.state_root,
            late_ms,
            template.target,
            bytes(8),
        )
    )
    driver.give(Received("a", Headers((future,))))
    assert driver.misbehaved() == 0
    assert block_hash(future) not in chain.tree
    driver.now += 120
    driver.give(Received("a", Headers((future,))))
    assert block_hash(future) in chain.tree


def test_endless_light_headers_are_cut_off() -> None:
    ours = new_chain()
    grow(ours, 30, time_ms=None)
    driver = Driver(ours)
    driver.ready("a")
    parent = ours.tree.root
    sent = 0
    # Each branch has less work than ours: two headers on the genesis, again and again with another nonce.
    template = mine(new_chain()).header
    while driver.misbehaved() < 100 and sent < 2 * MAX_LIGHT_HEADERS:
        batch = []
        for nonce in range(sent, sent + 500):
            header = Header(
                1,
                parent.name,
                template.content_root,
                nonce.to_bytes(32, "big"),
                template.time_ms,
                template.target,
                bytes(8),
            )
            batch.append(solve(header))
        for header in batch:
            driver.give(Received("a", Headers((header,))))
        sent += len(batch)
    assert driver.misbehaved() >= 100
    assert sent <= MAX_LIGHT_HEADERS + 500


def test_requests_for_headers_are_bounded_per_peer() -> None:
    chain = new_chain()
    grow(chain, 3)
    driver = Driver(chain)
    driver.ready("a")
    driver.sent.clear()
    for _ in range(int(GETHEADERS_BURST) * 3):
        driver.give(Received("a", GetHeaders((chain.tree.root.name,))))
    answers = [message for _, message in driver.sent if isinstance(message, Headers)]
    assert len(answers) == int(GETHEADERS_BURST)
    assert len(answers[0].headers) == 3


def test_a_locator_of_another_network_costs_the_link() -> None:
    driver = Driver()
    driver.ready("a")
    driver.give(Received("a", GetHeaders((b"\x05" * 32,))))
    assert driver.misbehaved() >= 100


def test_blocks_are_served_and_what_is_absent_is_said() -> None:
    chain = new_chain()
    block = grow(chain, 1)[0]
    driver = Driver(chain)
    driver.ready("a")
    driver.sent.clear()
    driver.give(Received("a", GetBlocks((block_hash(block.header), b"\x07" * 32))))
    assert driver.sent == [
        ("a", BlockData(block_hash(block.header), encode(block))),
        ("a", NoBlocks((b"\x07" * 32,))),
    ]


def test_a_damaged_block_is_not_served_but_fetched_again() -> None:
    import random

    from horoi.world.sim.disk import SimDisk

    disk = SimDisk(random.Random(9))
    chain = new_chain(disk=disk)
    blocks = grow(chain, 4)
    name = block_hash(blocks[1].header)
    place = chain.kept.places[name].block
    disk.flip("blocks-000000.log", place.offset + place.size_bytes // 2, 1)
    driver = Driver(chain)
    driver.ready("a")
    driver.give(Received("a", headers_of(blocks)))
    driver.sent.clear()
    driver.give(Received("a", GetBlocks((name,))))
    assert ("a", NoBlocks((name,))) in driver.sent
    driver.give(Fired("tick"))
    assert [request.names for _, request in driver.requests()] == [(name,)]
    deliver_all(driver, blocks)
    driver.give(Received("a", GetBlocks((name,))))
    assert ("a", BlockData(name, encode(blocks[1]))) in driver.sent


def test_a_mined_block_takes_the_same_way() -> None:
    driver = Driver()
    driver.ready("a")
    block = mine(driver.chain)
    driver.give(Asked(SubmitBlock(block)))
    assert driver.chain.tip.name == block_hash(block.header)
    assert isinstance(driver.told[-1], TipChanged)
    assert ("a", Headers((block.header,))) in driver.sent


def test_messages_before_the_handshake_are_ignored() -> None:
    driver = Driver()
    assert driver.give(Received("stranger", GetHeaders((driver.chain.tree.root.name,)))) == []


_names = st.binary(min_size=32, max_size=32)
_headers = st.builds(
    Header,
    height=st.integers(0, 2**32 - 1),
    parent=_names,
    content_root=_names,
    state_root=_names,
    time_ms=st.integers(0, 2**53),
    target=st.integers(0, 2**32 - 1),
    nonce=st.binary(min_size=8, max_size=8),
)


def _known_or_any(driver: Driver) -> st.SearchStrategy[bytes]:
    return st.one_of(_names, st.sampled_from([known.name for known in driver.chain.active]))


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_no_message_raises_and_state_stays_bounded(data: st.DataObject) -> None:
    chain = new_chain(small_genesis(hashes=1))
    grow(chain, 3)
    driver = Driver(chain)
    driver.ready("a", "b")
    names = _known_or_any(driver)
    children = st.builds(
        lambda header, parent: Header(
            chain.tree.by_name.get(parent, chain.tree.root).height + 1,
            parent,
            *(getattr(header, f) for f in ("content_root", "state_root", "time_ms", "target", "nonce")),
        ),
        _headers,
        names,
    )
    messages = st.one_of(
        st.builds(GetHeaders, st.lists(names, min_size=1, max_size=5).map(tuple)),
        st.builds(Headers, st.lists(st.one_of(_headers, children), max_size=4).map(tuple)),
        st.builds(GetBlocks, st.lists(names, min_size=1, max_size=16).map(tuple)),
        st.builds(BlockData, names, st.binary(max_size=200)),
        st.builds(NoBlocks, st.lists(names, max_size=16).map(tuple)),
    )
    for _ in range(data.draw(st.integers(1, 12))):
        driver.now += data.draw(st.floats(0, 30))
        if data.draw(st.booleans()):
            driver.give(Received(data.draw(st.sampled_from(["a", "b", "c"])), data.draw(messages)))
        else:
            driver.give(Fired("tick"))
    assert len(driver.sync.fetching.in_flight) <= 2 * 16
    assert all(len(state.source.lacking) <= WINDOW_BLOCKS for state in driver.sync.peers.values())
    assert driver.chain.tip.height == 3


def test_the_state_is_written_down_now_and_then() -> None:
    driver = Driver()
    driver.give(Fired("tick"))
    driver.give(Asked(SubmitBlock(mine(driver.chain))))
    assert not driver.chain.is_flushed
    driver.now += FLUSH_EVERY_S + 1
    driver.give(Fired("tick"))
    assert driver.chain.is_flushed
