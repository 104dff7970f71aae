"""Documents between nodes: whole or not at all, from several peers, past liars and those who leave."""

from __future__ import annotations

import random
from collections import deque
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from horoi.base.errors import InsufficientError, NotFoundError, StorageError
from horoi.base.hashing import sha256
from horoi.machine.contract import Action, Arm, Asked, Fired, Lost, Received, Save, Send, Tell
from horoi.machine.host import Started
from horoi.node.documents.machine import FETCH_S, LIAR_POINTS, MAX_FETCHES, MAX_ROUNDS, Documents
from horoi.node.documents.messages import (
    CHUNK_SIZE_BYTES,
    MAX_CHUNKS,
    MAX_DOCUMENT_SIZE_BYTES,
    Chunk,
    DocumentKept,
    DocumentNotFetched,
    FetchDocument,
    GetChunk,
    Has,
    KeepDocument,
    NoChunk,
    WhoHas,
)
from horoi.node.documents.serving import MAX_WANTED, SERVE_BURST_BYTES
from horoi.node.documents.store import DocumentStore, chunks_of
from horoi.node.events import EndVisit, Misbehaved, PeerReady, Visit
from horoi.node.lookup.requests import FindProviders, ProviderAt, ProvidersFound, StartProviding
from horoi.world.sim.disk import SimDisk

DOCUMENT = random.Random(1).randbytes(5 * CHUNK_SIZE_BYTES + 77)
NAME = sha256(DOCUMENT)


class Town:
    """Machines that are all linked, with a clock; a message arrives when its turn comes."""

    def __init__(self, *names: str) -> None:
        self.now = 0.0
        self.machines = {name: Documents(DocumentStore(SimDisk(random.Random(3)))) for name in names}
        self.told: list[tuple[str, Any]] = []
        self.queue: deque[tuple[str, Any]] = deque()
        self.timers: dict[tuple[str, Any], float] = {}
        self.sent: list[tuple[str, str, Any]] = []
        for name in names:
            self.give(name, Asked(Started()))
            for other in names:
                if other != name:
                    self.give(name, Asked(PeerReady(other, True, 0, 2)))
        self.run()

    def give(self, name: str, event: Any) -> None:
        self.queue.append((name, event))

    def run(self, seconds: float = 0.0) -> None:
        """Deliver everything; then let time pass."""
        until = self.now + seconds
        while True:
            while self.queue:
                name, event = self.queue.popleft()
                for action in self.machines[name].handle(event, self.now):
                    self.carry_out(name, action)
            due = [(at, key) for key, at in self.timers.items() if at <= until]
            if not due:
                break
            at, key = min(due, key=lambda pair: pair[0])
            del self.timers[key]
            self.now = max(self.now, at)
            self.give(key[0], Fired(key[1]))
        self.now = until

    def carry_out(self, name: str, action: Action) -> None:
        if isinstance(action, Send):
            self.sent.append((name, action.peer, action.message))
            self.give(action.peer, Received(name, action.message))
        elif isinstance(action, Save):
            self.machines[name].save(action.record)
        elif isinstance(action, Tell):
            self.told.append((name, action.notice))
        elif isinstance(action, Arm):
            assert action.after_s is not None
            self.timers[name, action.timer] = self.now + action.after_s

    def notices(self, kind: type) -> list[Any]:
        return [notice for _, notice in self.told if isinstance(notice, kind)]

    def served_by(self) -> dict[str, int]:
        """Chunks that each gave."""
        found: dict[str, int] = {}
        for name, _, message in self.sent:
            if isinstance(message, Chunk):
                found[name] = found.get(name, 0) + 1
        return found


def test_attached_here_downloaded_there() -> None:
    town = Town("a", "b")
    town.give("a", Asked(KeepDocument(DOCUMENT)))
    town.give("b", Asked(FetchDocument(NAME)))
    town.run(2)
    assert town.machines["b"].store.read(NAME) == DOCUMENT
    assert town.notices(DocumentKept) == [DocumentKept(NAME, len(DOCUMENT))] * 2
    assert town.machines["b"].fetches == {}


