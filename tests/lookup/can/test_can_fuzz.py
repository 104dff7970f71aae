"""No peer's message makes a machine raise, and none makes it grow without bound."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.lookup.can.can_net import QUICK, CanNet

from horoi.base.errors import DecodeError
from horoi.lookup.can import core, disputes, neighbours, takeover
from horoi.lookup.can.codec import can_wire
from horoi.lookup.can.config import CanConfig
from horoi.lookup.can.converged import settle
from horoi.lookup.can.machine import Can
from horoi.lookup.can.messages import MAX_MATES, MAX_ZONES, MESSAGES, Claim, Forward, Given, Item, Step, Word
from horoi.lookup.common.pending import MAX_PENDING
from horoi.lookup.vocabulary import MAX_PROVIDERS, Contact, FindProviders, Get, Join, Leave, Lookup, Provide, Put, Route
from horoi.machine.contract import Arm, Asked, Finished, Fired, Lost, Received, Send

BITS = 64
WIRE = can_wire(BITS)
COUNT = 12


class Forger:
    """Makes messages of every type with fields of the right types and any values, often nearly right ones."""

    def __init__(self, dice: random.Random, net: CanNet, victim: Can) -> None:
        self.dice = dice
        self.net = net
        self.victim = victim
        self.nonces = [1]

    def message(self) -> Any:
        self.kind = self.dice.choice(MESSAGES)
        return self.kind(*[self.field(name) for name in self.kind.__struct_fields__])

    def field(self, name: str) -> Any:
        dice = self.dice
        makers: dict[str, Any] = {
            "nonce": lambda: dice.choice(self.nonces),
            "ticket": lambda: dice.choice([*(self.victim.asking or {}), 3]),
            "reality": lambda: dice.choice([0, 0, 0, 1, 15, *([255] if self.kind in (Forward, Step) else [])]),
            "claim": self.claim,
            "owner": self.claim,
            "giver": self.claim,
            "moves": lambda: dice.choice([None, self.claim()]),
            "around": lambda: dice.choice([(), tuple(self.claim() for _ in range(5))]),
            "neighbours": lambda: tuple(self.claim() for _ in range(dice.randrange(5))),
            "peers": lambda: tuple(self.claim() for _ in range(dice.randrange(6))),
            "mates": lambda: tuple(
                (self.claim if self.kind is Given else self.contact)() for _ in range(dice.randrange(3))
            ),
            "contact": self.contact,
            "asker": self.contact,
            "dead": self.contact,
            "provider": self.contact,
            "zones": self.zones,
            "zone": self.zone,
            "within": self.zone,
            "permit": self.permit,
            "grant": lambda: bytes(8),
            "value": lambda: dice.choice([b"", b"x", bytes(1000)]),
            "payload": lambda: dice.choice([None, b"", bytes(1000)]),
            "ttl_s": lambda: dice.choice([0.0, 1.0, 1e7]),
            "volume": dice.random,
            "items": lambda: (Item(self.key(), b"i", 50.0),),
            "words": lambda: (Word(self.key(), self.contact(), 50.0),),
            "providers": lambda: tuple(self.contact() for _ in range(3)),
            "limit": lambda: dice.randrange(1, MAX_PROVIDERS),
            "refusal": lambda: "",
            "why": lambda: "no",
            "key": self.key,
        }
        if name in makers:
            return makers[name]()
        if name.startswith("is_"):
            return dice.random() < 0.5
        return dice.choice([0, 1, 2, 4096])  # counts and stamps

    def address(self) -> int:
        return self.dice.randrange(COUNT + 3)

    def contact(self) -> Contact:
        return self.dice.choice([self.net.contact(self.address()), Contact(self.key(), self.address())])

    def key(self) -> int:
        return self.dice.choice([self.dice.getrandbits(BITS), self.net.space.key_in(self.victim.realities[0].zones[0])
                                 if self.victim.realities[0].zones else 0])  # fmt: skip

    def zone(self) -> int:
        own = self.victim.realities[0].zones
        near = [z for n in self.victim.realities[0].neighbours for z in n.zones]
        return self.dice.choice(
            [1, 2, 5, 2**63 - 1, self.dice.randrange(1, 2**20), *own, *near, *(z ^ 1 for z in own if z > 1)]
        )

    def zones(self) -> tuple[int, ...]:
        return tuple(self.zone() for _ in range(self.dice.choice([0, 1, 1, 1, 2, 3])))

    def claim(self) -> Claim:
        return Claim(self.contact(), self.zones(), self.dice.choice([0, 1, 5000, 2**60]))

    def permit(self) -> bytes:
        return self.dice.choice([b"", bytes(8), self.victim.permits.make(self.source, self.now)])

    source = 0
    now = 0.0
    kind: type = Given


def check_bounds(peer: Can) -> None:
    for reality in peer.realities:
        assert len(reality.zones) <= MAX_ZONES
        assert len(reality.neighbours) <= neighbours.MAX_NEIGHBOURS
        assert len(reality.mates or ()) <= MAX_MATES
        assert len(reality.takeovers or ()) <= takeover.MAX_TAKEOVERS
        assert len(reality.disputes or ()) <= disputes.MAX_DISPUTES
        assert all(len(n.around) <= 24 for n in reality.neighbours)
    assert len(peer.pending) <= MAX_PENDING
    assert len(peer.acquaintances()) <= 4 * core.MAX_MET
    assert len(peer.timers or ()) <= 2000


@pytest.mark.parametrize("options", [{}, {"max_peers": 3}, {"recursive": False, "uniform_reach": 2}])
@pytest.mark.parametrize("seed", range(3))
def test_no_message_makes_a_machine_raise_or_grow(seed: int, options: dict[str, Any]) -> None:
    net = CanNet("fuzz", config=CanConfig(bits=BITS, **QUICK, **options, rate_per_s=None))
    plain = CanNet("fuzz", config=CanConfig(bits=BITS, **QUICK, rate_per_s=None))
    settled = [Can(plain.contact(name), plain.config, random.Random(name), plain.space) for name in range(COUNT)]
    settle(settled)
    victim = settled[0]
    victim.config = net.config
    dice = random.Random(seed)
    forger = Forger(dice, net, victim)
    timers: dict[Any, None] = {}
    now = 1.0
    requests = [Lookup, Get, Provide, FindProviders]
    for number in range(4000):
        now += dice.choice([0.0, 0.001, 0.5])
        forger.now, forger.source = now, forger.address()
        choice = dice.random()
        if choice < 0.85:
            message = WIRE.decode(WIRE.encode(forger.message()))
            actions = victim.handle(Received(forger.source, message), now)
        elif choice < 0.93 and timers:
            timer = dice.choice(list(timers))
            del timers[timer]
            actions = victim.handle(Fired(timer), now)
        elif choice < 0.999:
            key = dice.getrandbits(BITS)
            asked = dice.choice([*[r(number, key) for r in requests], Put(number, key, b"v"), Route(number, key, b"p")])
            actions = victim.handle(dice.choice([Asked(asked), Lost(forger.source), Finished(None, None)]), now)
        else:
            actions = victim.handle(Asked(Leave()), now)
        if victim.bootstrap is None:  # it has left, or had no zone any more
            actions = [*actions, *victim.handle(Asked(Join(dice.choice([(), (3,)]))), now)]
        for action in actions:
            if isinstance(action, Arm):
                if action.after_s is None:
                    timers.pop(action.timer, None)
                else:
                    assert action.after_s >= 0
                    timers[action.timer] = None
            if isinstance(action, Send):
                WIRE.encode(action.message)  # within its limits
                forger.nonces = [*forger.nonces[-40:], getattr(action.message, "nonce", 1)]
        assert len(actions) < 500
    check_bounds(victim)


@settings(deadline=None, max_examples=300)
@given(st.binary(max_size=200))
def test_bytes_are_a_message_or_a_decode_error(data: bytes) -> None:
    try:
        message = WIRE.decode(data)
    except DecodeError:
        return
    assert type(message) in MESSAGES


@given(st.integers(0, 2**32))
@settings(deadline=None, max_examples=60)
def test_messages_survive_the_wire(seed: int) -> None:
    net = CanNet("wire")
    victim = Can(net.contact(0), net.config, random.Random(1), net.space)
    message = Forger(random.Random(seed), net, victim).message()
    assert WIRE.decode(WIRE.encode(message)) == message
