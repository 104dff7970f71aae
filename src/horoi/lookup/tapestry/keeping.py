"""What is kept for others: values at the roots of their salted keys, and pointers on the ways to them.

Tapestry itself only locates (JSAC, section III-A: DOLR); values are put on top of it, each at the roots of ``replicas``
salted keys, which are peers that have nothing to do with each other (TR has the salts for the same reason). When a newcomer
becomes a root, or stands on a way, it is given what belongs there; whoever keeps a value sees from time to time that its next
salted key keeps it too.
"""

from __future__ import annotations

from functools import partial

from horoi.base.ids import key_of
from horoi.base.sources import OWN, Source, source_of
from horoi.lookup.common.values import MAX_VALUES
from horoi.lookup.tapestry.core import Core
from horoi.lookup.tapestry.forwarding import holders_of, pass_on, pass_through, step_of
from horoi.lookup.tapestry.lookups import Search
from horoi.lookup.tapestry.messages import PUBLISH, Fetch, Fetched, FetchHolders, Forward, HoldersAre, Kept, Store
from horoi.lookup.tapestry.object_pointers import salted
from horoi.lookup.tapestry.surrogate import distance
from horoi.lookup.vocabulary import MAX_PROVIDERS, Address, Contact

REFRESH = "refresh"
MAX_SALTS = 2 * MAX_VALUES  # then those of values that are gone are looked for: a full look for each MAX_VALUES puts
MAX_MOVED_POINTERS = (
    1000  # published on at once when somebody has come, a guess; the others wait for their republishing
)


def keep(
    core: Core, key: int, salt: int, value: bytes, ttl_s: float, now: float, *, is_copy: bool, source: Source = OWN
) -> str | None:
    """Keep a value as the root of a salted key. Returns why not, or None."""
    place = salted(key, salt, core.config.bits)
    kept = core.values.get(place, now)
    bits = core.config.bits
    if kept is not None and kept.value != value and key_of(kept.value, bits) == key:
        return "the key is the hash of the value that is kept here"
    put = core.values.merge if is_copy else core.values.put
    refusal = put(place, value, ttl_s, now, source)
    if refusal is None:
        core.salts[place] = (key, salt)
        if len(core.salts) > MAX_SALTS:
            _forget_salts(core, now)
    return refusal


def _forget_salts(core: Core, now: float) -> None:
    """Of what has expired, or gave way where the store was full."""
    for place in [place for place in core.salts if core.values.get(place, now) is None]:
        del core.salts[place]


# When somebody has come


def look_after(core: Core, now: float) -> None:
    """Give values to their new roots, and pointers to newcomers that stand on the way."""
    if not core.is_joined:
        return
    for place, _ in list(core.values.items(now)):
        if step_of(core, place).hop is not None:
            _move(core, place, now)
    _publish_on(core, now)
    core.moved.clear()


def _move(core: Core, place: int, now: float) -> None:
    """Send a value to the root that it has now, and forget it when that keeps it."""

    def found(search: Search, at: float) -> None:
        if search.root is not None and search.root != core.me:
            core.take_permit(search.root.address, search.permit, at)
            _send_value(core, search.root, place, at, forget=True)

    Search(core, place, found).begin(now)


def _send_value(core: Core, root: Contact, place: int, now: float, *, forget: bool) -> None:
    kept, known = core.values.get(place, now), core.salts.get(place)
    if kept is None or known is None:
        return

    def answered(reply: object, _at: float) -> None:
        if forget and isinstance(reply, Kept) and reply.is_kept:
            core.values.discard(place)
            core.salts.pop(place, None)

    make = partial(_store, *known, kept.value, kept.expires_s - now)
    core.ask_permitted(root, make, answered, lambda _at: None, now)


def _store(key: int, salt: int, value: bytes, ttl_s: float, nonce: int, permit: bytes) -> Store:
    return Store(nonce, permit, key, salt, value, ttl_s, True)


