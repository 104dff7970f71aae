"""What the application asks of a Pastry machine: lookup, route, put, get, provide, find providers. Each ends in one notice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from horoi.lookup.common.refusals import KeyRequest, refusal
from horoi.lookup.pastry import keeping
from horoi.lookup.pastry.core import Core
from horoi.lookup.pastry.lookups import Search
from horoi.lookup.pastry.messages import AddProvider, Fetch, Fetched, FetchedProviders, FetchProviders, Kept, Store
from horoi.lookup.vocabulary import (
    MAX_PROVIDERS,
    REFUSED,
    UNREACHABLE,
    Contact,
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

MAX_TTL_S = 1e9  # of a message; the store keeps nothing so long


def ask(core: Core, request: KeyRequest, now: float) -> None:
    """Begin one request, or refuse it at once."""
    why = refusal(request, is_joined=core.is_joined, bits=core.config.bits, under_way=core.lookups)
    if why:
        core.tell(Failed(request.token, why))
        return
    core.lookups += 1
    if isinstance(request, Provide):
        core.remember_word(request.key)
    is_plain_route = isinstance(request, Route) and core.config.routes == 1
    payload = request.payload if isinstance(request, Route) and is_plain_route else None
    Search(core, request.key, lambda search, at: _found(core, request, search, at), payload=payload).begin(now)


def _answer(core: Core, notice: Any) -> None:
    core.lookups -= 1
    core.tell(notice)


def _cost(search: Search) -> tuple[int, int, int, int]:
    return search.hops, search.rpcs, search.replies, search.timeouts


def _found(core: Core, request: KeyRequest, search: Search, now: float) -> None:
    """The owner is found, or not: answer, or go on with it."""
    if not search.owners:
        _answer(core, Failed(request.token, search.why, *_cost(search)))
    elif isinstance(request, Lookup):
        _answer(core, Found(request.token, request.key, search.owners, *_cost(search), search.path))
    elif isinstance(request, Route):
        _routed(core, request, search, now)
    elif isinstance(request, (Put, Provide)):
        _write(core, request, search, now)
    else:
        if search.permit:
            core.take_permit(search.owners[0].address, search.permit, now)
        _Reading(core, request, search).step(now)


def _routed(core: Core, request: Route, search: Search, now: float) -> None:
    """A payload that went by itself has arrived; one that waited for several routes to agree goes to the owner now."""

    def arrived(second: Search, _at: float) -> None:
        if second.owners:
            _answer(core, Found(request.token, request.key, second.owners, *_cost(search), search.path))
        else:
            _answer(core, Failed(request.token, second.why, *_cost(search)))

    owner = search.owners[0]
    if core.config.routes == 1 or owner == core.me:
        if core.config.routes > 1:
            Search(core, core.me.id, arrived, payload=request.payload).begin(now)
            return
        _answer(core, Found(request.token, request.key, search.owners, *_cost(search), search.path))
    else:
        Search(core, request.key, arrived, payload=request.payload, through=owner).begin(now)


# Writing


def _write(core: Core, request: Put | Provide, search: Search, now: float) -> None:
    owner = search.owners[0]

    def done(copies: int, refusal: str, _at: float) -> None:
        if copies:
            _answer(core, Stored(request.token, request.key, copies, *_cost(search)))
        else:
            _answer(core, Failed(request.token, f"{REFUSED}: {refusal}" if refusal else REFUSED, *_cost(search)))

    if owner == core.me:
        if isinstance(request, Put):
            keeping.keep_value(core, request.key, request.value, request.ttl_s, done, now)
        else:
            keeping.keep_word(core, request.key, core.me, done, now)
        return

    def answered(reply: Any, at: float) -> None:
        search.replies += 1
        done(reply.copies if isinstance(reply, Kept) else 0, "", at)

    def silent(_at: float) -> None:
        search.timeouts += 1
        _answer(core, Failed(request.token, UNREACHABLE, *_cost(search)))

    search.rpcs += 1
    core.take_permit(owner.address, search.permit, now)
    core.ask_permitted(owner, _writer(core, request), answered, silent, now)


def _writer(core: Core, request: Put | Provide) -> Callable[[int, bytes], Store | AddProvider]:
    if isinstance(request, Put):
        ttl_s = min(max(request.ttl_s, 0.0), MAX_TTL_S)
        return lambda nonce, permit: Store(nonce, permit, request.key, request.value, ttl_s)
    return lambda nonce, permit: AddProvider(nonce, permit, request.key, core.me.id)


# Reading: the owner first, then those who should have copies


class _Reading:
    """Asks one holder after the other until one has something."""

    __slots__ = ("_core", "_has_answer", "_holders", "_request", "_search")

    def __init__(self, core: Core, request: Get | FindProviders, search: Search) -> None:
        self._core = core
        self._request = request
        self._search = search
        self._holders = list(search.owners[: core.config.replicas])
        self._has_answer = False

    def step(self, now: float) -> None:
        """Ask the next holder, or answer that there is nothing."""
        core, request = self._core, self._request
        if not self._holders:
            self._nothing()
            return
        holder = self._holders.pop(0)
        if holder == core.me:
            self._read_here(now)
            return
        self._search.rpcs += 1
        core.ask_permitted(
            holder,
            _reader(request),
            lambda reply, at: self._answered(holder, reply, at),
            self._silent,
            now,
        )

    def _read_here(self, now: float) -> None:
        core, request = self._core, self._request
        if isinstance(request, Get):
            kept = core.values.get(request.key, now)
            self._take(core.me, kept.value if kept is not None else None, (), now)
        else:
            self._take(core.me, None, core.providers.get(request.key, now, _limit(request)), now)

    def _answered(self, holder: Contact, reply: Any, now: float) -> None:
        self._search.replies += 1
        value = reply.value if isinstance(reply, Fetched) else None
        providers = reply.providers if isinstance(reply, FetchedProviders) else ()
        bound = tuple(provider for provider in providers if self._core.is_bound(provider))
        self._take(holder, value, bound, now)

    def _take(self, holder: Contact, value: bytes | None, providers: tuple[Contact, ...], now: float) -> None:
        self._has_answer = True
        request = self._request
        if isinstance(request, Get) and value is not None:
            _answer(self._core, Value(request.token, request.key, value, holder, *_cost(self._search)))
        elif isinstance(request, FindProviders) and providers:
            found = providers[: _limit(request)]
            _answer(self._core, Providers(request.token, request.key, found, *_cost(self._search)))
        else:
            self.step(now)

    def _silent(self, now: float) -> None:
        self._search.timeouts += 1
        self.step(now)

    def _nothing(self) -> None:
        request, cost = self._request, _cost(self._search)
        if not self._has_answer:
            _answer(self._core, Failed(request.token, UNREACHABLE, *cost))
        elif isinstance(request, Get):
            _answer(self._core, NotFound(request.token, request.key, *cost))
        else:
            _answer(self._core, Providers(request.token, request.key, (), *cost))


def _limit(request: FindProviders) -> int:
    return min(max(request.limit, 1), MAX_PROVIDERS)


def _reader(request: Get | FindProviders) -> Callable[[int, bytes], Fetch | FetchProviders]:
    if isinstance(request, Get):
        return lambda nonce, permit: Fetch(nonce, permit, request.key)
    return lambda nonce, permit: FetchProviders(nonce, permit, request.key, _limit(request))


# What this peer provides


def unprovide(core: Core, request: Unprovide) -> None:
    """Say no more that this peer has the thing."""
    core.forget_word(request.key)


def provide_again(core: Core, now: float) -> None:
    """Say again what this peer has; nothing is answered."""
    for key in core.words_to_say() if core.is_joined else ():
        Search(core, key, lambda search, at: _say_again(core, search, at)).begin(now)


def _say_again(core: Core, search: Search, now: float) -> None:
    if not search.owners:
        return
    owner, key = search.owners[0], search.key
    if owner == core.me:
        keeping.keep_word(core, key, core.me, lambda _copies, _why, _at: None, now)
        return
    core.take_permit(owner.address, search.permit, now)
    core.ask_permitted(
        owner,
        lambda nonce, permit: AddProvider(nonce, permit, key, core.me.id),
        lambda _reply, _at: None,
        lambda _at: None,
        now,
    )
