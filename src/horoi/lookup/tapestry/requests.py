"""What the application asks of a Tapestry machine: lookup, route, put, get, provide, find providers. Each ends in one notice."""

from __future__ import annotations

from functools import partial
from typing import Any

from horoi.lookup.common.refusals import KeyRequest, refusal
from horoi.lookup.tapestry import keeping
from horoi.lookup.tapestry.core import Core
from horoi.lookup.tapestry.forwarding import holders_of
from horoi.lookup.tapestry.lookups import Search
from horoi.lookup.tapestry.messages import (
    LOCATE,
    LOOKUP,
    MAX_SHORT,
    PUBLISH,
    ROUTE,
    Fetch,
    Fetched,
    FetchHolders,
    HoldersAre,
    Kept,
    Store,
)
from horoi.lookup.tapestry.object_pointers import salted
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
    if isinstance(request, (Lookup, Route)):
        _look_up(core, request, now)
    elif isinstance(request, Put):
        _Put(core, request).begin(now)
    elif isinstance(request, Get):
        _Get(core, request).step(now)
    elif isinstance(request, Provide):
        _remember(core, request.key)
        _Publish(core, request).begin(now)
    else:
        _Find(core, request).step(now)


def _answer(core: Core, notice: Any) -> None:
    core.lookups -= 1
    core.tell(notice)


class _Cost:
    """What the searches of one request took together; hops are those of the first."""

    __slots__ = ("hops", "replies", "rpcs", "timeouts")

    def __init__(self) -> None:
        self.hops = self.rpcs = self.replies = self.timeouts = 0

    def add(self, search: Search, *, is_first: bool = True) -> None:
        if is_first:
            self.hops = search.hops
        self.rpcs += search.rpcs
        self.replies += search.replies
        self.timeouts += search.timeouts

    @property
    def all(self) -> tuple[int, int, int, int]:
        return self.hops, self.rpcs, self.replies, self.timeouts


# Lookup and route


def _look_up(core: Core, request: Lookup | Route, now: float) -> None:
    cost = _Cost()

    def found(search: Search, at: float) -> None:
        cost.add(search)
        if search.root is None:
            _answer(core, Failed(request.token, search.why, *cost.all))
        elif isinstance(request, Route) and not is_plain:
            sent = Search(
                core, request.key, arrived, purpose=ROUTE, payload=request.payload, through=_other(core, search)
            )
            sent.begin(at)
        else:
            _answer(core, Found(request.token, request.key, (search.root,), *cost.all, search.path))

    def arrived(search: Search, _at: float) -> None:
        if search.root is None:
            _answer(core, Failed(request.token, search.why, *cost.all))
        else:
            _answer(core, Found(request.token, request.key, (search.root,), *cost.all))

    is_plain = core.config.routes == 1
    if isinstance(request, Route) and is_plain:
        Search(core, request.key, found, purpose=ROUTE, payload=request.payload).begin(now)
    else:
        Search(core, request.key, found, purpose=LOOKUP).begin(now)


def _other(core: Core, search: Search) -> Contact | None:
    """The root that several routes agree on, to send a payload there; None if it is this peer."""
    return search.root if search.root != core.me else None


# Writing: to the roots of all salted keys at once


class _Put:
    """A value on its way to the roots of its salted keys."""

    __slots__ = ("_copies", "_core", "_cost", "_request", "_waiting", "_was_refused")

    def __init__(self, core: Core, request: Put) -> None:
        self._core = core
        self._request = request
        self._cost = _Cost()
        self._copies = 0
        self._was_refused = False
        self._waiting = core.config.replicas

    def begin(self, now: float) -> None:
        """Look for all roots."""
        for salt in range(self._core.config.replicas):
            place = salted(self._request.key, salt, self._core.config.bits)
            Search(self._core, place, partial(self._found, salt)).begin(now)

    def _found(self, salt: int, search: Search, now: float) -> None:
        core, request = self._core, self._request
        self._cost.add(search, is_first=salt == 0)
        if search.root is None:
            self._one_done(None)
        elif search.root == core.me:
            refusal = keeping.keep(core, request.key, salt, request.value, request.ttl_s, now, is_copy=False)
            self._one_done(refusal is None)
        else:
            core.take_permit(search.root.address, search.permit, now)
            ttl_s = min(max(request.ttl_s, 0.0), MAX_TTL_S)
            self._cost.rpcs += 1
            core.ask_permitted(
                search.root,
                lambda nonce, permit: Store(nonce, permit, request.key, salt, request.value, ttl_s, False),
                self._answered,
                lambda _at: self._one_done(None),
                now,
            )

    def _answered(self, reply: object, _now: float) -> None:
        self._cost.replies += 1
        self._one_done(isinstance(reply, Kept) and reply.is_kept)

    def _one_done(self, is_kept: bool | None) -> None:
        """One root has kept it, refused it, or (None) could not be reached."""
        self._copies += bool(is_kept)
        self._was_refused |= is_kept is False
        self._waiting -= 1
        if self._waiting:
            return
        request = self._request
        if self._copies:
            _answer(self._core, Stored(request.token, request.key, self._copies, *self._cost.all))
        else:
            why = REFUSED if self._was_refused else UNREACHABLE
            _answer(self._core, Failed(request.token, why, *self._cost.all))


