"""Tasks about who has what: provide and find providers (BEP 5), count them (BEP 33), list what is provided (BEP 51)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from horoi.lookup.kademlia.bloom import BLOOM_BYTES, estimate, union
from horoi.lookup.kademlia.messages import AnnouncePeer, AnyQuery, Blooms, GetPeers, Reply, SampleKeys
from horoi.lookup.kademlia.requests import Sampled, Scraped
from horoi.lookup.kademlia.tasks import Call, Node, Task
from horoi.lookup.kademlia.write_tasks import TokenTask
from horoi.lookup.vocabulary import Contact, Providers, Token

MAX_FOUND = 1000  # providers or keys that one task gathers: a guess


class ProvideTask(TokenTask):
    """Tell the nearest peers that this one has a thing."""

    __slots__ = ("_port", "_seed")

    def __init__(
        self, node: Node, token: Token, key: int, *, port: int = 0, seed: bool = False, silent: bool = False
    ) -> None:
        super().__init__(node, token, key, silent=silent)
        self._port = port
        self._seed = seed

    def query(self, tid: bytes) -> AnyQuery:
        node = self.node
        if not node.config.mainline:
            return super().query(tid)
        return GetPeers(tid, node.table.id, node.config.read_only, self.key, node.want)

    def calls(self, now: float) -> list[Call]:
        node = self.node
        nearest = self.nearest()
        if self.mine and not self._port:
            node.server.peers.add(self.key, node.contact, is_seed=self._seed, now=now)
        elif self.mine:
            self.mine = 0  # a peer does not know the address at which others reach another port of its host
        return [(contact, self._announce_to(self.tokens[contact.id])) for contact in nearest]

    def _announce_to(self, token: bytes) -> Callable[[bytes], AnyQuery]:
        node = self.node
        ro = node.config.read_only
        return lambda tid: AnnouncePeer(tid, node.table.id, ro, self.key, token, self._port, self._seed)


class ProvidersTask(Task):
    """Ask the nearest peers who has a thing."""

    __slots__ = ("_limit", "_peers")

    def __init__(self, node: Node, token: Token, key: int, limit: int) -> None:
        super().__init__(node, token, key)
        self._limit = max(0, min(limit, MAX_FOUND))
        self._peers: dict[Any, Contact] = {}

    def query(self, tid: bytes) -> AnyQuery:
        node = self.node
        ro = node.config.read_only
        return GetPeers(tid, node.table.id, ro, self.key, node.want, padding=node.padding)

    def take(self, contact: Contact, reply: Reply, now: float) -> None:
        for peer in reply.peers:
            if len(self._peers) < MAX_FOUND:
                self._peers.setdefault(peer.address, peer)

    def notice(self, now: float) -> Any:
        for peer in self.node.server.peers.get(self.key, now, self._limit):
            self._peers.setdefault(peer.address, peer)
        if not self._peers:
            failed = self.failure()
            if failed is not None:
                return failed
        found = tuple(self._peers.values())[: self._limit]
        return Providers(self.token, self.key, found, self.hops(), *self.costs())


class ScrapeTask(Task):
    """Unite the filters of the nearest peers (BEP 33)."""

    __slots__ = ("_blooms",)

    def __init__(self, node: Node, token: Token, key: int) -> None:
        super().__init__(node, token, key)
        self._blooms: list[Blooms] = []

    def query(self, tid: bytes) -> AnyQuery:
        node = self.node
        return GetPeers(tid, node.table.id, node.config.read_only, self.key, node.want, scrape=True)

    def take(self, contact: Contact, reply: Reply, now: float) -> None:
        if reply.blooms is not None:
            self._blooms.append(reply.blooms)

    def notice(self, now: float) -> Any:
        failed = self.failure()
        if failed is not None:
            return failed
        nothing = bytes(BLOOM_BYTES)
        own = self.node.server.peers.blooms(self.key, now)
        seeds = union([nothing, own.seeds, *(blooms.seeds for blooms in self._blooms)])
        peers = union([nothing, own.peers, *(blooms.peers for blooms in self._blooms)])
        return Scraped(self.token, self.key, estimate(seeds), estimate(peers), self.costs()[0])


class SampleTask(Task):
    """Gather keys from the peers near a target (BEP 51)."""

    __slots__ = ("_keys", "_total")

    def __init__(self, node: Node, token: Token, key: int) -> None:
        super().__init__(node, token, key)
        self._keys: dict[int, None] = {}
        self._total = 0

    def query(self, tid: bytes) -> AnyQuery:
        node = self.node
        return SampleKeys(tid, node.table.id, node.config.read_only, self.key, node.want)

    def take(self, contact: Contact, reply: Reply, now: float) -> None:
        if reply.samples is None:
            return
        self._total += reply.samples.total
        for key in reply.samples.keys:
            if len(self._keys) < MAX_FOUND:
                self._keys[key] = None

    def notice(self, now: float) -> Any:
        return self.failure() or Sampled(self.token, tuple(sorted(self._keys)), self._total, self.costs()[0])