def test_several_peers_give_parts_of_one_document() -> None:
    town = Town("a", "b", "c", "d")
    for name in ("a", "b", "c"):
        town.machines[name].store.put(DOCUMENT)
    town.give("d", Asked(FetchDocument(NAME)))
    town.run(2)
    assert town.machines["d"].store.has(NAME)
    served = town.served_by()
    assert sum(served.values()) == chunks_of(len(DOCUMENT))
    assert len(served) >= 2


def test_what_a_leaving_source_was_asked_for_is_asked_of_others() -> None:
    town = Town("a", "b", "c")
    for name in ("a", "b"):
        town.machines[name].store.put(DOCUMENT)
    fetching = town.machines["c"]
    fetching.handle(Asked(FetchDocument(NAME)), 0.0)
    fetching.handle(Received("a", Has(NAME, len(DOCUMENT))), 0.0)
    fetching.handle(Received("b", Has(NAME, len(DOCUMENT))), 0.0)
    for action in fetching.handle(Lost("a"), 0.0):
        town.carry_out("c", action)
    again = [message.number for _, peer, message in town.sent if isinstance(message, GetChunk) and peer == "b"]
    assert again
    town.run(30)
    assert town.machines["c"].store.has(NAME) or fetching.fetches[NAME].asked


class Liar(Documents):
    """Says that it has everything, and gives zeros."""

    def handle(self, event: Any, now: float) -> list[Action]:
        if isinstance(event, Received) and isinstance(event.message, WhoHas):
            return [Send(event.peer, Has(event.message.hash, len(DOCUMENT)))]
        if isinstance(event, Received) and isinstance(event.message, GetChunk):
            number = event.message.number
            size = len(DOCUMENT[number * CHUNK_SIZE_BYTES : (number + 1) * CHUNK_SIZE_BYTES])
            return [Send(event.peer, Chunk(event.message.hash, number, bytes(size)))]
        return []


@pytest.mark.parametrize("liars", [1, 2])
def test_liars_are_found_out_and_the_document_comes_nevertheless(liars: int) -> None:
    names = ["liar-0", "liar-1"][:liars]
    town = Town(*names, "honest", "me")
    town.machines["honest"].store.put(DOCUMENT)
    for name in names:
        town.machines[name] = Liar(town.machines[name].store)
    town.give("me", Asked(FetchDocument(NAME)))
    town.run(60)
    assert town.machines["me"].store.read(NAME) == DOCUMENT
    blamed = town.notices(Misbehaved)
    assert {blame.peer for blame in blamed} <= set(names)
    assert all(blame.points == LIAR_POINTS for blame in blamed)


def test_a_liar_alone_is_blamed_and_the_fetch_ends() -> None:
    town = Town("liar", "me")
    town.machines["liar"] = Liar(town.machines["liar"].store)
    town.give("me", Asked(FetchDocument(NAME)))
    town.run(300)
    assert [blame.peer for blame in town.notices(Misbehaved)] == ["liar"]
    (failed,) = town.notices(DocumentNotFetched)
    assert failed.hash == NAME
    assert not town.machines["me"].store.has(NAME)


class Altered(Documents):
    """Has a copy in which one bit is another."""

    def handle(self, event: Any, now: float) -> list[Action]:
        actions = super().handle(event, now)
        return [
            Send(action.peer, Chunk(NAME, 3, _with_another_bit(action.message.data)))
            if isinstance(action, Send) and isinstance(action.message, Chunk) and action.message.number == 3
            else action
            for action in actions
        ]


def _with_another_bit(data: bytes) -> bytes:
    return data[:1000] + bytes([data[1000] ^ 4]) + data[1001:]


