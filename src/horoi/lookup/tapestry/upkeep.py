"""What a peer does from time to time: see whether its neighbours live, and compare levels.

JSAC, section III-C: neighbours are probed, soft state is refreshed. Primaries are pinged each ``probe_s`` unless they were heard
from, backups each ``probe_backups_s``. Each ``gossip_s`` one level is compared with a peer of that level: that fills slots
after failures, lets two peers that came at once find each other, and brings nearer peers in.
"""

from __future__ import annotations

from horoi.lookup.tapestry import repair
from horoi.lookup.tapestry.core import Core
from horoi.lookup.tapestry.joining import GOSSIP, TICK, TICK_S
from horoi.lookup.vocabulary import Contact


def tick(core: Core, now: float) -> None:
    """One round of probes."""
    if not core.is_joined:
        return
    core.arm(TICK, TICK_S)
    core.values.expire(now)
    core.pointers.expire(now)
    primaries = dict.fromkeys(contact.address for contact in core.neighbours.primaries())
    for contact in list(core.everyone()):
        is_primary = contact.address in primaries
        _ping_if_silent(core, contact, core.config.probe_s if is_primary else core.config.probe_backups_s, now)


def _ping_if_silent(core: Core, contact: Contact, after_s: float, now: float) -> None:
    is_fresh = now - core.heard_s(contact) < after_s - TICK_S / 2
    if not is_fresh and contact.address not in core.suspects and not core.pending.full:
        repair.check(core, contact, now)


def gossip(core: Core, now: float) -> None:
    """Compare one level."""
    if not core.is_joined:
        return
    core.arm(GOSSIP, core.config.gossip_s * (0.5 + core.dice.random()))
    depth = core.neighbours.depth
    if depth:  # also a level of which nobody is known: whoever is known of a deeper one is of that one too
        level = core.dice.randrange(depth)
        deeper = [other for row in range(level, depth) for other in core.neighbours.level(row)]
        repair.ask_level(core, core.dice.choice(deeper), level, now)
