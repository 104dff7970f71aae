"""Peers that lie: wrong ways, wrong owners, poisoned tables, floods, forged addresses."""

from __future__ import annotations

from random import Random
from typing import Any

from tapestry_net import Net, config_of, contact_of

from horoi.lookup.tapestry.machine import Tapestry
from horoi.lookup.tapestry.messages import (
    LOOKUP,
    Ack,
    Answer,
    Forward,
    Hello,
    Known,
    LevelOf,
    Multicast,
    Ping,
    Pong,
    SlotIs,
    Store,
)
from horoi.lookup.vocabulary import Contact, Join, Lookup
from horoi.machine.contract import Asked, Fired, Received, Send


def lone(**changes: Any) -> Tapestry:
    machine = Tapestry(contact_of(0), config_of(**changes), Random(1))
    machine.handle(Asked(Join()), 0.0)
    return machine


def sent(actions: list[Any], kind: type) -> list[Any]:
    return [action.message for action in actions if isinstance(action, Send) and isinstance(action.message, kind)]


def meet(machine: Tapestry, address: int, now: float) -> None:
    """Let a peer be known the honest way: it pings, is pinged, and answers."""
    peer = contact_of(address)
    (ping,) = sent(machine.handle(Received(address, Ping(7, peer.id, True)), now), Ping)
    machine.handle(Received(address, Pong(ping.nonce, peer.id, True, bytes(8))), now + 0.05)
    assert machine.knows(peer)


def forward(sender: Contact, key: int, origin: Contact, level: int) -> Forward:
    return Forward(1, 2, key, LOOKUP, origin, sender.id, level, 1, 0, 0, (), b"")


def test_nobody_enters_the_map_on_hearsay() -> None:
    machine = lone()
    meet(machine, 1, 0.0)
    (pong,) = sent(machine.handle(Received(1, Ping(8, contact_of(1).id, True)), 0.5), Pong)
    named = contact_of(10)
    word = Multicast(1, pong.permit, named, shared(machine, named), shared(machine, named))
    pings = [
        action
        for action in machine.handle(Received(1, word), 1.0)
        if isinstance(action, Send) and isinstance(action.message, Ping)
    ]
    assert [ping.peer for ping in pings] == [10]
    assert not machine.knows(named)


def shared(machine: Tapestry, contact: Contact) -> int:
    return machine.neighbours.place(contact.id)[0]


def test_a_multicast_that_nobody_needs_is_not_passed_on() -> None:
    """Without a permit, with a wrong prefix, or for a slot that is filled: a liar cannot set a network to work."""
    net = Net(33)
    net.grow(40, settle_s=10.0)
    machine, now = net.machine(0), net.universe.now
    (pong,) = sent(machine.handle(Received(1, Ping(8, contact_of(1).id, True)), now), Pong)
    stranger = contact_of(777)  # with 40 peers, somebody has every first digit that 777 could have
    assert machine.neighbours.slot(*machine.neighbours.place(stranger.id))
    for permit, prefix in ((b"", 0), (pong.permit, 0), (pong.permit, 1), (pong.permit, 5)):
        actions = machine.handle(Received(1, Multicast(9, permit, stranger, prefix, prefix)), now)
        assert not sent(actions, Multicast)


def test_an_id_that_is_not_of_its_address_is_not_even_asked() -> None:
    machine = lone()
    meet(machine, 1, 0.0)
    assert not sent(machine.handle(Received(66, Hello(machine.me.id + 1)), 1.0), Ping)
    assert not sent(machine.handle(Received(66, Ping(1, machine.me.id + 1, True)), 1.0), Ping)


def test_a_message_that_resolves_no_digit_is_not_taken() -> None:
    machine = lone()
    meet(machine, 1, 0.0)
    common = shared(machine, contact_of(1))
    key = machine.me.id
    assert machine.handle(Received(1, forward(contact_of(1), key, contact_of(9), common + 2)), 1.0) == []
    assert machine.handle(Received(1, forward(contact_of(1), key, contact_of(9), 0)), 1.0) == []  # not its origin
    assert sent(machine.handle(Received(1, forward(contact_of(1), key, contact_of(9), common + 1)), 1.0), Ack)


