"""Peers that do wrong, among whole nodes: they are dropped or outweighed, memory stays bounded, the others go on."""

from __future__ import annotations

import random
from collections.abc import Callable

import msgspec
import pytest
from tests.node.hostile_peers import (
    EVIL_ADDRESS,
    after_hello,
    check_bounds,
    greeted,
    hostile,
    is_dropped,
    mine_block,
    send,
    solved,
)
from tests.node.sim_nodes import BLOCK_S, EPOCH_S, Net
from tests.world.sim.sim_machines import Word

from horoi.base.codec import encode
from horoi.base.keys import KeyPair
from horoi.ledger.block import Block, block_hash
from horoi.ledger.conditions import Key
from horoi.ledger.consensus.nakamoto.tree import MAX_SIDE_HEADERS
from horoi.ledger.transaction import Body, Holding, Input, Signature, Transaction, Witness, transaction_id
from horoi.machine import Action, Event, Lost, Received, Send
from horoi.node.events import PeerBanned
from horoi.node.peers.messages import Addresses, GetAddresses, Ping
from horoi.node.relay import Announce, Deliver, NotFound, Request
from horoi.node.sync.machine import MAX_LIGHT_HEADERS
from horoi.node.sync.messages import BlockData, GetBlocks, GetHeaders, Headers, NoBlocks

EVIL = "zz-evil"
DICE = random.Random(1)


def some_ids(count: int) -> tuple[bytes, ...]:
    return tuple(DICE.randbytes(32) for _ in range(count))


@pytest.fixture
def net() -> Net:
    """Four nodes with some history."""
    made = Net(11, nodes=4)
    made.load(6 * BLOCK_S)
    made.settle()
    return made


def goes_on(net: Net) -> None:
    """The honest nodes confirm what they are given, agree, and keep their tables small."""
    height = net.nodes[net.names[0]].chain.tip.height
    item = net.transfer(net.names[1])
    net.load(3 * BLOCK_S)
    net.settle()
    assert item is not None
    assert all(net.is_confirmed(name, item) for name in net.names)
    assert net.nodes[net.names[0]].chain.tip.height > height
    for node in net.nodes.values():
        check_bounds(node)
    assert not [ban for _, ban in net.bans if not ban.peer.startswith(EVIL)], "honest peers stay welcome"
    net.check()


def add_evil(net: Net, react: Callable[[Event], list[Action]], victims: list[str] | None = None, **more: bool) -> None:
    net.universe.add(EVIL, hostile(net, victims or net.names, react, **more), address=EVIL_ADDRESS)


def gets_dropped(net: Net, within_s: float) -> None:
    """It was linked to all, and all drop it."""
    evil_links = net.universe.run_until(lambda: len(net.universe.linked(EVIL)) == 0, within_s)
    assert evil_links, f"still linked: {net.universe.linked(EVIL)}"
    assert is_dropped(net, EVIL, net.names)


GARBAGE = {
    "garbage": b"\xff" * 100,
    "nothing": b"",
    "another wire": encode(Word("hello")),
    "too deep": b"\x91" * 2_000,
    "half a message": encode(Announce(some_ids(3)))[:-5],
    "a wrong type": msgspec.msgpack.encode(["tx-have", [1, 2, 3]]),
    "too many": msgspec.msgpack.encode(["tx-have", [bytes(32)] * 1_001]),
    "a number over 64 bits": b"\x92\xa4ping\xcf" + b"\xff" * 8,
    "oversized": encode(BlockData(bytes(32), bytes(1_100_000))),
}


@pytest.mark.parametrize("what", GARBAGE)
def test_what_does_not_decode_costs_the_link(net: Net, what: str) -> None:
    add_evil(net, after_hello(GARBAGE[what]))
    net.run(5)
    gets_dropped(net, 5)
    goes_on(net)


