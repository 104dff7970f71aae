"""How a peer enters and leaves (sections 2.4 and 2.5).

1. Of the bootstrap peers the nearest is found, and from there, by neighbourhood sets, one that is nearer still: Pastry wants
   "a nearby node A" (Castro et al. 2002, "Exploiting network proximity in peer-to-peer overlay networks", walks likewise).
2. A asks, in X's name, for the peer numerically closest to X. The answer names everyone on the way: A, B, C ... Z.
3. X takes the neighbourhood set of A; of the peer with which it shares n digits, row n; and of Z, the leaf set. The route stays
   near X, so the rows are near ones.
4. Everyone who is named is pinged, and those that answer fill X's tables.
5. X says hello to its leaves, and when they have had time to take it in, it has joined; then to all others, with its rows.
6. Second stage (2.5): X asks the peers of its table for their rows, those of its neighbourhood set for their sets, and takes
   whoever is nearer.
"""

from __future__ import annotations

from collections.abc import Callable

from horoi.base.ids import shared_digits
from horoi.lookup.pastry import keeping, liveness, repair
from horoi.lookup.pastry.core import Core
from horoi.lookup.pastry.lookups import Search
from horoi.lookup.pastry.messages import Bye, Hello, Known, LeavesOf, NeighboursOf, Ping, Pong, RowOf
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
SETTLED = "settled"
LISTEN = "listen"
JOIN_TRIES = 8  # a guess: a minute or so
JOIN_AGAIN_S = 2.0  # a guess, growing with each try
SETTLE_S = (
    1.0  # at most so long for the neighbours on the ring to answer hello; a guess, three round trips around the globe
)
LISTEN_S = 3.0  # a guess: newcomers that came at the same moment are among the leaves of others by now
WALK_STEPS = 2  # a guess: neighbourhoods looked at for a nearer first peer
WALK_WIDTH = 8  # a guess: members of one that are measured
SECOND_STAGE = 16  # peers asked for the second stage, a guess: a row's worth; gossip does the rest


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

    __slots__ = ("_core", "_first", "_first_s", "_steps", "_waiting")

    def __init__(self, core: Core) -> None:
        self._core = core
        self._first: Contact | None = None  # A of the paper
        self._first_s = float("inf")
        self._steps = 0
        self._waiting = 0

    def begin(self, now: float) -> None:
        """Measure the bootstraps."""
        core = self._core
        addresses = list(core.bootstrap or ())
        core.join_attempts += 1
        if len(addresses) > WALK_WIDTH:
            addresses = core.dice.sample(addresses, WALK_WIDTH)
        self._waiting = len(addresses)
        for address in addresses:
            self._measure(Contact(0, address), now)

    def _measure(self, contact: Contact, now: float) -> None:
        """Ping an address; whoever answers fastest is first."""
        core = self._core

        def answered(reply: object, at: float) -> None:
            if isinstance(reply, Pong):
                core.take_permit(contact.address, reply.permit, at)
                known = Contact(reply.id, contact.address)
                round_trip_s = core.round_trip_s(known)
                if (
                    reply.is_routing
                    and core.is_believed(known, at)
                    and known.id != core.me.id
                    and round_trip_s < self._first_s
                ):
                    self._first, self._first_s = known, round_trip_s
            self._measured(at)

        core.ask(contact, lambda nonce: Ping(nonce, core.me.id, core.is_routing), answered, self._measured, now)

    def _measured(self, now: float) -> None:
        self._waiting -= 1
        if self._waiting > 0:
            return
        first = self._first
        if first is None:
            self._failed(now)
        elif self._core.config.proximity and self._steps < WALK_STEPS:
            self._steps += 1
            core = self._core
            core.ask_permitted(first, NeighboursOf, self._walk, lambda at: self._route(first, at), now)
        else:
            self._route(first, now)

    def _walk(self, reply: object, now: float) -> None:
        """The neighbours of the nearest peer so far: perhaps one of them is nearer."""
        core = self._core
        assert self._first is not None
        named = (
            [contact for contact in reply.contacts if core.is_believed(contact, now)]
            if isinstance(reply, Known)
            else []
        )
        fresh = [contact for contact in named if contact.address not in core.acquainted][:WALK_WIDTH]
        if not fresh:
            self._route(self._first, now)
            return
        self._waiting = len(fresh)
        for contact in fresh:
            self._measure(contact, now)

    def _route(self, first: Contact, now: float) -> None:
        Search(self._core, self._core.me.id, self._found, through=first).begin(now)

    def _found(self, search: Search, now: float) -> None:
        core = self._core
        if core.bootstrap is None or core.is_joined:
            return
        if not search.owners or self._first is None:
            self._failed(now)
            return
        path = [contact for contact in search.path if core.is_believed(contact, now)]
        nearest = search.owners[0]
        self._waiting = 1
        core.ask_permitted(nearest, LeavesOf, self._learn_leaves, self._learned, now)
        core.ask_permitted(self._first, NeighboursOf, self._learn, lambda _at: None, now)
        bits, digit_bits = core.config.bits, core.config.digit_bits
        row = 0
        for contact in [*path, nearest]:
            liveness.consider(core, contact, now, nearer=True)
            shared = shared_digits(contact.id, core.me.id, bits, digit_bits)
            while row <= min(shared, bits // digit_bits - 1):
                core.ask_permitted(contact, _row_question(row), self._learn, lambda _at: None, now)
                row += 1

    def _learn(self, reply: object, now: float) -> None:
        """A row or a neighbourhood: everybody in it is pinged."""
        repair.learn(self._core, reply, now)

    def _learn_leaves(self, reply: object, now: float) -> None:
        """The leaf set of Z: this peer has entered when all that live have answered."""
        if isinstance(reply, Known):
            for contact in reply.contacts:
                self._waiting += 1
                liveness.consider(self._core, contact, now, self._learned)
        self._learned(now)

    def _learned(self, now: float) -> None:
        self._waiting -= 1
        core = self._core
        if self._waiting > 0 or core.is_joined or core.bootstrap is None:
            return
        if not len(core.leaves):
            self._failed(now)
            return
        core.is_routing = True
        greet_leaves(core)
        core.arm(SETTLED, SETTLE_S)

    def _failed(self, now: float) -> None:
        core = self._core
        if core.bootstrap is None or core.is_joined:
            return
        if core.join_attempts >= JOIN_TRIES:
            core.bootstrap = None
            core.tell(Failed(JOIN, UNREACHABLE))
            return
        core.arm(JOIN_AGAIN, JOIN_AGAIN_S * core.join_attempts * (0.5 + core.dice.random()))


def _row_question(row: int) -> Callable[[int, bytes], RowOf]:
    return lambda nonce, permit: RowOf(nonce, permit, row)


def greet_leaves(core: Core) -> None:
    """Tell the leaves that this peer has come: they must know before it says that it has joined."""
    for leaf in core.leaves.members():
        core.send(leaf.address, Hello(core.me.id, ()))


def greet_table(core: Core) -> None:
    """Tell the others in the tables, those of the routing table with the row in which they are."""
    told: dict[Address, None] = dict.fromkeys(leaf.address for leaf in core.leaves.members())
    for row in range(core.table.depth):
        members = tuple(core.table.row(row))
        for contact in members:
            if contact.address not in told:
                told[contact.address] = None
                core.send(contact.address, Hello(core.me.id, members))
    for contact in core.neighbours.members():
        if contact.address not in told:
            core.send(contact.address, Hello(core.me.id, ()))


def serve_hello(core: Core, message: Hello, source: Address, now: float) -> None:
    """Somebody has come: see whether it, and those in its row, improve the tables."""
    newcomer = Contact(message.id, source)
    core.exhume(newcomer)
    liveness.consider(core, newcomer, now, nearer=True)
    for contact in message.contacts:
        liveness.consider(core, contact, now)


def settled(core: Core, now: float) -> None:
    """Those who needed to know have had time to take this peer in."""
    if core.bootstrap is None or core.is_joined:
        return
    _enter(core)
    listen(core, now)
    greet_table(core)
    if core.config.proximity:
        _second_stage(core, now)


def _enter(core: Core) -> None:
    core.is_routing = core.is_joined = True
    core.copied = tuple(core.leaves.members())
    core.tell(Joined(core.me))
    if core.config.upkeep:
        core.arm(TICK, core.config.keepalive_s * core.dice.random())
        core.arm(GOSSIP, core.config.gossip_s * core.dice.random())
        core.arm(LISTEN, LISTEN_S)


def listen(core: Core, now: float) -> None:
    """Ask the neighbours on the ring for those that came at the same moment: at once, and when they have settled too."""
    for side in (core.leaves.smaller, core.leaves.larger):
        if side:
            repair.ask_leaves(core, side[0], now)


def _second_stage(core: Core, now: float) -> None:
    """Section 2.5: ask those in the tables for theirs."""
    left = SECOND_STAGE
    for row in range(core.table.depth):
        for contact in core.table.row(row):
            if left > 0:
                left -= 1
                ask_row(core, contact, row, now)
    for contact in list(core.neighbours.members())[: max(0, left)]:
        repair.ask_neighbours(core, contact, now)


def ask_row(core: Core, contact: Contact, row: int, now: float) -> None:
    """Compare a row with a peer of that row."""
    core.ask_permitted(
        contact,
        lambda nonce, permit: RowOf(nonce, permit, row),
        lambda reply, at: repair.learn(core, reply, at),
        lambda at: repair.suspect(core, contact, at),
        now,
    )


def leave(core: Core, now: float) -> None:
    """Hand over what is kept, say goodbye, fall silent."""
    if core.bootstrap is None:
        core.tell(Left())
        return
    if core.is_joined:
        keeping.hand_over_all(core, now)
        told: dict[Address, None] = {}
        for contact in core.everyone():
            if contact.address not in told:
                told[contact.address] = None
                core.send(contact.address, Bye(core.me.id))
    core.forget(now)
    core.tell(Left())
    for timer in (TICK, GOSSIP, JOIN_AGAIN, SETTLED, LISTEN):
        core.arm(timer, None)
