"""How a peer enters and leaves (JSAC, section III-C; SPAA).

1. Of the bootstrap peers the nearest is found, and asked for the root of X's own id: the surrogate S.
2. X copies the levels of S that it shares, 0 to p, and those of the peers on the way, which are near it. Everyone who is named
   is pinged, and those that answer fill X's map. Where all that were named are dead, others are asked (``repair``).
3. S multicasts X to all peers that share the p digits ("need-to-know"): they fill the slot that was empty. With
   the last acknowledgement X has joined.
4. X asks the nearest peers of each level, deepest first, for their levels and backpointers, and takes nearer ones ("nearest
   neighbour algorithm", SPAA section 3).
"""

from __future__ import annotations

from collections.abc import Callable

from horoi.base.ids import shared_digits
from horoi.lookup.tapestry import keeping, liveness, repair
from horoi.lookup.tapestry.core import Core
from horoi.lookup.tapestry.keeping import REFRESH
from horoi.lookup.tapestry.lookups import Search
from horoi.lookup.tapestry.messages import JOIN as TO_JOIN
from horoi.lookup.tapestry.messages import Bye, Hello, Known, LevelOf, Multicast, Ping, Pong
from horoi.lookup.vocabulary import (
    JOIN,
    MAX_BOOTSTRAPS,
    UNREACHABLE,
    Address,
    Contact,
    Failed,
    Join,
    Joined,
    Left,
)

TICK = "tick"
GOSSIP = "gossip"
JOIN_AGAIN = "join again"
TICK_S = 10.0  # a guess: half of the shortest period of probing
JOIN_TRIES = 8  # a guess: a minute or so
JOIN_AGAIN_S = 2.0  # a guess, growing with each try
MULTICAST_TIMEOUT_S = 8.0  # a guess: three levels of the tree, one with a dead peer
MEASURED = 8  # bootstraps that are measured, a guess
NEAREST = 3  # peers of each level that are asked for theirs; SPAA section 3 has O(log N), a guess


def join(core: Core, request: Join, now: float) -> None:
    """Begin to enter through one of the addresses; with none, be the first."""
    if core.bootstrap is not None:
        if core.is_joined:
            core.tell(Joined(core.me))
        return
    others = [address for address in request.bootstrap if address != core.me.address]
    core.bootstrap = tuple(others[:MAX_BOOTSTRAPS])
    core.join_attempts = 0
    if core.bootstrap:
        _Joining(core).begin(now)
    else:
        _enter(core)


def join_again(core: Core, now: float) -> None:
    """The timer after a failed try."""
    if core.bootstrap is not None and not core.is_joined:
        _Joining(core).begin(now)


