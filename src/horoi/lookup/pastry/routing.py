"""Where a message goes next: the procedure of table 1 (section 2.3).

    if the key is within the leaf set:  to the numerically closest leaf, or here
    else if the table has a peer with one digit more in common:  to that peer
    else (rare):  to any known peer that shares at least as many digits and is numerically closer

Each step shares a longer prefix with the key or is numerically closer to it, so no message goes in circles. The receiver
holds its sender to this rule (``is_progress``): who passes messages elsewhere only wastes its own time.

One case is added. At the edge of a prefix the closest peer may share fewer digits: a peer that knows nobody better by the
rules above passes to a leaf that is numerically closer, whose leaf set then covers the key.
"""

from __future__ import annotations

from collections.abc import Container

from horoi.base.ids import around, shared_digits
from horoi.lookup.pastry.core import Core
from horoi.lookup.pastry.leaf_set import nearness
from horoi.lookup.vocabulary import Address, Contact

BIAS = 0.6  # of randomised routing towards the best candidate; "heavily biased" in the paper, the figure is a guess


def is_nearer(a: int, b: int, key: int, bits: int) -> bool:
    """Whether id ``a`` is numerically closer to a key than ``b``; of two as close, the smaller. The owner is the nearest."""
    return (around(a, key, bits), a) < (around(b, key, bits), b)


def is_progress(core: Core, before: int, after: int, key: int) -> bool:
    """Whether a message for ``key`` may go from the peer of id ``before`` to the peer of id ``after``."""
    bits, digit_bits = core.config.bits, core.config.digit_bits
    if shared_digits(after, key, bits, digit_bits) > shared_digits(before, key, bits, digit_bits):
        return True
    return is_nearer(after, before, key, bits)


def next_hop(core: Core, key: int, avoid: Container[Address] = ()) -> Contact | None:
    """Who comes next; None if this peer is the owner, as far as it knows. ``avoid`` are addresses that did not answer."""
    leaves = core.leaves
    if leaves.covers(key):
        return _closest(core, key, avoid)
    row, column = core.table.slot(key)
    entry = core.table.get(row, column)
    if entry is not None and entry.address not in avoid and entry.address not in core.suspects:
        return entry
    candidates = admissible(core, key, avoid)
    if candidates and shared_digits(candidates[0].id, key, core.config.bits, core.config.digit_bits) >= row:
        return candidates[0]
    closer = [leaf for leaf in leaves.nearest(key, 1) if leaf.address not in avoid]
    return closer[0] if closer and is_nearer(closer[0].id, core.me.id, key, core.config.bits) else None


def _closest(core: Core, key: int, avoid: Container[Address]) -> Contact | None:
    """The numerically closest leaf; before this peer takes the key for its own, it looks through everyone it knows."""
    bits = core.config.bits
    mask = (1 << bits) - 1
    own_away = around(core.me.id, key, bits)
    first = key - own_away  # who is closer than this peer is between here and as far beyond the key: mostly nobody
    for known in (core.leaves.members, core.everyone):
        closer = [contact for contact in known() if (contact.id - first) & mask <= 2 * own_away]
        closer = [core.me, *(contact for contact in closer if contact.address not in avoid)]
        best = min(closer, key=nearness(key, bits))
        if best is not core.me:
            return best
    return None


def admissible(core: Core, key: int, avoid: Container[Address] = ()) -> list[Contact]:
    """Every known peer that shares as many digits and is closer, or shares more; most digits first, then closest."""
    bits, digit_bits = core.config.bits, core.config.digit_bits
    own = shared_digits(core.me.id, key, bits, digit_bits)
    own_away = around(core.me.id, key, bits)
    found: dict[int, tuple[int, int, Contact]] = {}
    for contact in core.everyone():
        shared = shared_digits(contact.id, key, bits, digit_bits)
        if shared < own or contact.address in avoid or contact.address in core.suspects:
            continue
        away = around(contact.id, key, bits)
        if shared > own or away < own_away:
            found[contact.id] = (-shared, away, contact)
    return [contact for _, _, contact in sorted(found.values(), key=lambda entry: entry[:2])]


def random_hop(core: Core, key: int, avoid: Container[Address] = ()) -> Contact | None:
    """As ``next_hop``, but any admissible peer, the better the likelier: the next try takes another way around a bad one."""
    usual = next_hop(core, key, avoid)
    if usual is None or core.leaves.covers(key):
        return usual
    candidates = [usual, *(contact for contact in admissible(core, key, avoid) if contact != usual)]
    for candidate in candidates:
        if core.dice.random() < BIAS:
            return candidate
    return usual
