"""What changes in the pool when the chain's tip moves.

Forward: what is in a block is confirmed; what spends the same outputs can never follow it and leaves with its descendants.
Back: what was in a block and is in none of the new ones waits again, before everything that builds on it; what a step back
made invalid (a lock, a young reward) leaves. So after ``follow`` the pool's invariant holds at the new tip.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from horoi.base.errors import RuleError
from horoi.ledger.block import reward_id
from horoi.ledger.ledger import Prepared, output_key
from horoi.ledger.transaction import outputs_made
from horoi.node.events import ConnectedBlock, TipChanged

if TYPE_CHECKING:
    from horoi.node.mempool.pool import Mempool


def follow(pool: Mempool, change: TipChanged, now: float) -> list[Prepared]:
    """Follow the tip; return what came back into the pool, parents before children."""
    for connected in change.connected:
        remove_for_block(pool, connected)
    returned: list[Prepared] = []
    if change.disconnected:
        confirmed = {item.id: None for block in change.connected for item in block.prepared}
        spent_by = {
            output_key(spent.source, spent.index): item.id
            for block in change.connected
            for item in block.prepared
            for spent in item.transaction.body.inputs
        }
        for disconnected in reversed(change.disconnected):
            returned.extend(return_from_block(pool, disconnected, confirmed, spent_by, now))
        recheck(pool, [item for item, entry in pool.entries.items() if entry.delicate])
    _forget_out_of_window(pool)
    return [item for item in returned if item.id in pool]


def remove_for_block(pool: Mempool, connected: ConnectedBlock) -> None:
    """Take out what the block holds, and what spends the same outputs."""
    entries, spends = pool.entries, pool.spends
    if not entries:
        return  # while a node catches up
    for item in connected.prepared:
        if item.id in entries:
            pool.confirm(item.id)
            continue
        for spent in item.transaction.body.inputs:
            rival = spends.get(output_key(spent.source, spent.index))
            if rival is not None:
                pool.remove(rival, "conflict", item.id)


def return_from_block(
    pool: Mempool,
    disconnected: ConnectedBlock,
    confirmed: dict[bytes, None],
    spent_by: dict[bytes, bytes],
    now: float,
) -> list[Prepared]:
    """Let the transactions of a block that was taken back wait again, except those confirmed again elsewhere.

    ``spent_by``: who spends which output in the blocks connected instead.
    """
    block = disconnected.block
    reward = reward_id(pool.chain.ledger.network, block.header.height, block.reward)
    _remove_spenders(pool, reward, len(block.reward))
    returned = []
    for item in disconnected.prepared:
        if item.id in confirmed:
            continue
        try:
            pool.add_returned(item, now)
        except RuleError as error:
            _give_up(pool, item, error, spent_by)
            continue
        pool.adopt(item.id)
        returned.append(item)
    return returned


def _give_up(pool: Mempool, item: Prepared, error: RuleError, spent_by: dict[bytes, bytes]) -> None:
    """A transaction that was confirmed cannot wait again: neither can what builds on it. Say so, and because of whom."""
    inputs = item.transaction.body.inputs
    winners = [spent_by.get(output_key(spent.source, spent.index)) for spent in inputs]
    winner = next((winner for winner in winners if winner is not None), None) or pool.rival(item)
    why = "evicted" if error.rule in ("pool.full", "pool.family") else "conflict"
    made = len(outputs_made(item.id, item.transaction.body))
    if error.rule == "pool.known":
        return
    pool.note_left(item.id, why, winner)
    _remove_spenders(pool, item.id, made, winner)


def _remove_spenders(pool: Mempool, source: bytes, outputs: int, by: bytes | None = None) -> None:
    """Take out what spends outputs that exist no more."""
    get = pool.chain.ledger.entries.get
    for index in range(outputs):
        key = output_key(source, index)
        spender = pool.spends.get(key)
        if spender is not None and get(key) is None:
            pool.remove(spender, "conflict", by)


def recheck(pool: Mempool, items: Sequence[bytes] | Iterable[bytes]) -> None:
    """Take out those of ``items`` that the next block could not hold."""
    for item in items:
        entry = pool.entries.get(item)
        if entry is None:
            continue
        try:
            pool.check_next_block(entry.prepared)
        except RuleError:
            pool.remove(item, "conflict")


def _forget_out_of_window(pool: Mempool) -> None:
    """An inputless transaction whose window is over can never confirm."""
    next_height = pool.chain.tip.height + 1
    for last in sorted(height for height in pool.last_heights if height < next_height):
        for item in list(pool.last_heights.get(last, ())):
            pool.remove(item, "expired")