def test_an_answer_counts_only_from_the_owner_it_names() -> None:
    machine = lone()
    meet(machine, 1, 0.0)
    (out,) = sent(machine.handle(Asked(Lookup("t", contact_of(1).id)), 1.0), Forward)
    machine.handle(Received(1, Ack(out.step)), 1.1)
    answer = Answer(out.nonce, contact_of(1), (), 0, 1, 0, (), bytes(8))
    assert machine.handle(Received(2, answer), 1.2) == []
    other = Answer(out.nonce, Contact(contact_of(1).id, 3), (), 0, 1, 0, (), bytes(8))
    assert machine.handle(Received(3, other), 1.2) == []  # that id is not of that address
    assert machine.handle(Received(1, answer), 1.2)


def test_tables_and_values_are_not_sent_to_an_address_without_a_permit() -> None:
    machine = lone()
    assert machine.handle(Received(5, LevelOf(1, b"", 0)), 0.0) == []
    (pong,) = sent(machine.handle(Received(5, Ping(1, contact_of(5).id, True)), 0.0), Pong)
    assert sent(machine.handle(Received(5, LevelOf(2, pong.permit, 0)), 0.1), Known)
    assert machine.handle(Received(6, LevelOf(2, pong.permit, 0)), 0.1) == []


def test_stores_are_taken_with_a_permit_and_by_the_root() -> None:
    machine = lone()
    (pong,) = sent(machine.handle(Received(5, Ping(1, contact_of(5).id, True)), 0.0), Pong)
    (kept,) = machine.handle(Received(5, Store(1, b"", 3, 0, b"x", 60.0, False)), 0.1)
    assert not kept.message.is_kept
    assert not len(machine.values)
    (kept,) = machine.handle(Received(5, Store(1, pong.permit, 3, 0, b"x", 60.0, False)), 0.1)
    assert kept.message.is_kept
    meet(machine, 1, 1.0)
    (kept,) = machine.handle(Received(5, Store(2, pong.permit, contact_of(1).id, 0, b"x", 60.0, False)), 1.1)
    assert not kept.message.is_kept


def test_a_flood_is_not_served() -> None:
    machine = lone(rate_per_s=10.0)
    served = sum(len(machine.handle(Received(5, Ping(n, 1, True)), 0.0)) for n in range(200))
    assert served == 20
    assert machine.handle(Received(6, Ping(1, 1, True)), 0.0)  # others are


def test_an_entry_that_does_not_fit_repairs_nothing() -> None:
    net = Net(31)
    net.grow(30, settle_s=5.0)
    machine = net.machine(0)
    before = sorted(contact.id for contact in machine.everyone())
    machine.handle(Received(1, SlotIs(12345, (contact_of(500),))), 1e4)  # nobody asked
    assert sorted(contact.id for contact in machine.everyone()) == before


def test_a_swallowed_lookup_is_repeated_another_way() -> None:
    """A peer that acknowledges and passes nothing on costs time; the next try begins elsewhere."""
    net = Net(32)
    net.grow(60, settle_s=10.0)
    dice = Random(2)
    swallowing = dice.sample(range(1, 60), 12)
    for address in swallowing:
        machine = net.machine(address)
        net.universe.host(address).machine = Swallower(machine)  # type: ignore[assignment]
    right = total = 0
    for _ in range(40):
        key = dice.getrandbits(128)
        owner = net.owner(key, range(60))
        if owner in swallowing:
            continue
        total += 1
        found = net.ask(0, Lookup, key)
        right += bool(getattr(found, "owners", ())) and found.owners[0].address == owner
    assert right >= 0.9 * total


class Swallower:
    """Acknowledges every message on its way, and passes none on."""

    def __init__(self, inner: Tapestry) -> None:
        self.inner = inner

    @property
    def is_joined(self) -> bool:
        return self.inner.is_joined

    def handle(self, event: Any, now: float) -> list[Any]:
        if isinstance(event, Received) and isinstance(event.message, Forward):
            return [Send(event.peer, Ack(event.message.step))]
        return self.inner.handle(event, now)


def test_silence_is_followed_by_a_failure_and_repair() -> None:
    machine = lone()
    for address in range(1, 6):
        meet(machine, address, 0.0)
    now = 100.0
    machine.handle(Fired("tick"), now)
    for _ in range(6):
        now += 5.0
        machine.handle(Fired("rpc"), now)
    assert list(machine.everyone()) == []
