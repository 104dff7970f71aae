"""Documents between nodes: kept here, given to peers, fetched from them.

A fetch asks every linked peer who has the document, and the node's lookup for others (horoi.node.lookup), which are linked for
as long as the fetch lasts; whoever answers is a source. What a source that leaves was asked for is asked of others. The fetch
ends after ``MAX_ROUNDS`` without any source, and after ``FETCH_S`` in any case. A peer that alone gave something else loses
points: only it can have lied. What is kept here is provided by the lookup.
"""

from __future__ import annotations

from typing import Any

import msgspec

from horoi.base.errors import InsufficientError
from horoi.base.hashing import sha256
from horoi.machine.contract import Action, Arm, Asked, Event, Fired, Lost, Peer, Received, Save, Send, Tell
from horoi.machine.host import Started
from horoi.node.documents.fetching import Fetch
from horoi.node.documents.messages import (
    DOCUMENTS_WIRE,
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
from horoi.node.documents.serving import Serving
from horoi.node.documents.store import DocumentStore
from horoi.node.events import EndVisit, Misbehaved, PeerReady, Visit
from horoi.node.lookup.requests import FindProviders, ProvidersFound, StartProviding

MAX_CALLED = 3  # providers that are linked for one document; a guess
MAX_FETCHES = 4  # at once, each with up to 16 MB in memory; a guess
TICK_S = 1.0
ROUND_S = 5.0  # without a source before all are asked again; a guess
MAX_ROUNDS = 6  # then nobody has it: half a minute
FETCH_S = 3600.0  # for all of it; a guess: 16 MB at 36 kbit/s
LIAR_POINTS = 50  # twice, and the peer is banned (peers/bans.py)
MIN_VERSION = 2  # of the peer protocol: what first knew these messages


class DocumentRecord(msgspec.Struct, frozen=True, gc=False):
    """Record for the world: keep this whole document."""

    data: bytes


class Documents:
    """The machine. What it keeps is in ``store``, which the application reads."""

    hears = (Started, PeerReady, KeepDocument, FetchDocument, ProvidersFound)

    def __init__(self, store: DocumentStore, own: Peer = None) -> None:
        self.wire = DOCUMENTS_WIRE
        self.own = own
        """This node's name among peers: the lookup may find this node itself."""
        self.store = store
        self.fetches: dict[bytes, Fetch] = {}
        """Bounded by MAX_FETCHES."""
        self._peers: dict[Peer, Serving] = {}
        self._next_token = 0

    def save(self, record: DocumentRecord) -> None:
        """Called by the world."""
        self.store.put(record.data)

    def handle(self, event: Event, now: float) -> list[Action]:
        if isinstance(event, Received):
            serving = self._peers.get(event.peer)
            return [] if serving is None else self._received(event.peer, serving, event.message, now)
        if isinstance(event, Fired):
            return self._tick(now) if event.timer == "tick" else self._serve_again(event.timer, now)
        if isinstance(event, Lost):
            self._peers.pop(event.peer, None)
            for fetch in self.fetches.values():
                fetch.leave(event.peer)
            return self._go_on(now)
        assert isinstance(event, Asked)
        return self._asked(event.request, now)

    # ---- requests -------------------------------------------------------------------------------------------

    def _asked(self, request: Any, now: float) -> list[Action]:
        if isinstance(request, Started):
            return [Arm("tick", TICK_S)]
        if isinstance(request, PeerReady):
            if request.version < MIN_VERSION:
                return []
            self._peers[request.peer] = Serving(self.store, request.peer, now)
            return [Send(request.peer, WhoHas(name)) for name in self.fetches]
        if isinstance(request, KeepDocument):
            name = sha256(request.data)
            return self._keep(name, request.data)
        if isinstance(request, ProvidersFound):
            return self._call(request)
        assert isinstance(request, FetchDocument)
        return self._fetch(request.hash, now)

    def _fetch(self, name: bytes, now: float) -> list[Action]:
        if self.store.has(name):
            return [Tell(DocumentKept(name, self.store.kept[name]))]
        if name in self.fetches:
            return []
        if len(self.fetches) >= MAX_FETCHES:
            return [Tell(DocumentNotFetched(name, f"{MAX_FETCHES} documents are being fetched: ask again later"))]
        self._next_token += 1
        fetch = self.fetches[name] = Fetch(name, self._next_token, now)
        return self._ask_all(fetch, now)

    def _keep(self, name: bytes, data: bytes) -> list[Action]:
        kept = DocumentKept(name, len(data))
        return [Save(DocumentRecord(data)), Tell(kept), Tell(StartProviding(("documents", name), name))]

    def _call(self, found: ProvidersFound) -> list[Action]:
        """Link to nodes that say to have it; they are asked when they are ready."""
        fetch = self.fetches.get(found.hash)
        if fetch is None or found.token != ("documents", fetch.token):
            return []
        actions: list[Action] = []
        for provider in found.providers:
            is_here = provider.node_id == self.own or provider.node_id in self._peers
            if is_here or provider.address in fetch.called or len(fetch.called) >= MAX_CALLED:
                continue
            fetch.called[provider.address] = None
            actions.append(Tell(Visit(provider.address)))
        return actions

    def _ask_all(self, fetch: Fetch, now: float) -> list[Action]:
        fetch.begin_round(now)
        asked: list[Action] = [Send(peer, WhoHas(fetch.name)) for peer in self._peers if peer not in fetch.sources]
        return [*asked, Tell(FindProviders(("documents", fetch.token), fetch.name))]

    # ---- messages -------------------------------------------------------------------------------------------

    def _received(self, peer: Peer, serving: Serving, message: Any, now: float) -> list[Action]:
        if isinstance(message, WhoHas):
            return serving.who_has(message.hash, now)
        if isinstance(message, GetChunk):
            return serving.want(message, now)
        fetch = self.fetches.get(message.hash)
        if fetch is None:
            return []
        if isinstance(message, Has):
            fetch.join(peer, message.size_bytes)
        elif isinstance(message, NoChunk):
            fetch.refused(peer, message.number)
        else:
            assert isinstance(message, Chunk)
            return self._chunk(fetch, peer, message, now)
        return self._go_on(now)

    def _chunk(self, fetch: Fetch, peer: Peer, message: Chunk, now: float) -> list[Action]:
        landed = fetch.landed(peer, message.number, message.data)
        if landed is None:
            return []
        if landed:
            return self._go_on(now)
        why = f"chunk {message.number} of document {fetch.name.hex()} has a wrong size"
        return [Tell(Misbehaved(peer, LIAR_POINTS, why)), *self._go_on(now)]

    # ---- fetching -------------------------------------------------------------------------------------------

    def _go_on(self, now: float) -> list[Action]:
        """Begin what has a source now, ask for what is wanted, finish what is complete."""
        actions: list[Action] = []
        for fetch in list(self.fetches.values()):
            if not fetch.workers() and not fetch.asked:
                fetch.begin()
            if fetch.is_complete:
                actions += self._finish(fetch, now)
            else:
                actions += fetch.ask(now)
        return actions

    def _finish(self, fetch: Fetch, now: float) -> list[Action]:
        """All chunks came: is it the document?"""
        data = fetch.data
        if sha256(data) != fetch.name:
            why = f"what it gave for document {fetch.name.hex()} has another hash"
            blame: list[Action] = [Tell(Misbehaved(peer, LIAR_POINTS, why)) for peer in fetch.start_again()]
            return [*blame, *fetch.ask(now)]
        try:
            self.store.check_room(len(data))
        except InsufficientError as error:
            return self._end(fetch, str(error))
        return [*self._keep(fetch.name, data), *self._hang_up(fetch)]

    def _end(self, fetch: Fetch, why: str) -> list[Action]:
        return [Tell(DocumentNotFetched(fetch.name, why)), *self._hang_up(fetch)]

    def _hang_up(self, fetch: Fetch) -> list[Action]:
        """The fetch is over: let go of those who were visited for it alone."""
        del self.fetches[fetch.name]
        needed = {address: None for other in self.fetches.values() for address in other.called}
        return [Tell(EndVisit(address)) for address in fetch.called if address not in needed]

    # ---- time -----------------------------------------------------------------------------------------------

    def _tick(self, now: float) -> list[Action]:
        actions: list[Action] = [Arm("tick", TICK_S)]
        for fetch in list(self.fetches.values()):
            for peer in fetch.stalled(now):
                fetch.give_up(peer)
            if now - fetch.since > FETCH_S:
                actions += self._end(fetch, f"document {fetch.name.hex()} did not come in {FETCH_S:g} s: ask again")
            elif not fetch.sources and now - fetch.began_at > ROUND_S:
                actions += self._ask_again(fetch, now)
        return actions + self._go_on(now)

    def _ask_again(self, fetch: Fetch, now: float) -> list[Action]:
        if fetch.rounds >= MAX_ROUNDS:
            return self._end(fetch, f"none of {len(self._peers)} linked peers has document {fetch.name.hex()}")
        return self._ask_all(fetch, now)

    def _serve_again(self, timer: Any, now: float) -> list[Action]:
        serving = self._peers.get(timer[1])
        return [] if serving is None else serving.serve(now)
