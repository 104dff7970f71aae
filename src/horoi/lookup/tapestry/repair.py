"""Peers that fail, and who takes their place (JSAC, section III-C: "involuntary node deletion").

A peer that misses an acknowledgement is suspect: its backups are used, and it is pinged. If it stays silent it has failed and
leaves the map. A backup moves up; the slot is filled again when levels are compared (``upkeep``). A slot that is empty now is
another thing: perhaps nobody in the whole network fits it any more, and then messages must take the next digit, and
perhaps somebody does, and then they must not, or the key would have two roots. So others of the same level are asked, and
messages that want the slot wait for the answer.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from horoi.lookup.tapestry import liveness
from horoi.lookup.tapestry.core import Core
from horoi.lookup.tapestry.messages import Bye, Known, LevelOf, SlotIs, SlotOf
from horoi.lookup.vocabulary import Address, Contact

MAX_ASKED = 12  # peers asked for one slot, a guess: if half of them are dead, six live ones agree
ENOUGH_EMPTY = 4  # a guess: when so many live peers of the level know nobody, nobody is there
MAX_WAITING = 64  # messages that wait for one slot, a guess


def suspect(core: Core, contact: Contact, now: float, *, tries: int = 2) -> None:
    """A peer did not acknowledge, or says that it leaves: ping it, and route around it meanwhile."""
    address = contact.address
    if address in core.suspects or core.pending.full or not core.knows(contact):
        return
    core.suspects[address] = None
    check(core, contact, now, tries=tries)


def check(core: Core, contact: Contact, now: float, *, tries: int = 2) -> None:
    """See whether a peer is alive still; if not, it has failed."""
    address = contact.address

    def alive(_at: float) -> None:
        core.suspects.pop(address, None)

    core.ping(contact, alive, lambda at: fail(core, contact, at), now, tries=tries)


def fail(core: Core, contact: Contact, now: float) -> None:
    """A peer is dead: forget it, and if nobody is left in its slot, look for others."""
    core.suspects.pop(contact.address, None)
    core.bury(contact, now)
    core.backpointers.remove(contact)
    place = core.neighbours.remove(contact)
    if place is None or core.bootstrap is None:
        return
    if not core.neighbours.slot(*place) and place not in core.repairs:
        core.repairs[place] = search = SlotRepair(core, *place)
        search.step(now)


def serve_bye(core: Core, message: Bye, source: Address, now: float) -> None:
    """A peer says it leaves. Perhaps that was somebody else in its name, so it is asked once."""
    contact = Contact(message.id, source)
    core.backpointers.remove(contact)
    suspect(core, contact, now, tries=1)


def learn(core: Core, reply: object, now: float) -> None:
    """Consider everyone that an answer names."""
    if isinstance(reply, Known):
        for contact in reply.contacts:
            liveness.consider(core, contact, now, nearer=True)


def ask_level(core: Core, contact: Contact, level: int, now: float) -> None:
    """Compare a level with a peer that shares so many digits."""
    core.ask_permitted(
        contact,
        lambda nonce, permit: LevelOf(nonce, permit, level),
        lambda reply, at: learn(core, reply, at),
        lambda at: suspect(core, contact, at),
        now,
    )


class SlotRepair:
    """The search for somebody who fits (level, digit): one peer of the level, or deeper, is asked after the other."""

    __slots__ = ("_column", "_core", "_empty", "_left", "_level", "_waiting")

    def __init__(self, core: Core, level: int, column: int) -> None:
        self._core = core
        self._level = level
        self._column = column
        self._empty = 0
        self._waiting: list[Callable[[float], None]] = []
        rows = range(level, core.neighbours.depth)
        self._left = [contact for row in reversed(rows) for contact in core.neighbours.level(row)][:MAX_ASKED]

    def wait(self, resume: Callable[[float], None]) -> None:
        """Call ``resume(now)`` when it is over. Too many that wait: the last is lost."""
        if len(self._waiting) < MAX_WAITING:
            self._waiting.append(resume)

    def step(self, now: float) -> None:
        """Ask the next peer, unless the slot is taken, or empty beyond doubt."""
        core = self._core
        is_over = core.bootstrap is None or bool(core.neighbours.slot(self._level, self._column))
        while not is_over and self._left and self._empty < ENOUGH_EMPTY:
            contact = self._left.pop(0)
            if contact.address not in core.suspects and core.knows(contact):
                silent = partial(self._silent, contact)
                core.ask(contact, lambda nonce: SlotOf(nonce, self._level, self._column), self._answered, silent, now)
                return
        self._end(now)

    def _end(self, now: float) -> None:
        core = self._core
        place = (self._level, self._column)
        if core.repairs.get(place) is self:
            del core.repairs[place]
        waiting, self._waiting = self._waiting, []
        for resume in waiting:
            resume(now)

    def _answered(self, reply: object, now: float) -> None:
        core = self._core
        named = reply.contacts if isinstance(reply, SlotIs) else ()
        place = (self._level, self._column)
        fits = [contact for contact in named if contact.id != core.me.id and core.neighbours.place(contact.id) == place]
        fits = [contact for contact in fits if core.is_believed(contact, now)]
        if not fits:
            self._empty += not named
            self.step(now)
            return
        waiting = len(fits)

        def considered(at: float) -> None:
            nonlocal waiting
            waiting -= 1
            if not waiting:
                self.step(at)

        for contact in fits:
            liveness.consider(core, contact, now, considered)

    def _silent(self, contact: Contact, now: float) -> None:
        suspect(self._core, contact, now)
        self.step(now)


def serve_slot(core: Core, message: SlotOf, source: Address, _now: float) -> None:
    """Whom this peer knows at a level and digit."""
    neighbours = core.neighbours
    if message.level < neighbours.levels and message.digit < 1 << neighbours.digit_bits:
        core.send(source, SlotIs(message.nonce, neighbours.slot(message.level, message.digit)))
