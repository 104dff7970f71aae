"""Acknowledged multicast: everybody whose id begins with a prefix hears of a newcomer, and the sender hears when all have.

SPAA, section 4; JSAC, section III-C. When X comes, its root S shares p digits with it, and nobody shares more. So
exactly the peers with those p digits have an empty slot where X belongs: the "need-to-know" peers. S sends to one peer for
each next digit, those do likewise with one digit more, and each acknowledges when its subtree has.

A liar could use it to make a whole network work. So it is passed on only with a permit, and only by who did not know yet that
somebody fits the slot: in a settled network, by nobody.
"""

from __future__ import annotations

from collections.abc import Callable

from horoi.base.ids import shared_digits
from horoi.lookup.tapestry import liveness
from horoi.lookup.tapestry.core import Core
from horoi.lookup.tapestry.messages import Hello, Multicast, Reached
from horoi.lookup.tapestry.neighbour_map import Slot
from horoi.lookup.vocabulary import Address, Contact

SUBTREE_TIMEOUT_S = 3.0  # a guess: a subtree below has one or two levels, each a round trip
SEEN_S = 20.0  # a guess: longer than a multicast takes, shorter than it takes a peer to come back
MAX_SEEN = 256  # a guess: newcomers of a minute


def serve_multicast(core: Core, message: Multicast, source: Address, now: float) -> None:
    """Take part: note the newcomer, pass the word to all subtrees, acknowledge."""
    newcomer = message.newcomer
    if not core.permits.check(source, message.permit, now) or not core.is_bound(newcomer):
        return
    if newcomer.id == core.me.id or not core.is_routing:
        return

    def reached(_at: float) -> None:
        core.send(source, Reached(message.nonce))

    if not _is_needed(core, message, now):
        core.send(newcomer.address, Hello(core.me.id))
        liveness.consider(core, newcomer, now, nearer=True)
        reached(now)
        return
    core.seen[newcomer.id, message.level] = now
    if len(core.seen) > MAX_SEEN:
        del core.seen[next(iter(core.seen))]
    spread(core, newcomer, message.prefix, message.level, reached, now)


def _is_needed(core: Core, message: Multicast, now: float) -> bool:
    """Whether the newcomer belongs into a slot of this peer that nobody fills, and the word is new."""
    newcomer = message.newcomer
    config = core.config
    shared = shared_digits(core.me.id, newcomer.id, config.bits, config.digit_bits)
    if shared != message.prefix or not message.prefix <= message.level <= core.neighbours.levels:
        return False
    if now < core.seen.get((newcomer.id, message.level), float("-inf")) + SEEN_S:
        return False
    return all(other.id == newcomer.id for other in core.neighbours.slot(*core.neighbours.place(newcomer.id)))


def spread(core: Core, newcomer: Contact, prefix: int, level: int, done: Callable[[float], None], now: float) -> None:
    """Pass the word to one peer of each slot of ``level`` and deeper; ``done(now)`` when all have acknowledged."""
    core.exhume(newcomer)
    own_place = core.neighbours.place(newcomer.id)
    subtrees: list[tuple[int, Slot]] = []
    for row in range(level, core.neighbours.depth):
        for column in range(1 << core.config.digit_bits):
            slot = core.neighbours.slot(row, column)
            if slot and (row, column) != own_place:
                subtrees.append((row + 1, slot))
    waiting = len(subtrees) + 1

    def one_done(at: float) -> None:
        nonlocal waiting
        waiting -= 1
        if not waiting:
            done(at)

    core.send(newcomer.address, Hello(core.me.id))
    liveness.consider(core, newcomer, now, one_done, nearer=True)
    for next_level, slot in subtrees:
        _tell(core, newcomer, prefix, next_level, slot, one_done, now)


def _tell(
    core: Core,
    newcomer: Contact,
    prefix: int,
    level: int,
    slot: Slot,
    done: Callable[[float], None],
    now: float,
) -> None:
    """Tell the first of a slot, or if it is silent the next."""
    if not slot or core.bootstrap is None:
        done(now)
        return
    first, rest = slot[0], slot[1:]
    core.ask_permitted(
        first,
        lambda nonce, permit: Multicast(nonce, permit, newcomer, prefix, level),
        lambda _reply, at: done(at),
        lambda at: _tell(core, newcomer, prefix, level, rest, done, at),
        now,
        tries=1,
        timeout_s=SUBTREE_TIMEOUT_S,
    )
