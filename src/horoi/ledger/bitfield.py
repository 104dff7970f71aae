"""One bit per output ever made, in order of creation: 1 while unspent (TXO bitfields, Bram Cohen 2017).

The header of every block commits to the state by the Merkle root over fixed chunks of these bits, and to their number. To
show that something is owned *now* takes its inclusion in its block, which never goes stale, and its bit. A block costs the
hashing of the chunks it touched. A thousand million outputs are 125 MB.

Invariant: bits at and above ``count`` are 0, and ``levels`` is the Merkle tree (RFC 9162) over all chunks but those in
``_dirty``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from horoi.base.hashing import tagged
from horoi.ledger.merkle import EMPTY_ROOT, inclusion_path, leaf_hash, node_hash, verify_inclusion

CHUNK_SIZE_BYTES = 256  # tried: 0.4 us per transaction at 10^6 outputs, 3.3 at 10^8 (DESIGN section 4)
CHUNK_BITS = CHUNK_SIZE_BYTES * 8

_state_hash = tagged("horoi/bitfield")


def state_root(count: int, chunks_root: bytes) -> bytes:
    """What a header commits to: the number of bits and the Merkle root over their chunks."""
    return _state_hash(count.to_bytes(8, "big") + chunks_root)


class BitField:
    """The bits, with their Merkle tree kept up to date lazily."""

    def __init__(self, chunks: Sequence[bytes] = (), count: int = 0) -> None:
        needed = -(-count // CHUNK_BITS)
        if len(chunks) != needed or any(len(chunk) != CHUNK_SIZE_BYTES for chunk in chunks):
            raise ValueError(f"{count} bits take {needed} chunks of {CHUNK_SIZE_BYTES} bytes, {len(chunks)} were given")
        self.count = count
        self._bits = bytearray().join(chunks)
        self._dirty: dict[int, None] = dict.fromkeys(range(needed))
        self._levels: list[list[bytes]] = [[]]

    def __getitem__(self, number: int) -> bool:
        """True while output ``number`` is unspent."""
        if not 0 <= number < self.count:
            raise IndexError(f"output {number} of {self.count}")
        return bool(self._bits[number >> 3] & 1 << (number & 7))

    def append(self, how_many: int) -> int:
        """Add that many unspent outputs; return the number of the first."""
        first = self.count
        self.count += how_many
        chunks = -(-self.count // CHUNK_BITS)
        self._bits.extend(bytes(chunks * CHUNK_SIZE_BYTES - len(self._bits)))
        for number in range(first, self.count):
            self._bits[number >> 3] |= 1 << (number & 7)
        for chunk in range(first // CHUNK_BITS, chunks):
            self._dirty[chunk] = None
        return first

    def truncate(self, count: int) -> None:
        """Take back the outputs from ``count`` on (undo)."""
        for number in range(count, self.count):
            self._bits[number >> 3] &= ~(1 << (number & 7))
        chunks = -(-count // CHUNK_BITS)
        del self._bits[chunks * CHUNK_SIZE_BYTES :]
        self.count = count
        self._dirty = {chunk: None for chunk in self._dirty if chunk < chunks}
        if count % CHUNK_BITS:
            self._dirty[chunks - 1] = None

    def spend(self, numbers: Iterable[int]) -> None:
        """Clear bits."""
        bits, dirty = self._bits, self._dirty
        for number in numbers:
            bits[number >> 3] &= ~(1 << (number & 7))
            dirty[number // CHUNK_BITS] = None

    def restore(self, numbers: Iterable[int]) -> None:
        """Set bits again (undo)."""
        bits, dirty = self._bits, self._dirty
        for number in numbers:
            bits[number >> 3] |= 1 << (number & 7)
            dirty[number // CHUNK_BITS] = None

    def chunk(self, index: int) -> bytes:
        """The bytes of one chunk."""
        return bytes(self._bits[index * CHUNK_SIZE_BYTES : (index + 1) * CHUNK_SIZE_BYTES])

    def chunks(self) -> int:
        """How many chunks there are."""
        return len(self._bits) // CHUNK_SIZE_BYTES

    def root(self) -> bytes:
        """The state root, after rehashing what changed since the last call."""
        return state_root(*self.opening())

    def opening(self) -> tuple[int, bytes]:
        """What the state root commits to: the number of bits, and the Merkle root over their chunks."""
        self._rehash()
        return self.count, self._levels[-1][0] if self._levels[0] else EMPTY_ROOT

    def copy(self) -> BitField:
        """The same bits, apart."""
        return BitField([self.chunk(index) for index in range(self.chunks())], self.count)

    def prove(self, number: int) -> tuple[bytes, list[bytes]]:
        """The chunk that holds bit ``number``, and its inclusion path under the chunks' root."""
        self._rehash()
        index = number // CHUNK_BITS
        return self.chunk(index), inclusion_path(self._levels[0], index)

    def _rehash(self) -> None:
        """Bring the tree up to date: leaves of dirty chunks, then the nodes above them, level by level."""
        leaves = self._levels[0]
        size = self.chunks()
        if not self._dirty and len(leaves) == size:
            return
        del leaves[size:]
        changed = sorted(self._dirty)
        self._dirty.clear()
        for index in changed:
            fresh = leaf_hash(self.chunk(index))
            if index < len(leaves):
                leaves[index] = fresh
            else:
                leaves.append(fresh)
        self._rehash_nodes(changed)

    def _rehash_nodes(self, changed: list[int]) -> None:
        depth = 0
        while len(self._levels[depth]) > 1:
            below = self._levels[depth]
            if len(self._levels) == depth + 1:
                self._levels.append([])
            above = self._levels[depth + 1]
            width = -(-len(below) // 2)
            del above[width:]
            # The last node is always redone: it may have been promoted before and be paired now, or the reverse.
            parents = dict.fromkeys([*(index >> 1 for index in changed), *range(len(above), width), width - 1])
            for index in sorted(parents):
                pair = below[2 * index : 2 * index + 2]
                fresh = node_hash(pair[0], pair[1]) if len(pair) == 2 else pair[0]
                if index < len(above):
                    above[index] = fresh
                else:
                    above.append(fresh)
            changed = sorted(parents)
            depth += 1
        del self._levels[depth + 1 :]


def verify_unspent(number: int, count: int, chunk: bytes, path: Sequence[bytes], chunks_root: bytes) -> bool:
    """True if bit ``number`` of ``count`` is 1 in ``chunk``, and ``path`` leads from the chunk to ``chunks_root``."""
    if not 0 <= number < count or len(chunk) != CHUNK_SIZE_BYTES:
        return False
    if not chunk[number % CHUNK_BITS >> 3] & 1 << (number & 7):
        return False
    size = -(-count // CHUNK_BITS)
    return verify_inclusion(leaf_hash(chunk), number // CHUNK_BITS, size, path, chunks_root)
