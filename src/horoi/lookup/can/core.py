"""What every part of a CAN machine stands on: its realities, the requests under way, and the actions being answered.

The parts (``routing``, ``rings``, ``walk``, ``seek``, ``joining``, ``upkeep``, ``repair``, ``reassignment``, ``keeping``) are
functions over a ``Core``; ``machine`` wires them to events.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any, NamedTuple

from horoi.lookup.can.config import CanConfig
from horoi.lookup.can.hotspots import HotSpots
from horoi.lookup.can.messages import ANY_REALITY, AskPermit, Claim, Permitted
from horoi.lookup.can.neighbours import Neighbour
from horoi.lookup.can.realities import Reality
from horoi.lookup.can.zone import Place, Space, Zone
from horoi.lookup.common.peer import MAX_BURIED, OnFailure, OnReply, Peer
from horoi.lookup.common.pending import MAX_TIMEOUT_S
from horoi.lookup.common.providers import ProviderStore
from horoi.lookup.common.values import ValueStore
from horoi.lookup.vocabulary import Address, Contact
from horoi.machine.contract import Arm, Send

REFRESH = "refresh"
"""The timer after which kept values are offered to their other owners."""

REFRESH_SOON_S = 2.0  # a guess: when the zones have settled
PROBE_S = 1.5  # a guess: two timeouts; several peers name the same stranger at once
FAR = 2.0  # round trips of a neighbour that is farther than most, until it is asked again; a guess
MAX_MET = 16  # peers remembered for the day when this one is cut off, a guess

JITTER = 0.1  # of a period, so that peers that started together do not stay in step; a guess


class Doubt(NamedTuple):
    """A peer did not answer something: is it there at all?"""

    contact: Contact


class Loss(NamedTuple):
    """A neighbour has failed."""

    reality: Reality
    neighbour: Neighbour


class Dispute(NamedTuple):
    """Another peer claims a zone that is ours."""

    reality: Reality
    claim: Claim
    zone: Zone


class Core(Peer):
    """State of one peer. A million must fit: what is not used is not made."""

    __slots__ = (
        "_hotspots",
        "_met",
        "_probed",
        "_providers",
        "_values",
        "asking",
        "contact",
        "held",
        "is_ticking",
        "joining",
        "leaving",
        "misplaced",
        "noticed",
        "realities",
        "rtt_s",
        "space",
        "timers",
    )

    config: CanConfig

    def __init__(self, contact: Contact, config: CanConfig, dice: Random, space: Space) -> None:
        super().__init__(config, dice)
        self.contact = contact
        self.space = space
        self.realities = tuple(Reality(number, space, contact) for number in range(config.realities))
        self.rtt_s = 0.0  # of the reply that is being dealt with
        self.asking: dict[int, Any] | None = None  # ticket -> seek.Attempt that waits for its Arrived
        self.is_ticking = False  # that periodic timers have been armed
        self.held = 0  # messages that wait here for a way on
        self.joining = 0  # realities in which this peer has no zone yet
        self.leaving = False
        self.noticed: list[Doubt | Loss | Dispute] | None = None  # to be seen to before this event is over
        self.misplaced = False  # something is kept here that may belong to another now
        self.timers: dict[str, Callable[[float], None]] | None = None  # of single waits, by name
        self._values: ValueStore | None = None
        self._providers: ProviderStore | None = None
        self._hotspots: HotSpots | None = None
        self._met: list[Contact] | None = None
        self._probed: dict[tuple[Address, int], float] | None = None

    # What is made on first use

    @property
    def values(self) -> ValueStore:
        if self._values is None:
            self._values = ValueStore(self.config.bits)
        return self._values

    @property
    def providers(self) -> ProviderStore:
        if self._providers is None:
            self._providers = ProviderStore()
        return self._providers

    @property
    def hotspots(self) -> HotSpots:
        if self._hotspots is None:
            self._hotspots = HotSpots()
        return self._hotspots

    @property
    def keeps_values(self) -> bool:
        """True if anything was ever kept for others."""
        return self._values is not None or self._providers is not None

    def forget_kept(self) -> None:
        """Keep nothing any more."""
        self._values = self._providers = self._hotspots = None
        self.own_words = None
        self.misplaced = False

    @property
    def has_cache(self) -> bool:
        return self._hotspots is not None

    # Who is who

    @property
    def is_joined(self) -> bool:
        return self.bootstrap is not None and not self.joining and not self.leaving

    def owns(self, place: Place, reality: int = ANY_REALITY) -> bool:
        """Whether the place is in a zone of this peer, in any reality or in this one."""
        return any(r.owns(place) for r in self.realities if reality in (ANY_REALITY, r.number))

    def places(self, key: int) -> list[Place]:
        """Where a key is kept, one place per hash function."""
        return [self.space.place(self.space.hashed(key, number)) for number in range(self.config.hashes)]

    def keeps(self, key: int) -> bool:
        """Whether this peer is one of those who should keep what is under the key."""
        return any(self.owns(place) for place in self.places(key))

    def is_believed(self, contact: Contact, now: float) -> bool:
        """Whether to talk to a contact that somebody named: its id belongs to it, and it was not silent a moment ago."""
        return self.is_bound(contact) and not self.is_buried(contact, now)

    def is_bound(self, contact: Contact) -> bool:
        """Whether it is a contact of another peer, whose id belongs to it."""
        if not 0 <= contact.id < 1 << self.config.bits or contact.address == self.contact.address:
            return False
        return super().is_bound(contact)

    def was_probed(self, address: Address, reality: int, now: float) -> bool:
        """Whether this peer was asked for its update a moment ago. If not, it is as good as asked now."""
        if self._probed is None:
            self._probed = {}
        at = self._probed.pop((address, reality), -PROBE_S)
        self._probed[address, reality] = now if now >= at + PROBE_S else at
        if len(self._probed) > MAX_BURIED:
            del self._probed[next(iter(self._probed))]
        return now < at + PROBE_S

    def meet(self, contact: Contact) -> None:
        """A peer has proved to be there: remember it, or with some luck in place of another."""
        if self._met is None:
            self._met = []
        if contact in self._met:
            return
        if len(self._met) < MAX_MET:
            self._met.append(contact)
        elif self.dice.random() < 1 / MAX_MET:
            self._met[self.dice.randrange(MAX_MET)] = contact

    def acquaintances(self) -> list[Contact]:
        """Whom this peer has met, those who have fallen silent, and through whom it came."""
        silent = list(self._buried)[-MAX_MET:] if self._buried is not None else []
        return [*(self._met or ()), *silent, *(Contact(0, address) for address in (self.bootstrap or ())[:MAX_MET])]

    def permit_of(self, address: Address) -> bytes:
        """The permit that a neighbour or mate has given us; empty if none has."""
        for reality in self.realities:
            neighbour = reality.neighbours.get(address)
            if neighbour is not None and neighbour.permit:
                return neighbour.permit
            mate = reality.mates.get(address) if reality.mates else None
            if mate is not None and mate.permit:
                return mate.permit
        return b""

    # Actions

    def arm_period(self, timer: str, period_s: float) -> None:
        """Arm a periodic timer, with jitter."""
        self.out.append(Arm(timer, period_s * (1 + JITTER * (2 * self.dice.random() - 1))))

    def notice(self, what: Doubt | Loss | Dispute) -> None:
        """Have something seen to when the current message has been dealt with."""
        if self.noticed is None:
            self.noticed = []
        self.noticed.append(what)

    def later(self, name: str, after_s: float, call: Callable[[float], None]) -> None:
        """Call ``call(now)`` after a while, in place of what this name was to do before."""
        if self.timers is None:
            self.timers = {}
        self.timers[name] = call
        self.out.append(Arm(name, after_s))

    def cancel(self, name: str) -> None:
        """Do not do what ``later`` was told to do."""
        if self.timers is not None and self.timers.pop(name, None) is not None:
            self.out.append(Arm(name, None))

    def refresh_soon(self) -> None:
        """The owners of what is kept here have changed: look after the copies without waiting for the period."""
        if self.keeps_values:
            self.out.append(Arm(REFRESH, REFRESH_SOON_S))

    def ask(
        self,
        contact: Contact,
        make: Callable[[int], Any],
        on_reply: OnReply,
        on_failure: OnFailure,
        now: float,
        timeout_s: float | None = None,
    ) -> None:
        """Send the request ``make(nonce)`` to a contact; one of the two is called later, or ``on_failure`` at once."""
        nonce = self.open(contact, on_reply, on_failure, now, timeout_s)
        if nonce is None:
            on_failure(now)
            return
        self.out.append(Send(contact.address, make(nonce)))

    def ask_often(
        self,
        tries: int,
        contact: Contact,
        make: Callable[[int], Any],
        on_reply: OnReply,
        on_failure: OnFailure,
        now: float,
        tried: int = 0,
    ) -> None:
        """Ask, and ask again if there is no answer: one lost datagram is no death, and some peers are far away."""

        def again(at: float) -> None:
            self.ask_often(tries, contact, make, on_reply, on_failure, at, tried + 1)

        timeout_s = self.timeout_s(contact.address) * (1, 1, 2, 4)[min(tried, 3)]
        self.ask(contact, make, on_reply, again if tried + 1 < tries else on_failure, now, timeout_s)

    def timeout_s(self, address: Address) -> float:
        """How long to wait for an answer of this peer: longer if it is known to be far, within the bound of all waits. Without
        it a neighbour that answers ever later would be waited for ever longer."""
        usual_s = self.pending.round_trips.timeout_s
        for reality in self.realities:
            neighbour = reality.neighbours.get(address)
            if neighbour is not None and neighbour.rtt_s:
                return min(max(usual_s, FAR * neighbour.rtt_s), MAX_TIMEOUT_S)
        return usual_s

    def ask_twice(
        self,
        contact: Contact,
        make: Callable[[int], Any],
        on_reply: OnReply,
        on_failure: OnFailure,
        now: float,
    ) -> None:
        """Ask, and ask once more."""
        self.ask_often(2, contact, make, on_reply, on_failure, now)

    def write(
        self,
        contact: Contact,
        make: Callable[[int, bytes], Any],
        on_reply: OnReply,
        on_failure: OnFailure,
        now: float,
        permit: bytes = b"",
    ) -> None:
        """Send ``make(nonce, permit)``, twice if need be, with the permit that is at hand, or asked for first."""
        permit = permit or self.permit_of(contact.address)
        if permit:
            self.ask_twice(contact, lambda nonce: make(nonce, permit), on_reply, on_failure, now)
            return

        def permitted(reply: Any, at: float) -> None:
            if isinstance(reply, Permitted):
                self.ask_twice(contact, lambda nonce: make(nonce, reply.permit), on_reply, on_failure, at)
            else:
                on_failure(at)

        self.ask_twice(contact, AskPermit, permitted, on_failure, now)
