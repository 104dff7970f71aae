"""Makes proofs (ledger/proof/) out of what a node keeps: blocks, the bits, and the checkpoint that witnesses signed.

Bits are proven as of a block that lies ``SETTLED`` deep, because a header alone costs a liar one block's work; the bitfield
of that block is the tip's, with the blocks after it taken back in a copy.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from horoi.base.codec import Codec, encode
from horoi.base.errors import NotFoundError, StorageError, UsageError
from horoi.ledger.bitfield import CHUNK_BITS, BitField
from horoi.ledger.block import Block, content_leaf, reward_id
from horoi.ledger.checkpoint import Note
from horoi.ledger.header_log import HeaderLog
from horoi.ledger.ledger import output_key, read_entry
from horoi.ledger.merkle import next_level
from horoi.ledger.proof.form import (
    FORMAT,
    MAX_HEADERS,
    MAX_RECORDS,
    MAX_REWARD_SIZE_BYTES,
    Anchor,
    Before,
    ChunkPart,
    Claim,
    OutputPart,
    Proof,
    RecordPart,
    Rung,
    Unspent,
)
from horoi.ledger.transaction import MAX_TRANSACTION_SIZE_BYTES, Output, asset_id
from horoi.node.chain import Chain
from horoi.node.index.index import Index
from horoi.node.records import opening_key, read_opening

SETTLED = 6  # blocks above the one whose bits are shown (Nakamoto 2008, section 11: a tenth of the power catches up 1 in 4,000)
DEFAULT_DEPTH = 100  # headers above a record; a guess between size (25 kB) and work
MAX_KEPT_BLOCKS = 2  # decoded, of one proof; records stand in order of blocks
output_codec: Codec[Output] = Codec(Output, max_size_bytes=MAX_TRANSACTION_SIZE_BYTES)

REWARD = -1
"""The position of a block's reward among its items."""


class Witnessed(NamedTuple):
    """A cosigned checkpoint of this node's chain: the note as read, as text, and the keys of its signatures in order."""

    note: Note
    text: str
    keys: tuple[str, ...]


class _Made(NamedTuple):
    """A record, the output of it that is to be shown unspent if any, and its position in the block."""

    height: int
    position: int
    output: int | None


class _Content(NamedTuple):
    """A block, the levels of its Merkle tree from the leaves up, and the number of each leaf's first output within the block."""

    block: Block
    levels: list[list[bytes]]
    firsts: list[int]