class _Joining:
    """One try to enter."""

    __slots__ = ("_core", "_first", "_first_s", "_named", "_surrogate", "_waiting")

    def __init__(self, core: Core) -> None:
        self._core = core
        self._first: Contact | None = None
        self._first_s = float("inf")
        self._surrogate: Contact | None = None
        self._named: dict[tuple[int, int], None] = {}  # slots for which somebody was named
        self._waiting = 0

    def begin(self, now: float) -> None:
        """Measure the bootstraps."""
        core = self._core
        addresses = list(core.bootstrap or ())
        core.join_attempts += 1
        if len(addresses) > MEASURED:
            addresses = core.dice.sample(addresses, MEASURED)
        self._waiting = len(addresses)
        for address in addresses:
            self._measure(address, now)

    def _measure(self, address: Address, now: float) -> None:
        core = self._core

        def answered(reply: object, at: float) -> None:
            if isinstance(reply, Pong) and reply.is_routing:
                core.take_permit(address, reply.permit, at)
                known = Contact(reply.id, address)
                round_trip_s = core.round_trip_s(known)
                if core.is_believed(known, at) and known.id != core.me.id and round_trip_s < self._first_s:
                    self._first, self._first_s = known, round_trip_s
            self._measured(at)

        core.ask(
            Contact(0, address), lambda nonce: Ping(nonce, core.me.id, core.is_routing), answered, self._measured, now
        )

    def _measured(self, now: float) -> None:
        self._waiting -= 1
        if self._waiting > 0:
            return
        if self._first is None:
            self._failed(now)
            return
        Search(self._core, self._core.me.id, self._found, purpose=TO_JOIN, through=self._first).begin(now)

    def _found(self, search: Search, now: float) -> None:
        """The surrogate is known: copy levels."""
        core = self._core
        if core.bootstrap is None or core.is_joined:
            return
        surrogate = search.root
        if surrogate is None or not core.is_bound(surrogate):
            self._failed(now)
            return
        self._surrogate = surrogate
        core.exhume(surrogate)
        path = [contact for contact in search.path if core.is_believed(contact, now)]
        self._waiting = 1
        for level in range(self._shared(surrogate) + 1):
            self._ask(surrogate, level, now)
        for level, contact in enumerate(path):
            self._name(contact, now)
            if contact != surrogate and self._shared(contact) >= level:
                self._ask(contact, level, now)
        self._name(surrogate, now)
        self._settled(now)

    def _shared(self, contact: Contact) -> int:
        config = self._core.config
        return shared_digits(contact.id, self._core.me.id, config.bits, config.digit_bits)

    def _ask(self, contact: Contact, level: int, now: float) -> None:
        self._waiting += 1
        self._core.ask_permitted(contact, _level_question(level), self._learn, self._settled, now)

    def _learn(self, reply: object, now: float) -> None:
        if isinstance(reply, Known):
            for contact in reply.contacts:
                self._name(contact, now)
        self._settled(now)

    def _name(self, contact: Contact, now: float) -> None:
        core = self._core
        if contact.id != core.me.id and core.is_believed(contact, now):
            self._named[core.neighbours.place(contact.id)] = None
            self._waiting += 1
            liveness.consider(core, contact, now, self._settled, nearer=True)

    def _settled(self, now: float) -> None:
        """One thing that was waited for has come to an end; with the last, the multicast may begin."""
        self._waiting -= 1
        core = self._core
        if self._waiting > 0 or core.is_joined or core.bootstrap is None or self._surrogate is None:
            return
        surrogate = self._surrogate
        for place in self._named:
            if not core.neighbours.slot(*place) and place not in core.repairs:
                core.repairs[place] = search = repair.SlotRepair(core, *place)
                search.step(now)
        core.is_routing = True
        for contact in core.everyone():
            core.send(contact.address, Hello(core.me.id))
        shared = self._shared(surrogate)
        core.ask_permitted(
            surrogate,
            lambda nonce, permit: Multicast(nonce, permit, core.me, shared, shared),
            self._reached,
            self._failed,
            now,
            timeout_s=MULTICAST_TIMEOUT_S,
        )

    def _reached(self, _reply: object, now: float) -> None:
        core = self._core
        if core.bootstrap is not None and not core.is_joined:
            _enter(core)
            _ask_nearest(core, now)

    def _failed(self, now: float) -> None:
        core = self._core
        if core.bootstrap is None or core.is_joined:
            return
        if core.join_attempts >= JOIN_TRIES:
            core.bootstrap = None
            core.tell(Failed(JOIN, UNREACHABLE))
            return
        core.arm(JOIN_AGAIN, JOIN_AGAIN_S * core.join_attempts * (0.5 + core.dice.random()))


def _level_question(level: int) -> Callable[[int, bytes], LevelOf]:
    return lambda nonce, permit: LevelOf(nonce, permit, level)


def _enter(core: Core) -> None:
    core.is_routing = core.is_joined = True
    core.tell(Joined(core.me))
    if core.config.upkeep:
        core.arm(TICK, TICK_S * core.dice.random())
        core.arm(GOSSIP, core.config.gossip_s * core.dice.random())
        core.arm(REFRESH, core.config.refresh_s * (0.5 + core.dice.random()))


def _ask_nearest(core: Core, now: float) -> None:
    """Step 4: of each level, deepest first, the nearest peers are asked."""
    if not core.config.proximity:
        return
    for level in reversed(range(core.neighbours.depth)):
        nearest = sorted(core.neighbours.level(level), key=core.round_trip_s)[:NEAREST]
        for contact in nearest:
            repair.ask_level(core, contact, level, now)


def leave(core: Core, now: float) -> None:
    """Hand over what is kept, tell who has this peer in its map, fall silent (JSAC, section III-C: "voluntary deletion")."""
    if core.bootstrap is None:
        core.tell(Left())
        return
    if core.is_joined:
        keeping.hand_over_all(core, now)
        told: dict[Address, None] = {}
        for contact in (*core.backpointers, *core.everyone()):
            if contact.address not in told:
                told[contact.address] = None
                core.send(contact.address, Bye(core.me.id))
    core.forget(now)
    core.tell(Left())
    for timer in (TICK, GOSSIP, REFRESH, JOIN_AGAIN):
        core.arm(timer, None)
