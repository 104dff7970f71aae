"""Values and providers' words on the ring: kept by the owner of the key, copied to its successors.

Replicas stand at the nodes that succeed the key (ToN 2003, section IV.E.3): when an owner fails, its successor owns the key
and has the value already. When a node joins, its successor hands it the keys that are now its own; when it leaves, it hands
over everything. Nodes copy all of their own keys again only when their replicas or their range have changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from horoi.base.ids import in_half_open
from horoi.base.sources import OWN, Source, source_of
from horoi.lookup.chord.core import Core
from horoi.lookup.chord.messages import (
    MAX_ITEMS,
    Fetch,
    Fetched,
    FetchProviders,
    Item,
    Permitted,
    ProvidersHere,
    Store,
    StoreProvider,
    StoreReply,
    Transfer,
    Word,
)
from horoi.lookup.chord.node import Node
from horoi.lookup.vocabulary import PROVIDER_TTL_S, Address, Contact

REPLICATE = "replicate"
REPLICATE_SOON_S = 1.0  # a guess: several changes of the neighbourhood come together
TRANSFER_BYTES = 1100  # of values and ids, so that a transfer fits a datagram (messages.MAX_DATAGRAM_BYTES)
ITEM_OVERHEAD_BYTES = 80  # of an item's or word's ids, address and lengths, at most
SMALL_VALUE_BYTES = 200  # goes to an address without a permit: an answer of three times its request, headers counted
SMALL_PROVIDERS = 4


class Things(NamedTuple):
    """What is kept, as it travels."""

    items: list[Item]
    words: list[Word]


def select(core: Core, now: float, wanted: Callable[[int], bool]) -> Things:
    """Copies of what is kept under the keys that are wanted."""
    if not core.keeps_values:
        return Things([], [])
    items = [Item(key, kept.value, kept.expires_s - now) for key, kept in core.values.items(now) if wanted(key)]
    words = [Word(key, provider, left_s) for key, provider, left_s in core.providers.items(now) if wanted(key)]
    return Things(items, words)


def everything(core: Core, now: float) -> Things:
    """Copies of all that is kept."""
    return select(core, now, lambda _key: True)


def _batches(things: Things) -> Iterator[Things]:
    """The same in parts that fit a datagram."""
    batch = Things([], [])
    size_bytes = 0
    all_things: list[Item | Word] = [*things.items, *things.words]
    for thing in all_things:
        more_bytes = ITEM_OVERHEAD_BYTES + (len(thing.value) if isinstance(thing, Item) else 0)
        if size_bytes + more_bytes > TRANSFER_BYTES or len(batch.items) + len(batch.words) >= MAX_ITEMS:
            yield batch
            batch, size_bytes = Things([], []), 0
        if isinstance(thing, Item):
            batch.items.append(thing)
        else:
            batch.words.append(thing)
        size_bytes += more_bytes
    if batch.items or batch.words:
        yield batch


def hand_over(core: Core, contact: Contact, things: Things, done: Callable[[float], None], now: float) -> None:
    """Send copies to a contact, one datagram after the other; ``done(now)`` when it has them all or does not answer."""
    batches = _batches(things)

    def send_next(at: float) -> None:
        batch = next(batches, None)
        if batch is None:
            done(at)
            return

        def make(nonce: int, permit: bytes) -> Transfer:
            return Transfer(nonce, contact.id, tuple(batch.items), tuple(batch.words), permit)

        core.write(contact, make, lambda _reply, when: send_next(when), done, at)

    send_next(now)


def hand_over_range(core: Core, node: Node, before: Contact | None, newcomer: Contact, now: float) -> None:
    """A new predecessor: give it the keys that it owns now, those of (old predecessor, newcomer]."""
    start = before.id if before is not None else node.id
    things = select(core, now, lambda key: in_half_open(key, start, newcomer.id))
    if things.items or things.words:
        hand_over(core, newcomer, things, lambda _at: None, now)


# Replicas


def replicate_soon(core: Core) -> None:
    """The neighbourhood has changed: see in a moment who lacks a copy."""
    if core.keeps_values and core.config.replicas > 1:
        core.arm(REPLICATE, REPLICATE_SOON_S)


def replicate(core: Core, now: float) -> None:
    """Copy each node's own keys to those of its first successors that have not got them."""
    if not core.keeps_values:
        return
    core.values.expire(now)
    core.providers.expire(now)
    for node in core.nodes:
        replicas = _replicas(core, node)
        state = (node.predecessor, *replicas)
        has_same_range = node.copied[:1] == state[:1]
        lacking = [contact for contact in replicas if not has_same_range or contact not in node.copied]
        node.copied = state
        things = select(core, now, node.owns) if lacking else Things([], [])
        for contact in lacking:
            hand_over(core, contact, things, lambda _at: None, now)


