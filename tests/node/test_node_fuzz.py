"""No peer's bytes and no order of events make a whole node raise (law 6 of the contract)."""

from __future__ import annotations

import contextlib
import random
from typing import Any

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.node.chains import ASSET, COMPANIES, START_MS, give, mine, new_chain, small_genesis, spend_grant
from tests.node.hostile_peers import check_bounds

from horoi.base.codec import encode
from horoi.base.errors import DecodeError
from horoi.ledger.block import Block, Header, block_hash
from horoi.ledger.conditions import AfterHeight, AllOf, AnyOf, Key, Preimage, Threshold
from horoi.ledger.transaction import (
    Amount,
    Body,
    Definition,
    Holding,
    Input,
    Issue,
    Post,
    Retire,
    Right,
    Signature,
    Transaction,
    Transform,
    Witness,
    transaction_id,
)
from horoi.machine import Action, Arm, Asked, Drop, Event, Finished, Fired, Linked, Lost, Received, Run, Save, Unlinked
from horoi.machine.host import Place, Started
from horoi.node.node import NodeConfig, build_node
from horoi.node.offers.messages import OfferGet, OfferGive, OfferGone, OfferHave, Version
from horoi.node.offers.offer import Offer, Refusal, Stake, Terms
from horoi.node.peers.messages import PROTOCOL_VERSION, Addresses, GetAddresses, Hello, Ping, Pong
from horoi.node.relay import Announce, Deliver, NotFound, Request
from horoi.node.sync.messages import BlockData, GetBlocks, GetHeaders, Headers, NoBlocks
from horoi.world.sim.disk import SimDisk

NOW = START_MS / 1000 + 10_000_000.0
GENESIS = small_genesis(hashes=1)
PEERS = ["a", "b", "c"]


class World:
    """Carries out what a node asks for, as far as a node can tell: saves, jobs, timers."""

    def __init__(self) -> None:
        config = NodeConfig(genesis=GENESIS, advertise="10.0.0.1:7700", hash_rate=5, reward_to=Key(COMPANIES[0].public))
        self.node = build_node(config, Place("n", random.Random(1), SimDisk(random.Random(2))))
        self.now = NOW
        self.timers: dict[Any, None] = {}
        self.jobs: list[Any] = []
        self.dropped: list[Any] = []
        self.give(Asked(Started()))

    def give(self, event: Event) -> None:
        for action in self.node.stack.handle(event, self.now):
            self._carry_out(action)

    def _carry_out(self, action: Action) -> None:
        if isinstance(action, Save):
            self.node.save(action.record)
        elif isinstance(action, Run):
            self.jobs.append(action.job)
        elif isinstance(action, Arm):
            self.timers.pop(action.timer, None)
            if action.after_s is not None:
                self.timers[action.timer] = None
        elif isinstance(action, Drop):
            self.dropped.append(action.peer)

    def link(self, peer: str, outbound: bool) -> None:
        self.give(Asked(Linked(peer, f"10.0.0.{ord(peer)}:7700", outbound)))
        self.receive(peer, hello(peer))

    def receive(self, peer: str, message: Any) -> None:
        """As a world does: through the wire."""
        wire = self.node.wire
        with contextlib.suppress(ValueError, DecodeError):  # too long to be sent, or none of this wire
            self.give(Received(peer, wire.decode(wire.encode(message))))

    def finish_jobs(self) -> None:
        while self.jobs:
            job = self.jobs.pop(0)
            self.give(Finished(job, job.run()))


def hello(peer: str) -> Hello:
    network = new_chain(GENESIS).network
    return Hello(PROTOCOL_VERSION, network, peer.encode() * 8, 7700, f"10.0.0.{ord(peer)}:7700", 3, "fuzz")


# What a peer may know: a chain of the same network, its blocks, its transactions.
KNOWN = new_chain(GENESIS)
for _number in range(6):
    give(KNOWN, mine(KNOWN, (spend_grant(KNOWN, _number, COMPANIES[1]),)))
BLOCKS: list[Block] = [KNOWN.block(known.name) for known in KNOWN.active[1:]]
SPENDS = [spend_grant(KNOWN, number, COMPANIES[2], part=7) for number in range(5, 12)]
IDS = [transaction_id(KNOWN.network, item.body) for item in SPENDS]
NAMES = [known.name for known in KNOWN.active]


def some(items: st.SearchStrategy[Any], least: int = 0, most: int = 5) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(items, min_size=least, max_size=most).map(tuple)


