"""The history of transactions, applied in order: from a state and a block to the next state, and back.

``connect`` and ``disconnect`` are the whole state transition. Order is the consensus's business: this module
takes the next block as given and says whether its content may follow.

State, all of it in one sorted store:

    o || outpoint (34 bytes)   an unspent output: number (5 bytes), height (4), 1 if a reward (1), encoded content
    i || transaction id        an inputless transaction of the last INPUTLESS_WINDOW blocks
    w || height (4 bytes)      the ids of the inputless transactions of that block, to forget them in time
    b || chunk number          the bitfield's chunks
    m                          the marker: which block this is the state after

Inputless: a transaction that spends nothing (a post, a definition) has no outpoint that could stop it from being played
twice. It names in ``since`` a recent height, is valid for INPUTLESS_WINDOW blocks after it, and the ledger remembers
its id that long.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from horoi.base.codec import Record, encode
from horoi.base.errors import RuleError
from horoi.base.hashing import tagged
from horoi.ledger.authority import Required, check_agreement, check_witness_form, required
from horoi.ledger.bitfield import CHUNK_BITS, BitField
from horoi.ledger.block import Block, content_leaf, reward_id
from horoi.ledger.consensus.nakamoto.reward import check_reward
from horoi.ledger.genesis import Genesis, network_id
from horoi.ledger.merkle import root_of_leaf_hashes
from horoi.ledger.rules import SignatureTriple, check_body, first_invalid, signature_triples
from horoi.ledger.transaction import (
    MAX_TRANSACTION_SIZE_BYTES,
    Body,
    Holding,
    Input,
    Output,
    Transaction,
    outputs_made,
    transaction_hasher,
)

_digest = tagged("horoi/state-digest")

INPUTLESS_WINDOW = 1_000  # blocks; a guess: long enough to collect signatures, short enough to remember


class Entries(Protocol):
    """Where the state is kept: a store with a write-back cache in front (or a plain dict in a test)."""

    def get(self, key: bytes) -> bytes | None: ...

    def put(self, key: bytes, value: bytes) -> None: ...

    def delete(self, key: bytes) -> None:
        """Deleting what is not there is nothing."""


class Prepared(NamedTuple):
    """A transaction after the rules that need no history."""

    transaction: Transaction
    id: bytes
    size_bytes: int
    witness: bytes
    """Encoded."""
    need: Required
    fee: int


class Undo(Record, frozen=True):
    """What ``disconnect`` needs to restore the state before a block: the entries that the block removed."""

    removed: tuple[tuple[bytes, bytes], ...]
    outputs_before: int


class Entry(NamedTuple):
    """An unspent output as the state keeps it."""

    number: int
    height: int
    is_reward: bool
    content: bytes


ENTRY_HEAD_SIZE_BYTES = 10


def entry_bytes(number: int, height: int, is_reward: bool, content: bytes) -> bytes:
    """The value under an outpoint."""
    return number.to_bytes(5, "big") + height.to_bytes(4, "big") + (b"\x01" if is_reward else b"\x00") + content


def read_entry(value: bytes) -> Entry:
    """The reverse of ``entry_bytes``."""
    head = ENTRY_HEAD_SIZE_BYTES
    return Entry(int.from_bytes(value[:5], "big"), int.from_bytes(value[5:9], "big"), value[9] == 1, value[head:])


def output_key(source: bytes, index: int) -> bytes:
    """The state's key of an output."""
    return b"o" + source + index.to_bytes(2, "big")


