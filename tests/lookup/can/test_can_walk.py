"""Peers that lie: about what they own, about whom they know, about who they are. And floods."""

from __future__ import annotations

import random
from typing import Any

import pytest
from tests.lookup.can.can_net import QUICK, CanNet

from horoi.base.ids import id_of_address
from horoi.lookup.can.config import CanConfig
from horoi.lookup.can.converged import settle
from horoi.lookup.can.machine import Can
from horoi.lookup.can.messages import (
    ANY_REALITY,
    Arrived,
    AskPermit,
    Claim,
    Enter,
    Fetch,
    Fetched,
    Forward,
    Handover,
    Nearer,
    No,
    Permitted,
    Step,
    Store,
    Takeover,
    Transfer,
    Update,
    Updated,
)
from horoi.lookup.can.walk import Walk
from horoi.lookup.vocabulary import Contact, Found, Join, Lookup
from horoi.machine.contract import Asked, Received, Send

COUNT = 64


@pytest.fixture
def net() -> CanNet:
    config = CanConfig(bits=64, **QUICK, recursive=False, is_bound=lambda c: c.id == id_of_address(c.address, 64))
    made = CanNet("liars", config=config)
    for name in range(COUNT):
        made.universe.add(name, made.boot)
    settle(made.peers())
    return made


def far_key(net: CanNet, peer: Can, dice: random.Random) -> int:
    """A key that is neither the peer's nor a neighbour's."""
    while True:
        key = dice.getrandbits(64)
        place = net.space.place(key)
        near = [z for n in peer.realities[0].neighbours for z in n.zones] + list(peer.realities[0].zones)
        if not any(net.space.contains(zone, place) for zone in near):
            return key


def sent(actions: list[Any], kind: type) -> list[Any]:
    return [a.message for a in actions if isinstance(a, Send) and isinstance(a.message, kind)]


def owner_of(net: CanNet, key: int) -> Can:
    return next(peer for peer in net.peers() if peer.owns(net.space.place(key)))


def test_a_walk_ends_at_the_owner_and_counts_the_last_step(net: CanNet) -> None:
    dice = random.Random(1)
    for number in range(40):
        key = dice.getrandbits(64)
        found = net.ask(number % COUNT, Lookup(number, key))
        assert isinstance(found, Found)
        assert found.owners[0] == owner_of(net, key).contact
        assert found.hops == len(found.path) == found.rpcs == found.replies


def test_a_peer_that_names_itself_owner_is_not_believed(net: CanNet) -> None:
    peer = net.peer(0)
    key = far_key(net, peer, random.Random(2))
    ended: list[Walk] = []
    walk = Walk(peer, net.space.place(key), ANY_REALITY, lambda w, _now: ended.append(w))
    peer.out = []
    walk.begin(0.0)
    (question,) = [a for a in peer.out if isinstance(a, Send)]
    liar = net.contact(question.peer)
    lie = Nearer(question.message.nonce, 0, Claim(liar, (net.space.place(key).leaf,), 9), (), (), False, b"")
    actions = peer.handle(Received(question.peer, lie), 0.1)
    assert not ended
    assert sent(actions, Step)  # it goes on with somebody else


def test_a_named_peer_must_abut_who_named_it_and_overlap_nobody(net: CanNet) -> None:
    peer = net.peer(0)
    key = far_key(net, peer, random.Random(3))
    place = net.space.place(key)
    walk = Walk(peer, place, ANY_REALITY, lambda _w, _now: None)
    peer.out = []
    walk.begin(0.0)
    (question,) = [a for a in peer.out if isinstance(a, Send)]
    honest = net.peer(question.peer).realities[0].claim
    accomplice = net.contact(99)
    far_away = Claim(accomplice, (place.leaf >> net.space.max_depth - 6,), 1)
    huge = Claim(net.contact(98), (1,), 1)
    unbound = Claim(Contact(5, 97), (honest.zones[0] ^ 1,), 1)
    reply = Nearer(question.message.nonce, 0, honest, (), (far_away, huge, unbound), False, b"")
    asked = {a.peer for a in peer.handle(Received(question.peer, reply), 0.1) if isinstance(a, Send)}
    assert asked.isdisjoint({99, 98, 97})


def test_an_arrival_from_the_wrong_peer_or_with_the_wrong_zone_is_no_answer() -> None:
    made = CanNet("arrived", config=CanConfig(bits=64, **QUICK))
    for name in range(COUNT):
        made.universe.add(name, made.boot)
    settle(made.peers())
    peer = made.peer(0)
    key = far_key(made, peer, random.Random(4))
    (forward,) = sent(peer.handle(Asked(Lookup("x", key)), 0.0), Forward)
    owner = owner_of(made, key)

    def arrived(contact: Contact, *zones: int) -> Arrived:
        return Arrived(forward.ticket, 0, Claim(contact, zones, 1), (), 3, 3, 0, False, b"")

    assert peer.handle(Received(77, arrived(owner.contact, *owner.realities[0].zones)), 0.1) == []
    wrong = made.contact(50)
    again = peer.handle(Received(50, arrived(wrong, 4 if owner.realities[0].zones[0] >> 4 != 4 else 7)), 0.1)
    assert sent(again, Forward)  # it does not contain the key: tried again through another neighbour
    (second,) = sent(again, Forward)
    forged = Arrived(second.ticket, 0, Claim(wrong, (peer.realities[0].zones[0] >> 1,), 1), (), 3, 3, 0, False, b"")
    assert not any(isinstance(getattr(a, "notice", None), Found) for a in peer.handle(Received(50, forged), 0.1))


