"""The history of transactions, applied in order: from a state and a block to the next state, and back.

``connect`` and ``disconnect`` are the whole state transition. Order is the consensus's business: this module
takes the next block as given and says whether its content may follow.

The form of the state is in state.py, one block on its way into it in step.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from horoi.base.codec import encode
from horoi.base.errors import RuleError
from horoi.base.hashing import tagged
from horoi.ledger.authority import check_witness_form, required
from horoi.ledger.bitfield import CHUNK_BITS, BitField
from horoi.ledger.block import Block, content_leaf, reward_id
from horoi.ledger.consensus.nakamoto.reward import check_reward
from horoi.ledger.genesis import Genesis, network_id
from horoi.ledger.merkle import root_of_leaf_hashes
from horoi.ledger.rules import SignatureTriple, check_body, first_invalid, signature_triples
from horoi.ledger.state import (
    ENTRY_HEAD_SIZE_BYTES,
    INPUTLESS_WINDOW,
    Entries,
    Entry,
    Prepared,
    Undo,
    chunk_key,
    entry_bytes,
    output_key,
    read_entry,
)
from horoi.ledger.step import Step
from horoi.ledger.transaction import (
    MAX_TRANSACTION_SIZE_BYTES,
    Body,
    Holding,
    Input,
    Transaction,
    transaction_hasher,
)

_digest = tagged("horoi/state-digest")

__all__ = [
    "ENTRY_HEAD_SIZE_BYTES",
    "Entries",
    "Entry",
    "INPUTLESS_WINDOW",
    "Ledger",
    "Prepared",
    "Preview",
    "Undo",
    "entry_bytes",
    "output_key",
    "read_entry",
]


class Ledger:
    """The state after the last connected block, and the way forward and back."""

    def __init__(self, genesis: Genesis, entries: Entries, bits: BitField) -> None:
        self.genesis = genesis
        self.network = network_id(genesis)
        self.entries = entries
        self.bits = bits
        self._id_of = transaction_hasher(self.network)
        self._touched_chunks: dict[int, None] = {}

    # ---- rules without history ----------------------------------------------------------------

    def id_of(self, body: Body) -> bytes:
        """The id of a transaction with this body."""
        return self._id_of(encode(body))

    def id_of_bytes(self, body_bytes: bytes) -> bytes:
        """The same, of the encoded body."""
        return self._id_of(body_bytes)

    def prepare(self, transaction: Transaction, body_bytes: bytes | None = None) -> Prepared:
        """Apply every rule that needs neither history nor a signature check. Raises RuleError.

        ``body_bytes``: the encoded body, where the caller has it.
        """
        body = transaction.body
        fee = check_body(body)
        if body_bytes is None:
            body_bytes = encode(body)
        witness = encode(transaction.witness)
        size_bytes = 1 + len(body_bytes) + len(witness)
        if size_bytes > MAX_TRANSACTION_SIZE_BYTES:
            raise RuleError("form.size", f"{size_bytes} bytes, the limit is {MAX_TRANSACTION_SIZE_BYTES}")
        if fee * 1000 < self.genesis.fee_floor * size_bytes:
            raise RuleError(
                "fee.floor", f"a fee of {fee} for {size_bytes} bytes, {self.genesis.fee_floor} per 1000 asked"
            )
        if body.definitions and self.genesis.issuers:
            for definition in body.definitions:
                if definition.issuer not in self.genesis.issuers:
                    raise RuleError("define.issuer", f"{definition.name!r}: the genesis does not admit its issuer")
        need = required(body)
        check_witness_form(need, transaction.witness)
        return Prepared(transaction, self._id_of(body_bytes), size_bytes, witness, need, fee)

    def content_root(self, height: int, reward: Sequence[Holding], prepared: Sequence[Prepared]) -> bytes:
        """The Merkle root over the items of a block, in order (block.py, "leaves")."""
        leaves = [content_leaf(0, reward_id(self.network, height, reward), b"")]
        offset = len(reward)
        for item in prepared:
            leaves.append(content_leaf(offset, item.id, item.witness))
            offset += len(item.transaction.body.outputs) + len(item.transaction.body.definitions)
        return root_of_leaf_hashes(leaves)

    def check_content(self, block: Block, prepared: Sequence[Prepared]) -> None:
        """The content is what the header commits to. Needs no history: whoever sent other content is to blame."""
        root = self.content_root(block.header.height, block.reward, prepared)
        if root != block.header.content_root:
            raise RuleError("block.content", f"the content's root is {root.hex()}, not what the header says")

    # ---- rules with history --------------------------------------------------------------------

    def check_inputless(self, prepared: Prepared, height: int) -> None:
        """A transaction that spends nothing is recent, and not played before."""
        since = prepared.transaction.body.since
        if not since < height <= since + INPUTLESS_WINDOW:
            raise RuleError(
                "inputless.window", f"since {since} it is valid up to {since + INPUTLESS_WINDOW}, not at {height}"
            )
        if self.entries.get(b"i" + prepared.id) is not None:
            raise RuleError("inputless.replay", f"transaction {prepared.id.hex()} is in the ledger already")

    def check_spend(self, spent: Input, value: bytes | None, height: int) -> None:
        """The output exists, is unspent, is what the input says, and is mature. ``value`` is the state's entry."""
        if value is None:
            raise RuleError("spend.unknown", f"output {spent.index} of {spent.source.hex()} does not exist or is spent")
        if value[ENTRY_HEAD_SIZE_BYTES:] != encode(spent.content):
            raise RuleError("spend.content", f"output {spent.index} of {spent.source.hex()} is not what the input says")
        if value[9]:
            entry = read_entry(value)
            ripe = entry.height + self.genesis.consensus.maturity
            if entry.height > 0 and height < ripe:
                raise RuleError("spend.immature", f"the reward of block {entry.height} may be spent from height {ripe}")

    # ---- forward and back ----------------------------------------------------------------------

    def connect(self, block: Block, prepared: Sequence[Prepared], median_time_ms: int) -> Undo:
        """Apply the content of ``block``, which passed ``check_content`` and whose signatures are verified, to the state.

        ``median_time_ms``: median time past of its parent. Raises RuleError and then leaves the state as it was.
        """
        step = Step(self, block.header.height, median_time_ms)
        try:
            step.reward(block.reward)
            for item in prepared:
                step.transaction(item)
            if block.header.height > 0:  # the first block's are the grants that everybody agreed on
                check_reward(self.genesis.consensus, block.header.height, block.reward, step.fees)
            step.finish()
            if self.bits.root() != block.header.state_root:
                raise RuleError(
                    "block.state", f"the state's root is {self.bits.root().hex()}, not what the header says"
                )
        except Exception:  # a store that fails half-way is no reason to leave half a block behind
            step.take_back()
            raise
        return Undo(tuple(step.removed), step.outputs_before)

    def connect_unverified(self, block: Block, median_time_ms: int) -> Undo:
        """``connect``, verifying every signature first: the plain definition, on one core."""
        prepared = [self.prepare(transaction) for transaction in block.transactions]
        self.check_content(block, prepared)
        for item in prepared:
            if first_invalid(self.triples(item)) >= 0:
                raise RuleError("witness.signature", f"a signature of transaction {item.id.hex()} is not valid")
        return self.connect(block, prepared, median_time_ms)

    def triples(self, item: Prepared) -> list[SignatureTriple]:
        """The signature checks of a prepared transaction."""
        return signature_triples(item.id, item.transaction.witness)

    def disconnect(self, block: Block, prepared: Sequence[Prepared], undo: Undo) -> None:
        """Restore the state before ``block``, which was the last connected."""
        height = block.header.height
        for item in prepared:
            for index in range(len(item.transaction.body.outputs) + len(item.transaction.body.definitions)):
                self.entries.delete(output_key(item.id, index))
            if not item.transaction.body.inputs:
                self.entries.delete(b"i" + item.id)
        reward = reward_id(self.network, height, block.reward)
        for index in range(len(block.reward)):
            self.entries.delete(output_key(reward, index))
        self.entries.delete(b"w" + height.to_bytes(4, "big"))
        restored = []
        for key, value in undo.removed:
            # What this same block had made and spent existed neither before it nor after it.
            if key[:1] != b"o":
                self.entries.put(key, value)
            elif (number := int.from_bytes(value[:5], "big")) < undo.outputs_before:
                self.entries.put(key, value)
                restored.append(number)
        self.touch_from(undo.outputs_before)
        self.bits.truncate(undo.outputs_before)
        self.bits.restore(restored)
        self.touch(restored)

    def preview(
        self, height: int, reward: Sequence[Holding], prepared: Sequence[Prepared], median_time_ms: int
    ) -> Preview:
        """The roots that a header over this content must commit to; leaves the state as it was (for miners)."""
        step = Step(self, height, median_time_ms)
        try:
            step.reward(reward)
            for item in prepared:
                step.transaction(item)
            step.finish()
            return Preview(self.content_root(height, reward, prepared), self.bits.root(), step.fees)
        finally:
            step.take_back()

    def digest(self, tip: bytes) -> bytes:
        """What two nodes have in common exactly if their ledgers stand after the block ``tip`` in the same state.

        The tip fixes the history, and with it the content of every output ever made; the bitfield, read from the node's own
        state and not from the header, says which of them are unspent.
        """
        return _digest(self.network + tip + self.bits.root())

    # ---- keeping ------------------------------------------------------------------------------

    def changed_chunks(self) -> dict[bytes, bytes | None]:
        """The bitfield's chunks that changed since the last call, as entries to be flushed with the others."""
        changes: dict[bytes, bytes | None] = {}
        for index in sorted(self._touched_chunks):
            changes[chunk_key(index)] = self.bits.chunk(index) if index < self.bits.chunks() else None
        self._touched_chunks.clear()
        return changes

    def touch(self, numbers: Sequence[int]) -> None:
        for number in numbers:
            self._touched_chunks[number // CHUNK_BITS] = None

    def touch_from(self, number: int) -> None:
        """Every chunk from that of output ``number`` to the last: to be called while the bitfield is at its longest."""
        for index in range(number // CHUNK_BITS, self.bits.chunks()):
            self._touched_chunks[index] = None


class Preview(NamedTuple):
    """What a miner puts into a header."""

    content_root: bytes
    state_root: bytes
    fees: int
