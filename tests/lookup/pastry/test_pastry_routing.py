"""The routing procedure on settled networks: every route makes progress and ends at the owner."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from horoi.base.ids import around
from horoi.lookup.pastry.config import PastryConfig
from horoi.lookup.pastry.converged import settle
from horoi.lookup.pastry.machine import Pastry
from horoi.lookup.pastry.routing import is_progress, next_hop, random_hop
from horoi.lookup.vocabulary import Contact

CONFIG = PastryConfig(bits=16, leaf_set=4, replicas=2, upkeep=False)


def network(ids: list[int]) -> dict[int, Pastry]:
    dice = Random(1)
    machines = [Pastry(Contact(number, number), CONFIG, dice) for number in ids]
    settle(machines, dice, joined=True)
    return {machine.me.address: machine for machine in machines}


@settings(deadline=None, max_examples=60)
@given(st.lists(st.integers(0, 0xFFFF), unique=True, min_size=1, max_size=40), st.integers(0, 0xFFFF), st.booleans())
def test_every_route_ends_at_the_numerically_closest(ids: list[int], key: int, is_random: bool) -> None:
    peers = network(ids)
    owner = min(ids, key=lambda number: (around(number, key, 16), number))
    step = random_hop if is_random else next_hop
    for start in ids:
        here = peers[start]
        for _ in range(len(ids) + 1):
            hop = step(here, key)
            if hop is None:
                break
            assert is_progress(here, here.me.id, hop.id, key)
            here = peers[hop.address]
        assert here.me.id == owner


def test_a_peer_that_does_not_answer_is_passed_by() -> None:
    peers = network(Random(3).sample(range(1 << 16), 200))
    here = next(iter(peers.values()))
    key = here.me.id ^ 0x8000
    first = next_hop(here, key)
    assert first is not None
    second = next_hop(here, key, avoid={first.address})
    assert second not in (None, first)
    here.suspects[first.address] = None
    assert next_hop(here, key) != first


@pytest.mark.parametrize(
    "field", ["digit_bits", "leaf_set", "neighbourhood", "replicas", "randomise", "routes", "gossip_s"]
)
def test_a_configuration_that_cannot_be_meant_is_refused(field: str) -> None:
    with pytest.raises(ValueError, match=field if field != "gossip_s" else "periods"):
        PastryConfig(**{field: -1})