def updates(zone: int, name: int, net: CanNet, permit: bytes) -> Update:
    return Update(1, 0, Claim(net.contact(name), (zone,), 10**9), 1, 0, None, permit, b"")


def test_an_update_changes_nothing_until_its_sender_has_proved_its_address(net: CanNet) -> None:
    peer = net.peer(0)
    neighbour = next(iter(peer.realities[0].neighbours))
    before = neighbour.claim
    stolen = updates(neighbour.zones[0] ^ 1, neighbour.contact.address, net, b"12345678")
    actions = peer.handle(Received(neighbour.contact.address, stolen), 1.0)
    assert neighbour.claim is before
    assert len(sent(actions, Update)) == 1  # it asks the true one
    assert sent(actions, Updated)[0].around is None  # and tells the forger no long list


def test_a_claim_to_a_living_neighbours_zone_or_to_ours_is_not_believed(net: CanNet) -> None:
    peer = net.peer(0)
    reality = peer.realities[0]
    neighbour = next(iter(reality.neighbours))
    liar = 99
    for zone in (neighbour.zones[0], reality.zones[0], reality.zones[0] >> 1):
        permit = peer.permits.make(liar, 1.0)
        peer.handle(Received(liar, updates(zone, liar, net, permit)), 1.0)
        assert reality.neighbours.get(liar) is None
        assert reality.neighbours.get(neighbour.contact.address) is neighbour
    assert reality.zones == net.peer(0).realities[0].zones


def test_a_takeover_of_a_living_peer_is_void(net: CanNet) -> None:
    peer = net.peer(0)
    reality = peer.realities[0]
    victim = next(iter(reality.neighbours))
    liar = net.contact(99)
    claim = Claim(liar, victim.zones, 10**9)
    message = Takeover(1, 0, claim, victim.contact, 0.0, peer.permits.make(99, 1.0))
    actions = peer.handle(Received(99, message), 1.0)
    assert any(isinstance(a, Send) and a.peer == victim.contact.address for a in actions)  # is it there?
    assert reality.neighbours.get(99) is None
    assert reality.neighbours.get(victim.contact.address) is victim


def test_who_cannot_show_a_permit_writes_nothing(net: CanNet) -> None:
    peer = net.peer(0)
    own = peer.realities[0].zones[0]
    key = net.space.key_in(own)
    peer.handle(Received(99, Store(1, key, b"x", 60.0, False, bytes(8))), 1.0)
    peer.handle(Received(99, Transfer(2, (), (), bytes(8))), 1.0)
    (no,) = sent(peer.handle(Received(99, Enter(3, 0, net.contact(99), key, True, bytes(8))), 1.0), No)
    assert "permit" in no.why
    claim = Claim(net.contact(99), (own ^ 1,), 1)
    (refused,) = sent(peer.handle(Received(99, Handover(4, 0, claim, own ^ 1, (), (), None, b"")), 1.0), No)
    assert "permit" in refused.why
    (answer,) = sent(peer.handle(Received(99, Fetch(5, key, b"")), 1.0), Permitted)
    assert sent(peer.handle(Received(99, Fetch(6, key, answer.permit)), 1.0), Fetched)[0].value is None


def test_a_newcomer_cannot_choose_its_place(net: CanNet) -> None:
    peer = net.peer(0)
    key = net.space.key_in(peer.realities[0].zones[0])
    permit = peer.permits.make(99, 1.0)
    for contact in (net.contact(99), Contact(1, 99)):
        (no,) = sent(peer.handle(Received(99, Enter(3, 0, contact, key, False, permit)), 1.0), No)
        assert "point" in no.why or "id" in no.why


def test_a_zone_that_is_known_to_be_anothers_is_not_taken_as_a_gift(net: CanNet) -> None:
    peer = net.peer(0)
    reality = peer.realities[0]
    neighbour = next(iter(reality.neighbours))
    gift = Handover(
        1, 0, Claim(net.contact(99), neighbour.zones, 1), neighbour.zones[0], (), (), None, peer.permits.make(99, 1.0)
    )
    (no,) = sent(peer.handle(Received(99, gift), 1.0), No)
    assert "known to own" in no.why


def test_a_flood_is_met_with_silence(net: CanNet) -> None:
    peer = net.peer(0)
    answers = [peer.handle(Received(("10.0.0.1", port), AskPermit(port)), 1.0) for port in range(1, 1000)]
    assert sum(map(bool, answers)) == 200  # the bucket of one host, whatever the port
    assert peer.handle(Received(("10.0.0.2", 1), AskPermit(1)), 1.0)


def test_a_peer_that_has_not_joined_answers_nobody() -> None:
    made = CanNet("outside")
    peer = Can(made.contact(1), made.config, random.Random(1), made.space)
    for message in (AskPermit(1), Step(1, 0, 5, False), updates(4, 2, made, b"")):
        assert peer.handle(Received(2, message), 0.0) == []
    peer.handle(Asked(Join()), 0.0)
    assert peer.handle(Received(2, AskPermit(1)), 0.0)


def test_misfits_are_refused() -> None:
    made = CanNet("misfit")
    with pytest.raises(ValueError, match="bits"):
        Can(Contact(2**64, 1), made.config, random.Random(1))
    with pytest.raises(ValueError, match="dimensions"):
        Can(Contact(1, 1), CanConfig(bits=64, dimensions=3), random.Random(1), made.space)
    for options in ({"realities": 0}, {"max_peers": 9}, {"hashes": 9}, {"uniform_reach": 3}, {"update_s": 0.0}):
        with pytest.raises(ValueError, match=next(iter(options))):
            CanConfig(**options)