hashes = st.one_of(st.sampled_from([*NAMES, *IDS]), st.binary(min_size=32, max_size=32))
numbers = st.one_of(st.integers(0, 3), st.integers(0, 2**64 - 1))
keys = st.one_of(st.sampled_from([pair.public for pair in COMPANIES]), st.binary(min_size=32, max_size=32))
conditions = st.recursive(
    st.one_of(
        st.builds(Key, keys),
        st.builds(AfterHeight, st.integers(1, 2**32 - 1)),
        st.builds(Preimage, hashes),
        st.builds(Threshold, st.integers(1, 16), st.lists(keys, min_size=1, max_size=4).map(tuple)),
    ),
    lambda inner: st.one_of(
        st.builds(AllOf, st.lists(inner, min_size=2, max_size=3).map(tuple)),
        st.builds(AnyOf, st.lists(inner, min_size=2, max_size=3).map(tuple)),
    ),
    max_leaves=8,
)
holdings = st.builds(Holding, st.one_of(st.just(ASSET), hashes), numbers, conditions, st.none() | conditions)
small = st.integers(0, 3)
rights = st.builds(Right, hashes, numbers, conditions, st.booleans(), st.just(()))
outputs = st.one_of(holdings, rights)
amounts = st.lists(st.builds(Amount, hashes, numbers), min_size=1, max_size=2).map(tuple)
optional = st.none() | hashes
definitions = st.builds(
    Definition,
    st.text("ab c", max_size=6),
    st.just("t"),
    st.integers(0, 18),
    conditions,
    numbers,
    st.booleans(),
    optional,
)
bodies = st.builds(
    Body,
    inputs=some(st.builds(Input, hashes, small, outputs), most=3),
    outputs=some(outputs, most=3),
    definitions=some(definitions, most=2),
    issues=some(st.builds(Issue, small, numbers), most=2),
    transforms=some(st.builds(Transform, small, small, amounts, numbers), most=2),
    retires=some(st.builds(Retire, hashes, numbers, st.text("ab", min_size=1, max_size=5)), most=2),
    posts=some(st.builds(Post, conditions, st.text(max_size=20), optional, optional), most=2),
    since=st.integers(0, 2**32 - 1),
)
signatures = st.builds(Signature, keys, st.binary(min_size=64, max_size=64))
witnesses = st.builds(Witness, st.lists(signatures, max_size=3).map(tuple))
transactions = st.one_of(
    st.sampled_from(SPENDS),
    st.builds(Transaction, bodies, witnesses),
    st.builds(Transaction, st.sampled_from(SPENDS).map(lambda t: t.body), witnesses),
)
headers = st.one_of(
    st.sampled_from([block.header for block in BLOCKS]),
    st.builds(
        Header,
        height=st.integers(0, 10),
        parent=hashes,
        content_root=hashes,
        state_root=hashes,
        time_ms=st.one_of(st.integers(START_MS, START_MS + 10**7), st.integers(0, 2**53)),
        target=st.one_of(st.just(BLOCKS[0].header.target), st.integers(0, 2**32 - 1)),
        nonce=st.binary(min_size=8, max_size=8),
    ),
)
blocks = st.one_of(
    st.sampled_from(BLOCKS).map(lambda block: BlockData(block_hash(block.header), encode(block))),
    st.builds(
        lambda block, txs: BlockData(block_hash(block.header), encode(Block(block.header, block.reward, tuple(txs)))),
        st.sampled_from(BLOCKS),
        st.lists(transactions, max_size=2),
    ),
    st.builds(BlockData, hashes, st.binary(max_size=300)),
)
signature_bytes = st.binary(min_size=64, max_size=64)
terms = st.builds(
    Terms,
    st.one_of(bodies, st.sampled_from(SPENDS).map(lambda t: t.body)),
    keys,
    st.builds(Stake, hashes, small),
    st.one_of(st.just(int(NOW * 1000) + 1_000), st.integers(1, 2**53)),
    st.text(max_size=20),
)
refusals = st.builds(Refusal, keys, st.text(max_size=20), signature_bytes)
offers = st.builds(Offer, terms, signature_bytes, witnesses, some(refusals, most=2), st.none() | signature_bytes)


messages = st.one_of(
    st.builds(GetHeaders, some(hashes, 1)),
    st.builds(Headers, some(headers)),
    st.just(Headers(tuple(block.header for block in BLOCKS))),
    st.builds(GetBlocks, some(hashes, 1, 16)),
    blocks,
    st.builds(NoBlocks, some(hashes)),
    st.builds(Announce, some(hashes, 1)),
    st.builds(Request, some(hashes, 1)),
    st.builds(Deliver, some(transactions, 1, 3)),
    st.builds(NotFound, some(hashes, 1)),
    st.builds(OfferHave, some(st.builds(Version, hashes, st.binary(min_size=8, max_size=8)), 1)),
    st.builds(OfferGet, some(hashes, 1)),
    st.builds(OfferGive, some(offers, 1, 2)),
    st.builds(OfferGone, some(hashes, 1)),
    st.sampled_from([hello(peer) for peer in PEERS]),
    st.just(GetAddresses()),
    st.builds(Addresses, some(st.one_of(st.just("10.9.9.9:7700"), st.text(max_size=40)))),
    st.builds(Ping, st.binary(min_size=8, max_size=8)),
    st.builds(Pong, st.binary(min_size=8, max_size=8)),
)
steps = st.one_of(
    st.tuples(st.just("receive"), st.sampled_from(PEERS), messages),
    st.tuples(st.just("receive"), st.sampled_from(PEERS), messages),
    st.tuples(st.just("link"), st.sampled_from(PEERS), st.booleans()),
    st.tuples(st.just("lost"), st.sampled_from(PEERS), st.none()),
    st.tuples(st.just("fire"), st.integers(0, 50), st.floats(0, 40)),
    st.tuples(st.just("job"), st.integers(0, 5), st.sampled_from(["run", "run", "fail"])),
    st.tuples(st.just("unlinked"), st.sampled_from(["10.9.9.9:7700", "nonsense"]), st.none()),
)


