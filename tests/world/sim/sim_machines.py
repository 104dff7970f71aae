"""Machines for the tests of the simulated world: a puppet that does what it is asked, and a pair that plays ping-pong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from horoi.machine import Action, Asked, Dial, Event, Fired, Linked, Lost, Received, Send, Tell, Unlinked
from horoi.machine.contract import Arm
from horoi.machine.host import Boot, Hosted, Place, Started
from horoi.machine.wire import Message, Wire


class Word(Message, frozen=True, tag="word"):
    text: str


class Ping(Message, frozen=True, tag="ping"):
    nonce: int


class Pong(Message, frozen=True, tag="pong"):
    nonce: int


WIRE = Wire([Word, Ping, Pong], max_size_bytes=100_000)


class Do(msgspec.Struct, frozen=True):
    """Request to a puppet: answer with these actions."""

    actions: list[Any]


class Puppet:
    """Does what ``Do`` says, answers events with ``react``, and keeps (now, event) of everything it sees."""

    def __init__(self, place: Place, react: Callable[[Event], list[Action]] | None) -> None:
        self.place = place
        self.react = react
        self.seen: list[tuple[float, Event]] = []

    def handle(self, event: Event, now: float) -> list[Action]:
        self.seen.append((now, event))
        if isinstance(event, Asked) and isinstance(event.request, Do):
            return list(event.request.actions)
        return self.react(event) if self.react else []

    def words(self) -> list[str]:
        return [e.message.text for _, e in self.seen if isinstance(e, Received) and isinstance(e.message, Word)]

    def events(self, kind: type) -> list[Any]:
        """Events of this type, or the requests of this type if it is none."""
        inner = [e.request if isinstance(e, Asked) else e for _, e in self.seen]
        return [e for e in inner if isinstance(e, kind)]

    def time_of(self, kind: type) -> float:
        """When the first of them came."""
        return next(now for now, e in self.seen if isinstance(e.request if isinstance(e, Asked) else e, kind))


def puppet(react: Callable[[Event], list[Action]] | None = None, wire: Wire | None = WIRE, **hosted: Any) -> Boot:
    return lambda place: Hosted(Puppet(place, react), wire, **hosted)


class Player:
    """Dials ``rival`` and plays ping-pong with it for ever, with waits from its dice; dials again when it is lost."""

    def __init__(self, place: Place, rival: str | None) -> None:
        self.dice = place.dice
        self.rival = rival
        self.score = 0
        self.up = False

    def handle(self, event: Event, now: float) -> list[Action]:
        match event:
            case Asked(Started()):
                return [Tell(Dial(self.rival))] if self.rival else []
            case Asked(Linked(peer, _, outbound)):
                self.up = True
                return [Send(peer, Ping(0))] if outbound else []
            case Asked(Unlinked()) | Lost():
                self.up = False
                return [Tell("gone"), Arm("again", 1 + self.dice.random())] if self.rival else []
            case Fired("again"):
                return [Tell(Dial(self.rival))] if self.rival and not self.up else []
            case Received(peer, Ping(nonce)):
                return [Send(peer, Pong(nonce))]
            case Received(peer, Pong(nonce)):
                self.score = nonce
                return [Arm(("serve", peer, nonce), self.dice.random() / 10)]
            case Fired(("serve", peer, nonce)):
                return [Send(peer, Ping(nonce + 1))]
        return []


def player(rival: str | None = None) -> Boot:
    return lambda place: Hosted(Player(place, rival), WIRE)
