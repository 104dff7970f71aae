"""Values and providers' words: kept by the owner of the key's point, under each hash function, in each reality.

Each of the k hash functions maps a key to a point of its own (section 3.5); realities replicate too (3.2), and so do the peers
of an overloaded zone (3.4). When zones change hands, what is kept goes where its point went: to a new neighbour at once;
what has a farther home, or was lost with a failed owner, is offered to the other owners now and then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from horoi.base.sources import OWN, Source, source_of
from horoi.lookup.can import seek
from horoi.lookup.can.core import REFRESH, Core
from horoi.lookup.can.messages import (
    MAX_ITEMS,
    Fetch,
    Fetched,
    FetchProviders,
    Item,
    Kept,
    Permitted,
    ProvidersHere,
    Store,
    StoreProvider,
    Transfer,
    Word,
)
from horoi.lookup.can.seek import Owner
from horoi.lookup.can.zone import Place, Zone
from horoi.lookup.vocabulary import PROVIDER_TTL_S, Address, Contact

TRANSFER_BYTES = 1100  # of values and ids, so that a transfer fits a datagram (messages.MAX_DATAGRAM_BYTES)
OVERHEAD_BYTES = 80  # of an item's or word's ids, address and lengths, at most
MAX_REFRESHED = 32  # things offered to another owner in one round, a guess
NO_PERMIT = "no permit, or an old one; ask again"

Thing = Item | Word
OnDone = Callable[[float], None]


def things(core: Core, now: float) -> list[Thing]:
    """Copies of all that is kept here."""
    if not core.keeps_values:
        return []
    items: list[Thing] = [Item(key, kept.value, kept.expires_s - now) for key, kept in core.values.items(now)]
    return items + [Word(key, provider, left_s) for key, provider, left_s in core.providers.items(now)]


def _batches(all_things: list[Thing]) -> Iterator[tuple[tuple[Item, ...], tuple[Word, ...]]]:
    """The same in parts that fit a datagram."""
    batch: list[Thing] = []
    size_bytes = 0
    for thing in all_things:
        more_bytes = OVERHEAD_BYTES + (len(thing.value) if isinstance(thing, Item) else 0)
        if batch and (size_bytes + more_bytes > TRANSFER_BYTES or len(batch) >= MAX_ITEMS):
            yield _sorted(batch)
            batch, size_bytes = [], 0
        batch.append(thing)
        size_bytes += more_bytes
    if batch:
        yield _sorted(batch)


def _sorted(batch: list[Thing]) -> tuple[tuple[Item, ...], tuple[Word, ...]]:
    return tuple(t for t in batch if isinstance(t, Item)), tuple(t for t in batch if isinstance(t, Word))


def transfer(
    core: Core, contact: Contact, all_things: list[Thing], done: Callable[[bool, float], None], now: float
) -> None:
    """Send copies to a peer, one datagram after the other; ``done(it has them all, now)``."""
    batches = _batches(all_things)

    def send_next(at: float) -> None:
        batch = next(batches, None)
        if batch is None:
            done(True, at)
            return

        def make(nonce: int, permit: bytes) -> Transfer:
            return Transfer(nonce, *batch, permit)

        core.write(contact, make, lambda _reply, then: send_next(then), lambda then: done(False, then), at)

    send_next(now)


# Things go where their points went


def send_home(core: Core, now: float) -> None:
    """Zones have changed hands: give neighbours and mates what is theirs, and forget what is not ours any more."""
    parcels: dict[Contact, list[Thing]] = {}
    for thing in things(core, now):
        for place in core.places(thing.key):
            for contact in _owners_near(core, place):
                parcels.setdefault(contact, []).append(thing)
    for contact, parcel in parcels.items():
        _send_parcel(core, contact, parcel, now)


def _owners_near(core: Core, place: Place) -> Iterator[Contact]:
    for reality in core.realities:
        if reality.owns(place):
            yield from reality.mate_contacts()
            continue
        for neighbour in reality.neighbours:
            if any(core.space.contains(zone, place) for zone in neighbour.zones):
                yield neighbour.contact


def _send_parcel(core: Core, contact: Contact, parcel: list[Thing], now: float) -> None:
    def sent(is_there: bool, at: float) -> None:
        if not is_there:
            core.misplaced = True  # again at the next tick
            return
        for thing in parcel:
            if isinstance(thing, Item) and not core.keeps(thing.key):
                core.values.discard(thing.key)

    transfer(core, contact, parcel, sent, now)


def bequeath(core: Core, heirs: list[tuple[Zone, Contact]], done: OnDone, now: float) -> None:
    """We leave: give the heir of each zone what has its point there, then ``done(now)``."""
    parcels: dict[Contact, list[Thing]] = {}
    for thing in things(core, now):
        places = core.places(thing.key)
        for zone, heir in heirs:
            if any(core.space.contains(zone, place) for place in places):
                parcels.setdefault(heir, []).append(thing)
    waiting = [len(parcels) + 1]

    def one_done(_is_there: bool, at: float) -> None:
        waiting[0] -= 1
        if waiting[0] == 0:
            done(at)

    for contact, parcel in parcels.items():
        transfer(core, contact, parcel, one_done, now)
    one_done(True, now)


def refresh(core: Core, now: float) -> None:
    """Offer some of what is kept to one of its other owners: it may have lost it, or have taken over who had it."""
    core.arm_period(REFRESH, core.config.refresh_s)
    if not core.keeps_values or not core.is_joined:
        return
    core.values.expire(now)
    core.providers.expire(now)
    everything = things(core, now)
    for thing in core.dice.sample(everything, min(MAX_REFRESHED, len(everything))):
        elsewhere = [
            (place, reality.number)
            for place in core.places(thing.key)
            for reality in core.realities
            if not reality.owns(place)
        ]
        if elsewhere:
            place, number = elsewhere[core.dice.randrange(len(elsewhere))]
            _offer(core, thing, place, number, now)


def _offer(core: Core, thing: Thing, place: Place, number: int, now: float) -> None:
    def found(owner: Owner, at: float) -> None:
        if owner.claim is not None and owner.claim.contact != core.contact:
            _send_parcel(core, owner.claim.contact, [thing], at)

    seek.find_owner(core, place, found, now, reality=number)


# Serving


def keep_value(core: Core, key: int, value: bytes, ttl_s: float, now: float, source: Source = OWN) -> str:
    """Keep a value as an owner of its key, with the peers that share the zone. Returns why not, or nothing."""
    refusal = core.values.put(key, value, ttl_s, now, source)
    if refusal is None:
        _copy_to_mates(core, Item(key, value, ttl_s), now)
    return refusal or ""


def keep_word(core: Core, key: int, provider: Contact, now: float) -> str:
    """Keep a provider's word as an owner of its key. Returns why not, or nothing."""
    refusal = core.providers.add(key, provider, now)
    if refusal is None:
        _copy_to_mates(core, Word(key, provider, PROVIDER_TTL_S), now)
    return refusal or ""


