"""The paper's figures, at sizes that take seconds; the full tables are in docs/lookup/pastry.md."""

from __future__ import annotations

import random
from typing import Any

import pytest

from horoi.lab.lookup.network import LookupNetwork
from horoi.lab.lookup.overlay import Settings
from horoi.lab.lookup.overlays.pastry import PastryOverlay
from horoi.lookup.vocabulary import Found


class Run:
    """Lookups one after the other in a settled network, and what came of them."""

    def __init__(self, peers: int, **options: Any) -> None:
        settings = Settings(overlay="pastry", peers=peers, latency="constant", **options)
        self.network = LookupNetwork(
            settings, PastryOverlay(settings, random.Random(1)), upkeep=False, count_bytes=False
        )
        self.network.liars = dict.fromkeys(range(round(peers * settings.adversaries)))
        self.network.settle(peers)
        self.answers: list[Any] = []
        self.network.on_answer = lambda notice, _now: self.answers.append(notice)

    def lookups(self, count: int) -> tuple[float, float]:
        """(mean hops, share that found the true owner)."""
        self.answers.clear()
        owners = {}
        for token in range(count):
            key = self.network.key()
            owners[token] = self.network.truth.owner(key)
            self.network.lookup(token, self.network.honest_peer(), key)
            self.network.universe.run_for(0.002)
        self.network.universe.run_for(60)
        found = [notice for notice in self.answers if isinstance(notice, Found)]
        right = sum(notice.owners[0].address == owners[notice.token] for notice in found)
        return sum(notice.hops for notice in found) / len(found), right / count


def test_mean_hops_of_a_thousand_peers_are_the_papers() -> None:
    hops, right = Run(1000).lookups(3000)
    assert hops == pytest.approx(2.48, abs=0.05)
    assert right == 1.0


def test_with_half_of_all_failed_lookups_find_the_owner() -> None:
    run = Run(1000)
    run.network.fail(0.5)
    _, right = run.lookups(600)
    assert right >= 0.99


def test_with_a_fifth_of_liars_several_routes_find_the_owner() -> None:
    _, right = Run(500, adversaries=0.2).lookups(400)
    assert right >= 0.95
