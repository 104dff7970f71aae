"""Which transactions are drawn: a window of the asset's own, and of the assets that it was made of or went into."""

from __future__ import annotations

from typing import NamedTuple

from horoi.base.errors import UsageError
from horoi.node.index.answers import MAX_ANSWER
from horoi.web.access import NodeAccess
from horoi.web.provenance.flow import Step
from horoi.web.reading import confirmed

MAX_RELATED_ASSETS = 8
MAX_RELATED_STEPS = 40  # of one related asset, the newest
MAX_OUTPUTS = 5_000  # of all transactions together: 10 ms of looking whether they are spent


class Window(NamedTuple):
    """Transactions in the ledger's order, the assets that they are of, and whether something was left out."""

    steps: list[Step]
    own: list[Step]
    assets: list[bytes]
    is_cut: bool


def read_window(access: NodeAccess, asset: bytes, offset: int, limit: int, count: int, *, related: bool) -> Window:
    """The transactions of the asset from ``offset`` on; ``count``: how many it has."""
    own, is_cut = _steps(access, _ids(access, asset, offset, limit, count), MAX_OUTPUTS)
    found = {step.id: step for step in own}
    assets = {asset: None}
    queue = [asset]
    while related and queue:
        at = queue.pop(0)
        for other in _related(at, list(found.values())):
            if other in assets:
                continue
            if len(assets) > MAX_RELATED_ASSETS:
                is_cut = True
                break
            assets[other] = None
            queue.append(other)
            newest = access.index.latest_of_asset(other, MAX_RELATED_STEPS + 1)
            is_cut = is_cut or len(newest) > MAX_RELATED_STEPS
            left = MAX_OUTPUTS - sum(len(step.body.outputs) for step in found.values())
            steps, was_cut = _steps(access, [item for _, item in newest[:MAX_RELATED_STEPS]], left)
            is_cut = is_cut or was_cut
            found.update((step.id, step) for step in steps)
    return Window(sorted(found.values(), key=lambda step: step.place), own, list(assets), is_cut)


def _ids(access: NodeAccess, asset: bytes, offset: int, limit: int, count: int) -> list[bytes]:
    """Ids from a place in the history on, counted from its nearer end."""
    if offset + limit <= MAX_ANSWER:
        return access.index.history_of_asset(asset, offset + limit)[offset:]
    from_end = count - offset
    if from_end > MAX_ANSWER:
        raise UsageError(
            f"offset {offset} of {count}: the first and the last {MAX_ANSWER} transactions can be drawn",
            code="window",
            most=MAX_ANSWER,
        )
    newest = access.index.latest_of_asset(asset, max(0, from_end))
    return [item for _, item in newest[::-1]][:limit]


def _steps(access: NodeAccess, ids: list[bytes], most_outputs: int) -> tuple[list[Step], bool]:
    steps: list[Step] = []
    outputs = 0
    for item in ids:
        read = confirmed(access, item)
        if read is None:
            continue
        prepared, known, position = read
        body = prepared.transaction.body
        outputs += len(body.outputs)
        if outputs > most_outputs and steps:
            return steps, True
        steps.append(Step(item, body, known.height, known.header.time_ms, (known.height, position)))
    return steps, False


def _related(asset: bytes, steps: list[Step]) -> list[bytes]:
    """Assets that were made of this one, and that it was made of."""
    found: dict[bytes, None] = {}
    for step in steps:
        for transform in step.body.transforms:
            product = step.body.inputs[transform.right].content.asset
            sources = [amount.asset for amount in transform.consumed]
            if asset in sources:
                found[product] = None
            if asset == product:
                found.update(dict.fromkeys(sources))
    return list(found)