def _copy_to_mates(core: Core, thing: Thing, now: float) -> None:
    if core.config.max_peers == 1:
        return
    for reality in core.realities:
        for place in core.places(thing.key):
            if reality.owns(place):
                for contact in reality.mate_contacts():
                    transfer(core, contact, [thing], lambda _is_there, _at: None, now)


def serve_store(core: Core, message: Store, source: Address, now: float) -> Kept:
    if not core.permits.check(source, message.permit, now):
        return Kept(message.nonce, NO_PERMIT)
    if message.is_copy:
        return Kept(message.nonce, _cache_copy(core, message, source, now))
    if not core.keeps(message.key):
        return Kept(message.nonce, "another peer owns this key")
    return Kept(message.nonce, keep_value(core, message.key, message.value, message.ttl_s, now, source_of(source)))


def _cache_copy(core: Core, message: Store, source: Address, now: float) -> str:
    """A neighbour is overloaded by requests for this key."""
    if not core.config.cache_s or all(reality.neighbours.get(source) is None for reality in core.realities):
        return "I take copies from neighbours only"
    cache(core, message.key, message.value, message.ttl_s, now)
    return ""


def cache(core: Core, key: int, value: bytes, ttl_s: float, now: float) -> None:
    """Remember a value that passed by (section 3.8)."""
    if core.config.cache_s:
        routed = [place.key for place in core.places(key)]
        core.hotspots.remember(key, routed, value, now + min(ttl_s, core.config.cache_s))