def test_who_says_no_hello_or_answers_no_ping_is_dropped(net: Net) -> None:
    add_evil(net, lambda _: [], polite=False)
    net.run(5)
    assert len(net.universe.linked(EVIL)) == len(net.names)
    puppet = net.universe.machine(EVIL)
    assert net.universe.run_until(lambda: {lost.peer for lost in puppet.events(Lost)} == set(net.names), 120)
    goes_on(net)


def answers_with(block: Block) -> Callable[[Event], list[Action]]:
    """Announce a block's header, and deliver it to who asks."""
    name = block_hash(block.header)

    def react(event: Event) -> list[Action]:
        if greeted(event) is not None:
            return [Send(greeted(event), Headers((block.header,)))]
        if isinstance(event, Received) and isinstance(event.message, GetBlocks):
            return [Send(event.peer, BlockData(n, encode(block))) for n in event.message.names if n == name]
        return []

    return react


@pytest.mark.parametrize("what", ["signature", "reward", "content", "state"])
def test_an_invalid_block_bans_who_sends_it_and_enters_no_chain(net: Net, what: str) -> None:
    node = net.nodes[net.names[0]]
    time_ms = int((EPOCH_S + net.universe.now) * 1000)
    transaction = net._make_transfer(net.names[0])
    assert transaction is not None
    if what == "signature":
        key = transaction.witness.signatures[0].key
        forged = Transaction(transaction.body, Witness((Signature(key, bytes(64)),)))
        block = mine_block(node.chain, time_ms, (forged,))
    elif what == "reward":
        block = mine_block(node.chain, time_ms, coins=51)
    elif what == "content":
        good = mine_block(node.chain, time_ms, (transaction,))
        block = Block(good.header, good.reward, ())
    else:
        good = mine_block(node.chain, time_ms, (transaction,))
        block = Block(
            solved(msgspec.structs.replace(good.header, state_root=bytes(32))), good.reward, good.transactions
        )
    add_evil(net, answers_with(block))
    net.run(10)
    gets_dropped(net, 30)
    assert {ban.peer for _, ban in net.bans} == {EVIL}
    for honest in net.nodes.values():
        assert block_hash(block.header) not in [known.name for known in honest.chain.active]
    goes_on(net)


def orphan(net: Net, number: int) -> Transaction:
    """A transaction that spends what nobody knows. Its signature is that of its key."""
    key = KeyPair(b"\x09" * 32)
    content = Holding(b"\x01" * 32, 1, Key(key.public), None)
    body = Body(inputs=(Input(number.to_bytes(32, "big"), 0, content),), outputs=(content,))
    return Transaction(body, Witness((Signature(key.public, key.sign(transaction_id(net.network, body))),)))


def delivers(net: Net, transactions: list[Transaction]) -> Callable[[Event], list[Action]]:
    """Announce transactions, and deliver them to who asks."""
    by_id = {transaction_id(net.network, item.body): item for item in transactions}
    ids = tuple(by_id)

    def react(event: Event) -> list[Action]:
        if greeted(event) is not None:
            return [Send(greeted(event), Announce(ids[at : at + 1_000])) for at in range(0, len(ids), 1_000)]
        if isinstance(event, Received) and isinstance(event.message, Request):
            wanted = [by_id[item] for item in event.message.ids if item in by_id]
            return [Send(event.peer, Deliver(tuple(wanted[at : at + 500]))) for at in range(0, len(wanted), 500)]
        return []

    return react


def test_an_invalid_transaction_bans_who_delivers_it(net: Net) -> None:
    good = net._make_transfer(net.names[0])
    assert good is not None
    forged = Transaction(good.body, Witness((Signature(good.witness.signatures[0].key, bytes(64)),)))
    add_evil(net, delivers(net, [forged]))
    net.run(5)
    gets_dropped(net, 10)
    assert {ban.peer for _, ban in net.bans} == {EVIL}
    item = net.submit(net.names[0], good)  # the id is not condemned with the witness
    net.run(1)
    net.settle()
    assert all(net.is_confirmed(name, item) for name in net.names)
    goes_on(net)


