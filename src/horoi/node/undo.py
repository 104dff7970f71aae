"""Undo data once more: what a connected block removed from the state, derived from the blocks alone.

Undo data is written when a block is connected, and read when it is taken back. If its record decays nothing is lost: an
entry of the state is the output's content, which the input that spends it repeats, its height, and its number in the order
of creation; so it is found by looking for the block that made it, from the spending block down.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from horoi.base.codec import encode
from horoi.base.errors import StorageError
from horoi.ledger.block import reward_id
from horoi.ledger.consensus.nakamoto.tree import Known
from horoi.ledger.ledger import INPUTLESS_WINDOW, Undo, entry_bytes, output_key
from horoi.ledger.transaction import Input

if TYPE_CHECKING:
    from horoi.node.chain import Chain


def derive_undo(chain: Chain, known: Known) -> Undo:
    """The undo data of a block all of whose ancestors are kept. Raises StorageError if one of them cannot be read.

    Reads as far down as the oldest output that the block spends lies.
    """
    block = chain.block(known.name)
    spent = [item for transaction in block.transactions for item in transaction.body.inputs]
    before = _outputs_before(chain, known)
    found = _find(chain, known, spent, before)
    removed = [(output_key(item.source, item.index), found[item.source, item.index]) for item in spent]
    return Undo((*removed, *_forgotten(chain, known)), before)


def _outputs_before(chain: Chain, known: Known) -> int:
    """Outputs made by all ancestors: by those down to the next one whose own undo data says what was before it."""
    total = 0
    at = known.parent
    while at is not None:
        total += sum(count for _, count, _ in _made(chain, at))
        kept = chain.kept.read_undo(at.name)
        if kept is not None:
            return total + kept.outputs_before
        at = at.parent
    return total


def _made(chain: Chain, known: Known) -> Iterator[tuple[bytes, int, bool]]:
    """What made outputs in a block, in order: its id, how many it made, whether it is the reward."""
    block = chain.block(known.name)
    yield reward_id(chain.network, known.height, block.reward), len(block.reward), True
    for transaction in block.transactions:
        body = transaction.body
        yield chain.ledger.id_of(body), len(body.outputs) + len(body.definitions), False


def _find(chain: Chain, known: Known, spent: list[Input], before: int) -> dict[tuple[bytes, int], bytes]:
    """The state's entries of these outputs, from the block that spends them down."""
    wanted: dict[bytes, list[Input]] = {}
    for item in spent:
        wanted.setdefault(item.source, []).append(item)
    found: dict[tuple[bytes, int], bytes] = {}
    at: Known | None = known
    while wanted and at is not None:
        made = list(_made(chain, at))
        if at is not known:
            before -= sum(count for _, count, _ in made)
        number = before
        for source, count, is_reward in made:
            for item in wanted.pop(source, ()):
                entry = entry_bytes(number + item.index, at.height, is_reward, encode(item.content))
                found[item.source, item.index] = entry
            number += count
        at = at.parent
    if wanted:
        raise StorageError(
            f"the history before block {known.name.hex()} is not what it spends; run 'horoi ledger audit'"
        )
    return found


def _forgotten(chain: Chain, known: Known) -> Iterator[tuple[bytes, bytes]]:
    """Ids without inputs that left their window with this block."""
    height = known.height - INPUTLESS_WINDOW
    if height <= 0:
        return
    at = known
    while at.height > height:
        assert at.parent is not None
        at = at.parent
    bodies = [transaction.body for transaction in chain.block(at.name).transactions]
    ids = [chain.ledger.id_of(body) for body in bodies if not body.inputs]
    if not ids:
        return
    for item in ids:
        yield b"i" + item, height.to_bytes(4, "big")
    yield b"w" + height.to_bytes(4, "big"), b"".join(ids)