def serve_store_provider(core: Core, message: StoreProvider, source: Address, now: float) -> Kept:
    if not core.permits.check(source, message.permit, now):
        return Kept(message.nonce, NO_PERMIT)
    if message.provider.address != source or not core.is_bound(message.provider):
        return Kept(message.nonce, "a provider speaks for itself alone")
    if not core.keeps(message.key):
        return Kept(message.nonce, "another peer owns this key")
    return Kept(message.nonce, keep_word(core, message.key, message.provider, now))


def serve_transfer(core: Core, message: Transfer, source: Address, now: float) -> Kept:
    """Take copies of what has its point in a zone of ours; leave the rest."""
    if not core.permits.check(source, message.permit, now):
        return Kept(message.nonce, NO_PERMIT)
    for item in message.items:
        if core.keeps(item.key):
            core.values.merge(item.key, item.value, item.ttl_s, now, source_of(source))
    for word in message.words:
        if core.keeps(word.key) and (word.provider == core.contact or core.is_bound(word.provider)):
            core.providers.add(word.key, word.provider, now, word.ttl_s, source=source_of(source))
    return Kept(message.nonce, "")


def serve_fetch(core: Core, message: Fetch, source: Address, now: float) -> Fetched | Permitted:
    """The value; to an address that has not proved itself, a permit to ask again with."""
    if not core.permits.check(source, message.permit, now):
        return Permitted(message.nonce, core.permits.make(source, now))
    kept = core.values.get(message.key, now) if core.keeps_values else None
    if kept is None and core.has_cache:
        kept = core.hotspots.get(message.key, now)
    if kept is None:
        return Fetched(message.nonce, None, 0.0)
    if core.config.cache_s and core.hotspots.is_hot(message.key, now, core.config.hot_per_s):
        _share_load(core, message.key, kept.value, kept.expires_s - now, now)
    return Fetched(message.nonce, kept.value, kept.expires_s - now)


def _share_load(core: Core, key: int, value: bytes, ttl_s: float, now: float) -> None:
    """A key is hot: every neighbour gets a copy, so requests are answered before they come here."""

    def make(nonce: int, permit: bytes) -> Store:
        return Store(nonce, key, value, max(ttl_s, 0.0), True, permit)

    for reality in core.realities:
        for neighbour in reality.neighbours:
            core.write(neighbour.contact, make, lambda _reply, _at: None, lambda _at: None, now)


def serve_fetch_providers(
    core: Core, message: FetchProviders, source: Address, now: float
) -> ProvidersHere | Permitted:
    """The providers; to an address that has not proved itself, a permit to ask again with."""
    if not core.permits.check(source, message.permit, now):
        return Permitted(message.nonce, core.permits.make(source, now))
    if not core.keeps_values:
        return ProvidersHere(message.nonce, ())
    return ProvidersHere(message.nonce, core.providers.get(message.key, now, message.limit))


def fetch(
    core: Core,
    contact: Contact,
    make: Callable[[int, bytes], Any],
    permit: bytes,
    on_reply: Callable[[Any, float], None],
    on_failure: OnDone,
    now: float,
) -> None:
    """Send ``make(nonce, permit)``, and again with the permit that is answered if it was too old."""

    def answered(reply: Any, at: float) -> None:
        if isinstance(reply, Permitted):
            core.ask(contact, lambda nonce: make(nonce, reply.permit), on_reply, on_failure, at)
        else:
            on_reply(reply, at)

    core.ask_twice(contact, lambda nonce: make(nonce, permit), answered, on_failure, now)
