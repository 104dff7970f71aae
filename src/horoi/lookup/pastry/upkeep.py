"""What a peer does from time to time: see whether others live, and compare tables.

Leaves are pinged each ``keepalive_s`` unless they were heard from ("neighboring nodes in the nodeId space exchange
keep-alive messages", section 2.4), entries of the routing table each ``probe_s``. Now and then a leaf is asked for its
leaves, so that two peers that came at once find each other. Each ``gossip_s`` one row is compared with a peer of that row:
that fills what joins left empty, and brings near peers in (Castro et al. 2002, "Exploiting network proximity in peer-to-peer
overlay networks", has the same task).
"""

from __future__ import annotations

from horoi.lookup.pastry import joining, repair
from horoi.lookup.pastry.core import Core
from horoi.lookup.pastry.joining import GOSSIP, TICK
from horoi.lookup.vocabulary import Contact

ROUNDS_UNTIL_LEAVES = 3  # a guess: leaf sets are compared every third round; what they would show is heard by hello


def tick(core: Core, now: float) -> None:
    """One round of keep-alives."""
    if not core.is_joined:
        return
    config = core.config
    core.arm(TICK, config.keepalive_s)
    core.values.expire(now)
    core.providers.expire(now)
    for leaf in list(core.leaves.members()):
        _ping_if_silent(core, leaf, config.keepalive_s, now)
    for contact in list(core.table.members()):
        if contact not in core.leaves:
            _ping_if_silent(core, contact, config.probe_s, now)
    if core.dice.randrange(ROUNDS_UNTIL_LEAVES) == 0:
        leaves = [side[0] for side in (core.leaves.smaller, core.leaves.larger) if side]
        if leaves:
            repair.ask_leaves(core, core.dice.choice(leaves), now)


def _ping_if_silent(core: Core, contact: Contact, after_s: float, now: float) -> None:
    is_fresh = now - core.heard_s(contact) < 0.9 * after_s  # a little early, so that not every second round is missed
    if not is_fresh and contact.address not in core.suspects and not core.pending.full:
        repair.check(core, contact, now)


def gossip(core: Core, now: float) -> None:
    """Compare one row, and sometimes the neighbourhood."""
    if not core.is_joined:
        return
    core.arm(GOSSIP, core.config.gossip_s * (0.5 + core.dice.random()))
    rows = [row for row in range(core.table.depth) if core.table.row(row)]
    if rows:
        row = core.dice.choice(rows)
        joining.ask_row(core, core.dice.choice(core.table.row(row)), row, now)
    members = list(core.neighbours.members())
    if members and core.dice.randrange(4) == 0:  # a guess: neighbourhoods change little
        repair.ask_neighbours(core, core.dice.choice(members), now)
