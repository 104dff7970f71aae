"""A message on its way: each step is acknowledged, and a step that is not goes to a backup.

JSAC, section III: Tapestry routes around failed neighbours by their backups, and soft state heals the rest. A slot that has no
backup left is tried three times before its peer is taken for dead: else one lost datagram would send a message to another
root. What is published leaves a pointer at each step; what is located turns off at the first.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from horoi.base.ids import shared_digits
from horoi.base.sources import source_of
from horoi.lookup.tapestry import liveness, repair
from horoi.lookup.tapestry.core import Core
from horoi.lookup.tapestry.messages import (
    JOIN,
    LOCATE,
    MAX_HOPS,
    MAX_LEVEL,
    MAX_SHORT,
    PUBLISH,
    ROUTE,
    Ack,
    Answer,
    Forward,
)
from horoi.lookup.tapestry.surrogate import Step, next_step
from horoi.lookup.vocabulary import Address, Contact, Delivered

LAST_CHANCE_TRIES = 3  # a guess: with 5 % of datagrams lost, one root in a thousand is passed over
MAX_DELIVERED = 1024  # a guess: payloads of the last minutes, so that one that comes twice is told once


class _Passing(NamedTuple):
    """A message that waits for its acknowledgement."""

    message: Forward
    hop: Contact
    level: int
    surrogates: int
    avoid: dict[Address, None]
    tries: int


def step_of(
    core: Core, key: int, level: int = 0, avoid: dict[Address, None] | None = None, never: Address = None
) -> Step:
    """The next step for a key, with what this peer knows of the dead."""
    return next_step(
        core.neighbours, key, level, avoid=avoid or {}, suspects=core.suspects, holes=core.repairs, never=never
    )


def pass_on(core: Core, message: Forward, now: float, avoid: dict[Address, None] | None = None) -> None:
    """Send a message one step further, or take it in as the root."""
    if core.bootstrap is None:
        return
    avoid = {} if avoid is None else avoid
    never = message.origin.address if message.purpose == JOIN else None  # nobody joins through itself
    if message.purpose == LOCATE and _point(core, message, now):
        return
    step = step_of(core, message.key, message.level, avoid, never)
    if step.hole is not None:
        core.repairs[step.hole].wait(lambda at: pass_on(core, message, at, avoid))
    elif step.hop is None:
        _take_in(core, message, step.surrogates, now)
    else:
        pass_to(core, _Passing(message, step.hop, step.level, step.surrogates, avoid, 1), now)


def pass_through(core: Core, hop: Contact, message: Forward, now: float) -> None:
    """Send a message to any peer, to begin its route there."""
    pass_to(core, _Passing(message, hop, 0, 0, {}, 1), now)


def pass_to(core: Core, passing: _Passing, now: float) -> None:
    """Send a message to a peer, as the next step."""
    message, hop = passing.message, passing.hop
    if message.hops >= MAX_HOPS:
        return  # the origin's time runs out
    number = core.open(hop, lambda _reply, _at: None, lambda at: _unanswered(core, passing, at), now)
    if number is None:
        return  # too much under way: as if it were lost
    forwarded = msgspec.structs.replace(
        message,
        step=number,
        sender=core.me.id,
        level=passing.level,
        hops=message.hops + 1,
        surrogates=min(message.surrogates + passing.surrogates, MAX_LEVEL),
        path=message.path if message.purpose == ROUTE else (*message.path, hop),
    )
    core.send(hop.address, forwarded)


def _unanswered(core: Core, passing: _Passing, now: float) -> None:
    if core.bootstrap is None:
        return
    message = msgspec.structs.replace(passing.message, timeouts=min(passing.message.timeouts + 1, 1000))
    hop, avoid = passing.hop, passing.avoid
    again = passing._replace(message=message, tries=passing.tries + 1)
    may_retry = passing.tries < LAST_CHANCE_TRIES
    if message.purpose == JOIN and message.origin == core.me:
        if may_retry:
            pass_to(core, again, now)
        return  # a newcomer has nobody else to ask; it begins anew through another
    if may_retry and not _has_backup(core, hop, avoid):
        pass_to(core, again, now)
        return
    if may_retry:
        repair.suspect(core, hop, now)
    else:
        repair.fail(core, hop, now)
    avoid[hop.address] = None
    pass_on(core, message, now, avoid)


def _has_backup(core: Core, hop: Contact, avoid: dict[Address, None]) -> bool:
    if hop not in core.neighbours:
        return True  # it has been forgotten meanwhile, or was only begun through
    slot = core.neighbours.slot(*core.neighbours.place(hop.id))
    return any(other != hop and other.address not in avoid and other.address not in core.suspects for other in slot)


def serve_forward(core: Core, message: Forward, source: Address, now: float) -> None:
    """A message from another peer: acknowledge it and send it on its way."""
    if not 0 <= message.key < 1 << core.config.bits or not core.is_routing or not _is_progress(core, message, source):
        return  # the sender finds another way, or breaks the rule of routing
    core.send(source, Ack(message.step))
    sender = Contact(message.sender, source)
    if source not in core.acquainted and message.origin.address != source and core.is_bound(sender):
        core.exhume(sender)
        liveness.consider(core, sender, now)
    if message.origin.address != core.me.address and core.is_bound(message.origin):
        if message.purpose == PUBLISH:
            core.pointers.add(message.key, message.origin, now, source=source_of(source))
        pass_on(core, message, now)


def _is_progress(core: Core, message: Forward, source: Address) -> bool:
    """Each step resolves a digit: sender and receiver share all digits but the last that are resolved.

    A route begins at level 0, with any peer; only its origin may begin it so, or who publishes in another's name.
    """
    if message.level == 0:
        return (message.hops == 1 and message.origin.address == source) or message.purpose == PUBLISH
    bits, digit_bits = core.config.bits, core.config.digit_bits
    return shared_digits(message.sender, core.me.id, bits, digit_bits) >= message.level - 1


def holders_of(core: Core, key: int, now: float, limit: int) -> tuple[Contact, ...]:
    """Who has the thing, as this peer knows: itself first."""
    own = (core.me,) if key in core.own_pointers else ()
    return (*own, *core.pointers.get(key, now, limit))[:limit]


def _point(core: Core, message: Forward, now: float) -> bool:
    """Answer a query from the pointers that are here. False if there are none."""
    holders = holders_of(core, message.key, now, MAX_SHORT)
    if not holders:
        return False
    _answer(core, message, holders, 0, now)
    return True


def _take_in(core: Core, message: Forward, surrogates: int, now: float) -> None:
    """The message has reached the root: this peer."""
    if message.purpose == ROUTE:
        deliver(core, message)
    _answer(core, message, (), surrogates, now)


def _answer(core: Core, message: Forward, holders: tuple[Contact, ...], surrogates: int, now: float) -> None:
    origin = message.origin
    if not message.nonce:
        return  # sent on in another's name: nobody waits
    permit = core.permits.make(origin.address, now)
    total = min(message.surrogates + surrogates, MAX_LEVEL)
    core.send(
        origin.address,
        Answer(message.nonce, core.me, holders, total, message.hops, message.timeouts, message.path, permit),
    )


def deliver(core: Core, message: Forward) -> None:
    """Tell the application of a payload, once."""
    mark = (message.origin.address, message.nonce)
    if mark in core.delivered:
        return
    core.delivered[mark] = None
    if len(core.delivered) > MAX_DELIVERED:
        del core.delivered[next(iter(core.delivered))]
    core.tell(Delivered(message.key, message.payload, message.origin, message.hops))
