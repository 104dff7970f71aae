"""What the application asks of a Chord machine: lookup, route, put, get, provide, find providers. Each ends in one notice."""

from __future__ import annotations

from functools import partial
from typing import Any

from horoi.lookup.chord import forwarding, keeping
from horoi.lookup.chord.core import Core
from horoi.lookup.chord.lookups import Walk
from horoi.lookup.chord.messages import (
    Arrived,
    Fetch,
    Fetched,
    FetchProviders,
    ProvidersHere,
    Store,
    StoreProvider,
)
from horoi.lookup.chord.node import Node
from horoi.lookup.common.refusals import KeyRequest, refusal
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


def ask(core: Core, request: KeyRequest, now: float) -> None:
    """Begin one request, or refuse it at once."""
    why = refusal(request, is_joined=core.is_joined, bits=core.config.bits, under_way=core.lookups)
    if why:
        core.tell(Failed(request.token, why))
        return
    core.lookups += 1
    node = _start(core, request.key)
    if isinstance(request, Route) or (isinstance(request, Lookup) and core.config.recursive):
        _route(core, node, request, now)
        return
    if isinstance(request, Provide):
        core.remember_word(request.key)
    Walk(core, node, request.key, partial(_found, core, request)).begin(now)


def _start(core: Core, key: int) -> Node:
    """The one of our nodes from which the key is nearest; the owner, if one of them is."""
    if len(core.nodes) == 1:
        return core.nodes[0]
    for node in core.nodes:
        if node.owns(key):
            return node
    return min(core.nodes, key=lambda node: (key - node.id) & node.mask)


def _answer(core: Core, notice: Any) -> None:
    core.lookups -= 1
    core.tell(notice)


def _route(core: Core, node: Node, request: Lookup | Route, now: float) -> None:
    def arrived(reply: Arrived, _at: float) -> None:
        owners = (reply.owner, *reply.successors)
        _answer(core, Found(request.token, request.key, owners, reply.hops, rpcs=reply.hops, replies=reply.hops + 1))

    def lost(_at: float) -> None:
        _answer(core, Failed(request.token, UNREACHABLE, timeouts=1))

    payload = request.payload if isinstance(request, Route) else None
    forwarding.route(core, node, request.key, payload, arrived, lost, now)


def _found(core: Core, request: KeyRequest, walk: Walk, now: float) -> None:
    """The walk of a request has ended: answer, or go on at the owner."""
    if not walk.owners:
        _answer(core, Failed(request.token, walk.why, walk.hops, walk.rpcs, walk.replies, walk.timeouts))
    elif isinstance(request, Put):
        _put(core, request, walk, now)
    elif isinstance(request, Provide):
        _provide(core, request, walk, now)
    elif isinstance(request, Get):
        _get(core, request, walk, list(walk.owners[: core.config.replicas + 1]), False, now)
    elif isinstance(request, FindProviders):
        _find_providers(core, request, walk, list(walk.owners[: core.config.replicas + 1]), False, now)
    else:
        cost = (walk.hops, walk.rpcs, walk.replies, walk.timeouts)
        _answer(core, Found(request.token, request.key, walk.owners, *cost, tuple(walk.path)))


def _cost(walk: Walk) -> tuple[int, int, int, int]:
    return walk.hops, walk.rpcs, walk.replies, walk.timeouts


def _own_node(core: Core, contact: Contact) -> Node | None:
    return core.node_of(contact.id) if core.is_own(contact) else None


# Writing


def _put(core: Core, request: Put, walk: Walk, now: float) -> None:
    owner = walk.owners[0]
    node = _own_node(core, owner)
    if node is not None:
        refusal = keeping.keep_value(core, node, request.key, request.value, request.ttl_s, now)
        _stored(core, request, walk, refusal)
        return

    def make(nonce: int, permit: bytes) -> Store:
        return Store(nonce, owner.id, request.key, request.value, min(max(request.ttl_s, 0.0), 1e7), permit)

    _write(core, request, walk, make, now)


def _provide(core: Core, request: Provide, walk: Walk, now: float) -> None:
    owner = walk.owners[0]
    own = core.nodes[0].contact
    node = _own_node(core, owner)
    if node is not None:
        _stored(core, request, walk, keeping.keep_word(core, node, request.key, own, now))
        return

    def make(nonce: int, permit: bytes) -> StoreProvider:
        return StoreProvider(nonce, owner.id, request.key, own, permit)

    _write(core, request, walk, make, now)


