"""Find the nodes of a network in the Mainline DHT, as BitTorrent finds the peers of a torrent (BEP 5).

The network's key there is its id, hashed and cut to 160 bits (``base.ids.key_of``), where a torrent has its info hash. A node
announces under it the port on which it takes links, and looks it up: often while it has few links, seldom otherwise. What it
finds are a stranger's words, and go into the address book as such: bounded per lookup, all from one source, so that whoever
fills the DHT's answers fills one small corner of the book. TLS and the hello show who is of the network.

*Where local addresses come from.* The public DHT may not make a node dial about in its own intranet; a DHT whose bootstraps are
all local may name local addresses. That is decided by the source's name, by the book's own rule.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

from horoi.base.ids import ID_BITS, key_of
from horoi.lookup.kademlia.requests import Announce
from horoi.lookup.vocabulary import JOIN, Address, Failed, FindProviders, Join, Joined, Providers
from horoi.machine.contract import Action, Arm, Asked, Event, Fired, Lost, Peer, Tell
from horoi.machine.wire import Wire
from horoi.node.discovery.requests import Bootstraps
from horoi.node.events import AddressesHeard, PeerReady
from horoi.node.lookup.requests import DHT, FromSide, SideDown, ToSide

ENOUGH_PEERS = 4  # a guess: half of the links that a node wants to dial
SHORT_S = 30.0  # between lookups while links are few, a guess
LONG_S = 900.0  # between lookups otherwise; BEP 5's refresh
FIRST_RETRY_S, LAST_RETRY_S = 5.0, 300.0  # between attempts to join, a guess
MAX_FOUND = 20  # addresses taken from one lookup; a guess: the vocabulary's most
PUBLIC_SOURCE = "mainline.dht:6881"  # a name that is not local, so that its word about local addresses is not kept
LOCAL_SOURCE = "dht:6881"  # a name without a dot is local (``node.peers.addresses``)


def network_key(network_id: bytes) -> int:
    """Where the nodes of a network find each other: its id, hashed, 160 bits."""
    return key_of(network_id, ID_BITS)


class Discovery:
    """The machine. ``port``: where this node takes links (0: nowhere; it looks others up and announces nothing)."""

    wire: Wire | None = None
    hears: tuple[type, ...] = (Bootstraps, FromSide, PeerReady)

    def __init__(self, network_id: bytes, dice: random.Random, *, port: int, is_local: bool) -> None:
        self.key = network_key(network_id)
        self.found = 0
        """Addresses that lookups brought so far."""
        self._dice = dice
        self._port = port
        self._source = LOCAL_SOURCE if is_local else PUBLIC_SOURCE
        self._bootstraps: tuple[Address, ...] | None = None
        self._retry_s = FIRST_RETRY_S
        self._is_in = False
        self._peers: dict[Peer, None] = {}
        self._look_at_s = 0.0
        """When the next lookup is due."""

    def handle(self, event: Event, now: float) -> list[Action]:
        if isinstance(event, Fired):
            return self._join() if event.timer == "join" else self._look_up(now)
        if isinstance(event, Lost):
            self._peers.pop(event.peer, None)
            return self._look_sooner(now) if self._is_in and self._is_short else []
        if not isinstance(event, Asked):
            return []
        request = event.request
        if isinstance(request, PeerReady):
            self._peers[request.peer] = None
            return []
        if isinstance(request, Bootstraps):
            self._bootstraps = request.addresses
            return self._join()
        return self._hear(request.notice, now) if isinstance(request, FromSide) and request.side == DHT else []

    @property
    def _is_short(self) -> bool:
        return len(self._peers) < ENOUGH_PEERS

    def _jittered(self, mean_s: float) -> float:
        return mean_s * (0.5 + self._dice.random())

    # Getting in

    def _join(self) -> list[Action]:
        if self._is_in or self._bootstraps is None:
            return []
        return [Tell(ToSide(DHT, Join(self._bootstraps)))]

    def _hear(self, notice: Any, now: float) -> list[Action]:
        if isinstance(notice, Joined) and not self._is_in:
            self._is_in = True
            return [*self._announce(), self._look_in(self._dice.random(), now)]
        if isinstance(notice, Failed) and notice.token == JOIN:
            wait_s, self._retry_s = self._retry_s, min(2 * self._retry_s, LAST_RETRY_S)
            return [Arm("join", self._jittered(wait_s))]
        if isinstance(notice, SideDown):
            self._is_in = False
            return [Arm("look", None)]
        if isinstance(notice, Providers) and notice.token == "discovery":
            return self._take(notice)
        return []

    # What is said and asked

    def _announce(self) -> list[Action]:
        """Said once: Kademlia says it again for as long as it lives."""
        return [Tell(ToSide(DHT, Announce("announcement", self.key, self._port)))] if self._port else []

    def _look_in(self, after_s: float, now: float) -> Action:
        self._look_at_s = now + after_s
        return Arm("look", after_s)

    def _look_sooner(self, now: float) -> list[Action]:
        """Links are few. Never later than planned: a peer that comes and goes would put it off for ever."""
        after_s = self._jittered(SHORT_S)
        return [self._look_in(after_s, now)] if now + after_s < self._look_at_s else []

    def _look_up(self, now: float) -> list[Action]:
        if not self._is_in:
            return []
        again = self._look_in(self._jittered(SHORT_S if self._is_short else LONG_S), now)
        return [again, Tell(ToSide(DHT, FindProviders("discovery", self.key, MAX_FOUND)))]

    def _take(self, providers: Providers) -> list[Action]:
        addresses = _texts([contact.address for contact in providers.providers[:MAX_FOUND]])
        self.found += len(addresses)
        return [Tell(AddressesHeard(self._source, addresses))] if addresses else []


def _texts(addresses: Sequence[Address]) -> tuple[str, ...]:
    return tuple(f"[{ip}]:{port}" if ":" in ip else f"{ip}:{port}" for ip, port in addresses)
