"""The node's side of lookups, alone: who is told what, which side is asked, what is kept."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from horoi.base.ids import key_of
from horoi.lookup.kademlia.requests import Announce
from horoi.lookup.vocabulary import Contact, Failed, Joined, Provide, Providers, Stored, Unprovide
from horoi.lookup.vocabulary import FindProviders as Find
from horoi.machine import Action, Arm, Asked, Fired, Linked, Lost, Received, Save, Send, Tell
from horoi.node.events import Misbehaved, PeerReady
from horoi.node.lookup import machine as lookup_machine
from horoi.node.lookup.machine import NodeLookup
from horoi.node.lookup.messages import LookupAt
from horoi.node.lookup.record import ProvidingRecord, read_providing
from horoi.node.lookup.requests import (
    DHT,
    NO_LOOKUP,
    NOT_ENTERED,
    OVERLAY,
    Doors,
    Entered,
    FindHolders,
    FindProviders,
    FromSide,
    Holder,
    Holders,
    LookupFailed,
    Outside,
    ProviderAt,
    ProvidersFound,
    ProvidingStarted,
    SideDown,
    SideUp,
    StartProviding,
    StopProviding,
    ToSide,
)

HASH = b"\xab" * 32
KEY = key_of(HASH)
HERE = ("192.0.2.1", 7700)
UP = FromSide(OVERLAY, SideUp(7700, "192.0.2.1:7700"))
IN = FromSide(OVERLAY, Entered(HERE, b"ring"))


def told(actions: list[Action], kind: type) -> list[Any]:
    return [action.notice for action in actions if isinstance(action, Tell) and isinstance(action.notice, kind)]


def to_sides(actions: list[Action]) -> list[tuple[str, Any]]:
    return [(notice.side, notice.request) for notice in told(actions, ToSide)]


def hear(machine: NodeLookup, *requests: Any) -> list[Action]:
    """All that these lead to."""
    return [action for request in requests for action in machine.handle(Asked(request), 0.0)]


def new(overlay: str = "chord", *, dht: bool = False, is_in: bool = True) -> NodeLookup:
    machine = NodeLookup(overlay=overlay, dht=dht, port=7700)
    if is_in and overlay:
        hear(machine, UP, IN)
    if is_in and dht:
        hear(machine, FromSide(DHT, Joined(Contact(1, ("192.0.2.1", 6881)))))
    return machine


def link(machine: NodeLookup, peer: str, host: str, version: int = 2) -> list[Action]:
    return hear(machine, Linked(peer, f"{host}:4711", outbound=False), PeerReady(peer, False, 0, version))


# Meeting


def test_peers_are_told_once_when_there_is_a_port_and_only_if_they_know_the_message() -> None:
    machine = new(is_in=False)
    assert link(machine, "a", "192.0.2.7") == []
    assert link(machine, "old", "192.0.2.8", version=1) == []
    said = [action for action in hear(machine, UP) if isinstance(action, Send)]
    assert said == [Send("a", LookupAt("chord", 7700))]
    assert link(machine, "b", "192.0.2.9") == [Send("b", LookupAt("chord", 7700))]
    assert new(overlay="", dht=True).handle(Asked(PeerReady("a", False, 0, 2)), 0.0) == []


def test_who_speaks_the_same_overlay_is_a_door_until_the_link_ends() -> None:
    machine = new()
    link(machine, "a", "192.0.2.7")
    link(machine, "b", "[2001:db8::1]")
    link(machine, "c", "node.example.com")
    actions = machine.handle(Received("a", LookupAt("chord", 5000)), 0.0)
    assert to_sides(actions) == [(OVERLAY, Doors((("192.0.2.7", 5000),)))]
    actions = machine.handle(Received("b", LookupAt("chord", 5001)), 0.0)
    assert to_sides(actions) == [(OVERLAY, Doors((("192.0.2.7", 5000), ("2001:db8::1", 5001))))]
    machine.handle(Received("c", LookupAt("chord", 5002)), 0.0)
    assert machine.status().doors == 2  # a name would have to be looked up
    assert to_sides(machine.handle(Lost("a"), 0.0)) == [(OVERLAY, Doors((("2001:db8::1", 5001),)))]


def test_another_overlay_is_no_door_and_a_second_word_costs() -> None:
    machine = new()
    link(machine, "a", "192.0.2.7")
    machine.handle(Received("a", LookupAt("can", 5000)), 0.0)
    assert machine.status().doors == 0
    (misbehaved,) = told(machine.handle(Received("a", LookupAt("chord", 5000)), 0.0), Misbehaved)
    assert (misbehaved.peer, misbehaved.points) == ("a", lookup_machine.SECOND_LOOKUP_AT_POINTS)
    assert machine.status().doors == 0


def test_who_is_not_ready_is_not_heard() -> None:
    machine = new()
    hear(machine, Linked("a", "192.0.2.7:1", outbound=False))
    machine.handle(Received("a", LookupAt("chord", 5000)), 0.0)
    assert machine.status().doors == 0


# Finding


def test_the_overlay_is_asked_and_its_answer_is_the_answer() -> None:
    machine = new()
    ((side, asked),) = to_sides(hear(machine, FindProviders("t", HASH, 5)))
    assert (side, asked.key, asked.limit) == (OVERLAY, KEY, 5)
    answer = FromSide(OVERLAY, Holders(asked.token, KEY, (Holder("192.0.2.5:7700", b"n" * 32),)))
    (found,) = told(hear(machine, answer), ProvidersFound)
    assert found == ProvidersFound("t", HASH, (ProviderAt("192.0.2.5:7700", b"n" * 32, "chord"),))
    assert told(hear(machine, answer), ProvidersFound) == []  # once


def test_the_dht_is_asked_where_the_overlay_knows_nobody() -> None:
    machine = new(dht=True)
    ((_, asked),) = to_sides(hear(machine, FindProviders("t", HASH)))
    ((side, again),) = to_sides(hear(machine, FromSide(OVERLAY, Holders(asked.token, KEY, ()))))
    assert (side, again.key, type(again)) == (DHT, KEY, Find)
    contacts = (Contact(0, ("192.0.2.5", 7700)), Contact(0, ("2001:db8::5", 7700)))
    (found,) = told(hear(machine, FromSide(DHT, Providers(again.token, KEY, contacts))), ProvidersFound)
    assert [(at.address, at.node_id, at.via) for at in found.providers] == [
        ("192.0.2.5:7700", None, "dht"),
        ("[2001:db8::5]:7700", None, "dht"),
    ]


def test_what_cannot_be_asked_fails_with_the_reason() -> None:
    for machine, request, why in (
        (new(overlay=""), FindProviders("t", HASH), NO_LOOKUP),
        (new(overlay=""), StartProviding("t", HASH), NO_LOOKUP),
        (new(is_in=False), FindProviders("t", HASH), NOT_ENTERED),
        (new(), FindProviders("t", b"short"), "a hash has 32 bytes, not 5"),
    ):
        assert told(hear(machine, request), LookupFailed) == [LookupFailed("t", why)]


def test_failures_and_silence_are_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = new()
    ((_, asked),) = to_sides(hear(machine, FindProviders("t", HASH)))
    (failed,) = told(hear(machine, FromSide(OVERLAY, Failed(asked.token, "nobody answered"))), LookupFailed)
    assert failed == LookupFailed("t", "nobody answered")
    actions = hear(machine, FindProviders("u", HASH))
    (timer,) = [action.timer for action in actions if isinstance(action, Arm)]
    assert [notice.token for notice in told(machine.handle(Fired(timer), 30.0), LookupFailed)] == ["u"]
    monkeypatch.setattr(lookup_machine, "MAX_ASKED", 1)
    hear(machine, FindProviders("v", HASH))
    assert [notice.token for notice in told(hear(machine, FindProviders("w", HASH)), LookupFailed)] == ["w"]


# Providing


def test_providing_is_said_saved_and_taken_back() -> None:
    machine = new()
    actions = hear(machine, StartProviding("t", HASH))
    ((side, said),) = to_sides(actions)
    assert (side, said) == (OVERLAY, Provide(said.token, KEY))
    assert Arm("save", lookup_machine.SAVE_S) in actions
    assert machine.handle(Fired("save"), 1.0) == [Save(ProvidingRecord((HASH,)))]
    (started,) = told(hear(machine, FromSide(OVERLAY, Stored(said.token, KEY, 3))), ProvidingStarted)
    assert started == ProvidingStarted("t", HASH, 3)
    assert to_sides(hear(machine, StopProviding(HASH))) == [(OVERLAY, Unprovide(KEY))]
    assert machine.handle(Fired("save"), 2.0) == [Save(ProvidingRecord(()))]
    assert hear(machine, StopProviding(HASH)) == []


@pytest.mark.parametrize(("is_local", "count"), [(False, 1), (True, 3)])
def test_the_public_dht_names_no_local_addresses(is_local: bool, count: int) -> None:
    """Who provides is linked: strangers would make this node dial about in its own intranet."""
    machine = NodeLookup(dht=True, dht_is_local=is_local, port=7700)
    hear(machine, FromSide(DHT, Joined(Contact(1, ("192.0.2.1", 6881)))))
    ((_, asked),) = to_sides(hear(machine, FindProviders("t", HASH)))
    addresses = ("10.0.0.5", "127.0.0.1", "192.0.2.5")
    named = tuple(Contact(0, (ip, 7700)) for ip in addresses)
    (found,) = told(hear(machine, FromSide(DHT, Providers(asked.token, KEY, named))), ProvidersFound)
    assert [provider.address for provider in found.providers] == [f"{ip}:7700" for ip in addresses][-count:]


def test_the_dht_is_told_only_where_there_is_no_overlay() -> None:
    ((side, said),) = to_sides(hear(new(overlay="", dht=True), StartProviding("t", HASH)))
    assert (side, said) == (DHT, Announce(said.token, KEY, 7700))
    ((side, _),) = to_sides(hear(new(dht=True), StartProviding("t", HASH)))
    assert side == OVERLAY


def test_what_could_not_be_said_is_said_at_the_next_entry_a_little_at_a_time() -> None:
    hashes = [bytes([number]) * 32 for number in range(lookup_machine.SAY_PER_S + 5)]
    machine = NodeLookup(overlay="chord", saved=hashes)
    assert told(hear(machine, StartProviding("t", hashes[0])), ProvidingStarted) == [
        ProvidingStarted("t", hashes[0], 0)
    ]
    assert Arm("say", 0.0) in hear(machine, UP, IN)
    first = to_sides(machine.handle(Fired("say"), 0.0))
    rest = to_sides(machine.handle(Fired("say"), 1.0))
    assert (len(first), len(rest)) == (lookup_machine.SAY_PER_S, 5)
    assert to_sides(machine.handle(Fired("say"), 2.0)) == []
    actions = hear(machine, FromSide(OVERLAY, Failed(first[0][1].token, "nobody answered")))
    assert Arm("say", lookup_machine.SAY_AGAIN_S) in actions
    assert told(actions, LookupFailed) == []  # nobody waits for it
    assert len(to_sides(machine.handle(Fired("say"), 40.0))) == 1


def test_a_word_that_nobody_took_does_not_keep_the_others_waiting() -> None:
    hashes = [bytes([number]) * 32 for number in range(lookup_machine.SAY_PER_S + 5)]
    machine = NodeLookup(overlay="chord", saved=hashes)
    hear(machine, UP, IN)
    first = to_sides(machine.handle(Fired("say"), 0.0))
    actions = hear(machine, FromSide(OVERLAY, Failed(first[0][1].token, "nobody answered")))
    assert not [action for action in actions if isinstance(action, Arm) and action.timer == "say"]
    assert len(to_sides(machine.handle(Fired("say"), 1.0))) == 6


def test_a_word_that_nobody_took_is_kept_and_said_again() -> None:
    machine = new()
    ((_, said),) = to_sides(hear(machine, StartProviding("t", HASH)))
    actions = hear(machine, FromSide(OVERLAY, Failed(said.token, "nobody answered")))
    assert told(actions, ProvidingStarted) == [ProvidingStarted("t", HASH, 0)]
    assert Arm("say", lookup_machine.SAY_AGAIN_S) in actions
    assert machine.providing == (HASH,)


def test_a_side_that_is_lost_is_not_asked() -> None:
    machine = new()
    hear(machine, FromSide(OVERLAY, Outside()))
    assert told(hear(machine, FindProviders("t", HASH)), LookupFailed) == [LookupFailed("t", NOT_ENTERED)]
    hear(machine, IN, FromSide(OVERLAY, SideDown("a bug")))
    assert told(hear(machine, FindProviders("u", HASH)), LookupFailed) == [LookupFailed("u", NOT_ENTERED)]
    assert machine.status().address is None


def test_what_is_provided_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lookup_machine, "MAX_PROVIDING", 2)
    machine = new()
    for number in range(3):
        actions = hear(machine, StartProviding(number, bytes([number]) * 32))
    assert [notice.token for notice in told(actions, LookupFailed)] == [2]
    assert len(machine.providing) == 2


@given(st.lists(st.binary(min_size=32, max_size=32), max_size=20))
def test_the_record_comes_back(hashes: list[bytes]) -> None:
    _, data = ProvidingRecord(tuple(hashes)).file()
    assert read_providing(data) == tuple(hashes)


@given(st.binary(max_size=80))
def test_a_damaged_record_is_none(data: bytes) -> None:
    assert isinstance(read_providing(data), tuple)
    assert read_providing(None) == ()


def peers() -> st.SearchStrategy[str]:
    return st.sampled_from(["a", "b", "c"])


EVENTS = st.one_of(
    st.builds(Received, peers(), st.builds(LookupAt, st.sampled_from(["chord", "can"]), st.integers(1, 65535))),
    st.builds(lambda peer: Asked(Linked(peer, "192.0.2.7:1", False)), peers()),
    st.builds(lambda peer, version: Asked(PeerReady(peer, False, 0, version)), peers(), st.integers(0, 3)),
    st.builds(Lost, peers()),
    st.sampled_from([Asked(UP), Asked(IN), Asked(FromSide(OVERLAY, Outside())), Fired("say"), Fired("save"), Fired(1)]),
    st.builds(lambda token: Asked(FindProviders(token, HASH)), st.integers()),
    st.builds(lambda token: Asked(StartProviding(token, HASH)), st.integers()),
    st.just(Asked(StopProviding(HASH))),
    st.builds(lambda number: Asked(FromSide(OVERLAY, Stored(("lookup", number), KEY, 1))), st.integers(0, 9)),
    st.builds(lambda number: Asked(FromSide(OVERLAY, Holders(("lookup", number), KEY, ()))), st.integers(0, 9)),
    st.builds(lambda token: Asked(FromSide(OVERLAY, Failed(token, "why"))), st.text(max_size=2)),
)


@given(st.lists(EVENTS, max_size=60))
def test_nothing_raises_and_every_request_is_answered_at_most_once(events: list[Any]) -> None:
    machine = NodeLookup(overlay="chord", port=7700)
    answered: list[Any] = []
    asked = 0
    for event in events:
        asked += isinstance(event, Asked) and isinstance(event.request, FindProviders | StartProviding)
        answered += told(machine.handle(event, 0.0), (ProvidersFound, ProvidingStarted, LookupFailed))  # type: ignore[arg-type]
    assert len(answered) <= asked
    assert machine.status().doors <= 3


def test_a_question_of_the_overlay_is_of_its_own_kind() -> None:
    ((_, asked),) = to_sides(hear(new(), FindProviders("t", HASH)))
    assert isinstance(asked, FindHolders)