def _write(core: Core, request: Put | Provide, walk: Walk, make: Any, now: float) -> None:
    walk.rpcs += 2  # the permit and the write

    def answered(reply: Any, _at: float) -> None:
        walk.replies += 2
        _stored(core, request, walk, reply.refusal)

    def silent(_at: float) -> None:
        walk.timeouts += 1
        _answer(core, Failed(request.token, UNREACHABLE, *_cost(walk)))

    core.write(walk.owners[0], make, answered, silent, now)


def _stored(core: Core, request: Put | Provide, walk: Walk, refusal: str) -> None:
    if refusal:
        _answer(core, Failed(request.token, f"{REFUSED}: {refusal}", *_cost(walk)))
    else:
        _answer(core, Stored(request.token, request.key, 1, *_cost(walk)))


# Reading: the owner first, then those who should have copies


def _get(core: Core, request: Get, walk: Walk, holders: list[Contact], answered_once: bool, now: float) -> None:
    if not holders:
        notice = NotFound(request.token, request.key, *_cost(walk))
        _answer(core, notice if answered_once else Failed(request.token, UNREACHABLE, *_cost(walk)))
        return
    holder, *others = holders
    if core.is_own(holder):
        kept = core.values.get(request.key, now)
        if kept is not None:
            _answer(core, Value(request.token, request.key, kept.value, holder, *_cost(walk)))
        else:
            _get(core, request, walk, others, True, now)
        return
    walk.rpcs += 1

    def answered(reply: Any, at: float) -> None:
        walk.replies += 1
        if isinstance(reply, Fetched) and reply.value is not None:
            _answer(core, Value(request.token, request.key, reply.value, holder, *_cost(walk)))
        else:
            _get(core, request, walk, others, True, at)

    def silent(at: float) -> None:
        walk.timeouts += 1
        _get(core, request, walk, others, answered_once, at)

    keeping.fetch(
        core, holder, lambda nonce, permit: Fetch(nonce, holder.id, request.key, permit), answered, silent, now
    )


def _find_providers(
    core: Core, request: FindProviders, walk: Walk, holders: list[Contact], answered_once: bool, now: float
) -> None:
    if not holders:
        notice = Providers(request.token, request.key, (), *_cost(walk))
        _answer(core, notice if answered_once else Failed(request.token, UNREACHABLE, *_cost(walk)))
        return
    limit = min(max(request.limit, 1), MAX_PROVIDERS)
    holder, *others = holders
    if core.is_own(holder):
        known = core.providers.get(request.key, now, limit)
        if known:
            _answer(core, Providers(request.token, request.key, known, *_cost(walk)))
        else:
            _find_providers(core, request, walk, others, True, now)
        return
    walk.rpcs += 1

    def answered(reply: Any, at: float) -> None:
        walk.replies += 1
        if isinstance(reply, ProvidersHere) and reply.providers:
            _answer(core, Providers(request.token, request.key, reply.providers[:limit], *_cost(walk)))
        else:
            _find_providers(core, request, walk, others, True, at)

    def silent(at: float) -> None:
        walk.timeouts += 1
        _find_providers(core, request, walk, others, answered_once, at)

    def make(nonce: int, permit: bytes) -> FetchProviders:
        return FetchProviders(nonce, holder.id, request.key, limit, permit)

    keeping.fetch(core, holder, make, answered, silent, now)


# What this peer provides


def unprovide(core: Core, request: Unprovide) -> None:
    """Say no more that this peer has the thing."""
    core.forget_word(request.key)


def provide_again(core: Core, now: float) -> None:
    """Say again what this peer has; nothing is answered."""
    for key in core.words_to_say() if core.is_joined else ():
        Walk(core, _start(core, key), key, partial(_say_again, core)).begin(now)


def _say_again(core: Core, walk: Walk, now: float) -> None:
    if not walk.owners:
        return
    owner, own = walk.owners[0], core.nodes[0].contact
    node = _own_node(core, owner)
    if node is not None:
        keeping.keep_word(core, node, walk.key, own, now)
        return
    core.write(
        owner,
        lambda nonce, permit: StoreProvider(nonce, owner.id, walk.key, own, permit),
        lambda _reply, _at: None,
        lambda _at: None,
        now,
    )