def _publish_on(core: Core, now: float) -> None:
    """Pointers whose way leads through a newcomer now (SPAA, section 4: the pointers are moved)."""
    left = MAX_MOVED_POINTERS
    for key, holder, _ in list(core.pointers.items(now)):
        hop = step_of(core, key).hop
        if hop is not None and hop.id in core.moved and left:
            left -= 1
            pass_on(core, _in_the_name_of(core, key, holder), now)


def _in_the_name_of(core: Core, key: int, holder: Contact) -> Forward:
    return Forward(0, 0, key, PUBLISH, holder, core.me.id, 0, 0, 0, 0, (), b"")


# From time to time


def refresh(core: Core, now: float) -> None:
    """See that the next salted key of each value that is kept here has its copy."""
    if not core.is_joined:
        return
    core.arm(REFRESH, core.config.refresh_s)
    _forget_salts(core, now)
    for place, (key, salt) in list(core.salts.items()):
        following = (salt + 1) % core.config.replicas
        if following != salt:
            Search(core, salted(key, following, core.config.bits), partial(_copy, core, place, following)).begin(now)


def _copy(core: Core, place: int, salt: int, search: Search, now: float) -> None:
    kept, known = core.values.get(place, now), core.salts.get(place)
    if kept is None or known is None or search.root is None:
        return
    key, left_s = known[0], kept.expires_s - now
    if search.root == core.me:
        keep(core, key, salt, kept.value, left_s, now, is_copy=True)
        return
    core.take_permit(search.root.address, search.permit, now)
    make = partial(_store, key, salt, kept.value, left_s)
    core.ask_permitted(search.root, make, lambda _reply, _at: None, lambda _at: None, now)


def hand_over_all(core: Core, now: float) -> None:
    """Before leaving: send everything one step towards where it belongs without this peer. Not waited for."""
    for place, kept in list(core.values.items(now)):
        hop = _without_me(core, place)
        known = core.salts.get(place)
        found = core.acquainted.get(hop.address) if hop is not None else None
        if hop is not None and known is not None and found is not None:
            core.send(hop.address, _store(*known, kept.value, kept.expires_s - now, 0, found.permit))
    for key, holder, _ in list(core.pointers.items(now)):
        hop = _without_me(core, key)
        if hop is not None:
            pass_through(core, hop, _in_the_name_of(core, key, holder), now)


def _without_me(core: Core, key: int) -> Contact | None:
    """Who comes next for a key; if this peer is its root, whoever would be, as far as it knows."""
    hop = step_of(core, key).hop
    if hop is not None:
        return hop
    config = core.config
    return min(
        core.everyone(),
        key=lambda other: distance(other.id, key, config.bits, config.digit_bits),
        default=None,
    )


# Serving


def serve_store(core: Core, message: Store, source: Address, now: float) -> None:
    """A value for a key of which this peer is the root; a copy too where it will be, and moves on from here."""
    is_kept = False
    if core.is_joined and message.key >> core.config.bits == 0 and core.permits.check(source, message.permit, now):
        place = salted(message.key, message.salt, core.config.bits)
        is_here = step_of(core, place).hop is None
        if is_here or message.is_copy:
            refusal = keep(
                core,
                message.key,
                message.salt,
                message.value,
                message.ttl_s,
                now,
                is_copy=message.is_copy,
                source=source_of(source),
            )
            is_kept = refusal is None
        if is_kept and not is_here:
            core.copy_soon()
    core.send(source, Kept(message.nonce, is_kept))


def serve_fetch(core: Core, message: Fetch, source: Address, now: float) -> None:
    if core.permits.check(source, message.permit, now):
        kept = core.values.get(message.key, now)
        core.send(source, Fetched(message.nonce, kept.value if kept is not None else None))


def serve_fetch_holders(core: Core, message: FetchHolders, source: Address, now: float) -> None:
    if core.permits.check(source, message.permit, now):
        holders = holders_of(core, message.key, now, min(message.limit, MAX_PROVIDERS))
        core.send(source, HoldersAre(message.nonce, holders))
