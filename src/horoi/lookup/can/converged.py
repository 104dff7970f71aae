"""The space that joins end in, built directly: for experiments with more peers than joins have time for.

When peers join one after the other, each at the point of its id, who ends up with which zone follows from the points and
their order alone. A test proves this state equal to what real joins end in.
"""

from __future__ import annotations

from collections.abc import Sequence

from horoi.lookup.can.joining import point_of
from horoi.lookup.can.machine import Can
from horoi.lookup.can.messages import Claim
from horoi.lookup.can.partition import Partition
from horoi.lookup.can.realities import Reality
from horoi.lookup.can.zone import Zone


def settle(peers: Sequence[Can], *, joined: bool = True) -> None:
    """Give all peers their zones and neighbours as if they had joined in this order, long ago.

    With ``joined`` they serve at once; otherwise each resumes with its ``Join``. All have one configuration, with
    one peer to a zone and without landmarks; anything else raises ValueError.
    """
    if not peers:
        return
    config = peers[0].config
    if config.max_peers != 1 or config.landmarks:
        raise ValueError("a state can be constructed only for max_peers=1 and without landmarks; let the peers join")
    for number in range(config.realities):
        tree = _tree(peers, number)
        _fill(peers, number, tree)
    if joined:
        for peer in peers:
            peer.bootstrap = ()


def _tree(peers: Sequence[Can], number: int) -> Partition:
    """The zones after all joins."""
    first = peers[0]
    tree = Partition(first.space, 0)
    for index in range(1, len(peers)):
        place = point_of(first, peers[index].contact, number)
        tree.split(_to_split(tree, tree.zone_of(place), first.config.uniform_reach), place, index)
    return tree


def _to_split(tree: Partition, zone: Zone, reach: int) -> Zone:
    """The occupant's zone, or the largest around it (section 3.7)."""
    around = tree.neighbours(zone) if reach else []
    if reach == 2:
        around += [other for near in list(around) for other in tree.neighbours(near)]
    larger = [other for other in around if other.bit_length() < zone.bit_length()]
    return min(larger, key=lambda other: (other.bit_length(), other), default=zone)


def _fill(peers: Sequence[Can], number: int, tree: Partition) -> None:
    claims: dict[Zone, Claim] = {}
    for zone, index in tree.owners.items():
        claims[zone] = Claim(peers[index].contact, (zone,), 1)
    around = {zone: tuple(claims[other] for other in tree.neighbours(zone)) for zone in tree.owners}
    for zone, index in tree.owners.items():
        reality: Reality = peers[index].realities[number]
        reality.zones, reality.claim, reality.stamp, reality.checked = (zone,), claims[zone], 1, True
        for claim in around[zone]:
            neighbour = reality.neighbours.add(claim, 0.0)
            neighbour.around, neighbour.stamp, neighbour.told = around[claim.zones[0]], 1, 1