def test_orphans_are_bounded_and_push_nobody_out(net: Net) -> None:
    add_evil(net, delivers(net, [orphan(net, number) for number in range(6_000)]), victims=net.names[:1])
    net.run(20)
    node = net.nodes[net.names[0]]
    assert 0 < len(node.relay.orphans) <= 5_000
    goes_on(net)
    net.universe.restart(net.names[0])
    net.run(70)
    assert len(net.nodes[net.names[0]].relay.orphans) == 0


def test_endless_light_headers_end_the_link_and_cost_bounded_memory(net: Net) -> None:
    node = net.nodes[net.names[0]]
    first = node.chain.active[1].header
    add_evil(net, lambda _: [], victims=net.names[:1])
    net.run(2)
    light = (msgspec.structs.replace(first, state_root=n.to_bytes(32, "big")) for n in range(MAX_LIGHT_HEADERS + 50))
    for header in light:
        send(net, EVIL, Headers((solved(header),)))
    gets_dropped(net, 10)
    assert len(node.chain.tree.by_name) <= MAX_SIDE_HEADERS + node.chain.tip.height + 2
    assert node.chain.tree.best.height == node.chain.tip.height
    goes_on(net)


def test_a_miner_who_keeps_his_blocks_to_himself_stops_nobody(net: Net) -> None:
    """Headers of his that are as heavy as the best, again and again; asked for the block he says that he lacks it."""

    def react(event: Event) -> list[Action]:
        if isinstance(event, Received) and isinstance(event.message, GetBlocks):
            return [Send(event.peer, NoBlocks(event.message.names))]
        return []

    add_evil(net, react)
    net.run(5)
    seen: dict[bytes, None] = {}

    def withhold() -> None:
        """A header on every new tip, at once: others' blocks of that height come second."""
        chain = max((node.chain for node in net.nodes.values()), key=lambda chain: chain.tip.work)
        if chain.tip.name not in seen and net.universe.is_up(EVIL):
            seen[chain.tip.name] = None
            time_ms = int((EPOCH_S + net.universe.now) * 1000)
            send(net, EVIL, Headers((mine_block(chain, time_ms).header,)))
        net.universe.after(0.5, withhold)

    withhold()
    height = net.nodes[net.names[0]].chain.tip.height
    reorganised = len(net.reorganisations)
    net.load(20 * BLOCK_S)
    assert net.nodes[net.names[0]].chain.tip.height >= height + 10
    assert len(net.universe.linked(EVIL)) == len(net.names), "he did what an honest peer in bad luck may do"
    assert len(net.reorganisations) - reorganised < 10
    net.universe.remove(EVIL)
    goes_on(net)


UNASKED = {
    "blocks": [BlockData(bytes(32), b"x")] * 25,
    "transactions": [Deliver((Transaction(Body(), Witness()),))] * 15,
    "pings": [Ping(bytes(8))] * 40,
    "requests for headers": [GetHeaders((bytes(32),))] * 3,
    "headers apart": [Headers(())] * 3,
}


@pytest.mark.parametrize("what", ["blocks", "transactions", "pings", "requests for headers"])
def test_what_nobody_asked_for_ends_the_link(net: Net, what: str) -> None:
    add_evil(net, after_hello(*UNASKED[what]))
    net.run(5)
    gets_dropped(net, 5)
    goes_on(net)