class Prover:
    """Makes proofs. ``depth``: headers above each record; with ``whole``, all headers from the first block on."""

    def __init__(
        self,
        chain: Chain,
        index: Index,
        log: HeaderLog,
        witnessed: Witnessed | None = None,
        *,
        depth: int = DEFAULT_DEPTH,
        whole: bool = False,
    ) -> None:
        self.chain = chain
        self.index = index
        self.log = log
        self.depth = depth
        self.whole = whole
        self.witnessed = witnessed
        self._kept: dict[int, _Content] = {}
        self._firsts: dict[tuple[int, int], int] = {}
        """Of each record in the proof, the number of its first output within its block."""

    # ---- what may be proven ---------------------------------------------------------------------------------

    def transaction(self, item: bytes) -> Proof:
        """That a transaction was recorded."""
        return self._proof(Claim("transaction", item.hex(), 0), [self._place(item, None)])

    def post(self, item: bytes, number: int) -> Proof:
        """That a line was put on the board."""
        made = self._place(item, None)
        posts = self._content(made.height).block.transactions[made.position].body.posts
        if number >= len(posts):
            raise NotFoundError(f"transaction {item.hex()} has {len(posts)} posts, there is no post {number}")
        return self._proof(Claim("post", item.hex(), number), [made])

    def document(self, digest: bytes) -> Proof:
        """That a document's hash was put on the board: the first time."""
        for item in self.index.posts_about_document(digest, 1):
            made = self._place(item, None)
            posts = self._content(made.height).block.transactions[made.position].body.posts
            number = next(n for n, post in enumerate(posts) if post.document == digest)
            return self._proof(Claim("document", digest.hex(), number), [made])
        raise NotFoundError(f"no post names the document {digest.hex()}")

    def asset(self, asset: bytes, owner: bytes | None = None) -> Proof:
        """That an asset was defined, and that what there is of it (of ``owner``'s, if given) is unspent."""
        record = self.index.asset(asset)
        if record is None:
            raise NotFoundError(f"no asset {asset.hex()} is defined in the connected chain")
        defined = self._place(record.transaction, None)
        body = self._content(defined.height).block.transactions[defined.position].body
        number = next(n for n in range(len(body.definitions)) if asset_id(record.transaction, n) == asset)
        held = [self._place(source, index) for source, index in self._points(asset, owner)]
        if len(held) >= MAX_RECORDS:
            raise UsageError(f"over {MAX_RECORDS - 1} unspent holdings, more than one proof takes: name an owner")
        return self._proof(Claim("asset", asset.hex(), number), [defined, *sorted(held)])

    def holding(self, source: bytes, index: int) -> Proof:
        """That an output was made, and is unspent."""
        return self._proof(Claim("holding", source.hex(), index), [self._place(source, index)])

    def _points(self, asset: bytes, owner: bytes | None) -> list[tuple[bytes, int]]:
        """Unspent outputs of an asset; with ``owner`` those that name this key. One more than a proof takes, at most."""
        if owner is None:
            return list(self.index.outputs_of_asset(asset, MAX_RECORDS))
        found = []
        for source, index, _ in self.index.outputs_of(owner):
            value = self.chain.ledger.entries.get(output_key(source, index))
            if value is not None and output_codec.decode(read_entry(value).content).asset == asset:
                found.append((source, index))
        return found[:MAX_RECORDS]

    # ---- where things are -----------------------------------------------------------------------------------

    def _place(self, item: bytes, output: int | None) -> _Made:
        found = self.index.transaction_place(item)
        if found is not None:
            return _Made(found.height, found.position, output)
        value = self.chain.ledger.entries.get(output_key(item, output)) if output is not None else None
        if value is None:
            raise NotFoundError(
                f"{item.hex()} is not in the connected chain: wait until it is confirmed, or ask elsewhere"
            )
        return _Made(read_entry(value).height, REWARD, output)

    def _content(self, height: int) -> _Content:
        """A block and its tree, made once for all records that stand in it; the last few are kept."""
        if height not in self._kept:
            while len(self._kept) >= MAX_KEPT_BLOCKS:
                del self._kept[next(iter(self._kept))]
            self._kept[height] = self._read(height)
        return self._kept[height]

    # ---- the parts ------------------------------------------------------------------------------------------

    def _proof(self, claim: Claim, made: Sequence[_Made]) -> Proof:
        shown = [one for one in made if one.output is not None]
        as_of = self._as_of(shown) if shown else None
        order = _each_once(made)
        records = tuple(self._record(one, with_before=one in shown) for one in _representatives(made, order))
        needed = sorted({*(one.height for one in made), *([as_of] if as_of is not None else [])})
        wanted = [(max(one.height - 1, 0), one.height) for one in shown] + [(height, height) for height in needed]
        unspent = self._unspent(shown, order, as_of) if as_of is not None else None
        anchored = self.witnessed is not None and needed[-1] < self.witnessed.note.checkpoint.size
        spans = self._spans(sorted(wanted))
        active = self.chain.active
        headers = tuple(tuple(encode(k.header).hex() for k in active[start:stop]) for start, stop in spans)
        tip = active[spans[-1][1] - 1].name.hex()
        anchor = self._anchor(spans) if anchored else None
        return Proof(FORMAT, self.chain.network.hex(), claim, records, unspent, headers, tip, anchor)

    def _as_of(self, shown: Sequence[_Made]) -> int:
        """The block whose bits are shown: settled, and not before any of the outputs was made."""
        newest = max(one.height for one in shown)
        settled = self.chain.tip.height - SETTLED
        if self.witnessed is not None and newest < self.witnessed.note.checkpoint.size:
            settled = min(settled, self.witnessed.note.checkpoint.size - 1)
        return max(newest, settled)

    def _record(self, made: _Made, *, with_before: bool) -> RecordPart:
        block, levels, firsts = self._content(made.height)
        at = made.position + 1
        self._firsts[made.height, made.position] = firsts[at]
        transaction = encode(block.transactions[made.position]).hex() if made.position != REWARD else None
        reward = encode(block.reward).hex() if made.position == REWARD else None
        if reward is not None and len(reward) > 2 * MAX_REWARD_SIZE_BYTES:
            raise UsageError(
                "the genesis has more grants than a proof takes: move the grant, then prove the new holding"
            )
        before = self._before(made.height) if with_before and made.height > 0 else None
        return RecordPart(made.height, transaction, reward, firsts[at], sided_path(levels, at), before)

    def _read(self, height: int) -> _Content:
        ledger, block = self.chain.ledger, self.chain.block(self.chain.active[height].name)
        leaves = [content_leaf(0, reward_id(self.chain.network, height, block.reward), b"")]
        firsts, first = [0], len(block.reward)
        for transaction in block.transactions:
            leaves.append(content_leaf(first, ledger.id_of(transaction.body), encode(transaction.witness)))
            firsts.append(first)
            first += len(transaction.body.outputs) + len(transaction.body.definitions)
        levels = [leaves]
        while len(levels[-1]) > 1:
            levels.append(next_level(levels[-1]))
        return _Content(block, levels, firsts)

    def _before(self, height: int) -> Before:
        count, chunks_root = self._opening(height - 1)
        return Before(count, chunks_root.hex())

    def _opening(self, height: int) -> tuple[int, bytes]:
        value = self.chain.state.get(opening_key(height))
        if value is None:
            raise StorageError(
                "this node's state is of an earlier version and lacks what proofs need: horoi ledger rebuild"
            )
        return read_opening(value)

    def _unspent(self, shown: Sequence[_Made], order: dict[tuple[int, int], int], as_of: int) -> Unspent:
        bits = bits_after(self.chain, as_of)
        outputs, numbers = [], []
        for one in shown:
            assert one.output is not None
            before = self._opening(one.height - 1)[0] if one.height else 0
            number = before + self._firsts[one.height, one.position] + one.output
            if number >= bits.count or not bits[number]:
                raise NotFoundError(f"output {one.output} made in block {one.height} is spent as of block {as_of}")
            outputs.append(OutputPart(order[one.height, one.position], one.output))
            numbers.append(number)
        chunks = []
        for chunk in sorted({number // CHUNK_BITS for number in numbers}):
            data, path = bits.prove(chunk * CHUNK_BITS)
            chunks.append(ChunkPart(chunk, data.hex(), tuple(step.hex() for step in path)))
        count, root = bits.opening()
        return Unspent(as_of, count, root.hex(), tuple(outputs), tuple(chunks))

    def _spans(self, wanted: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
        """(first height, height after the last) of each run of headers, joined where they meet.

        ``wanted``: the first header, and the one that ``depth`` more are to follow.
        """
        end = self.chain.tip.height + 1
        if self.whole:
            if end > MAX_HEADERS:
                raise UsageError(f"{end} headers, a proof has at most {MAX_HEADERS}: leave out --whole")
            return [(min(1, *(start for start, _ in wanted)), end)]
        depth = self.depth
        while True:
            spans: list[tuple[int, int]] = []
            for start, height in wanted:
                stop = min(end, height + 1 + depth)
                if spans and start <= spans[-1][1]:
                    spans[-1] = (spans[-1][0], max(spans[-1][1], stop))
                else:
                    spans.append((start, stop))
            if sum(stop - start for start, stop in spans) <= MAX_HEADERS:
                return spans
            depth //= 2

    def _anchor(self, spans: Sequence[tuple[int, int]]) -> Anchor:
        assert self.witnessed is not None
        size = self.witnessed.note.checkpoint.size
        rungs = []
        for _, stop in spans:
            height = min(stop, size) - 1
            rungs.append(Rung(height, tuple(step.hex() for step in self.log.path(height, size))))
        return Anchor(self.witnessed.text, self.witnessed.keys, tuple(rungs))


def _each_once(made: Sequence[_Made]) -> dict[tuple[int, int], int]:
    """Each record's number in the file: the claim's first, the others by place."""
    order: dict[tuple[int, int], int] = {}
    for one in made:
        order.setdefault((one.height, one.position), len(order))
    return order


def _representatives(made: Sequence[_Made], order: dict[tuple[int, int], int]) -> list[_Made]:
    """One of each record; one with an output to show if there is any."""
    found: dict[tuple[int, int], _Made] = {}
    for one in made:
        place = (one.height, one.position)
        if place not in found or found[place].output is None:
            found[place] = one
    return [found[place] for place in order]


def sided_path(levels: Sequence[Sequence[bytes]], index: int) -> tuple[str, ...]:
    """The path of a leaf through a tree's levels, each step with the side on which the sibling stands."""
    path = []
    for level in levels[:-1]:
        sibling = index ^ 1
        if sibling < len(level):
            path.append(("L" if index & 1 else "R") + level[sibling].hex())
        index >>= 1
    return tuple(path)


def bits_after(chain: Chain, height: int) -> BitField:
    """The bitfield as it was after the connected block of this height."""
    bits = chain.ledger.bits.copy()
    for at in range(chain.tip.height, height, -1):
        undo = chain.read_undo(chain.active[at].name)
        bits.truncate(undo.outputs_before)
        numbers = (int.from_bytes(value[:5], "big") for key, value in undo.removed if key[:1] == b"o")
        bits.restore(number for number in numbers if number < undo.outputs_before)
    return bits
