"""Who has what: the peers of swarms that were announced here (BEP 5), some of them seeds (BEP 33). Bounded; they expire."""

from __future__ import annotations

from random import Random
from typing import NamedTuple

from horoi.lookup.kademlia.bloom import bloom_of
from horoi.lookup.kademlia.messages import MAX_SAMPLES, Blooms
from horoi.lookup.vocabulary import PROVIDER_TTL_S, Address, Contact

MAX_KEYS = 50_000  # a guess: 50 MB of a few peers each
MAX_PEERS = 250_000  # of all keys together: 100 MB. A guess
MAX_PER_KEY = 500  # a guess: a dozen answers' worth; the one that spoke first gives way
MAX_PER_HOST = 5  # of one key: several clients behind one address, and no more than that. A guess
LOOK_AGAIN_S = 10.0  # a full store looks for what has expired at most so often, since that reads all of it. A guess


class Announced(NamedTuple):
    """The word of a peer."""

    contact: Contact
    is_seed: bool
    expires_s: float


class PeerStore:
    """Peers by key, each by its address. A peer that says so again lives on."""

    __slots__ = ("_count", "_dice", "_keys", "_limit", "_look_again_s")

    def __init__(self, dice: Random, *, limit: int = MAX_PEERS) -> None:
        self._dice = dice
        self._limit = limit
        self._count = 0  # of all keys together
        self._look_again_s = 0.0
        self._keys: dict[int, dict[Address, Announced]] = {}

    def __len__(self) -> int:
        return len(self._keys)

    def add(self, key: int, contact: Contact, *, is_seed: bool, now: float) -> bool:
        """Keep the word of a peer. False if there is no room for it."""
        peers = self._keys.get(key)
        address = contact.address
        if peers is None or address not in peers:
            if not self._has_room(key, now):
                return False
            peers = self._keys.setdefault(key, {})
            self._count += 1
            if isinstance(address, tuple) and sum(other[0] == address[0] for other in peers) >= MAX_PER_HOST:
                del peers[next(other for other in peers if other[0] == address[0])]
                self._count -= 1
            elif len(peers) >= MAX_PER_KEY:
                del peers[next(iter(peers))]
                self._count -= 1
        peers.pop(address, None)  # the youngest word last
        peers[address] = Announced(contact, is_seed, now + PROVIDER_TTL_S)
        return True

    def _has_room(self, key: int, now: float) -> bool:
        """Whether one more word fits, of this key or another; what has expired gives way."""

        def is_full() -> bool:
            return self._count >= self._limit or (key not in self._keys and len(self._keys) >= MAX_KEYS)

        if is_full() and now >= self._look_again_s:
            self._look_again_s = now + LOOK_AGAIN_S
            self.expire(now)
        return not is_full()

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
        gone = self._count = 0
        for key in list(self._keys):
            alive = {peer.contact.address: peer for peer in self._alive(key, now)}
            if alive:
                self._keys[key] = alive
                self._count += len(alive)
            else:
                del self._keys[key]
                gone += 1
        return gone