def test_an_altered_copy_is_refused_and_the_next_provider_is_asked() -> None:
    town = Town("altered", "me")
    town.machines["altered"] = Altered(town.machines["altered"].store)
    town.give("altered", Asked(KeepDocument(DOCUMENT)))
    town.give("altered", Asked(PeerReady("me", True, 0, 2)))
    town.run()
    town.give("me", Asked(FetchDocument(NAME)))
    town.run(1)
    assert [blame.peer for blame in town.notices(Misbehaved)] == ["altered"]
    assert not town.machines["me"].store.has(NAME)
    assert town.notices(DocumentKept) == [DocumentKept(NAME, len(DOCUMENT))]  # of its giver alone

    town.machines["honest"] = Documents(DocumentStore(SimDisk(random.Random(3))))
    town.machines["honest"].store.put(DOCUMENT)
    town.give("honest", Asked(PeerReady("me", True, 0, 2)))
    find = town.notices(FindProviders)[-1]
    both = (ProviderAt("10.0.0.1:1", "altered", "chord"), ProviderAt("10.0.0.2:1", "honest", "chord"))
    town.give("me", Asked(ProvidersFound(find.token, NAME, both)))
    town.run()
    assert Visit("10.0.0.2:1") in town.notices(Visit)
    town.give("me", Asked(PeerReady("honest", True, 0, 2)))  # the visit
    town.run(30)
    assert town.machines["me"].store.read(NAME) == DOCUMENT
    assert [blame.peer for blame in town.notices(Misbehaved)] == ["altered"]


def parts() -> list[bytes]:
    return [DOCUMENT[start : start + CHUNK_SIZE_BYTES] for start in range(0, len(DOCUMENT), CHUNK_SIZE_BYTES)]


@pytest.mark.parametrize("was_alone", [False, True])
@pytest.mark.parametrize("leaves", [Lost("liar"), Received("liar", NoChunk(NAME, 1))])
def test_nobody_is_blamed_for_a_chunk_of_another(was_alone: bool, leaves: Any) -> None:
    """A liar gives one false chunk and goes: who gives the others has not lied."""
    machine = Documents(DocumentStore(SimDisk(random.Random(3))))
    for peer in ("liar", "honest"):
        machine.handle(Asked(PeerReady(peer, True, 0, 2)), 0.0)
    machine.handle(Asked(FetchDocument(NAME)), 0.0)
    machine.fetches[NAME].alone = was_alone
    machine.handle(Received("liar", Has(NAME, len(DOCUMENT))), 0.0)
    machine.handle(Received("liar", Chunk(NAME, 0, bytes(CHUNK_SIZE_BYTES))), 0.0)
    machine.handle(leaves, 0.0)
    pending = deque(machine.handle(Received("honest", Has(NAME, len(DOCUMENT))), 0.0))
    while pending:
        action = pending.popleft()
        if isinstance(action, Send) and isinstance(action.message, GetChunk) and action.peer == "honest":
            number = action.message.number
            pending.extend(machine.handle(Received("honest", Chunk(NAME, number, parts()[number])), 0.0))
        assert not (isinstance(action, Tell) and isinstance(action.notice, Misbehaved))
        if isinstance(action, Save):
            machine.save(action.record)
    assert machine.store.has(NAME)


def test_a_peer_that_says_yes_and_gives_nothing_does_not_keep_a_fetch_for_ever() -> None:
    machine = Documents(DocumentStore(SimDisk(random.Random(3))))
    machine.handle(Asked(PeerReady("idle", True, 0, 2)), 0.0)
    machine.handle(Asked(FetchDocument(NAME)), 0.0)
    for second in range(1, 600):
        machine.handle(Received("idle", Has(NAME, len(DOCUMENT))), float(second))
        machine.handle(Fired("tick"), float(second))
    assert machine.fetches == {}


