"""Blocks: the blockchain data structure, storing and ordering transactions.

A header holds a *hash reference* to its parent (it breaks when the parent changes), commits to its content by a Merkle
root and to the state after it by the bitfield's root, and solves a *hash puzzle* (consensus/nakamoto/puzzle.py).

Leaves of the content tree, in order: the reward, then the transactions. A leaf is

    number of the first output within the block (8 bytes) || id (32 bytes) || encoded witness (for the reward: nothing)

so a path shows what was recorded, who signed it, and, with the number of bits that the parent's state root commits to, which
bit of the bitfield is whose. The root is a function of the block alone: content swapped under a header shows at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, TypeAlias

from msgspec import Meta

from horoi.base.codec import Codec, Record, encode
from horoi.base.hashing import ZERO_HASH, tagged
from horoi.ledger.bitfield import BitField
from horoi.ledger.conditions import Hash
from horoi.ledger.genesis import MAX_BLOCK_SIZE_BYTES, MAX_GRANTS, Genesis, network_id
from horoi.ledger.merkle import leaf_hash, root_of_leaf_hashes
from horoi.ledger.transaction import Height, Holding, Transaction

MAX_BLOCK_TRANSACTIONS = MAX_BLOCK_SIZE_BYTES // 100
HEADER_MAX_SIZE_BYTES = 160

Milliseconds: TypeAlias = Annotated[int, Meta(ge=0, le=2**53)]


class Header(Record, frozen=True):
    """A block's header. Its hash is the block's name. The nonce stands last, so a search hashes what precedes it once."""

    height: Height
    parent: Hash
    content_root: Hash
    state_root: Hash
    time_ms: Milliseconds
    """When the miner says it was made: ms since 1970."""
    target: Annotated[int, Meta(ge=0, le=2**32 - 1)]
    """Compact form: the hash, as a number, is at most this."""
    nonce: Annotated[bytes, Meta(min_length=8, max_length=8)]


class Block(Record, frozen=True):
    """Header, compensation, transactions in order."""

    header: Header
    reward: Annotated[tuple[Holding, ...], Meta(max_length=MAX_GRANTS)]
    """Of the first block: the grants. Of all others: see consensus/nakamoto/reward.py."""
    transactions: Annotated[tuple[Transaction, ...], Meta(max_length=MAX_BLOCK_TRANSACTIONS)]


header_codec: Codec[Header] = Codec(Header, max_size_bytes=HEADER_MAX_SIZE_BYTES)
headers_codec: Codec[tuple[Header, ...]] = Codec(tuple[Header, ...], max_size_bytes=1_000_000)
"""Of a list of headers, as a light client is given it: 2,000 take 300 kB."""
block_codec: Codec[Block] = Codec(Block, max_size_bytes=MAX_BLOCK_SIZE_BYTES)

header_hasher = tagged("horoi/block")
_reward_hash = tagged("horoi/reward")


def block_hash(header: Header) -> bytes:
    """The name of a block: the tagged hash of its header."""
    return header_hasher(encode(header))


def reward_id(network: bytes, height: int, reward: Sequence[Holding]) -> bytes:
    """The id under which a block's reward outputs are spent."""
    return _reward_hash(network + height.to_bytes(4, "big") + encode(tuple(reward)))


def content_leaf(first_output: int, item_id: bytes, witness: bytes) -> bytes:
    """The leaf hash of one item of a block; ``witness`` is its encoded form."""
    return leaf_hash(first_output.to_bytes(8, "big") + item_id + witness)


def genesis_block(genesis: Genesis) -> Block:
    """The first block: height 0, no puzzle, the grants as its reward. The same in every process."""
    network = network_id(genesis)
    bits = BitField()
    bits.append(len(genesis.grants))
    leaf = content_leaf(0, reward_id(network, 0, genesis.grants), b"")
    header = Header(
        height=0,
        parent=network,
        content_root=root_of_leaf_hashes([leaf]),
        state_root=bits.root(),
        time_ms=genesis.created_ms,
        target=genesis.consensus.first_target,
        nonce=bytes(8),
    )
    return Block(header, genesis.grants, ())


__all__ = ["ZERO_HASH", "Block", "Header", "block_codec", "block_hash", "content_leaf", "genesis_block", "header_codec"]
