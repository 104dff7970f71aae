"""Peers that fail, and who takes their place (section 2.4, "node departure").

A peer that misses an acknowledgement is suspect: not routed through, and pinged. If it stays silent it has failed and leaves
all tables. Then

- leaf set: the farthest live leaf on that side is asked for its leaves, which overlap;
- routing table, entry (l, d): another peer of row l is asked for its own entry (l, d), then the others of that row, then
  those of the rows below, "thereby casting a wider net";
- neighbourhood set: another member is asked for its neighbours.
"""

from __future__ import annotations

from functools import partial

from horoi.lookup.pastry import liveness
from horoi.lookup.pastry.core import Core
from horoi.lookup.pastry.messages import Bye, Entry, EntryOf, Known, LeavesOf, NeighboursOf
from horoi.lookup.vocabulary import Address, Contact

MAX_ASKED = 16  # peers asked for one entry, a guess: a whole row and one more; then gossip or chance may fill it


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
    """A peer is dead: forget it, and find others in its place."""
    core.suspects.pop(contact.address, None)
    core.bury(contact, now)
    was_larger, was_smaller = contact in core.leaves.larger, contact in core.leaves.smaller
    core.leaves.remove(contact)
    slot = core.table.remove(contact)
    was_neighbour = core.neighbours.remove(contact)
    if core.bootstrap is None:
        return
    for was_there, side in ((was_larger, core.leaves.larger), (was_smaller, core.leaves.smaller)):
        if was_there:
            _mend_leaves(core, side, now)
    if was_larger or was_smaller:
        core.copy_soon()
    if slot is not None and core.config.repair:
        _EntryRepair(core, *slot).step(now)
    if was_neighbour and core.config.repair:
        _mend_neighbours(core, now)


def serve_bye(core: Core, message: Bye, source: Address, now: float) -> None:
    """A peer says it leaves. Perhaps that was somebody else in its name, so it is asked once."""
    suspect(core, Contact(message.id, source), now, tries=1)


# The three repairs


def _mend_leaves(core: Core, side: list[Contact], now: float) -> None:
    """Ask the farthest live leaf of a side; with none left, whoever is known closest."""
    if side:
        ask_leaves(core, side[-1], now)
        return
    bits_mask = (1 << core.config.bits) - 1
    others = sorted(core.everyone(), key=lambda contact: (contact.id - core.me.id) & bits_mask)
    if others:
        is_larger = side is core.leaves.larger
        ask_leaves(core, others[0] if is_larger else others[-1], now)


def ask_leaves(core: Core, contact: Contact, now: float) -> None:
    """Learn the leaves of a peer."""
    core.ask_permitted(
        contact,
        LeavesOf,
        lambda reply, at: learn(core, reply, at),
        lambda at: suspect(core, contact, at),
        now,
    )


def learn(core: Core, reply: object, now: float) -> None:
    """Consider everyone that an answer names."""
    if isinstance(reply, Known):
        for contact in reply.contacts:
            liveness.consider(core, contact, now, nearer=True)


class _EntryRepair:
    """The search for a new entry (row, digit): one peer is asked after the other."""

    __slots__ = ("_column", "_core", "_left", "_row")

    def __init__(self, core: Core, row: int, column: int) -> None:
        self._core = core
        self._row = row
        self._column = column
        table = core.table
        self._left = [contact for number in range(row, table.depth) for contact in table.row(number)][:MAX_ASKED]

    def step(self, now: float) -> None:
        """Ask the next peer, unless the slot is taken or nobody is left."""
        core = self._core
        if core.bootstrap is None or core.table.get(self._row, self._column) is not None:
            return
        while self._left:
            contact = self._left.pop(0)
            if contact.address not in core.suspects and core.knows(contact):
                core.ask(contact, self._question, self.on_reply, partial(self._silent, contact), now)
                return

    def _question(self, nonce: int) -> EntryOf:
        return EntryOf(nonce, self._row, self._column)

    def on_reply(self, reply: object, now: float) -> None:
        """An entry that fits is considered; if it is none, or dead, the next peer is asked."""
        contact = reply.contact if isinstance(reply, Entry) else None
        core = self._core
        if contact is None or contact.id == core.me.id or core.table.slot(contact.id) != (self._row, self._column):
            self.step(now)
        else:
            liveness.consider(core, contact, now, self.step)

    def _silent(self, contact: Contact, now: float) -> None:
        suspect(self._core, contact, now)
        self.step(now)


def _mend_neighbours(core: Core, now: float) -> None:
    """Not for each that fails, which would cost more than it is worth: when a quarter is gone."""
    members = list(core.neighbours.members())
    if members and len(members) < 0.75 * core.config.neighbourhood:
        ask_neighbours(core, core.dice.choice(members), now)


def ask_neighbours(core: Core, contact: Contact, now: float) -> None:
    """Learn the neighbours of a peer."""
    core.ask_permitted(
        contact,
        NeighboursOf,
        lambda reply, at: learn(core, reply, at),
        lambda at: suspect(core, contact, at),
        now,
    )
