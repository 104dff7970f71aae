"""Discovery alone: it enters, announces, looks up as often as it must, and hands on strangers' words as such."""

from __future__ import annotations

import random
from typing import Any

import pytest

from horoi.lookup.kademlia.requests import Announce
from horoi.lookup.vocabulary import JOIN, Contact, Failed, FindProviders, Join, Joined, Providers
from horoi.machine import Action, Arm, Asked, Fired, Lost, Tell
from horoi.node.discovery import machine as discovery_machine
from horoi.node.discovery.machine import Discovery, network_key
from horoi.node.discovery.requests import Bootstraps
from horoi.node.events import AddressesHeard, PeerReady
from horoi.node.lookup.requests import DHT, OVERLAY, FromSide, SideDown, ToSide
from horoi.node.peers.addresses import LOCAL, group_of

NETWORK = b"n" * 32
JOINED = FromSide(DHT, Joined(Contact(1, ("192.0.2.1", 6881))))
THROUGH = (("192.0.2.9", 6881),)


def new(*, port: int = 7700, is_local: bool = False) -> Discovery:
    return Discovery(NETWORK, random.Random(1), port=port, is_local=is_local)


def asks(actions: list[Action]) -> list[Any]:
    """What the DHT is asked."""
    return [a.notice.request for a in actions if isinstance(a, Tell) and isinstance(a.notice, ToSide)]


def armed(actions: list[Action], timer: str) -> float | None:
    return [action.after_s for action in actions if isinstance(action, Arm) and action.timer == timer][-1]


def found(*addresses: tuple[str, int]) -> Asked:
    contacts = tuple(Contact(0, address) for address in addresses)
    return Asked(FromSide(DHT, Providers("discovery", network_key(NETWORK), contacts)))


def test_it_enters_announces_its_port_and_looks_up() -> None:
    machine = new()
    assert asks(machine.handle(Asked(Bootstraps(THROUGH)), 0.0)) == [Join(THROUGH)]
    actions = machine.handle(Asked(JOINED), 1.0)
    assert asks(actions) == [Announce("announcement", network_key(NETWORK), 7700)]
    assert armed(actions, "look") <= 1
    (asked,) = asks(machine.handle(Fired("look"), 2.0))
    assert asked == FindProviders("discovery", network_key(NETWORK), discovery_machine.MAX_FOUND)


def test_who_takes_no_links_announces_nothing() -> None:
    machine = new(port=0)
    machine.handle(Asked(Bootstraps(THROUGH)), 0.0)
    assert asks(machine.handle(Asked(JOINED), 1.0)) == []


def test_it_looks_often_while_it_is_short_of_peers_and_seldom_otherwise() -> None:
    machine = new()
    machine.handle(Asked(JOINED), 0.0)
    assert armed(machine.handle(Fired("look"), 1.0), "look") <= 1.5 * discovery_machine.SHORT_S
    for peer in range(discovery_machine.ENOUGH_PEERS):
        machine.handle(Asked(PeerReady(peer, True, 0)), 2.0)
    assert armed(machine.handle(Fired("look"), 3.0), "look") >= 0.5 * discovery_machine.LONG_S
    assert armed(machine.handle(Lost(0), 4.0), "look") <= 1.5 * discovery_machine.SHORT_S


def test_peers_that_come_and_go_do_not_put_a_lookup_off() -> None:
    machine = new()
    machine.handle(Asked(JOINED), 0.0)
    due = 1.0 + (armed(machine.handle(Fired("look"), 1.0), "look") or 0.0)
    for second in range(2, 60):
        machine.handle(Asked(PeerReady("restless", False, 0)), float(second))
        for action in machine.handle(Lost("restless"), float(second)):
            assert isinstance(action, Arm)
            assert action.after_s is not None
            assert second + action.after_s < due
            due = second + action.after_s


@pytest.mark.parametrize(("is_local", "group"), [(True, LOCAL), (False, "name")])
def test_what_is_found_is_a_strangers_word(is_local: bool, group: str) -> None:
    machine = new(is_local=is_local)
    machine.handle(Asked(JOINED), 0.0)
    (tell,) = machine.handle(found(("192.0.2.5", 7700), ("2001:db8::5", 7701)), 1.0)
    assert isinstance(tell, Tell)
    assert isinstance(tell.notice, AddressesHeard)
    assert tell.notice.addresses == ("192.0.2.5:7700", "[2001:db8::5]:7701")
    assert group_of(tell.notice.source) == group
    assert machine.found == 2


def test_a_flood_of_answers_is_cut() -> None:
    machine = new()
    machine.handle(Asked(JOINED), 0.0)
    flood = [(f"20.1.{number >> 8}.{number & 255}", 7700) for number in range(500)]
    (tell,) = machine.handle(found(*flood), 1.0)
    assert len(tell.notice.addresses) == discovery_machine.MAX_FOUND  # type: ignore[union-attr]
    assert machine.handle(found(), 1.0) == []


def test_an_entry_that_fails_is_tried_again_ever_later() -> None:
    machine = new()
    machine.handle(Asked(Bootstraps(THROUGH)), 0.0)
    waits = []
    for _ in range(12):
        waits.append(armed(machine.handle(Asked(FromSide(DHT, Failed(JOIN, "nobody answered"))), 1.0), "join"))
        assert asks(machine.handle(Fired("join"), 2.0)) == [Join(THROUGH)]
    assert waits[0] <= 1.5 * discovery_machine.FIRST_RETRY_S
    assert 0.5 * discovery_machine.LAST_RETRY_S <= waits[-1] <= 1.5 * discovery_machine.LAST_RETRY_S


def test_what_is_not_its_business_is_passed_over() -> None:
    machine = new()
    assert machine.handle(Asked(FromSide(OVERLAY, Joined(Contact(1, ("192.0.2.1", 1))))), 0.0) == []
    assert machine.handle(Asked(FromSide(DHT, Providers(("lookup", 1), 5, ()))), 0.0) == []
    assert machine.handle(Fired("look"), 0.0) == []
    machine.handle(Asked(JOINED), 0.0)
    machine.handle(Asked(FromSide(DHT, SideDown("a bug"))), 1.0)
    assert machine.handle(Fired("look"), 2.0) == []


def test_the_key_is_of_the_network_and_tells_nothing_of_it() -> None:
    assert network_key(NETWORK) != network_key(b"m" * 32)
    assert network_key(NETWORK).bit_length() <= 160
    assert f"{network_key(NETWORK):040x}" not in NETWORK.hex()