class _Publish:
    """This peer's word on its way to the roots, leaving pointers."""

    __slots__ = ("_core", "_cost", "_reached", "_request", "_waiting")

    def __init__(self, core: Core, request: Provide) -> None:
        self._core = core
        self._request = request
        self._cost = _Cost()
        self._reached = 0
        self._waiting = core.config.roots

    def begin(self, now: float) -> None:
        """Publish under each salted key."""
        for salt in range(self._core.config.roots):
            place = salted(self._request.key, salt, self._core.config.bits)
            Search(self._core, place, partial(self._done, salt), purpose=PUBLISH).begin(now)

    def _done(self, salt: int, search: Search, _now: float) -> None:
        self._cost.add(search, is_first=salt == 0)
        self._reached += search.root is not None
        self._waiting -= 1
        if self._waiting:
            return
        request = self._request
        if self._reached:
            _answer(self._core, Stored(request.token, request.key, self._reached, *self._cost.all))
        else:
            _answer(self._core, Failed(request.token, search.why, *self._cost.all))


# Reading: by one salted key after the other


class _Get:
    """A search for a value at the roots of its salted keys."""

    __slots__ = ("_core", "_cost", "_has_answer", "_request", "_salt")

    def __init__(self, core: Core, request: Get) -> None:
        self._core = core
        self._request = request
        self._cost = _Cost()
        self._salt = 0
        self._has_answer = False

    def step(self, now: float) -> None:
        """Try the next salt, or answer that there is nothing."""
        core, request = self._core, self._request
        if self._salt < core.config.replicas:
            place = salted(request.key, self._salt, core.config.bits)
            Search(core, place, self._found).begin(now)
        elif self._has_answer:
            _answer(core, NotFound(request.token, request.key, *self._cost.all))
        else:
            _answer(core, Failed(request.token, UNREACHABLE, *self._cost.all))

    def _found(self, search: Search, now: float) -> None:
        core, root = self._core, search.root
        self._cost.add(search, is_first=self._salt == 0)
        self._salt += 1
        if root is None:
            self.step(now)
            return
        if root == core.me:
            kept = core.values.get(search.key, now)
            self._take(root, kept.value if kept is not None else None, now)
            return
        core.take_permit(root.address, search.permit, now)
        self._cost.rpcs += 1
        core.ask_permitted(
            root,
            lambda nonce, permit: Fetch(nonce, permit, search.key),
            lambda reply, at: self._answered(root, reply, at),
            self.step,
            now,
        )

    def _answered(self, root: Contact, reply: object, now: float) -> None:
        self._cost.replies += 1
        self._take(root, reply.value if isinstance(reply, Fetched) else None, now)

    def _take(self, root: Contact, value: bytes | None, now: float) -> None:
        self._has_answer = True
        if value is None:
            self.step(now)
        else:
            _answer(self._core, Value(self._request.token, self._request.key, value, root, *self._cost.all))


class _Find:
    """A search for pointers on the way to the roots. The first that is met is answered, so near holders come first, and perhaps
    not all are told (JSAC, section III-B: a query stops at the first pointer)."""

    __slots__ = ("_core", "_cost", "_has_answer", "_request", "_salt")

    def __init__(self, core: Core, request: FindProviders) -> None:
        self._core = core
        self._request = request
        self._cost = _Cost()
        self._salt = 0
        self._has_answer = False

    def step(self, now: float) -> None:
        """Try the next salt, or answer that there is nobody."""
        core, request = self._core, self._request
        if self._salt < core.config.roots:
            place = salted(request.key, self._salt, core.config.bits)
            Search(core, place, self._found, purpose=LOCATE).begin(now)
        elif self._has_answer:
            _answer(core, Providers(request.token, request.key, (), *self._cost.all))
        else:
            _answer(core, Failed(request.token, UNREACHABLE, *self._cost.all))

    def _found(self, search: Search, now: float) -> None:
        core, pointing = self._core, search.root
        self._cost.add(search, is_first=self._salt == 0)
        self._salt += 1
        if pointing is None:
            self.step(now)
            return
        self._has_answer = True
        limit = min(max(self._request.limit, 1), MAX_PROVIDERS)
        if not search.holders:
            self.step(now)
        elif pointing == core.me:
            self._end(holders_of(core, search.key, now, limit))
        elif len(search.holders) < MAX_SHORT or limit <= MAX_SHORT:
            self._end(search.holders[:limit])
        else:
            core.take_permit(pointing.address, search.permit, now)
            core.ask_permitted(
                pointing,
                lambda nonce, permit: FetchHolders(nonce, permit, search.key, limit),
                lambda reply, _at: self._end(reply.holders if isinstance(reply, HoldersAre) else search.holders),
                lambda _at: self._end(search.holders),
                now,
            )

    def _end(self, holders: tuple[Contact, ...]) -> None:
        request = self._request
        bound = tuple(holder for holder in holders if self._core.is_bound(holder))
        _answer(self._core, Providers(request.token, request.key, bound, *self._cost.all))


# What this peer provides


def _remember(core: Core, key: int) -> None:
    core.remember_word(key)
    for place in _places(core, key):
        core.own_pointers[place] = None


def _places(core: Core, key: int) -> list[int]:
    return [salted(key, salt, core.config.bits) for salt in range(core.config.roots)]


def unprovide(core: Core, request: Unprovide) -> None:
    """Say no more that this peer has the thing."""
    core.forget_word(request.key)
    if 0 <= request.key < 1 << core.config.bits:
        for place in _places(core, request.key):
            core.own_pointers.pop(place, None)


def provide_again(core: Core, now: float) -> None:
    """Say again what this peer has; nothing is answered."""
    for key in core.words_to_say() if core.is_joined else ():
        for place in _places(core, key):
            Search(core, place, lambda _search, _at: None, purpose=PUBLISH).begin(now)
