"""Finding the owner of a key: forwarded from peer to peer as in the paper, or step by step (``walk``).

A forwarded message may be lost with the peer that had it, or led astray by one that lies. The asker hears only the end of it,
so it checks the end (the owner's zone contains the key, and overlaps nothing that a neighbour is known to own), waits as long
as the way there should take, and then tries again through another neighbour.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from horoi.lookup.can import routing
from horoi.lookup.can.core import Core, Doubt
from horoi.lookup.can.messages import ANY_REALITY, Arrived, Claim, Forward
from horoi.lookup.can.walk import Walk
from horoi.lookup.can.zone import Place, overlap
from horoi.lookup.common.pending import NONCE_BITS
from horoi.lookup.vocabulary import UNREACHABLE, Address, Contact

ATTEMPTS = 4  # a guess
PER_HOP_S = 0.25  # a guess: a slow message, until round trips have been measured


@dataclass(frozen=True, slots=True)
class Owner:
    """Where a lookup ended. ``claim`` is None if it came to nothing (``why``). ``permit`` allows to write there."""

    claim: Claim | None
    mates: tuple[Contact, ...] = ()
    reality: int = 0
    permit: bytes = b""
    hops: int = 0
    rpcs: int = 0
    replies: int = 0
    timeouts: int = 0
    path: tuple[Contact, ...] = ()
    why: str = ""


Done = Callable[[Owner, float], None]


class Seek:
    """One recursive lookup, over all its attempts."""

    __slots__ = ("_attempt", "_avoid", "_core", "_done", "_first", "_is_get", "_lost", "_payload", "_reality",
                 "_through", "_ticket", "_timeouts", "place")  # fmt: skip

    def __init__(
        self,
        core: Core,
        place: Place,
        reality: int,
        done: Done,
        *,
        is_get: bool,
        payload: bytes | None,
        through: Contact | None,
    ) -> None:
        self._core = core
        self._reality = reality
        self._done = done
        self._is_get = is_get
        self._payload = payload
        self._through = through
        self._first: Contact | None = None
        self._avoid: tuple[Address, ...] = ()
        self._ticket = 0
        self._attempt = 0
        self._lost = 0  # requests of attempts that came to nothing, as far as known here
        self._timeouts = 0
        self.place = place

    def attempt(self, now: float) -> None:
        """Send the message on its way, once more."""
        core = self._core
        here = routing.owning(core, self.place, self._reality)
        if here is not None:  # by a takeover, while the message was under way
            self._done(Owner(here.claim, here.mate_contacts(), here.number), now)
            return
        if self._attempt == ATTEMPTS:
            self._done(Owner(None, rpcs=self._lost, timeouts=self._timeouts, why=UNREACHABLE), now)
            return
        self._attempt += 1
        self._ticket = core.dice.getrandbits(NONCE_BITS)
        if core.asking is None:
            core.asking = {}
        core.asking[self._ticket] = self
        core.later(f"seek {self._ticket}", self._patience_s(), self._too_late)
        self._first = self._through
        if self._first is None:
            neighbour = routing.next_hop(core, self.place, self._reality, self._avoid)
            self._first = neighbour.contact if neighbour is not None else None
        if self._first is None:  # no other neighbour is nearer: the search around begins here
            self._avoid = ()
            routing.carry(core, self._message(0, 0), now)
            return
        self._send(self._first, now)

    def _patience_s(self) -> float:
        """How long this attempt may take: a guess for the repair of failures, and the hops that the paper predicts."""
        core, dimensions = self._core, self._core.config.dimensions
        volume = max((r.volume() for r in core.realities), default=0.0)
        hops = dimensions / 4 * (1 / volume) ** (1 / dimensions) if volume else 16.0
        return core.config.patience_s * self._attempt + hops * (core.pending.round_trips.smoothed_s or PER_HOP_S)

    def _message(self, hops: int, tries: int) -> Forward:
        core = self._core
        return Forward(
            0, self._reality, self.place.key, core.contact, self._ticket, hops, tries, 0, self._is_get, self._payload
        )  # fmt: skip

    def _send(self, first: Contact, now: float) -> None:
        ticket = self._ticket
        message = self._message(1, 1)

        def silent(at: float) -> None:
            if self._core.asking is None or self._core.asking.get(ticket) is not self:
                return
            self._timeouts += 1
            self._core.notice(Doubt(first))
            self._attempt -= 1  # the message never left
            self._retry(at)

        def make(nonce: int) -> Forward:
            return Forward(
                nonce, message.reality, message.key, message.asker, ticket, 1, 1, 0, message.is_get, message.payload
            )  # fmt: skip

        self._core.ask(first, make, lambda _reply, _at: None, silent, now, self._core.timeout_s(first.address))

    def _too_late(self, now: float) -> None:
        if self._core.asking is not None and self._core.asking.get(self._ticket) is self:
            self._retry(now)

    def _retry(self, now: float) -> None:
        self._forget()
        self._lost += 1
        if self._through is not None:
            self._done(Owner(None, rpcs=self._lost, timeouts=self._timeouts, why=UNREACHABLE), now)
            return
        if self._first is not None:
            self._avoid = (*self._avoid, self._first.address)
        self.attempt(now)

    def on_own(self, now: float) -> None:
        """The message came back to this peer, which owns the place by now."""
        self._forget()
        self.attempt(now)

    def _forget(self) -> None:
        if self._core.asking is not None:
            self._core.asking.pop(self._ticket, None)
        self._core.cancel(f"seek {self._ticket}")

    def on_arrived(self, message: Arrived, source: Address, now: float) -> None:
        """Somebody says to own the key."""
        core = self._core
        if message.owner.contact.address != source or message.reality >= len(core.realities):
            return
        if message.is_cached:
            is_true = self._is_get and core.is_bound(message.owner.contact)
        else:
            is_true = is_plausible_owner(core, message.owner, self.place, message.reality)
        if not is_true:
            self._retry(now)
            return
        self._forget()
        rpcs = self._lost + message.tries
        timeouts = self._timeouts + message.timeouts
        owner = Owner(
            message.owner, message.mates, message.reality, message.permit, message.hops, rpcs,
            max(0, rpcs - timeouts) + 1, timeouts, (message.owner.contact,),
        )  # fmt: skip
        self._done(owner, now)


def is_plausible_owner(core: Core, claim: Claim, place: Place, number: int) -> bool:
    """Whether nothing that is known here contradicts that this peer owns the place."""
    if not core.is_bound(claim.contact):
        return False
    zone = next((z for z in claim.zones if core.space.is_zone(z) and core.space.contains(z, place)), None)
    if zone is None:
        return False
    reality = core.realities[number]
    if any(overlap(zone, mine) for mine in reality.zones) and core.config.max_peers == 1:
        return False
    holder = reality.neighbours.holder(zone)
    return holder is None or holder.contact == claim.contact or core.config.max_peers > 1


def find_owner(
    core: Core,
    place: Place,
    done: Done,
    now: float,
    *,
    reality: int = ANY_REALITY,
    is_get: bool = False,
    payload: bytes | None = None,
    through: Contact | None = None,
) -> None:
    """Find the owner of a place; ``done(owner, now)`` is called once. ``through`` is a newcomer's first contact."""
    here = routing.owning(core, place, reality)
    if here is not None:
        permit = b""
        done(Owner(here.claim, here.mate_contacts(), here.number, permit), now)
        return
    if core.config.recursive or payload is not None:
        Seek(core, place, reality, done, is_get=is_get, payload=payload, through=through).attempt(now)
        return

    def ended(walk: Walk, at: float) -> None:
        done(_of_walk(walk), at)

    walk = Walk(core, place, reality, ended, is_get=is_get)
    if through is not None:
        walk.begin_through(through, now)
    else:
        walk.begin(now)


def _of_walk(walk: Walk) -> Owner:
    answer = walk.answer
    if answer is None:
        return Owner(
            None, (), 0, b"", walk.hops, walk.rpcs, walk.replies, walk.timeouts, tuple(walk.path), walk.why
        )  # fmt: skip
    return Owner(
        answer.claim, answer.mates, answer.reality, answer.permit, walk.hops,
        walk.rpcs, walk.replies, walk.timeouts, tuple(walk.path),
    )  # fmt: skip


def serve_arrived(core: Core, message: Arrived, source: Address, now: float) -> None:
    """The end of a lookup of ours, if the ticket is one."""
    seek = core.asking.get(message.ticket) if core.asking is not None else None
    if seek is not None:
        seek.on_arrived(message, source, now)
