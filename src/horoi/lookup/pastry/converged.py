"""The state that joins converge to, made at once: for networks of a size that would take long to join one by one.

Leaf sets are exact. A slot of a routing table is filled if any peer fits it, with a random one of those that fit (or
the nearest of a few, where distances are given). ``tests/lookup/pastry`` holds it against what real joins give.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from random import Random

from horoi.base.ids import digit
from horoi.lookup.pastry.core import Core
from horoi.lookup.vocabulary import Address, Contact

NEAREST_OF = 16  # looked at for a near entry, a guess: gives about what joins and gossip find

Distance = Callable[[Address, Address], float]


def settle(machines: Sequence[Core], dice: Random, *, joined: bool, distance_s: Distance | None = None) -> None:
    """Fill the tables of all machines. Not ``joined``: each hears a Join without bootstraps afterwards.

    ``distance_s(a, b)``, if given, is the one-way distance by which entries and neighbours are chosen.
    """
    ring = sorted(machines, key=lambda core: core.me.id)
    ids = [core.me.id for core in ring]
    contacts = [core.me for core in ring]
    for place, core in enumerate(ring):
        _fill_leaves(core, contacts, place)
        _fill_table(core, ids, contacts, dice, distance_s)
        if distance_s is not None:
            _fill_neighbours(core, contacts, dice, distance_s)
        if joined:
            core.bootstrap = ()
            core.is_routing = core.is_joined = True


def _fill_leaves(core: Core, contacts: list[Contact], place: int) -> None:
    count = min(core.config.leaf_set // 2, len(contacts) - 1)
    core.leaves.larger[:] = [contacts[(place + step) % len(contacts)] for step in range(1, count + 1)]
    core.leaves.smaller[:] = [contacts[place - step] for step in range(1, count + 1)]


def _fill_table(core: Core, ids: list[int], contacts: list[Contact], dice: Random, distance_s: Distance | None) -> None:
    bits, digit_bits = core.config.bits, core.config.digit_bits
    me = core.me.id
    low, high = 0, len(ids)  # the peers that share the digits so far
    for row in range(bits // digit_bits):
        if high - low < 2:
            return
        shift = bits - (row + 1) * digit_bits
        prefix = me >> (shift + digit_bits) << digit_bits
        own = digit(me, row, bits, digit_bits)
        edges = [bisect_left(ids, (prefix + column) << shift, low, high) for column in range(1 << digit_bits)]
        edges.append(high)
        for column in range(1 << digit_bits):
            first, last = edges[column], edges[column + 1]
            if column != own and first < last:
                core.table.put(_pick(core, contacts, first, last, dice, distance_s))
        low, high = edges[own], edges[own + 1]


def _pick(
    core: Core, contacts: list[Contact], first: int, last: int, dice: Random, distance_s: Distance | None
) -> Contact:
    if distance_s is None or last - first == 1:
        return contacts[dice.randrange(first, last)]
    places = range(first, last) if last - first <= NEAREST_OF else dice.sample(range(first, last), NEAREST_OF)
    place = min(places, key=lambda place: distance_s(core.me.address, contacts[place].address))
    return contacts[place]


def _fill_neighbours(core: Core, contacts: list[Contact], dice: Random, distance_s: Distance) -> None:
    wanted = min(core.config.neighbourhood * 4, len(contacts))
    for contact in dice.sample(contacts, wanted):
        if contact is not core.me:
            core.neighbours.add(contact, 2 * distance_s(core.me.address, contact.address))
