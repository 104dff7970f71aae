"""Whatever a peer of any overlay keeps counts for whoever brought it here, so that shares of a full store mean something."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from horoi.base.sources import OWN, Source
from horoi.lab.lookup.network import LookupNetwork
from horoi.lab.lookup.overlay import Settings
from horoi.lab.lookup.run import OVERLAYS, make_overlay
from horoi.lookup.vocabulary import Put

PEERS = 16
ASKER = 3
KEY = 12345


def value_sources(machine: Any, now: float) -> list[Source]:
    store = machine.server.items if hasattr(machine, "server") else machine.values
    return [kept.source for _, kept in store.items(now)]


@pytest.mark.parametrize("name", sorted(OVERLAYS))
def test_a_value_counts_for_who_brought_it(name: str) -> None:
    settings = Settings(name, PEERS)
    network = LookupNetwork(settings, make_overlay(name)(settings, Random(1)), upkeep=True, count_bytes=False)
    network.join(PEERS)
    network.universe.ask(ASKER, Put("put", KEY, b"value"))
    network.universe.run_for(20.0)
    brought = {
        address: source
        for address, machine in enumerate(network.machines)
        for source in value_sources(machine, network.universe.now)
    }
    others = {address: source for address, source in brought.items() if address != ASKER}
    assert others
    assert all(source != OWN and source != Source(address, address) for address, source in others.items())
    assert Source(ASKER, ASKER) in others.values() or ASKER in brought
