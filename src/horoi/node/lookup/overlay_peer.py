"""A node's peer in the overlay: it finds a way in, founds an overlay where there is none, and names the nodes behind addresses.

The overlay's own machine is inside, made anew for every entry, because its id follows from the address, and the address is known
only when others have said where they see it. *In rounds*: the doors (addresses of linked nodes) are asked who they are and in
which ring. Outside, the peer joins the ring that most of the doors are in; where none is in any, the node with the smallest id
founds one. Inside, it moves to another ring if at least half of its doors are in that one and its name is the smaller: so rings
of one network that were founded apart become one, and a single liar moves nobody who has three links. Strangers who asked who
this is (guests) are heard only where no linked node answers: one liar can be any number of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from random import Random
from typing import Any, ClassVar

import msgspec

from horoi.lookup.common.rates import TokenBuckets
from horoi.lookup.vocabulary import (
    JOIN,
    NOT_JOINED,
    REQUESTS,
    UNREACHABLE,
    Address,
    Failed,
    Join,
    Joined,
    Leave,
    Left,
    Providers,
)
from horoi.lookup.vocabulary import FindProviders as Find
from horoi.machine.contract import Action, Arm, Asked, Event, Fired, Lost, Machine, Received, Send, Tell
from horoi.machine.host import Started
from horoi.node.lookup.introductions import PATIENCE_S, Introductions
from horoi.node.lookup.messages import RING_BYTES, IAm, WhoAreYou
from horoi.node.lookup.requests import Doors, Entered, FindHolders, Holder, Holders, Outside

MAX_DOORS = 64  # the vocabulary's MAX_BOOTSTRAPS
MAX_GUESTS = 16  # addresses that asked who we are and are tried as doors too, a guess
MAX_THROUGH = 8  # doors of one entry, a guess
ROUND_S = 1.0  # between rounds while outside, a guess: a link comes up in less
LOOK_S = 30.0  # between rounds while inside, a guess
ENTRY_S = 20.0  # an entry that takes longer is given up, a guess: overlays retry within
SHUT_S = 30.0  # how long a door is passed over through which nobody got in, a guess
FOUND_AFTER_S = 3.0  # outside, before this node founds an overlay: others may yet turn up; a guess
GIVE_WAY_S = 15.0  # that a node with a smaller id is given to found one; a guess
MAX_SEEKING = 1024  # FindHolders at once, a guess
SEEK_S = 15.0  # for the overlay to find providers, a guess: a lookup with several timeouts
OWN = "own"  # the name of this machine's timers and tokens, next to those of the overlay's
ANSWERS_PER_S = 20.0  # introductions per second and host, a guess
ANSWERS_BURST = 100.0  # a guess: a laboratory on one host


class Self(msgspec.Struct, frozen=True, gc=False):
    """What this node says of itself."""

    node_id: bytes
    port: int


class Seeking(msgspec.Struct, gc=False):
    """A FindHolders under way: what was asked, and the providers' addresses once they are known."""

    request: FindHolders
    addresses: tuple[Address, ...] | None = None