def flood(net: Net, what: str) -> list[object]:
    """Many messages each of which an honest peer might send."""
    genesis = net.nodes[net.names[0]].chain.tree.root.name
    tip = net.nodes[net.names[0]].chain.tip.name
    return {
        "announcements": lambda: [Announce(some_ids(1_000)) for _ in range(120)],
        "requests": lambda: [Request(some_ids(1_000)) for _ in range(30)],
        "absences": lambda: [NotFound(some_ids(1_000)) for _ in range(30)],
        "locators": lambda: [GetHeaders((genesis,))] * 400,
        "blocks wanted": lambda: [GetBlocks((tip,) * 16)] * 200 + [GetBlocks(some_ids(16)) for _ in range(100)],
        "absent blocks": lambda: [NoBlocks(some_ids(16)) for _ in range(200)],
        "addresses": lambda: [
            Addresses(tuple(f"77.{DICE.randrange(256)}.{DICE.randrange(256)}.9:7700" for _ in range(100)))
            for _ in range(200)
        ],
        "questions for addresses": lambda: [GetAddresses()] * 500,
        "empty headers": lambda: [Headers(())] * 500,
    }[what]()  # type: ignore[return-value]


FLOODS = [
    "announcements",
    "requests",
    "absences",
    "locators",
    "blocks wanted",
    "absent blocks",
    "addresses",
    "questions for addresses",
    "empty headers",
]


@pytest.mark.parametrize("what", FLOODS)
def test_a_flood_grows_no_table_over_its_bound_and_the_others_go_on(net: Net, what: str) -> None:
    add_evil(net, after_hello(*flood(net, what)), victims=net.names[:2])
    net.run(5)
    for node in net.nodes.values():
        check_bounds(node)
    if what == "locators":
        assert is_dropped(net, EVIL, net.names)
    goes_on(net)


def test_floods_from_many_at_once_leave_the_tables_bounded(net: Net) -> None:
    for number in range(6):
        own = f"66.6.{number}.1:7700"
        messages = [message for what in FLOODS for message in flood(net, what)[:40]]
        boot = hostile(net, net.names[:2], after_hello(*messages), own=own)
        net.universe.add(f"{EVIL}{number}", boot, address=own)
    net.run(10)
    for node in net.nodes.values():
        check_bounds(node)
    for number in range(6):
        net.universe.remove(f"{EVIL}{number}")
    goes_on(net)


def test_who_was_banned_is_refused_when_it_comes_back(net: Net) -> None:
    add_evil(net, after_hello(*UNASKED["transactions"]))
    net.run(10)
    assert [ban for _, ban in net.bans if isinstance(ban, PeerBanned)]
    net.universe.remove(EVIL)
    net.run(40)
    add_evil(net, lambda _: [])
    net.run(10)
    assert is_dropped(net, EVIL, net.names)
    goes_on(net)


def test_an_eclipse_by_addresses_leaves_the_victim_linked_to_honest_peers() -> None:
    """Sixteen attackers of two network groups fill a node's book with theirs for an hour; then it restarts and dials."""
    net = Net(5, nodes=6)
    net.load(4 * BLOCK_S)
    victim = net.names[0]  # it was given no address to stay linked to: whom it dials comes from its book
    attackers = [f"66.{6 + n % 2}.{n}.1:7700" for n in range(16)]
    theirs = tuple(f"66.{6 + n % 2}.{n // 250}.{n % 250}:7700" for n in range(3_000))
    for number, own in enumerate(attackers):
        react = after_hello(Addresses(theirs[number * 100 : number * 100 + 100]))
        net.universe.add(f"{EVIL}{number:02d}", hostile(net, [victim], react, own=own), address=own)
    for minute in range(60):
        net.run(60)
        for number in range(16):
            told = tuple(DICE.sample(theirs, 10))
            send(net, f"{EVIL}{number:02d}", Addresses(told))
        if minute % 20 == 0:
            net.transfer(net.names[1])
    book = net.nodes[victim].peers.book
    assert len(book) < 3_000, "two groups reach a part of the book only"
    net.universe.stop(victim)
    net.run(60)
    net.universe.restart(victim)
    net.run(300)
    dialed = [peer for peer in net.nodes[victim].peers.peers() if peer.outbound and peer.ready]
    honest = [peer for peer in dialed if peer.address.startswith("10.")]
    assert honest, f"it dialed attackers only: {[peer.address for peer in dialed]}"
    goes_on(net)
