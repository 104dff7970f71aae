"""The state that joins converge to, made at once: for networks of a size that would take long to join one by one.

A slot is filled if anybody of the network fits it (SPAA, property 1), with random ones of those that fit, or the nearest of a few
where distances are given. ``tests/lookup/tapestry`` holds it against what real joins give.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from random import Random

from horoi.base.ids import digit
from horoi.lookup.tapestry.core import Core
from horoi.lookup.tapestry.neighbour_map import SLOT_SIZE
from horoi.lookup.vocabulary import Address, Contact

NEAREST_OF = 16  # looked at for a near neighbour, a guess: gives about what joins and gossip find

Distance = Callable[[Address, Address], float]


def settle(machines: Sequence[Core], dice: Random, *, joined: bool, distance_s: Distance | None = None) -> None:
    """Fill the maps of all machines. Not ``joined``: each hears a Join without bootstraps afterwards.

    ``distance_s(a, b)``, if given, is the one-way distance by which neighbours are chosen.
    """
    ring = sorted(machines, key=lambda core: core.me.id)
    ids = [core.me.id for core in ring]
    contacts = [core.me for core in ring]
    for core in ring:
        _fill(core, ids, contacts, dice, distance_s)
        if joined:
            core.bootstrap = ()
            core.is_routing = core.is_joined = True
    if machines and machines[0].config.upkeep:
        _fill_backpointers(machines)


def _fill(core: Core, ids: list[int], contacts: list[Contact], dice: Random, distance_s: Distance | None) -> None:
    bits, digit_bits = core.config.bits, core.config.digit_bits
    me = core.me.id
    low, high = 0, len(ids)  # the peers that share the digits so far
    for level in range(bits // digit_bits):
        if high - low < 2:
            return
        shift = bits - (level + 1) * digit_bits
        prefix = me >> (shift + digit_bits) << digit_bits
        own = digit(me, level, bits, digit_bits)
        edges = [bisect_left(ids, (prefix + column) << shift, low, high) for column in range(1 << digit_bits)]
        edges.append(high)
        for column in range(1 << digit_bits):
            first, last = edges[column], edges[column + 1]
            if column != own and first < last:
                core.neighbours.put(level, column, _pick(core, contacts[first:last], dice, distance_s))
        low, high = edges[own], edges[own + 1]


def _pick(core: Core, fitting: list[Contact], dice: Random, distance_s: Distance | None) -> tuple[Contact, ...]:
    if distance_s is None:
        return tuple(dice.sample(fitting, min(SLOT_SIZE, len(fitting))))
    some = fitting if len(fitting) <= NEAREST_OF else dice.sample(fitting, NEAREST_OF)
    return tuple(sorted(some, key=lambda contact: distance_s(core.me.address, contact.address))[:SLOT_SIZE])


def _fill_backpointers(machines: Sequence[Core]) -> None:
    by_address = {core.me.address: core for core in machines}
    for core in machines:
        for contact in core.everyone():
            by_address[contact.address].backpointers.add(core.me)