class OverlayPeer:
    """``make`` makes the overlay's machine for an address. ``address``: where others reach this port, if that is known."""

    hears: ClassVar[tuple[type, ...]] = (Started, Doors, FindHolders, *REQUESTS)

    def __init__(
        self, make: Callable[[Address, Random], Machine], me: Self, dice: Random, *, address: Address | None = None
    ) -> None:
        self._make = make
        self._me = me
        self._dice = dice
        self.address = address
        self._is_given = address is not None
        self.inner: Machine | None = None
        self.ring = b""
        """The overlay that this peer is in; empty: none."""
        self._entering = b""  # the ring that an entry under way leads into
        self._life = 0  # counts entries; a timer of an earlier machine is void
        self._doors: dict[Address, None] = {}
        self._guests: dict[Address, None] = {}
        self._shut: dict[Address, float] = {}
        self._through: tuple[Address, ...] = ()
        self._outside_s: float | None = None  # since when this peer is in no overlay
        self._met = Introductions(dice)
        self._seeking: dict[int, Seeking] = {}
        self._sought = 0
        self._permits = TokenBuckets(ANSWERS_PER_S, ANSWERS_BURST)

    def handle(self, event: Event, now: float) -> list[Action]:
        if isinstance(event, Received):
            return self._receive(event, now)
        if isinstance(event, Fired):
            return self._fire(event.timer, now)
        if isinstance(event, Asked):
            return self._ask(event.request, now)
        return self._inside(event, now) if isinstance(event, Lost) else []

    # What others say

    def _receive(self, event: Received, now: float) -> list[Action]:
        message = event.message
        if isinstance(message, WhoAreYou):
            return self._introduce(event.peer, message, now)
        if isinstance(message, IAm):
            if not self._met.take(event.peer, message, now):
                return []
            return self._names_are_known(now)
        return self._inside(event, now)

    def _introduce(self, address: Address, message: WhoAreYou, now: float) -> list[Action]:
        if not self._permits.take(address, now):
            return []
        if address not in self._guests and len(self._guests) >= MAX_GUESTS:
            del self._guests[next(iter(self._guests))]
        self._guests[address] = None
        return [Send(address, IAm(message.nonce, self._me.node_id, self._me.port, address, self.ring))]

    # Requests

    def _ask(self, request: Any, now: float) -> list[Action]:
        if isinstance(request, Started):
            self._outside_s = now
            return [Arm((OWN, "round"), 0.0)]
        if isinstance(request, Doors):
            return self._take_doors(request, now)
        if isinstance(request, FindHolders):
            return self._seek(request, now)
        if isinstance(request, Leave):
            return self._leave(now)
        if not self.ring:
            token = getattr(request, "token", None)
            return [Tell(Failed(token, NOT_JOINED))] if token is not None else []
        return self._inside(Asked(request), now)

    def _take_doors(self, doors: Doors, now: float) -> list[Action]:
        known = self._doors
        self._doors = dict.fromkeys(doors.addresses[:MAX_DOORS])
        is_news = any(address not in known for address in self._doors)
        return [Arm((OWN, "round"), 0.0)] if is_news and not self._entering else []

    def _leave(self, now: float) -> list[Action]:
        """For good: the node stops."""
        still: list[Action] = [Arm((OWN, "round"), None), Arm((OWN, "entry"), None), Arm((OWN, "decide"), None)]
        return [*still, *(self._inside(Asked(Leave()), now) if self.ring else [Tell(Outside())])]

    # Rounds

    def _fire(self, timer: Any, now: float) -> list[Action]:
        life, name = timer
        if life != OWN:
            return self._inside(Fired(name), now) if life == self._life else []
        if name == "round":
            return self._begin_round(now)
        if name == "decide":
            return self._decide(now)
        if name == "entry":
            return self._entry_failed(now) if self._entering else []
        return self._tell_holders(name, now)

    def _begin_round(self, now: float) -> list[Action]:
        actions: list[Action] = [Arm((OWN, "decide"), PATIENCE_S if self._all_doors() else 0.0)]
        for address in self._all_doors():
            actions += self._met.ask(address, now)
        return actions

    def _all_doors(self) -> list[Address]:
        return [address for address in {**self._doors, **self._guests} if address != self.address]

    def _answers(self, now: float) -> dict[Address, IAm]:
        """What the doors said in this round; what guests said only if no door of a linked node did."""
        found = {address: self._met.get(address, now, LOOK_S) for address in self._all_doors()}
        said_by = {address: said for address, said in found.items() if said is not None}
        linked = {address: said for address, said in said_by.items() if address in self._doors}
        return linked or said_by

    def _decide(self, now: float) -> list[Action]:
        if self._entering:
            return []
        answers = self._answers(now)
        self._learn_address(answers)
        wait_s = (LOOK_S if self.ring else ROUND_S) * (0.5 + self._dice.random())
        again: list[Action] = [Arm((OWN, "round"), wait_s)]
        if self.ring:
            return [*again, *self._perhaps_move(answers, now)]
        if self.address is None:
            return again
        open_doors = {a: said for a, said in answers.items() if said.ring and self._shut.get(a, 0.0) <= now}
        if open_doors:
            return self._enter(_most_common_ring(open_doors), open_doors, now)
        return again if self._should_wait(answers, now) else self._found(now)

    def _learn_address(self, answers: dict[Address, IAm]) -> None:
        """Where others see this node: what most of them say, asked again until an entry succeeds."""
        if not (self._is_given or self.ring) and answers:
            seen = Counter(said.seen for said in answers.values())
            self.address = max(seen, key=lambda address: (seen[address], address))

    def _should_wait(self, answers: dict[Address, IAm], now: float) -> bool:
        """Whether somebody else should found the overlay, or may yet turn up."""
        if self._outside_s is None:
            self._outside_s = now
        gives_way = any(said.node_id < self._me.node_id for said in answers.values())
        return now - self._outside_s < (GIVE_WAY_S if gives_way else FOUND_AFTER_S)

    def _perhaps_move(self, answers: dict[Address, IAm], now: float) -> list[Action]:
        rings = {address: said for address, said in answers.items() if said.ring}
        if not rings:
            return []
        ring = _most_common_ring(rings)
        there = sum(said.ring == ring for said in rings.values())
        if ring >= self.ring or 2 * there < len(rings):
            return []
        leaving = self._inside(
            Asked(Leave()), now
        )  # what it hands over is lost if it is not heard: providers say it again
        return [*leaving, Tell(Outside()), *self._enter(ring, rings, now)]

    # Entries

    def _found(self, now: float) -> list[Action]:
        ring = self._dice.randbytes(RING_BYTES)
        return self._start_inner(ring, (), now)

    def _enter(self, ring: bytes, answers: dict[Address, IAm], now: float) -> list[Action]:
        doors = [address for address, said in answers.items() if said.ring == ring]
        through = tuple(self._dice.sample(doors, min(MAX_THROUGH, len(doors))))
        return self._start_inner(ring, through, now)

    def _start_inner(self, ring: bytes, through: tuple[Address, ...], now: float) -> list[Action]:
        self._life += 1
        self.inner = self._make(self.address, self._dice)
        self.ring = b""
        self._entering = ring
        self._through = through
        return [Arm((OWN, "entry"), ENTRY_S), *self._inside(Asked(Join(through)), now)]

    def _entered(self) -> list[Action]:
        self.ring, self._entering = self._entering, b""
        self._outside_s = None
        wait_s = LOOK_S * (0.5 + self._dice.random())
        return [Arm((OWN, "entry"), None), Arm((OWN, "round"), wait_s), Tell(Entered(self.address, self.ring))]

    def _entry_failed(self, now: float) -> list[Action]:
        self.inner, self._entering = None, b""
        self._shut = {address: until_s for address, until_s in self._shut.items() if until_s > now}
        self._shut.update(dict.fromkeys(self._through, now + SHUT_S))
        return [Arm((OWN, "entry"), None), Arm((OWN, "round"), ROUND_S * (0.5 + self._dice.random()))]

    # The overlay's machine, inside

    def _inside(self, event: Event, now: float) -> list[Action]:
        if self.inner is None:
            return []
        life = self._life
        actions: list[Action] = []
        for action in self.inner.handle(event, now):
            if isinstance(action, Arm):
                actions.append(Arm((life, action.timer), action.after_s))
            elif isinstance(action, Tell):
                actions += self._told(action.notice, now)
            else:
                actions.append(action)
        return actions

    def _told(self, notice: Any, now: float) -> list[Action]:
        if isinstance(notice, Joined):
            return self._entered() if self._entering else []
        if isinstance(notice, Failed) and notice.token == JOIN:
            return self._entry_failed(now) if self._entering else []
        if isinstance(notice, Left):
            self.ring = b""
            return [Tell(Outside())]
        token = getattr(notice, "token", None)
        if isinstance(token, tuple) and token[0] == OWN:
            return self._sought_out(token[1], notice, now)
        return [Tell(notice)]

    # Who is behind providers' addresses

    def _seek(self, request: FindHolders, now: float) -> list[Action]:
        if not self.ring or len(self._seeking) >= MAX_SEEKING:
            return [Tell(Failed(request.token, NOT_JOINED))]
        self._sought += 1
        self._seeking[self._sought] = Seeking(request)
        find = Find((OWN, self._sought), request.key, request.limit)
        return [Arm((OWN, self._sought), SEEK_S), *self._inside(Asked(find), now)]

    def _sought_out(self, number: int, notice: Any, now: float) -> list[Action]:
        seeking = self._seeking.get(number)
        if seeking is None:
            return []
        if not isinstance(notice, Providers):
            del self._seeking[number]
            why = getattr(notice, "why", NOT_JOINED)
            return [Arm((OWN, number), None), Tell(Failed(seeking.request.token, why))]
        seeking.addresses = tuple(dict.fromkeys(contact.address for contact in notice.providers))
        actions: list[Action] = [Arm((OWN, number), PATIENCE_S)]
        for address in seeking.addresses:
            if address != self.address and self._met.get(address, now) is None:
                actions += self._met.ask(address, now)
        return [*actions, *self._names_are_known(now)]

    def _names_are_known(self, now: float) -> list[Action]:
        """Somebody said who he is: tell what is complete, and decide when all doors have answered."""
        complete = [
            number
            for number, seeking in self._seeking.items()
            if seeking.addresses is not None and not any(map(self._met.is_asked, seeking.addresses))
        ]
        actions = [action for number in complete for action in self._tell_holders(number, now)]
        doors = self._all_doors()
        if doors and not self.ring and not self._entering and not any(map(self._met.is_asked, doors)):
            actions.append(Arm((OWN, "decide"), 0.0))
        return actions

    def _tell_holders(self, number: int, now: float) -> list[Action]:
        seeking = self._seeking.pop(number, None)
        if seeking is None:
            return []
        if seeking.addresses is None:
            return [Tell(Failed(seeking.request.token, UNREACHABLE))]
        found = [self._holder_at(address, now) for address in seeking.addresses]
        holders = tuple(holder for holder in found if holder is not None)
        return [Arm((OWN, number), None), Tell(Holders(seeking.request.token, seeking.request.key, holders))]

    def _holder_at(self, address: Address, now: float) -> Holder | None:
        if address == self.address:
            port, node_id = self._me.port, self._me.node_id
        else:
            said = self._met.get(address, now)
            if said is None:
                return None
            port, node_id = said.port, said.node_id
        ip = str(address[0])
        return Holder(f"[{ip}]:{port}" if ":" in ip else f"{ip}:{port}", node_id) if port else None


def _most_common_ring(answers: dict[Address, IAm]) -> bytes:
    """The ring that most are in; of several the smallest."""
    count = Counter(said.ring for said in answers.values())
    return min(count, key=lambda ring: (-count[ring], ring))
