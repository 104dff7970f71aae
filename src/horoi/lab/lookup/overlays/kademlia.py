"""Kademlia in the lab."""

from __future__ import annotations

import random
from bisect import bisect_left, insort
from collections.abc import Sequence
from typing import Any

from horoi.base.ids import ID_BITS, id_of_address
from horoi.lab.lookup.overlay import Settings
from horoi.lookup.kademlia.codec import kademlia_wire
from horoi.lookup.kademlia.config import KademliaConfig
from horoi.lookup.kademlia.converged import settle
from horoi.lookup.kademlia.machine import Kademlia
from horoi.lookup.kademlia.messages import FindNode, Reply
from horoi.lookup.kademlia.table import ContactBook
from horoi.lookup.vocabulary import Contact, Found
from horoi.machine.contract import Action, Event, Machine, Received, Send

DISJOINT = 4  # paths where peers lie; S/Kademlia, section 5: d = 4 or 8
COLLUDERS = 20  # whom a liar names: as many as an honest peer would
MAX_DECEIVED = 100_000  # lookups that liars remember
REFRESH_SESSIONS = 10.0  # median sessions between refreshes of a bucket: less costs bytes and finds no more. Measured
REFRESH_K = 2


class KademliaOverlay:
    """Ids are bound to addresses, unless they are ``free_ids``. Where some lie, lookups take disjoint paths (S/Kademlia)."""

    def __init__(self, settings: Settings, dice: random.Random) -> None:
        self.bits = ID_BITS
        self.wire = kademlia_wire(self.bits)
        self._dice = dice
        self._book = ContactBook(self.bits, shared=True)
        self._contacts: dict[int, Contact] = {}
        lies = settings.adversaries > 0
        self._colluders = Colluders(self.bits, forge=settings.free_ids)
        churn = settings.median_session_s
        options: dict[str, Any] = {
            "bits": self.bits,
            "k": settings.k,
            "alpha": min(settings.alpha, settings.k),
            "disjoint": settings.disjoint or (min(DISJOINT, settings.k) if lies else 1),
            "is_bound": self._is_bound if lies and not settings.free_ids else None,
            "verify": bool(churn) or lies,
            "rate_per_s": None,  # the lab floods nobody; the bound is tested where it is
        }
        if churn is not None:
            options |= {
                "refresh_s": max(60.0, REFRESH_SESSIONS * churn) / settings.pace,
                "test_s": KademliaConfig.test_s / settings.pace,
                "refresh_k": min(REFRESH_K, settings.k),
                "max_failures": 2,
            }
        self._config = KademliaConfig(**options)
        self._still = KademliaConfig(**options, upkeep=False)

    def _is_bound(self, contact: Contact) -> bool:
        return self.contact(contact.address).id == contact.id

    def contact(self, address: int) -> Contact:
        """The peer at an address: one object for all that know it."""
        found = self._contacts.get(address)
        if found is None:
            found = self._contacts[address] = Contact(id_of_address(address, self.bits), address)
        return found

    def machine(self, address: int, *, upkeep: bool) -> Kademlia:
        config = self._config if upkeep else self._still
        return Kademlia(self.contact(address), config, self._dice, book=self._book)

    def settle(self, machines: Sequence[Any], *, joined: bool) -> None:
        settle([_inner(machine) for machine in machines], self._book, joined=joined)

    def truth(self, addresses: Sequence[int]) -> XorTruth:
        return XorTruth(self, addresses)

    def is_right(self, found: Found, owner: int) -> bool:
        return bool(found.owners) and found.owners[0].address == owner

    def liar(self, machine: Machine) -> Machine:
        assert isinstance(machine, Kademlia)
        self._colluders.add(machine.contact)
        return KademliaLiar(machine, self._colluders)

    def entries(self, machine: Any) -> int:
        return len(_inner(machine).table)