def test_a_fetch_ends_in_any_case() -> None:
    machine = Documents(DocumentStore(SimDisk(random.Random(3))))
    machine.handle(Asked(FetchDocument(NAME)), 0.0)
    for second in range(0, int(FETCH_S) + 20, 10):  # it comes and goes before it is late
        machine.handle(Asked(PeerReady("idle", True, 0, 2)), float(second))
        machine.handle(Received("idle", Has(NAME, len(DOCUMENT))), float(second))
        machine.handle(Fired("tick"), float(second))
        machine.handle(Lost("idle"), second + 9.0)
    assert machine.fetches == {}


def test_who_names_another_size_later_is_not_heard() -> None:
    machine = Documents(DocumentStore(SimDisk(random.Random(3))))
    machine.handle(Asked(PeerReady("a", True, 0, 2)), 0.0)
    machine.handle(Asked(FetchDocument(NAME)), 0.0)
    machine.handle(Received("a", Has(NAME, len(DOCUMENT))), 0.0)
    machine.handle(Received("a", Has(NAME, 5)), 0.0)
    assert machine.fetches[NAME].sources == {"a": len(DOCUMENT)}


def test_what_nobody_has_ends_with_a_sentence() -> None:
    town = Town("a", "b")
    town.give("a", Asked(FetchDocument(NAME)))
    town.run(10.0 * MAX_ROUNDS)
    (failed,) = town.notices(DocumentNotFetched)
    assert "none of 1 linked peers" in failed.why
    for number in range(MAX_FETCHES + 1):
        town.give("a", Asked(FetchDocument(bytes([number]) * 32)))
    town.run()
    assert len(town.machines["a"].fetches) == MAX_FETCHES
    assert "ask again later" in town.notices(DocumentNotFetched)[-1].why


def test_a_peer_gets_its_share_and_no_more() -> None:
    town = Town("a", "b")
    town.machines["a"].store.put(DOCUMENT)
    for number in range(3 * MAX_WANTED):
        town.give("a", Received("b", GetChunk(NAME, number % 6)))
    town.run()
    first = sum(len(message.data) for *_, message in town.sent if isinstance(message, Chunk))
    assert first <= SERVE_BURST_BYTES + CHUNK_SIZE_BYTES
    town.run(5)
    assert sum(len(message.data) for *_, message in town.sent if isinstance(message, Chunk)) > first


def test_providers_that_the_lookup_finds_are_linked_for_as_long_as_it_takes() -> None:
    machine = Documents(DocumentStore(SimDisk(random.Random(3))), b"me")
    asked = machine.handle(Asked(FetchDocument(NAME)), 0.0)
    (find,) = [action.notice for action in asked if isinstance(action, Tell)]
    assert isinstance(find, FindProviders)
    providers = (
        ProviderAt("10.0.0.1:1", b"me", "chord"),
        ProviderAt("10.0.0.2:1", b"far", "chord"),
        ProviderAt("10.0.0.3:1", None, "dht"),
    )
    called = machine.handle(Asked(ProvidersFound(find.token, NAME, providers)), 1.0)
    assert called == [Tell(Visit("10.0.0.2:1")), Tell(Visit("10.0.0.3:1"))]
    (other,) = [a.notice for a in machine.handle(Asked(FetchDocument(bytes(32))), 1.0) if isinstance(a, Tell)]
    machine.handle(Asked(ProvidersFound(other.token, bytes(32), providers[2:])), 1.0)
    ready = machine.handle(Asked(PeerReady(b"far", True, 0, 2)), 2.0)
    assert ready == [Send(b"far", WhoHas(NAME)), Send(b"far", WhoHas(bytes(32)))]
    machine.handle(Received(b"far", Has(NAME, len(DOCUMENT))), 3.0)
    done: list[Action] = []
    for number in range(chunks_of(len(DOCUMENT))):
        part = DOCUMENT[number * CHUNK_SIZE_BYTES : (number + 1) * CHUNK_SIZE_BYTES]
        done = machine.handle(Received(b"far", Chunk(NAME, number, part)), 4.0)
    assert [type(action) for action in done] == [Save, Tell, Tell, Tell]
    assert done[-1] == Tell(EndVisit("10.0.0.2:1"))  # the other is visited for another document too
    assert isinstance(done[-2], Tell)
    assert isinstance(done[-2].notice, StartProviding)


