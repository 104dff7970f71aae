"""The file of a proof: JSON for people and browsers, in exactly one form, with every part bounded.

Bytes are lowercase hexadecimal. The file is what ``write`` makes of what ``read`` found in it (keys in this order, two
spaces, one line break at the end), so no two files say the same.

A step of a Merkle path is one letter and a hash: ``L`` if the sibling stands left, ``R`` if right. The number of leaves is
not in it, because a header does not commit to that: nothing stands in a proof that its links do not hold.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import Meta

from horoi.base.errors import RuleError
from horoi.ledger.bitfield import CHUNK_SIZE_BYTES
from horoi.ledger.block import HEADER_MAX_SIZE_BYTES
from horoi.ledger.checkpoint import MAX_COSIGNATURES, MAX_NOTE_SIZE_BYTES, MAX_VKEY_LENGTH
from horoi.ledger.merkle import MAX_PATH_LENGTH
from horoi.ledger.transaction import MAX_TRANSACTION_SIZE_BYTES

FORMAT = 1
MAX_PROOF_SIZE_BYTES = (
    8_000_000  # a guess: what a browser reads at once, and the sum of the bounds below in ordinary use
)
MAX_HEADERS = 10_000  # a guess: a week of blocks at one a minute; 2.5 MB of the file
MAX_RECORDS = 64  # a guess: the lots that one company has of one good
MAX_RUNS = MAX_RECORDS + 1
MAX_REWARD_SIZE_BYTES = 1_000_000  # encoded: a genesis with 10,000 grants

_END = r"$(?!\n)"
"""Python's ``$`` matches before a last line break too, which ``bytes.fromhex`` overlooks: two files would say the same."""

HashText: TypeAlias = Annotated[str, Meta(pattern="^[0-9a-f]{64}" + _END)]
HeaderText: TypeAlias = Annotated[str, Meta(pattern="^[0-9a-f]+" + _END, max_length=2 * HEADER_MAX_SIZE_BYTES)]
StepText: TypeAlias = Annotated[str, Meta(pattern="^[LR][0-9a-f]{64}" + _END)]
Height: TypeAlias = Annotated[int, Meta(ge=0, le=2**32 - 1)]
Count: TypeAlias = Annotated[int, Meta(ge=0, le=2**53)]  # JSON's numbers are exact up to here (RFC 8259, section 6)
Path: TypeAlias = Annotated[tuple[HashText, ...], Meta(max_length=MAX_PATH_LENGTH)]
Kind: TypeAlias = Literal["transaction", "post", "document", "asset", "holding"]


class ProofError(RuleError):
    """A proof does not hold. ``rule`` names the link that is broken. Exit code 4."""


class _Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A JSON object with these keys, in this order, and no others."""


class Claim(_Part, frozen=True):
    """What the proof is of.

    transaction  ``id`` was recorded                               post     post ``number`` of transaction ``id`` was
    document     a post names the SHA-256 ``id``                   asset    ``id`` was defined (and who has some of it)
    holding      output ``number`` of ``id`` was made and is unspent
    """

    kind: Kind
    id: HashText
    number: Annotated[int, Meta(ge=0, le=2**16 - 1)]


class Before(_Part, frozen=True):
    """What the state root of a block's parent commits to: from it follows which bit is whose."""

    count: Count
    chunks_root: HashText


class RecordPart(_Part, frozen=True):
    """An item of a block: a transaction, or a block's reward (of block 0: the grants)."""

    height: Height
    transaction: (
        Annotated[str, Meta(pattern="^([0-9a-f]{2})+" + _END, max_length=2 * MAX_TRANSACTION_SIZE_BYTES)] | None
    )
    reward: Annotated[str, Meta(pattern="^([0-9a-f]{2})+" + _END, max_length=2 * MAX_REWARD_SIZE_BYTES)] | None
    first_output: Count
    path: Annotated[tuple[StepText, ...], Meta(max_length=MAX_PATH_LENGTH)]
    before: Before | None


class OutputPart(_Part, frozen=True):
    """Output ``index`` of record ``record``: said to be unspent."""

    record: Annotated[int, Meta(ge=0, lt=MAX_RECORDS)]
    index: Annotated[int, Meta(ge=0, le=2**16 - 1)]


class ChunkPart(_Part, frozen=True):
    """256 bytes of the bitfield, and their path to the root over all chunks."""

    number: Count
    bits: Annotated[
        str, Meta(pattern="^[0-9a-f]+" + _END, min_length=2 * CHUNK_SIZE_BYTES, max_length=2 * CHUNK_SIZE_BYTES)
    ]
    path: Path


class Unspent(_Part, frozen=True):
    """These outputs were unspent after block ``height``."""

    height: Height
    count: Count
    chunks_root: HashText
    outputs: Annotated[tuple[OutputPart, ...], Meta(min_length=1, max_length=MAX_RECORDS)]
    chunks: Annotated[tuple[ChunkPart, ...], Meta(min_length=1, max_length=MAX_RECORDS)]


class Rung(_Part, frozen=True):
    """The place of a header in the log that the checkpoint is of."""

    height: Height
    path: Path


class Anchor(_Part, frozen=True):
    """A cosigned checkpoint, the keys of its signatures in their order, and for each run of headers one place in its log."""

    note: Annotated[str, Meta(max_length=MAX_NOTE_SIZE_BYTES)]
    keys: Annotated[tuple[Annotated[str, Meta(max_length=MAX_VKEY_LENGTH)], ...], Meta(max_length=MAX_COSIGNATURES)]
    rungs: Annotated[tuple[Rung, ...], Meta(min_length=1, max_length=MAX_RUNS)]


class Proof(_Part, frozen=True):
    """The whole file. ``headers``: runs of consecutive headers, lowest first. ``tip``: the hash of the last."""

    horoi_proof: int
    network: HashText
    claim: Claim
    records: Annotated[tuple[RecordPart, ...], Meta(min_length=1, max_length=MAX_RECORDS)]
    unspent: Unspent | None
    headers: Annotated[
        tuple[Annotated[tuple[HeaderText, ...], Meta(min_length=1, max_length=MAX_HEADERS)], ...],
        Meta(min_length=1, max_length=MAX_RUNS),
    ]
    tip: HashText
    checkpoint: Anchor | None


_decoder = msgspec.json.Decoder(Proof)


def write(proof: Proof) -> bytes:
    """The bytes of the file."""
    return msgspec.json.format(msgspec.json.encode(proof), indent=2) + b"\n"


def read(data: bytes) -> Proof:
    """The proof in a file; ProofError says what is wrong with the form."""
    if len(data) > MAX_PROOF_SIZE_BYTES:
        raise ProofError("form", f"{len(data)} bytes, a proof has at most {MAX_PROOF_SIZE_BYTES}")
    try:
        proof = _decoder.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ProofError("form", f"not a proof: {error}") from None
    if proof.horoi_proof != FORMAT:
        raise ProofError("form", f"format {proof.horoi_proof}, this version reads {FORMAT}")
    total = sum(len(run) for run in proof.headers)
    if total > MAX_HEADERS:
        raise ProofError("form", f"{total} headers, a proof has at most {MAX_HEADERS}")
    if write(proof) != data:
        raise ProofError("form", "written in another form than the one that every proof has (was it edited?)")
    return proof