def play(world: World, what: str, who: Any, more: Any) -> None:
    """One step of the fuzz."""
    if what == "receive":
        world.receive(who, more)
    elif what == "link":
        world.link(who, more)
    elif what == "lost":
        world.give(Lost(who))
    elif what == "unlinked":
        world.give(Asked(Unlinked(who, "refused")))
    elif what == "fire" and world.timers:
        world.now += more
        timer = list(world.timers)[who % len(world.timers)]
        del world.timers[timer]
        world.give(Fired(timer))
    elif what == "job" and world.jobs:
        job = world.jobs.pop(who % len(world.jobs))
        world.give(Finished(job, job.run() if more == "run" else RuntimeError("no thread was free")))


@settings(deadline=None, max_examples=250, suppress_health_check=list(HealthCheck))
@given(st.lists(steps, max_size=40))
def test_no_sequence_of_events_makes_a_node_raise(sequence: list[tuple[str, Any, Any]]) -> None:
    world = World()
    for peer in PEERS[:2]:
        world.link(peer, outbound=peer == "a")
    for step in sequence:
        play(world, *step)
    world.finish_jobs()
    check_bounds(world.node)
    node = world.node
    assert node.chain.tip.name in node.chain.tree
    assert node.chain.active[-1] is node.chain.tip
    node.close()


def test_the_fuzz_reaches_deep() -> None:
    """The pieces that the fuzz is made of, in a good order, move the chain and fill the pool."""
    world = World()
    world.link("a", outbound=False)
    world.receive("a", Headers(tuple(block.header for block in BLOCKS)))
    for block in BLOCKS:
        world.receive("a", BlockData(block_hash(block.header), encode(block)))
    world.finish_jobs()
    assert world.node.chain.tip.height == len(BLOCKS)
    world.receive("a", Announce(tuple(IDS[1:])))
    world.receive("a", Deliver(tuple(SPENDS[1:])))
    world.finish_jobs()
    assert len(world.node.mempool) == len(SPENDS) - 1
    assert not world.dropped


WIRE = World().node.wire
GOOD = [
    WIRE.encode(message)
    for message in (
        Headers(tuple(block.header for block in BLOCKS)),
        BlockData(NAMES[1], encode(BLOCKS[0])),
        Deliver(tuple(SPENDS)),
        Announce(tuple(IDS)),
        hello("a"),
        Addresses(("10.0.0.1:7700",)),
    )
]


def decodes_or_refuses(data: bytes) -> None:
    try:
        message = WIRE.decode(data)
    except DecodeError:
        return
    assert type(message) in WIRE.types


@settings(deadline=None, max_examples=400)
@given(
    st.one_of(
        st.binary(max_size=400),
        st.recursive(
            st.one_of(
                st.none(), st.integers(-(2**63), 2**64 - 1), st.binary(max_size=40), st.text(max_size=20), st.floats()
            ),
            lambda inner: st.lists(inner, max_size=6),
            max_leaves=25,
        ).map(lambda tree: msgspec.msgpack.encode(["tx", tree])),
        st.integers(1, 20_000).map(lambda deep: b"\x91" * deep),
        st.integers(1, 5_000).map(lambda deep: b"\x92\xa2tx" + b"\x91" * deep + b"\xc0"),
    )
)
def test_any_bytes_decode_or_are_refused(data: bytes) -> None:
    decodes_or_refuses(data)


@settings(deadline=None, max_examples=400)
@given(st.sampled_from(GOOD), st.data())
def test_spoilt_messages_decode_or_are_refused(good: bytes, data: st.DataObject) -> None:
    spoilt = bytearray(good)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(spoilt) - 1))
        what = data.draw(st.sampled_from(["flip", "cut", "insert"]))
        if what == "flip":
            spoilt[at] = data.draw(st.integers(0, 255))
        elif what == "cut" and len(spoilt) > 1:
            del spoilt[at : at + data.draw(st.integers(1, 10))]
        else:
            spoilt[at:at] = data.draw(st.binary(max_size=8))
        if not spoilt:
            break
    decodes_or_refuses(bytes(spoilt))
