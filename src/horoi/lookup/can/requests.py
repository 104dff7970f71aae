"""What the application asks of a CAN machine: lookup, route, put, get, provide, find providers. Each ends in one notice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from horoi.lookup.can import keeping, seek
from horoi.lookup.can.core import Core
from horoi.lookup.can.messages import Fetch, Fetched, FetchProviders, Kept, ProvidersHere, Store, StoreProvider
from horoi.lookup.can.seek import Owner
from horoi.lookup.common.refusals import KeyRequest, refusal
from horoi.lookup.vocabulary import (
    MAX_PROVIDERS,
    REFUSED,
    UNREACHABLE,
    Contact,
    Delivered,
    Failed,
    FindProviders,
    Found,
    Get,
    Lookup,
    NotFound,
    Provide,
    Providers,
    Put,
    Route,
    Stored,
    Unprovide,
    Value,
)


class Cost:
    """What a request has cost so far."""

    __slots__ = ("hops", "replies", "rpcs", "timeouts")

    def __init__(self) -> None:
        self.hops = self.rpcs = self.replies = self.timeouts = 0

    def add(self, owner: Owner) -> None:
        """Add that of a lookup. ``hops`` are those of the first that ended well."""
        self.hops = self.hops or owner.hops
        self.rpcs += owner.rpcs
        self.replies += owner.replies
        self.timeouts += owner.timeouts

    def asked(self, is_answered: bool) -> None:
        """Add a request to an owner."""
        self.rpcs += 1
        self.replies += is_answered
        self.timeouts += not is_answered

    @property
    def all(self) -> tuple[int, int, int, int]:
        return self.hops, self.rpcs, self.replies, self.timeouts


def ask(core: Core, request: KeyRequest, now: float) -> None:
    """Begin one request, or refuse it at once."""
    why = refusal(request, is_joined=core.is_joined, bits=core.config.bits, under_way=core.lookups)
    if why:
        core.tell(Failed(request.token, why))
        return
    core.lookups += 1
    if isinstance(request, (Lookup, Route)):
        _look_up(core, request, now)
    elif isinstance(request, Put):
        _put(core, request, now)
    elif isinstance(request, Provide):
        core.remember_word(request.key)
        _provide(core, request, now)
    else:
        _Reading(core, request, now).next(now)


def _answer(core: Core, notice: Any) -> None:
    core.lookups -= 1
    core.tell(notice)


def _look_up(core: Core, request: Lookup | Route, now: float) -> None:
    def found(owner: Owner, _at: float) -> None:
        cost = (owner.hops, owner.rpcs, owner.replies, owner.timeouts)
        if owner.claim is None:
            _answer(core, Failed(request.token, owner.why, *cost))
            return
        if isinstance(request, Route) and owner.claim.contact == core.contact:
            core.tell(Delivered(request.key, request.payload, core.contact, 0))
        _answer(core, Found(request.token, request.key, (owner.claim.contact, *owner.mates), *cost, owner.path))

    payload = request.payload if isinstance(request, Route) else None
    seek.find_owner(core, core.space.place(request.key), found, now, payload=payload)


# Writing: to every owner


def _put(core: Core, request: Put, now: float) -> None:
    ttl_s = min(max(request.ttl_s, 0.0), 1e7) if request.ttl_s == request.ttl_s else 0.0  # not a number: no time

    def here(at: float) -> str:
        return keeping.keep_value(core, request.key, request.value, ttl_s, at)

    def make(nonce: int, permit: bytes) -> Store:
        return Store(nonce, request.key, request.value, ttl_s, False, permit)

    keeping.cache(core, request.key, request.value, min(ttl_s, core.config.cache_s), now)
    _Writing(core, request.key, here, make, _Telling(core, request)).begin(now)


def _provide(core: Core, request: Provide, now: float) -> None:
    _say(core, request.key, _Telling(core, request), now)


def _say(core: Core, key: int, done: Callable[[int, str, Cost], None], now: float) -> None:
    def here(at: float) -> str:
        return keeping.keep_word(core, key, core.contact, at)

    def make(nonce: int, permit: bytes) -> StoreProvider:
        return StoreProvider(nonce, key, core.contact, permit)

    _Writing(core, key, here, make, done).begin(now)


class _Telling:
    """Answers a request to write."""

    def __init__(self, core: Core, request: Put | Provide) -> None:
        self._core = core
        self._request = request

    def __call__(self, copies: int, refusal: str, cost: Cost) -> None:
        token, key = self._request.token, self._request.key
        if copies:
            _answer(self._core, Stored(token, key, copies, *cost.all))
        else:
            _answer(self._core, Failed(token, f"{REFUSED}: {refusal}" if refusal else UNREACHABLE, *cost.all))


class _Writing:
    """One write to the owners of a key, under each hash function and in each reality. ``done(copies, refusal, cost)``."""

    def __init__(
        self,
        core: Core,
        key: int,
        here: Callable[[float], str],
        make: Callable[[int, bytes], Any],
        done: Callable[[int, str, Cost], None],
    ) -> None:
        self._core = core
        self._here = here
        self._make = make
        self._done = done
        self._places = core.places(key)
        self._waiting = 0
        self._keepers: dict[Contact, None] = {}
        self._asked: dict[Contact, None] = {}
        self._refusal = ""
        self._cost = Cost()

    def begin(self, now: float) -> None:
        """Look all owners up at once."""
        self._waiting = 1
        for place in self._places:
            for reality in self._core.realities:
                self._waiting += 1
                seek.find_owner(self._core, place, self._found, now, reality=reality.number)
        self._one_done()

    def _found(self, owner: Owner, now: float) -> None:
        self._cost.add(owner)
        if owner.claim is None or owner.claim.contact in self._asked:
            self._one_done()
            return
        contact = owner.claim.contact
        self._asked[contact] = None
        if contact == self._core.contact:
            self._settle(contact, self._here(now))
            return

        def answered(reply: Any, _at: float) -> None:
            self._cost.asked(True)
            self._settle(contact, reply.refusal if isinstance(reply, Kept) else REFUSED)

        def silent(_at: float) -> None:
            self._cost.asked(False)
            self._one_done()

        self._core.write(contact, self._make, answered, silent, now, owner.permit)

    def _settle(self, contact: Contact, refusal: str) -> None:
        if refusal:
            self._refusal = refusal
        else:
            self._keepers[contact] = None
        self._one_done()

    def _one_done(self) -> None:
        self._waiting -= 1
        if self._waiting == 0:
            self._done(len(self._keepers), self._refusal, self._cost)


# Reading: the nearest owner first, then the others


class _Reading:
    """One Get or FindProviders, at the nearest of the k points first (section 3.5)."""

    def __init__(self, core: Core, request: Get | FindProviders, now: float) -> None:
        self._core = core
        self._request = request
        self._cost = Cost()
        self._was_answered = False
        self._places = sorted(
            core.places(request.key), key=lambda p: (min(r.distance(p.point) for r in core.realities), p.key)
        )

    def next(self, now: float) -> None:
        """Ask at the next place, or end."""
        if self._is_here(now):
            return
        if not self._places:
            self._end_without()
            return
        place = self._places.pop(0)
        is_get = isinstance(self._request, Get)
        seek.find_owner(self._core, place, self._found, now, is_get=is_get)

    def _is_here(self, now: float) -> bool:
        """Whether this peer can answer itself."""
        core, request = self._core, self._request
        if isinstance(request, Get):
            kept = core.values.get(request.key, now) if core.keeps_values else None
            if kept is None and core.has_cache:
                kept = core.hotspots.get(request.key, now)
            if kept is None:
                return False
            _answer(core, Value(request.token, request.key, kept.value, core.contact, *self._cost.all))
            return True
        known = core.providers.get(request.key, now, self._limit()) if core.keeps_values else ()
        if known:
            _answer(core, Providers(request.token, request.key, known, *self._cost.all))
        return bool(known)

    def _limit(self) -> int:
        limit = self._request.limit if isinstance(self._request, FindProviders) else 1
        return min(max(limit, 1), MAX_PROVIDERS)

    def _found(self, owner: Owner, now: float) -> None:
        self._cost.add(owner)
        if owner.claim is None:
            self.next(now)
        elif owner.claim.contact == self._core.contact:
            self._was_answered = True  # ours, and nothing is kept under it
            self.next(now)
        else:
            self._ask(owner.claim.contact, list(owner.mates), owner.permit, now)

    def _ask(self, contact: Contact, mates: list[Contact], permit: bytes, now: float) -> None:
        core, request, limit = self._core, self._request, self._limit()

        def make(nonce: int, shown: bytes) -> Fetch | FetchProviders:
            if isinstance(request, Get):
                return Fetch(nonce, request.key, shown)
            return FetchProviders(nonce, request.key, limit, shown)

        def answered(reply: Any, at: float) -> None:
            self._cost.asked(True)
            self._was_answered = True
            if isinstance(reply, Fetched) and reply.value is not None and isinstance(request, Get):
                keeping.cache(core, request.key, reply.value, reply.ttl_s, at)
                _answer(core, Value(request.token, request.key, reply.value, contact, *self._cost.all))
            elif isinstance(reply, ProvidersHere) and reply.providers:
                _answer(core, Providers(request.token, request.key, reply.providers[:limit], *self._cost.all))
            else:
                self.next(at)

        def silent(at: float) -> None:
            self._cost.asked(False)
            if mates and core.is_believed(mates[0], at):
                self._ask(mates[0], mates[1:], b"", at)
            else:
                self.next(at)

        keeping.fetch(core, contact, make, permit, answered, silent, now)

    def _end_without(self) -> None:
        core, request = self._core, self._request
        if not self._was_answered:
            _answer(core, Failed(request.token, UNREACHABLE, *self._cost.all))
        elif isinstance(request, Get):
            _answer(core, NotFound(request.token, request.key, *self._cost.all))
        else:
            _answer(core, Providers(request.token, request.key, (), *self._cost.all))


# What this peer provides


def unprovide(core: Core, request: Unprovide) -> None:
    """Say no more that this peer has the thing."""
    core.forget_word(request.key)


def provide_again(core: Core, now: float) -> None:
    """Say again what this peer has; nothing is answered."""
    for key in core.words_to_say() if core.is_joined else ():
        _say(core, key, lambda _copies, _refusal, _cost: None, now)
