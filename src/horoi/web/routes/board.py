"""The board: what happened, newest first, and what waits."""

from __future__ import annotations

from itertools import islice

from horoi.web.access import NodeAccess
from horoi.web.lines import Liner, waiting_lines
from horoi.web.model.board import Board, BoardLine, BoardQuery
from horoi.web.reading import confirmed

MAX_BLOCKS_LOOKED_AT = 5_000  # empty ones mostly: 5 ms; the next page goes on
MAX_WAITING_SHOWN = 100


def board(access: NodeAccess, query: BoardQuery, _: None) -> Board:
    """The board: posts and movements as lines, the newest transaction first, and on the first page what waits."""
    tip = access.node.chain.tip
    liner = Liner(access)
    is_first = query.before is None
    lines, after = _confirmed(access, liner, query)
    return Board(
        tip=tip.name.hex(),
        height=tip.height,
        waiting=_waiting(access, liner) if is_first and query.waiting else [],
        waiting_count=len(access.node.mempool),
        lines=lines,
        next=after,
    )


def _confirmed(access: NodeAccess, liner: Liner, query: BoardQuery) -> tuple[list[BoardLine], str | None]:
    """Lines of blocks, and the cursor of the transaction from before which the next page goes on."""
    height, position = read_cursor(query.before) or (access.node.chain.tip.height + 1, 0)
    lines: list[BoardLine] = []
    lowest = 0
    for at_height, count in access.index.busy_blocks(height + 1, MAX_BLOCKS_LOOKED_AT):
        lowest = at_height
        ids = access.index.block_ids(at_height) if count else []
        top = min(len(ids), position) if at_height == height else len(ids)
        for at in range(top - 1, -1, -1):
            lines += confirmed_lines(access, liner, ids[at])
            if len(lines) >= query.limit:
                is_end = at == 0 and at_height <= 1
                return lines, None if is_end else f"{at_height}.{at}"
    return lines, f"{lowest}.0" if lowest > 0 else None


def confirmed_lines(access: NodeAccess, liner: Liner, item: bytes) -> list[BoardLine]:
    """The lines of a transaction in a block; none if the index named one that is not there any more."""
    found = confirmed(access, item)
    if found is None:
        return []
    prepared, known, position = found
    return liner.confirmed(known, position, item, prepared.transaction.body)


def _waiting(access: NodeAccess, liner: Liner) -> list[BoardLine]:
    """What came to the mempool last, the newest first."""
    newest = islice(reversed(access.node.mempool.entries.values()), MAX_WAITING_SHOWN)
    lines: list[BoardLine] = []
    for entry in newest:
        lines += waiting_lines(liner, entry)
        if len(lines) >= MAX_WAITING_SHOWN:
            break
    return lines[:MAX_WAITING_SHOWN]


def read_cursor(text: str | None) -> tuple[int, int] | None:
    """Height and position of a cursor."""
    if text is None:
        return None
    height, position = (int(part) for part in text.split("."))
    return min(height, 2**32 - 1), min(position, 2**32 - 1)