def _replicas(core: Core, node: Node) -> list[Contact]:
    others = [contact for contact in node.successors if not core.is_own(contact)]
    return others[: core.config.replicas - 1]


def _copy_now(core: Core, node: Node, things: Things, now: float) -> None:
    for contact in _replicas(core, node):
        hand_over(core, contact, things, lambda _at: None, now)


# Serving


def keep_value(core: Core, node: Node, key: int, value: bytes, ttl_s: float, now: float, source: Source = OWN) -> str:
    """Keep a value as its owner, and have it copied. Returns why not, or nothing."""
    refusal = core.values.put(key, value, ttl_s, now, source)
    if refusal is None:
        _copy_now(core, node, Things([Item(key, value, ttl_s)], []), now)
    return refusal or ""


def keep_word(core: Core, node: Node, key: int, provider: Contact, now: float) -> str:
    """Keep a provider's word as the key's owner, and have it copied. Returns why not, or nothing."""
    refusal = core.providers.add(key, provider, now)
    if refusal is None:
        _copy_now(core, node, Things([], [Word(key, provider, PROVIDER_TTL_S)]), now)
    return refusal or ""


def serve_store(core: Core, node: Node, message: Store, source: Address, now: float) -> StoreReply:
    refusal = _refusal(core, node, message.key, message.permit, source, now)
    if not refusal:
        refusal = keep_value(core, node, message.key, message.value, message.ttl_s, now, source_of(source))
    return StoreReply(message.nonce, refusal)


def serve_store_provider(core: Core, node: Node, message: StoreProvider, source: Address, now: float) -> StoreReply:
    refusal = _refusal(core, node, message.key, message.permit, source, now)
    if not refusal and (message.provider.address != source or not core.is_bound(message.provider)):
        refusal = "a provider speaks for itself alone"
    if not refusal:
        refusal = keep_word(core, node, message.key, message.provider, now)
    return StoreReply(message.nonce, refusal)


def _refusal(core: Core, node: Node, key: int, permit: bytes, source: Address, now: float) -> str:
    if not core.permits.check(source, permit, now):
        return "no permit, or an old one; ask again"
    if node.predecessor is not None and not node.owns(key):
        return "another node owns this key"
    return ""


def serve_transfer(core: Core, node: Node, message: Transfer, source: Address, now: float) -> StoreReply:
    """Take copies of keys near this node: a neighbour's. A key from the other side of the ring is nobody's to give."""
    if not core.permits.check(source, message.permit, now):
        return StoreReply(message.nonce, "no permit, or an old one; ask again")
    for item in message.items:
        if _is_near(core, node, item.key):
            core.values.merge(item.key, item.value, item.ttl_s, now, source_of(source))
    for word in message.words:
        if _is_near(core, node, word.key) and core.is_bound(word.provider):
            core.providers.add(word.key, word.provider, now, word.ttl_s, source=source_of(source))
    return StoreReply(message.nonce, "")


def _is_near(core: Core, node: Node, key: int) -> bool:
    reach = core.config.doubt * core.config.replicas * node.spacing()
    return not reach or (node.id - key) & node.mask <= reach


def serve_fetch(core: Core, message: Fetch, source: Address, now: float) -> Fetched | Permitted:
    """The value, or a permit to ask for a large one with."""
    kept = core.values.get(message.key, now) if core.keeps_values else None
    if kept is None:
        return Fetched(message.nonce, None)
    if len(kept.value) > SMALL_VALUE_BYTES and not core.permits.check(source, message.permit, now):
        return Permitted(message.nonce, core.permits.make(source, now))
    return Fetched(message.nonce, kept.value)


def serve_fetch_providers(
    core: Core, message: FetchProviders, source: Address, now: float
) -> ProvidersHere | Permitted:
    """The providers, or a permit to ask for many with."""
    providers: tuple[Contact, ...] = ()
    if core.keeps_values:
        providers = core.providers.get(message.key, now, message.limit)
    if len(providers) > SMALL_PROVIDERS and not core.permits.check(source, message.permit, now):
        return Permitted(message.nonce, core.permits.make(source, now))
    return ProvidersHere(message.nonce, providers)


# Asking


def fetch(
    core: Core,
    contact: Contact,
    make: Callable[[int, bytes], Any],
    on_reply: Callable[[Any, float], None],
    on_failure: Callable[[float], None],
    now: float,
) -> None:
    """Send ``make(nonce, permit)`` without a permit, and again with the one that is answered if there is much to send."""

    def answered(reply: Any, at: float) -> None:
        if isinstance(reply, Permitted):
            core.ask(contact, lambda nonce: make(nonce, reply.permit), on_reply, on_failure, at)
        else:
            on_reply(reply, at)

    core.ask(contact, lambda nonce: make(nonce, b""), answered, on_failure, now)
