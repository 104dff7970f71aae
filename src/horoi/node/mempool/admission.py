"""The pool's own rules of admission, beside the ledger's for the next block. Each refusal is a RuleError with its name:

    pool.known         it waits already
    pool.conflict      another waiting transaction spends the same output: first seen wins
    pool.replacement   it could replace its rival (BIP 125), but does not pay enough for that
    pool.family        more than 25 ancestors or descendants (as Bitcoin Core)
    pool.fee           under the least fee rate, which rises when transactions had to go and falls with time
    pool.full          full of transactions that stand at least as high
    pool.key, pool.peer, pool.inputless    see quotas.py

These functions read the pool and change nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from horoi.base.errors import RuleError
from horoi.ledger.ledger import Prepared
from horoi.node.mempool.fees import fee_class

if TYPE_CHECKING:
    from horoi.node.mempool.pool import Mempool


def check_replacement(pool: Mempool, prepared: Prepared, rivals: tuple[bytes, ...]) -> dict[bytes, None]:
    """Who has to go for ``prepared``, children before parents (BIP 125, rules 2 to 5)."""
    if not rivals:
        return {}
    floor = pool.chain.genesis.fee_floor
    if floor == 0 or not pool.limits.replacement:
        raise RuleError("pool.conflict", f"{rivals[0].hex()} was here first and spends the same output")
    leaving = dict.fromkeys(reversed(pool.descendants(rivals)))
    if len(leaving) > pool.limits.max_replaced:
        raise RuleError("pool.replacement", f"{len(leaving)} would have to go, the limit is {pool.limits.max_replaced}")
    allowed = {parent: None for rival in rivals for parent in pool.entries[rival].parents}
    for spent in prepared.transaction.body.inputs:
        if spent.source in pool.entries and (spent.source not in allowed or spent.source in leaving):
            raise RuleError("pool.replacement", "it spends waiting outputs that its rival does not spend (rule 2)")
    own_class = fee_class(prepared.fee, prepared.size_bytes)
    for rival in rivals:
        if own_class <= pool.entries[rival].own_class:
            raise RuleError("pool.replacement", f"its fee rate is not in a higher class than that of {rival.hex()}")
    asked = sum(pool.entries[item].prepared.fee for item in leaving) + -(-floor * prepared.size_bytes // 1000)
    if prepared.fee < asked:
        raise RuleError("pool.replacement", f"a fee of {prepared.fee}, {asked} asked: for what goes, and its own relay")
    return leaving


def check_family(pool: Mempool, parents: tuple[bytes, ...]) -> None:
    """Bound ancestors and descendants. An ancestor's descendants are among those of the roots above it."""
    limit = pool.limits.max_family
    ancestors: dict[bytes, None] = {}
    roots = []
    stack = list(parents)
    while stack:
        item = stack.pop()
        if item in ancestors:
            continue
        ancestors[item] = None
        if len(ancestors) >= limit:
            raise RuleError("pool.family", f"it has {limit} or more waiting ancestors: wait for a block")
        above = pool.entries[item].parents
        stack.extend(above)
        if not above:
            roots.append(item)
    for root in roots:
        if len(pool.descendants((root,), limit)) >= limit:
            raise RuleError("pool.family", f"{root.hex()} has {limit - 1} waiting descendants: wait for a block")


def check_room(pool: Mempool, size_bytes: int, place: int, replaced: dict[bytes, None]) -> list[bytes]:
    """Who has to go so that there is room: the lowest places, the youngest first."""
    freed_bytes = sum(pool.entries[item].prepared.size_bytes for item in replaced)
    excess_bytes = pool.size_bytes - freed_bytes + size_bytes - pool.limits.max_size_bytes
    excess_count = len(pool.entries) - len(replaced) + 1 - pool.limits.max_count
    if excess_bytes <= 0 and excess_count <= 0:
        return []
    evicted = []
    for entry in pool.line.worst_first():
        if entry.place >= place:
            break
        if entry.prepared.id in replaced:
            continue
        evicted.append(entry.prepared.id)
        excess_bytes -= entry.prepared.size_bytes
        excess_count -= 1
        if excess_bytes <= 0 and excess_count <= 0:
            return evicted
    raise RuleError("pool.full", f"{len(pool)} transactions wait, {pool.size_bytes} bytes: pay more, or send later")
