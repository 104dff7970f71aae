"""STORE and FIND_NODE in one, for who holds a token: fewer datagrams, the same keepers."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from horoi.base.ids import id_of_address, key_of
from horoi.lookup.common.permits import CHANGE_S
from horoi.lookup.kademlia import krpc
from horoi.lookup.kademlia.codec import kademlia_wire
from horoi.lookup.kademlia.config import KademliaConfig, mainline
from horoi.lookup.kademlia.held_tokens import HeldTokens
from horoi.lookup.kademlia.items import ItemStore, Wrong
from horoi.lookup.kademlia.machine import Kademlia
from horoi.lookup.kademlia.messages import (
    UNKNOWN_METHOD,
    FindNode,
    GetItem,
    Item,
    PutItem,
    Refusal,
    Reply,
    StoreNear,
)
from horoi.lookup.vocabulary import REFUSED, Contact, Failed, Get, Join, Joined, Put, Stored, Value
from horoi.machine.contract import Asked, Received, Send, Tell
from horoi.machine.host import Hosted, Place
from horoi.world.sim.latency import Uniform
from horoi.world.sim.network import Network
from horoi.world.sim.universe import Universe

K = 6
STRANGER = ("10.6.6.6", 6)
ITEM = Item(b"value", None, 60.0)


class Net:
    """A simulated network in which everybody has joined."""

    def __init__(self, peers: int, *, seed: int = 1, **config: Any) -> None:
        self.config = KademliaConfig(k=K, rate_per_s=None, **config)
        self.universe = Universe(seed, network=Network(latency=Uniform(5, 50)), transport="datagram", trace=50)
        self.names = [(f"10.1.0.{number + 1}", 4000) for number in range(peers)]
        for number, name in enumerate(self.names):
            self.universe.add(name, self.boot)
            self.join(name, self.names[max(0, number - 3) : number])
        self.universe.run_for(20)

    def boot(self, place: Place) -> Hosted:
        machine = Kademlia(Contact(id_of_address(place.name), place.name), self.config, place.dice)
        return Hosted(machine, kademlia_wire())

    def join(self, name: Any, through: list[Any]) -> None:
        before = len(self.universe.notices(name, Joined))
        self.universe.ask(name, Join(tuple(through)))
        assert self.universe.run_until(lambda: len(self.universe.notices(name, Joined)) > before, 30)

    def machine(self, name: Any) -> Kademlia:
        machine: Kademlia = self.universe.machine(name)
        return machine

    def ask(self, name: Any, request: Any) -> Any:
        before = len(self.universe.notices(name))
        self.universe.ask(name, request)
        answers: list[Any] = []

        def answered() -> bool:
            told = self.universe.notices(name)[before:]
            answers.extend(notice for notice in told if getattr(notice, "token", None) == request.token)
            return bool(answers)

        assert self.universe.run_until(answered, 60), f"no answer to {request}"
        return answers[0]

    def nearest(self, key: int) -> list[Any]:
        up = [name for name in self.names if self.universe.is_up(name)]
        return sorted(up, key=lambda name: self.machine(name).contact.id ^ key)

    def keeps(self, name: Any, key: int, value: bytes) -> bool:
        kept = self.machine(name).server.items.get(key, self.universe.now)
        return kept is not None and kept.item.value == value


def put_all(net: Net, by: Any, keys: range) -> list[Stored]:
    """Put values one after the other, and see to it that the k nearest, and only they, have each."""
    answers = []
    for number in keys:
        key = key_of(b"%d" % number)
        stored = net.ask(by, Put(number, key, b"%d" % number))
        assert isinstance(stored, Stored)
        assert stored.copies == K
        keepers = [name for name in net.names if net.universe.is_up(name) and net.keeps(name, key, b"%d" % number)]
        assert sorted(keepers) == sorted(net.nearest(key)[:K])
        answers.append(stored)
    return answers


# A network


def test_who_holds_the_tokens_puts_with_half_of_the_requests() -> None:
    net = Net(30)
    by = net.names[4]
    net.universe.run_for(CHANGE_S)  # the tokens that came with joining are old
    first, *_, last = put_all(net, by, range(25))
    assert first.rpcs >= 2 * K - 1  # a question and a store for each of the nearest; the peer itself may be one
    assert last.rpcs <= K + 2
    assert last.replies == last.rpcs


def test_the_k_nearest_have_it_after_keepers_lost_their_secrets() -> None:
    net = Net(30, seed=2)
    by = net.names[4]
    put_all(net, by, range(20))
    for name in net.names[10:20]:
        net.universe.crash(name)
        net.universe.restart(name)
        net.join(name, net.names[:3])
    net.universe.run_for(20)
    answers = put_all(net, by, range(100, 120))
    assert max(stored.rpcs for stored in answers) > K + 2  # old tokens were no good; new ones came with the answers
    assert net.ask(net.names[8], Get("g", key_of(b"105"))).value == b"105"


def test_the_k_nearest_that_live_have_it_after_keepers_crashed() -> None:
    net = Net(30, seed=3)
    by = net.names[4]
    put_all(net, by, range(20))
    for name in net.names[10:18]:
        net.universe.crash(name)
    right = 0
    for number in range(200, 220):
        key = key_of(b"%d" % number)
        stored = net.ask(by, Put(number, key, b"%d" % number))
        assert stored.copies == K  # the dead do not count
        assert stored.replies == stored.rpcs - stored.timeouts
        right += sum(net.keeps(name, key, b"%d" % number) for name in net.nearest(key)[:K])
    assert right >= 0.9 * 20 * K  # with or without tokens, tables that still name the dead hide one in twenty


def test_a_token_is_shown_no_longer_than_it_is_surely_good() -> None:
    net = Net(30, seed=4, refresh_s=10 * CHANGE_S)
    by = net.names[4]
    put_all(net, by, range(15))
    net.universe.run_for(CHANGE_S + 1)
    (stored,) = put_all(net, by, range(300, 301))
    assert stored.rpcs > K + 2


def test_what_all_refuse_fails_with_their_reason() -> None:
    net = Net(20, seed=5)
    by = net.names[4]
    put_all(net, by, range(15))
    value = b"named by its hash"
    assert isinstance(net.ask(by, Put("p", key_of(value), value)), Stored)
    failed = net.ask(by, Put("q", key_of(value), b"another"))
    assert isinstance(failed, Failed)
    assert failed.why.startswith(f"{REFUSED}: 201 the key is the hash")
    found = net.ask(net.names[9], Get("g", key_of(value)))
    assert isinstance(found, Value)
    assert found.value == value


class KeepsNothing(ItemStore):
    """The store of a liar: what it is given is taken, and gone."""

    def put(self, *_given: Any, **_options: Any) -> Wrong | None:
        return None


def test_who_says_that_it_keeps_and_does_not_costs_its_own_copy_alone() -> None:
    net = Net(30, seed=6)
    by = net.names[4]
    put_all(net, by, range(20))
    liars = net.names[10:16]
    for name in liars:
        net.machine(name).server._items = KeepsNothing(net.config.bits, mainline=False)
    lost = 0
    for number in range(400, 420):
        key = key_of(b"%d" % number)
        assert net.ask(by, Put(number, key, b"%d" % number)).copies == K  # the liars' word counts
        for name in net.nearest(key)[:K]:
            assert net.keeps(name, key, b"%d" % number) is (name not in liars)
            lost += name in liars
    assert lost > 0


# Face to face


def lonely(config: KademliaConfig) -> Kademlia:
    machine = Kademlia(Contact(0, ("10.0.0.1", 1)), config, Random(1))
    machine.handle(Asked(Join()), 0.0)
    return machine


def answer(machine: Kademlia, message: Any, *, peer: Any = STRANGER, now: float = 1.0) -> Any:
    """The answer alone, without the ping by which a stranger is verified."""
    sent = [a.message for a in machine.handle(Received(peer, message), now) if isinstance(a, Send) and a.peer == peer]
    (found,) = [message for message in sent if isinstance(message, Reply | Refusal)]
    return found


def among(others: int, **config: Any) -> Kademlia:
    """A peer of id 0 that knows peers 1, 2, ..."""
    machine = lonely(KademliaConfig(k=4, rate_per_s=None, **config))
    for number in range(1, others + 1):
        machine.table.seen(Contact(number, (f"10.2.0.{number}", 9)))
    return machine


FAR = 2**159  # an id that is farther from small keys than all of those peers


@pytest.mark.parametrize(
    ("sender", "read_only", "key", "kept"),
    [
        (FAR, False, 1, True),  # at the distances 0, 3, 2 from 1, 2, 3 this peer's 1 is second
        (FAR, False, 7, False),  # four are nearer to 7: 4, 5, 6, 3
        (FAR, False, 2, True),
        (FAR, False, 4, False),  # nearer are 4, 5, 6 and 7
        (9, False, 8, True),
        (2, True, 1, True),
    ],
)
def test_a_peer_keeps_what_it_is_near_to(sender: int, read_only: bool, key: int, kept: bool) -> None:
    machine = among(7)
    token = answer(machine, FindNode(b"aa", sender, read_only, key)).token
    said = answer(machine, StoreNear(b"aa", sender, read_only, key, token, ITEM))
    assert said.kept is kept
    assert bool(said.token) is not kept  # with which the sender may insist
    assert {contact.id for contact in said.contacts} <= set(range(1, 8)) - {sender}
    assert (machine.server.items.get(key, 1.0) is not None) is kept


def test_the_sender_counts_as_one_of_the_nearest() -> None:
    machine = among(3)
    for sender, kept in ((5, False), (FAR, True)):  # 1, 2, 3 are nearer to 7 than 0; so is 5
        token = answer(machine, FindNode(b"aa", sender, False, 7)).token
        assert answer(machine, StoreNear(b"aa", sender, False, 7, token, ITEM)).kept is kept


@pytest.mark.parametrize("token", [b"", bytes(8)])
def test_without_a_good_token_nothing_is_kept_and_no_answer_amplifies(token: bytes) -> None:
    wire = kademlia_wire()
    machine = lonely(KademliaConfig(rate_per_s=None))
    dice = Random(3)
    for number in range(3000):
        machine.table.seen(Contact(dice.getrandbits(160), (f"10.2.{number // 250}.{number % 250}", 9)))
    for message in (
        StoreNear(b"a", FAR, False, 1, token, Item(b"")),
        StoreNear(b"a", FAR, False, 1, token, Item(bytes(150), None, 60.0)),
        StoreNear(bytes(8), FAR, False, 1, token, ITEM, padding=machine.padding[len(ITEM.value) :]),
    ):
        said = answer(machine, message)
        assert not said.kept
        assert said.token
        assert len(wire.encode(said)) <= 3 * len(wire.encode(message))
    assert len(said.contacts) == 20  # what is padded as a FindNode is answered like one
    assert not machine.server.has_items


def test_a_large_value_that_may_not_be_kept_is_no_error() -> None:
    machine = among(0)
    token = answer(machine, FindNode(b"aa", FAR, False, 1)).token
    said = answer(machine, StoreNear(b"aa", FAR, False, 1, token, Item(b"x", None, 0.0)))  # lives no time at all
    assert not said.kept
    assert said.token
    assert answer(machine, PutItem(b"aa", FAR, False, 1, token, Item(b"x", None, 0.0))).code == 203


def test_mainline_has_no_such_message() -> None:
    machine = lonely(mainline(rate_per_s=None))
    token = answer(machine, GetItem(b"aa", 9, False, 5)).token
    message = StoreNear(b"aa", 9, False, 5, token, ITEM)
    assert answer(machine, message).code == UNKNOWN_METHOD
    with pytest.raises(ValueError, match="StoreNear"):
        krpc.encode(message)


def test_kept_is_not_believed_where_nothing_was_offered() -> None:
    """An answer to a FindNode says ``kept``: the liar is stored with like everybody else."""
    machine = lonely(KademliaConfig(k=4, rate_per_s=None))
    machine.table.seen(Contact(7, STRANGER))
    (find,) = [a.message for a in machine.handle(Asked(Put("p", 7, b"x")), 1.0) if isinstance(a, Send)]
    assert isinstance(find, FindNode)
    (store,) = [
        a.message
        for a in machine.handle(Received(STRANGER, Reply(find.tid, 7, token=b"token", kept=True)), 1.1)
        if isinstance(a, Send)
    ]
    assert isinstance(store, PutItem)
    (told,) = [a.notice for a in machine.handle(Received(STRANGER, Reply(store.tid, 7)), 1.2) if isinstance(a, Tell)]
    assert told.copies == 2


# What is held


def test_held_tokens_are_bounded_and_the_oldest_go() -> None:
    held = HeldTokens(limit=3)
    for number in range(4):
        held.keep(number, b"%d" % number, float(number))
    assert len(held) == 3
    assert held.get(0, 4.0) is None
    held.keep(1, b"again", 4.0)
    held.keep(5, b"5", 5.0)
    assert held.get(2, 5.0) is None
    assert held.get(1, 5.0) == b"again"
    assert held.get(1, 4.0 + CHANGE_S) is None
    assert len(held) == 2