def _inner(machine: Any) -> Kademlia:
    inner: Kademlia = machine.inner if isinstance(machine, KademliaLiar) else machine
    return inner


class XorTruth:
    """A key belongs to the peer whose id is nearest by exclusive or: down a binary trie of the ids."""

    def __init__(self, overlay: KademliaOverlay, addresses: Sequence[int]) -> None:
        self._overlay = overlay
        self._address_of = {overlay.contact(address).id: address for address in addresses}
        self._ids = sorted(self._address_of)

    def add(self, address: int) -> None:
        peer = self._overlay.contact(address)
        if peer.id not in self._address_of:
            self._address_of[peer.id] = address
            insort(self._ids, peer.id)

    def remove(self, address: int) -> None:
        peer = self._overlay.contact(address)
        if self._address_of.pop(peer.id, None) is not None:
            del self._ids[bisect_left(self._ids, peer.id)]

    def owner(self, key: int) -> int:
        """Of the ids that share the longest prefix with the key (they are its neighbours in order), the one that does so best.

        All of them differ from the key in the next bit: change that bit of the key, and look again.
        """
        ids = self._ids
        while True:
            place = bisect_left(ids, key)
            at = place - 1 if place and (place == len(ids) or ids[place - 1] ^ key < ids[place] ^ key) else place
            bit = (ids[at] ^ key).bit_length() - 1
            beyond = at + 1 if at == place else at - 1
            if bit < 0 or not 0 <= beyond < len(ids) or (ids[beyond] ^ key) >> bit + 1:
                return self._address_of[ids[at]]
            key ^= 1 << bit


class Colluders:
    """All peers that lie, and what they know together."""

    def __init__(self, bits: int, *, forge: bool) -> None:
        self._bits = bits
        self._forge = forge
        self._contacts: dict[int, Contact] = {}
        self._ids: list[int] = []
        self._deceived: dict[tuple[int, int], None] = {}

    def add(self, contact: Contact) -> None:
        """One more."""
        self._contacts[contact.id] = contact
        insort(self._ids, contact.id)

    def nearest(self, target: int, count: int) -> list[Contact]:
        """Those nearest to a target: of the ids that share a prefix with it, the longest that enough of them share."""
        ids = self._ids
        shift = max(0, self._bits - len(ids).bit_length())
        while True:
            first = target >> shift << shift
            start, end = bisect_left(ids, first), bisect_left(ids, first + (1 << shift))
            if end - start >= count or shift >= self._bits:
                near = sorted(ids[start:end], key=lambda number: number ^ target)[:count]
                return [self._contacts[number] for number in near]
            shift += 1

    def answer(self, liar: Contact, asker: int, query: FindNode) -> Reply:
        """Whom a liar names. Where ids are taken on trust it names its friends as the very neighbours of the target, and who is
        asked by that name later keeps it."""
        target = query.target
        friends = self.nearest(target, COLLUDERS)
        own = liar.id
        if self._forge:
            if (asker, target) in self._deceived:
                own = _forged(liar, target).id
            self._deceived[asker, target] = None
            if len(self._deceived) > MAX_DECEIVED:
                del self._deceived[next(iter(self._deceived))]
            friends = [_forged(friend, target) for friend in friends]
        return Reply(query.tid, own, tuple(friends))


def _forged(liar: Contact, target: int) -> Contact:
    return Contact(target ^ (liar.address + 1), liar.address)


class KademliaLiar:
    """A peer that answers every lookup with the liars nearest to its target, so that nobody else is found through it."""

    def __init__(self, inner: Kademlia, colluders: Colluders) -> None:
        self.inner = inner
        self._colluders = colluders

    def handle(self, event: Event, now: float) -> list[Action]:
        if isinstance(event, Received) and isinstance(event.message, FindNode):
            return [Send(event.peer, self._colluders.answer(self.inner.contact, event.peer, event.message))]
        return self.inner.handle(event, now)
