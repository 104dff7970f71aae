"""The constructed state is the one that real joins end in."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from tests.lookup.can.can_net import QUICK, CanNet

from horoi.lookup.can.config import CanConfig
from horoi.lookup.can.converged import settle
from horoi.lookup.can.machine import Can
from horoi.lookup.vocabulary import Found, Lookup


def tables(peers: list[Can]) -> list[Any]:
    """Zones, neighbours and what is known of theirs."""
    return [
        (
            peer.contact,
            [
                (
                    reality.zones,
                    {n.contact: (n.zones, {c.contact: c.zones for c in n.around}) for n in reality.neighbours},
                )
                for reality in peer.realities
            ],
        )
        for peer in peers
    ]


@pytest.mark.parametrize("options", [{}, {"dimensions": 3}, {"realities": 2}, {"uniform_reach": 1}])
def test_joins_converge_to_the_constructed_state(options: dict[str, Any]) -> None:
    config = CanConfig(bits=64, **QUICK, **options)
    net = CanNet(f"converged/{options}", config=config)
    for name in range(40):
        net.add(name, *([name // 2] if name else []))
        net.universe.run_for(3.0)
    net.wait_until_sound()
    net.universe.run_for(20.0)
    settled = [Can(net.contact(name), config, Random(1), net.space) for name in range(40)]
    settle(settled)
    assert tables(settled) == tables(net.peers())


def test_settled_peers_serve_and_keep_each_other() -> None:
    net = CanNet("settled")
    for name in range(20):
        net.universe.add(name, net.boot)
    settle(net.peers())
    assert net.problems() == []
    for name in range(20):
        assert isinstance(net.ask(name, Lookup(name, 12345 << 40)), Found)
    net.universe.run_for(60.0)
    assert net.problems() == []
    net.universe.crash(7)
    net.wait_until_sound()


def test_what_cannot_be_constructed_is_refused() -> None:
    net = CanNet("refused", config=CanConfig(bits=64, max_peers=2))
    peers = [Can(net.contact(name), net.config, Random(1), net.space) for name in range(3)]
    with pytest.raises(ValueError, match="max_peers"):
        settle(peers)
    settle([])