# ---- the store ---------------------------------------------------------------------------------------------------------


def test_documents_survive_a_restart() -> None:
    disk = SimDisk(random.Random(3))
    store = DocumentStore(disk)
    store.put(DOCUMENT)
    store.put(b"")
    store.close()
    again = DocumentStore(disk)
    assert again.read(NAME) == DOCUMENT
    assert again.read(sha256(b"")) == b""
    assert again.used_bytes == len(DOCUMENT)
    again.remove(NAME)
    assert not again.has(NAME)
    with pytest.raises(NotFoundError, match="fetch it"):
        again.read(NAME)


def test_a_damaged_document_is_noticed_and_not_served() -> None:
    disk = SimDisk(random.Random(3))
    store = DocumentStore(disk)
    store.put(DOCUMENT)
    store._store.write({b"c" + NAME + (2).to_bytes(4, "big"): b"x" * CHUNK_SIZE_BYTES}, sync=True)
    with pytest.raises(StorageError, match="was damaged"):
        store.read(NAME)
    assert not store.has(NAME)


def test_a_peer_is_not_given_a_chunk_of_a_damaged_document() -> None:
    disk = SimDisk(random.Random(3))
    store = DocumentStore(disk)
    store.put(DOCUMENT)
    store._store.write({b"c" + NAME + (2).to_bytes(4, "big"): b"x" * CHUNK_SIZE_BYTES}, sync=True)
    store.close()
    assert DocumentStore(disk).chunk(NAME, 0) is None


def test_the_quota_is_kept() -> None:
    store = DocumentStore(SimDisk(random.Random(3)), quota_bytes=len(DOCUMENT) + 10)
    store.check_room(len(DOCUMENT))
    store.put(DOCUMENT)
    store.check_room(10)
    with pytest.raises(InsufficientError, match="do not fit"):
        store.check_room(11)
    with pytest.raises(InsufficientError, match="at most"):
        DocumentStore(SimDisk(random.Random(3))).check_room(MAX_DOCUMENT_SIZE_BYTES + 1)


def test_a_fetch_that_does_not_fit_ends() -> None:
    town = Town("a", "b")
    town.machines["a"].store.put(DOCUMENT)
    town.machines["b"].store.quota_bytes = 10
    town.give("b", Asked(FetchDocument(NAME)))
    town.run(5)
    assert "do not fit" in town.notices(DocumentNotFetched)[0].why


names = st.sampled_from([NAME, bytes(32)])
numbers = st.integers(0, MAX_CHUNKS - 1)
messages = st.one_of(
    st.builds(WhoHas, names),
    st.builds(Has, names, st.integers(0, MAX_DOCUMENT_SIZE_BYTES)),
    st.builds(GetChunk, names, numbers),
    st.builds(Chunk, names, numbers, st.binary(max_size=100)),
    st.builds(NoChunk, names, numbers),
)
events = st.one_of(
    st.builds(Received, st.sampled_from("ab"), messages),
    st.builds(Lost, st.sampled_from("ab")),
    st.sampled_from([Asked(FetchDocument(NAME)), Fired("tick"), Fired(("serve", "a"))]),
    st.builds(lambda peer: Asked(PeerReady(peer, True, 0, 2)), st.sampled_from("ab")),
)


@given(st.lists(events, max_size=40))
@settings(deadline=None)
def test_nothing_that_peers_say_makes_it_raise(given_events: list[Any]) -> None:
    machine = Documents(DocumentStore(SimDisk(random.Random(3))))
    machine.store.put(b"short")
    machine.handle(Asked(Started()), 0.0)
    for number, event in enumerate(given_events):
        for action in machine.handle(event, float(number)):
            if isinstance(action, Save):
                machine.save(action.record)
    assert len(machine.fetches) <= MAX_FETCHES
    assert not machine.store.has(NAME)
