"""A record in its block: what was recorded, who signed it, and that the header commits to both.

A leaf of the content tree is the number of the record's first output, its id and its witness (block.py), so the path holds
the signatures too. Signatures are checked over the id, which hashes the network's id: nothing of another ledger passes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from horoi.base.codec import Codec, encode
from horoi.base.errors import DecodeError, RuleError
from horoi.base.keys import verify
from horoi.ledger.authority import check_agreement
from horoi.ledger.block import content_leaf, reward_id
from horoi.ledger.merkle import node_hash
from horoi.ledger.proof.form import MAX_REWARD_SIZE_BYTES, ProofError, RecordPart
from horoi.ledger.proof.run import Run, run_with
from horoi.ledger.rules import check_transaction
from horoi.ledger.transaction import Holding, Output, Transaction, outputs_made, transaction_codec, transaction_id

_reward_codec: Codec[tuple[Holding, ...]] = Codec(tuple[Holding, ...], max_size_bytes=MAX_REWARD_SIZE_BYTES)


class Item(NamedTuple):
    """A record whose place in its block is shown. ``transaction`` is None for a reward."""

    id: bytes
    height: int
    block: bytes
    time_ms: int
    first_output: int
    transaction: Transaction | None
    outputs: tuple[Output, ...]

    @property
    def signers(self) -> tuple[bytes, ...]:
        """The keys whose signatures were checked."""
        return tuple(s.key for s in self.transaction.witness.signatures) if self.transaction is not None else ()


def check_record(part: RecordPart, network: bytes, runs: Sequence[Run]) -> Item:
    """Follow a record to its header; ProofError names what does not hold."""
    run = run_with(runs, part.height, "header of the record")
    header = run.at(part.height)
    assert header is not None
    if (part.transaction is None) == (part.reward is None):
        raise ProofError("form", "a record is a transaction or a reward, not both or neither")
    if part.transaction is not None:
        transaction, item_id, witness = _read_transaction(part.transaction, network)
        outputs = outputs_made(item_id, transaction.body)
    else:
        reward = _decode(_reward_codec, part.reward or "", "reward")
        transaction, item_id, witness, outputs = None, reward_id(network, part.height, reward), b"", reward
    root = climb(content_leaf(part.first_output, item_id, witness), part.path)
    if root != header.content_root:
        raise ProofError("merkle path", f"it leads from {item_id.hex()} to {root.hex()}, not to block {part.height}")
    if transaction is not None:
        _check_agreement(transaction, item_id, part.height, header.time_ms)
    name = run.name_at(part.height)
    return Item(item_id, part.height, name, header.time_ms, part.first_output, transaction, outputs)


def climb(leaf: bytes, path: Sequence[str]) -> bytes:
    """The root that a path of sided steps leads to."""
    at = leaf
    for step in path:
        sibling = bytes.fromhex(step[1:])
        at = node_hash(sibling, at) if step[0] == "L" else node_hash(at, sibling)
    return at


def _read_transaction(text: str, network: bytes) -> tuple[Transaction, bytes, bytes]:
    transaction: Transaction = _decode(transaction_codec, text, "transaction")
    return transaction, transaction_id(network, transaction.body), encode(transaction.witness)


def _decode(codec: Codec[Any], text: str, what: str) -> Any:
    try:
        return codec.decode(bytes.fromhex(text))
    except (DecodeError, ValueError) as error:
        raise ProofError(what, str(error)) from None


def _check_agreement(transaction: Transaction, item_id: bytes, height: int, time_ms: int) -> None:
    """Everybody agreed who must have. A block's own time stands for the median before it, which it is always after."""
    for signature in transaction.witness.signatures:
        if not verify(signature.key, item_id, signature.signature):
            raise ProofError(f"signature of {signature.key.hex()}", f"is not valid over {item_id.hex()}")
    try:
        checked = check_transaction(transaction)
        check_agreement(checked.need, transaction.witness, height, time_ms)
    except RuleError as error:
        raise ProofError("rules of the ledger", str(error)) from None