def _chunk_key(index: int) -> bytes:
    return b"b" + index.to_bytes(6, "big")


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
        step = _Step(self, block.header.height, median_time_ms)
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
        self._touch_from(undo.outputs_before)
        self.bits.truncate(undo.outputs_before)
        self.bits.restore(restored)
        self._touch(restored)

    def preview(
        self, height: int, reward: Sequence[Holding], prepared: Sequence[Prepared], median_time_ms: int
    ) -> Preview:
        """The roots that a header over this content must commit to; leaves the state as it was (for miners)."""
        step = _Step(self, height, median_time_ms)
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
            changes[_chunk_key(index)] = self.bits.chunk(index) if index < self.bits.chunks() else None
        self._touched_chunks.clear()
        return changes

    def _touch(self, numbers: Sequence[int]) -> None:
        for number in numbers:
            self._touched_chunks[number // CHUNK_BITS] = None

    def _touch_from(self, number: int) -> None:
        """Every chunk from that of output ``number`` to the last: to be called while the bitfield is at its longest."""
        for index in range(number // CHUNK_BITS, self.bits.chunks()):
            self._touched_chunks[index] = None


class Preview(NamedTuple):
    """What a miner puts into a header."""

    content_root: bytes
    state_root: bytes
    fees: int


class _Step:
    """One block on its way into the state; can be taken back at any point."""

    def __init__(self, ledger: Ledger, height: int, median_time_ms: int) -> None:
        self.ledger = ledger
        self.entries = ledger.entries
        self.height = height
        self.median_time_ms = median_time_ms
        self.outputs_before = ledger.bits.count
        self.next_output = ledger.bits.count
        self.removed: list[tuple[bytes, bytes]] = []
        self.added: list[bytes] = []
        self.spent: list[int] = []
        self.inputless: list[bytes] = []
        self.fees = 0
        self._bits_applied = False

    def reward(self, reward: Sequence[Holding]) -> None:
        item = reward_id(self.ledger.network, self.height, reward)
        self._make(item, reward, is_reward=True)

    def transaction(self, item: Prepared) -> None:
        body = item.transaction.body
        check_agreement(item.need, item.transaction.witness, self.height, self.median_time_ms)
        if body.inputs:
            for spent in body.inputs:
                self._spend(spent)
        else:
            self.ledger.check_inputless(item, self.height)
            self._put(b"i" + item.id, self.height.to_bytes(4, "big"))
            self.inputless.append(item.id)
        self._make(item.id, outputs_made(item.id, body), is_reward=False)
        self.fees += item.fee

    def finish(self) -> None:
        """Remember the inputless, forget those that left their window, turn the bits."""
        if self.inputless:
            self._put(b"w" + self.height.to_bytes(4, "big"), b"".join(self.inputless))
        if self.height > INPUTLESS_WINDOW:
            old = b"w" + (self.height - INPUTLESS_WINDOW).to_bytes(4, "big")
            ids = self.entries.get(old)
            if ids is not None:
                for start in range(0, len(ids), 32):
                    self._remove(b"i" + ids[start : start + 32])
                self._remove(old)
        bits = self.ledger.bits
        bits.append(self.next_output - self.outputs_before)
        bits.spend(self.spent)
        self._bits_applied = True
        self.ledger._touch(self.spent)
        self.ledger._touch_from(self.outputs_before)

    def take_back(self) -> None:
        """Leave the state as it was before the step."""
        for key in self.added:
            self.entries.delete(key)
        added = dict.fromkeys(self.added)
        for key, value in self.removed:
            if key not in added:
                self.entries.put(key, value)
        if self._bits_applied:
            self.ledger.bits.truncate(self.outputs_before)
            self.ledger.bits.restore(number for number in self.spent if number < self.outputs_before)

    def _make(self, item: bytes, outputs: Sequence[Output], *, is_reward: bool) -> None:
        head = self.height.to_bytes(4, "big") + (b"\x01" if is_reward else b"\x00")
        number = self.next_output
        prefix = b"o" + item
        put, added = self.entries.put, self.added
        for index, made in enumerate(outputs):
            key = prefix + index.to_bytes(2, "big")
            put(key, number.to_bytes(5, "big") + head + encode(made))
            added.append(key)
            number += 1
        self.next_output = number

    def _spend(self, spent: Input) -> None:
        key = b"o" + spent.source + spent.index.to_bytes(2, "big")
        value = self.entries.get(key)
        self.ledger.check_spend(spent, value, self.height)
        assert value is not None
        self.entries.delete(key)
        self.removed.append((key, value))
        self.spent.append(int.from_bytes(value[:5], "big"))

    def _put(self, key: bytes, value: bytes) -> None:
        self.entries.put(key, value)
        self.added.append(key)

    def _remove(self, key: bytes) -> None:
        value = self.entries.get(key)
        if value is None:
            raise RuleError("state.damaged", f"entry {key.hex()} is missing from the state: rebuild it from the log")
        self.entries.delete(key)
        self.removed.append((key, value))
