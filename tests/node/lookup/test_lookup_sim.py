"""Nodes look documents up in the simulator, as they do live: they meet over links, form one overlay, find, lose one, go on."""

from __future__ import annotations

import pytest
from lookup_sim import Net

from horoi.lookup.vocabulary import PROVIDER_TTL_S
from horoi.node.lookup.overlays import OVERLAYS
from horoi.node.lookup.requests import FindProviders, ProvidersFound, ProvidingStarted, StartProviding, StopProviding

HASH = b"\xab" * 32
NODES = 5


def all_in(net: Net) -> bool:
    return all(net.lookup(number).status().address for number in range(NODES))


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_nodes_form_one_overlay_and_find_what_one_provides(overlay: str) -> None:
    net = Net(3, NODES, overlay=overlay)
    with net.universe:
        assert net.universe.run_until(lambda: all_in(net) and len(net.rings()) == 1, 300)
        net.ask(2, StartProviding("t", HASH))
        assert net.universe.run_until(lambda: bool(net.answers(2, ProvidingStarted)), 60)
        assert net.answers(2, ProvidingStarted)[0].copies > 0
        assert finders(net, range(NODES)) == list(range(NODES))
        net.cut_power(0)
        net.universe.run_for(120)
        assert finders(net, range(1, NODES)) == list(range(1, NODES))


def finders(net: Net, asked: range) -> list[int]:
    """Which of these nodes are told that node 2 has it, and by its right name and address."""
    for number in asked:
        net.ask(number, FindProviders(("find", net.universe.now), HASH))
    net.universe.run_for(35)
    last = {number: net.answers(number, ProvidersFound)[-1] for number in asked if net.answers(number, ProvidersFound)}
    wanted = (net.address(2), net.node_id(2))
    return [number for number, found in last.items() if wanted in [(at.address, at.node_id) for at in found.providers]]


def test_what_is_no_longer_provided_expires() -> None:
    net = Net(3, NODES, overlay="kademlia")
    with net.universe:
        net.universe.run_for(60)
        net.ask(2, StartProviding("t", HASH))
        net.universe.run_for(60)
        assert finders(net, range(NODES)) == list(range(NODES))
        net.ask(2, StopProviding(HASH))
        net.universe.run_for(2 * PROVIDER_TTL_S)
        assert finders(net, range(NODES)) == []


def test_one_seed_is_one_history() -> None:
    def run() -> str:
        net = Net(5, NODES, overlay="chord")
        net.universe.run_for(60)
        return net.universe.digest

    assert run() == run()


def test_nodes_that_know_no_address_find_each_other_in_the_dht() -> None:
    net = Net(4, 4, dht=True, linked=False)
    with net.universe:
        assert net.universe.run_until(lambda: all(net.peers_of(number) for number in range(4)), 300)
        net.ask(1, StartProviding("t", HASH))
        assert net.universe.run_until(lambda: bool(net.answers(1, ProvidingStarted)), 60)
        net.ask(3, FindProviders("f", HASH))
        assert net.universe.run_until(lambda: bool(net.answers(3, ProvidersFound)), 60)
        (found,) = net.answers(3, ProvidersFound)
        assert [(at.address, at.node_id, at.via) for at in found.providers] == [(net.address(1), None, "dht")]


def test_with_an_overlay_the_dht_is_not_told_but_asked_where_the_overlay_knows_nobody() -> None:
    net = Net(6, 3, overlay="kademlia", dht=True)
    with net.universe:
        assert net.universe.run_until(lambda: all(net.lookup(n).status().address for n in range(3)), 120)
        net.universe.run_for(60)
        net.ask(0, StartProviding("t", HASH))
        net.universe.run_for(30)
        net.ask(1, FindProviders("f", HASH))
        net.ask(1, FindProviders("g", b"\xcd" * 32))
        net.universe.run_for(60)
        found = {answer.token: answer.providers for answer in net.answers(1, ProvidersFound)}
        assert [(at.address, at.via) for at in found["f"]] == [(net.address(0), "kademlia")]
        assert found["g"] == ()
