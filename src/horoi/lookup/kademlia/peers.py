"""Who has what: the peers of swarms that were announced here (BEP 5), some of them seeds (BEP 33). Bounded; they expire; what
room there is is shared fairly (``common.shares``)."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import NamedTuple

from horoi.base.sources import Source, source_of
from horoi.lookup.common.shares import SharedStore, crowding
from horoi.lookup.kademlia.bloom import bloom_of
from horoi.lookup.kademlia.messages import MAX_SAMPLES, Blooms
from horoi.lookup.vocabulary import PROVIDER_TTL_S, Address, Contact

MAX_PEERS = 100_000  # of all keys together: 80 MB if each has a key of its own. A guess
MAX_PER_KEY = 500  # a guess: a dozen answers' worth; of the network group that has most, who spoke first gives way
MAX_PER_HOST = 5  # of one key: several clients behind one address, and no more than that. A guess


class Announced(NamedTuple):
    """The word of a peer."""

    contact: Contact
    is_seed: bool
    expires_s: float
    source: Source


class PeerStore(SharedStore[tuple[int, Address]]):
    """Peers by key, each by its address. A peer that says so again lives on."""

    __slots__ = ("_count", "_dice", "_keys")

    def __init__(self, dice: Random, *, limit: int = MAX_PEERS) -> None:
        super().__init__(limit)
        self._dice = dice
        self._count = 0  # of all keys together
        self._keys: dict[int, dict[Address, Announced]] = {}

    def __len__(self) -> int:
        return len(self._keys)

    def add(self, key: int, contact: Contact, *, is_seed: bool, now: float) -> bool:
        """Keep the word of a peer. False if there is no room for it."""
        address = contact.address
        source = source_of(address)
        if address in self._keys.get(key, {}):
            self._forget((key, address))
        elif not self._has_room(key, source, now):
            return False
        self._keys.setdefault(key, {})[address] = Announced(contact, is_seed, now + PROVIDER_TTL_S, source)
        self._count += 1
        self._came((key, address), source)  # the youngest word last
        return True

    def _has_room(self, key: int, source: Source, now: float) -> bool:
        peers = self._keys.get(key, {})
        same = [address for address, peer in peers.items() if peer.source.host == source.host]
        if len(same) >= MAX_PER_HOST:
            self._forget((key, same[0]))
            return True
        if len(peers) < MAX_PER_KEY:
            return self._makes_room(source, now)
        self._forget((key, crowding(((address, peer.source) for address, peer in peers.items()), source)))
        return True

    def get(self, key: int, now: float, limit: int, *, no_seeds: bool = False) -> tuple[Contact, ...]:
        """At most ``limit`` peers, a random choice where there are more."""
        found = [peer.contact for peer in self._alive(key, now) if not (no_seeds and peer.is_seed)]
        return tuple(found if len(found) <= limit else self._dice.sample(found, limit))

    def _alive(self, key: int, now: float) -> list[Announced]:
        return [peer for peer in self._keys.get(key, {}).values() if peer.expires_s > now]

    def blooms(self, key: int, now: float) -> Blooms:
        """Filters of the addresses of seeds and of the others (BEP 33)."""
        peers = [peer for peer in self._alive(key, now) if isinstance(peer.contact.address, tuple)]
        return Blooms(
            bloom_of(peer.contact.address[0] for peer in peers if peer.is_seed),
            bloom_of(peer.contact.address[0] for peer in peers if not peer.is_seed),
        )

    def sample(self) -> tuple[int, ...]:
        """Some keys, at random (BEP 51)."""
        keys = list(self._keys)
        return tuple(keys if len(keys) <= MAX_SAMPLES else self._dice.sample(keys, MAX_SAMPLES))

    def expire(self, now: float) -> int:
        """Forget what has expired; returns how many keys have no peer any more."""
        before = len(self._keys)
        old = [(key, where) for key, peers in self._keys.items() for where, p in peers.items() if p.expires_s <= now]
        for name in old:
            self._forget(name)
        return before - len(self._keys)

    def _size(self) -> int:
        return self._count

    def _held(self) -> Iterator[tuple[tuple[int, Address], Source]]:
        for key, peers in self._keys.items():
            for address, peer in peers.items():
                yield (key, address), peer.source

    def _forget(self, name: tuple[int, Address]) -> None:
        key, address = name
        peers = self._keys[key]
        peer = peers.pop(address)
        if not peers:
            del self._keys[key]
        self._count -= 1
        self._gone(name, peer.source)
