"""Values and providers' words: kept by the owner of the key and by the k - 1 leaves that are next closest to it.

Section 2: k nodes with the numerically closest ids keep a thing (as PAST does), so when an owner fails, the one that is
closest then has it already. When the leaf set changes, the owner copies to those that are new among the k; a former owner
hands over to the new one; whoever is no longer among the k gives what it has to the owner, and forgets it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from horoi.base.ids import around
from horoi.base.sources import OWN, Source, source_of
from horoi.lookup.pastry.core import Core
from horoi.lookup.pastry.messages import (
    AddProvider,
    Copy,
    CopyProvider,
    Fetch,
    Fetched,
    FetchedProviders,
    FetchProviders,
    Kept,
    Store,
)
from horoi.lookup.pastry.routing import is_nearer
from horoi.lookup.vocabulary import MAX_PROVIDERS, PROVIDER_TTL_S, Address, Contact

COPIES = "copies"
"""The timer that sends the copies that wait."""

COPIES_AT_ONCE = 32  # a guess: 32 kB at most, then a pause
PAUSE_S = 0.2  # a guess


def group(core: Core, key: int, leaves: Sequence[Contact] | None = None) -> list[Contact]:
    """The k peers that keep a key, the owner first, as far as this peer (or one with those leaves) knows."""
    bits = core.config.bits
    peers = [core.me, *(core.leaves.members() if leaves is None else leaves)]
    peers.sort(key=lambda peer: (around(peer.id, key, bits), peer.id))
    return peers[: core.config.replicas]


# Writing


def keep_value(
    core: Core,
    key: int,
    value: bytes,
    ttl_s: float,
    done: Callable[[int, str, float], None],
    now: float,
    source: Source = OWN,
) -> None:
    """Keep a value as its owner and copy it. ``done(copies, why not, now)``, when the replicas have answered."""
    refusal = core.values.put(key, value, ttl_s, now, source)
    if refusal is not None:
        done(0, refusal, now)
        return
    _copy_to_group(core, key, lambda nonce, permit: Copy(nonce, permit, key, value, max(0.0, ttl_s)), done, now)


def keep_word(core: Core, key: int, provider: Contact, done: Callable[[int, str, float], None], now: float) -> None:
    """Keep a provider's word as the key's owner and copy it."""
    refusal = core.providers.add(key, provider, now)
    if refusal is not None:
        done(0, refusal, now)
        return
    _copy_to_group(
        core, key, lambda nonce, permit: CopyProvider(nonce, permit, key, provider, PROVIDER_TTL_S), done, now
    )


def _copy_to_group(
    core: Core,
    key: int,
    make: Callable[[int, bytes], Copy | CopyProvider],
    done: Callable[[int, str, float], None],
    now: float,
) -> None:
    others = [peer for peer in group(core, key) if peer is not core.me]
    copies, waiting = 1, len(others)
    if not others:
        done(1, "", now)

    def answered(reply: object, at: float) -> None:
        nonlocal copies
        copies += isinstance(reply, Kept) and reply.copies > 0
        ended(at)

    def ended(at: float) -> None:
        nonlocal waiting
        waiting -= 1
        if not waiting:
            done(copies, "", at)

    for other in others:
        core.ask_permitted(other, make, answered, ended, now)


# Copies when the leaf set changes


def look_after_copies(core: Core, now: float) -> None:
    """See for every key who should have it now and did not before, and queue the copies."""
    if not core.is_joined:
        return
    before, core.copied = core.copied, tuple(core.leaves.members())
    keys = dict.fromkeys([key for key, _ in core.values.items(now)])
    keys.update(dict.fromkeys(key for key, _, _ in core.providers.items(now)))
    queued = len(core.copies)
    for key in keys:
        now_group, old_group = group(core, key), group(core, key, before)
        if core.me not in now_group:
            core.copies.append((now_group[0], key))
        elif core.me in (now_group[0], old_group[0]):
            core.copies.extend((peer, key) for peer in now_group if peer not in old_group and peer is not core.me)
    if not queued:
        send_copies(core, now)


def send_copies(core: Core, now: float) -> None:
    """Send some of the copies that wait."""
    for _ in range(min(COPIES_AT_ONCE, len(core.copies))):
        peer, key = core.copies.popleft()
        if peer in core.leaves:
            _send_copy(core, peer, key, now)
    if core.copies:
        core.arm(COPIES, PAUSE_S)


def _send_copy(core: Core, peer: Contact, key: int, now: float) -> None:
    def taken(reply: object, at: float) -> None:
        if isinstance(reply, Kept) and reply.copies and core.me not in group(core, key):
            core.values.discard(key)

    kept = core.values.get(key, now)
    if kept is not None:
        left_s = kept.expires_s - now
        core.ask_permitted(
            peer,
            lambda nonce, permit: Copy(nonce, permit, key, kept.value, left_s),
            taken,
            lambda _at: None,
            now,
        )
    for provider in core.providers.get(key, now, MAX_PROVIDERS):
        make = partial(_word, key, provider, PROVIDER_TTL_S / 2)
        core.ask_permitted(peer, make, lambda _reply, _at: None, lambda _at: None, now)


def _word(key: int, provider: Contact, ttl_s: float, nonce: int, permit: bytes) -> CopyProvider:
    return CopyProvider(nonce, permit, key, provider, ttl_s)


def hand_over_all(core: Core, now: float) -> None:
    """Before leaving: give each thing to the leaf that is new among its k peers. Sent once, and not waited for."""
    for key, kept in core.values.items(now):
        _give(core, key, partial(_value, key, kept.value, kept.expires_s - now, 0))
    for key, provider, left_s in core.providers.items(now):
        _give(core, key, partial(_word, key, provider, left_s, 0))


def _value(key: int, value: bytes, ttl_s: float, nonce: int, permit: bytes) -> Copy:
    return Copy(nonce, permit, key, value, ttl_s)


def _give(core: Core, key: int, make: Callable[[bytes], Copy | CopyProvider]) -> None:
    for peer in core.leaves.nearest(key, core.config.replicas)[-1:]:
        found = core.acquainted.get(peer.address)
        if found is not None:
            core.send(peer.address, make(found.permit))


# Serving


def serve_store(core: Core, message: Store, source: Address, now: float) -> None:
    if not _may_write(core, message.permit, source, now) or not _is_owner(core, message.key):
        core.send(source, Kept(message.nonce, 0))
        return

    def done(copies: int, _refusal: str, _at: float) -> None:
        core.send(source, Kept(message.nonce, copies))

    keep_value(core, message.key, message.value, message.ttl_s, done, now, source_of(source))


def serve_add_provider(core: Core, message: AddProvider, source: Address, now: float) -> None:
    provider = Contact(message.id, source)
    if (
        not _may_write(core, message.permit, source, now)
        or not _is_owner(core, message.key)
        or not core.is_bound(provider)
    ):
        core.send(source, Kept(message.nonce, 0))
        return

    def done(copies: int, _refusal: str, _at: float) -> None:
        core.send(source, Kept(message.nonce, copies))

    keep_word(core, message.key, provider, done, now)


def serve_copy(core: Core, message: Copy | CopyProvider, source: Address, now: float) -> None:
    """A replica's part: only from a leaf, and only for a key that is near."""
    refusal: str | None = "not from a leaf"
    if _may_write(core, message.permit, source, now) and _is_leaf(core, source) and core.leaves.covers(message.key):
        if isinstance(message, Copy):
            refusal = core.values.merge(message.key, message.value, message.ttl_s, now, source_of(source))
        elif core.is_bound(message.provider):
            refusal = core.providers.add(message.key, message.provider, now, message.ttl_s, source=source_of(source))
    core.send(source, Kept(message.nonce, 0 if refusal else 1))


def _may_write(core: Core, permit: bytes, source: Address, now: float) -> bool:
    return core.is_joined and core.permits.check(source, permit, now)


def _is_leaf(core: Core, address: Address) -> bool:
    return any(leaf.address == address for leaf in core.leaves.members())


def _is_owner(core: Core, key: int) -> bool:
    """Whether nobody much closer is known: one closer peer may be dead already, as the asker found out."""
    bits = core.config.bits
    if not 0 <= key < 1 << bits:
        return False
    closer = [leaf for leaf in core.leaves.members() if is_nearer(leaf.id, core.me.id, key, bits)]
    return len(closer) < core.config.replicas


def serve_fetch(core: Core, message: Fetch, source: Address, now: float) -> None:
    if _may_write(core, message.permit, source, now):
        kept = core.values.get(message.key, now)
        core.send(source, Fetched(message.nonce, kept.value if kept is not None else None))


def serve_fetch_providers(core: Core, message: FetchProviders, source: Address, now: float) -> None:
    if _may_write(core, message.permit, source, now):
        providers = core.providers.get(message.key, now, message.limit)
        core.send(source, FetchedProviders(message.nonce, providers))
