"""Which inbound peer makes room for another, so that strangers who come in numbers cannot push out the useful.

After Bitcoin Core's ``SelectNodeToEvict``: each protection is a measure in which an attacker would have to beat the honest
peers one by one. A few peers are safe for their network groups (under a secret key, so that nobody knows which groups),
for being near, for having brought news; half of the rest for having stayed longest. From what is left the youngest peer
of the most crowded group goes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from horoi.base.hashing import Hasher
from horoi.node.peers.addresses import group_of
from horoi.node.peers.link import Link

PROTECTED_GROUPS = 4  # Bitcoin Core
PROTECTED_NEAR = 8  # Bitcoin Core
PROTECTED_USEFUL = 8  # Bitcoin Core: 4 for transactions and 4 for blocks

Rank = Callable[[Link], tuple[float | bytes, ...]]


def choose(inbound: Sequence[Link], secret_hash: Hasher) -> Link | None:
    """The link to end, or None if all are protected: then the newcomer is refused. Costs a few sorts of ``inbound``."""
    left = list(inbound)
    left = _without_first(left, PROTECTED_GROUPS, lambda link: (secret_hash(group_of(link.address).encode()),))
    left = _without_first(left, PROTECTED_NEAR, lambda link: (link.nearest_ms,))
    left = _without_first(left, PROTECTED_USEFUL, lambda link: (-link.useful_s,))
    left = _without_first(left, len(left) // 2, lambda link: (link.since_s,))
    if not left:
        return None
    crowd = Counter(group_of(link.address) for link in left)
    return max(left, key=lambda link: (crowd[group_of(link.address)], link.since_s))


def _without_first(links: list[Link], count: int, rank: Rank) -> list[Link]:
    return sorted(links, key=rank)[count:]
