"""A transaction that travels between its signers, as a file, until everybody agreed.

Everybody signs the same digest (ledger/transaction.py), so the order does not matter, copies that went different ways are
merged, and nothing can be added after the first signature. The file carries the exact bytes in hexadecimal; its summary in
words is for the eye and is *not* what is signed: programs read the bytes and explain those (explain.py).
"""

from __future__ import annotations

import msgspec

from horoi.base.codec import Codec, Record, encode
from horoi.base.errors import DecodeError, ForbiddenError, RuleError, UsageError
from horoi.base.keys import KeyPair
from horoi.ledger import authority
from horoi.ledger.authority import check_agreement, check_witness_form, required
from horoi.ledger.conditions import Condition, Hash, hash_of_preimage, hashes_named, keys_named
from horoi.ledger.rules import check_body, check_signatures
from horoi.ledger.transaction import (
    MAX_TRANSACTION_SIZE_BYTES,
    Body,
    Signature,
    Transaction,
    Witness,
    body_codec,
    transaction_id,
)
from horoi.node.wallet.explain import Names, explain

FORMAT = 1
MAX_FILE_SIZE_BYTES = 4_000_000  # twice a transaction's bytes in hexadecimal, and room for the summary: a guess
EVERY_LOCK_OPEN_HEIGHT = 2**32
EVERY_LOCK_OPEN_MS = 2**53

_witness_codec: Codec[Witness] = Codec(Witness, max_size_bytes=MAX_TRANSACTION_SIZE_BYTES)


class PartialTransaction(Record, frozen=True):
    """What is said, on which network, and who agreed so far."""

    network_id: Hash
    body: Body
    witness: Witness = Witness()

    @property
    def id(self) -> bytes:
        """The transaction's id: what everybody signs."""
        return transaction_id(self.network_id, self.body)


def check(partial: PartialTransaction) -> None:
    """Raise RuleError unless the body keeps the rules, and every signature and preimage is asked for and valid."""
    check_body(partial.body)
    size_bytes = 1 + len(encode(partial.body)) + len(encode(partial.witness))
    if size_bytes > MAX_TRANSACTION_SIZE_BYTES:
        raise RuleError("form.size", f"{size_bytes} bytes, the limit is {MAX_TRANSACTION_SIZE_BYTES}")
    check_witness_form(required(partial.body), partial.witness)
    check_signatures(partial.id, partial.witness)


def keys_asked(partial: PartialTransaction) -> list[bytes]:
    """Every key whose signature counts here, signed or not, in order of appearance."""
    need = required(partial.body)
    return list(dict.fromkeys(key for condition in (*need.acting, *need.receiving) for key in keys_named(condition)))


def sign(partial: PartialTransaction, keypair: KeyPair) -> PartialTransaction:
    """Add a signature. ForbiddenError if nobody asks for this key's; RuleError if the body breaks a rule."""
    check_body(partial.body)
    if keypair.public not in keys_asked(partial):
        raise ForbiddenError(
            f"key {keypair.public.hex()} is not asked to agree with transaction {partial.id.hex()}: nothing to sign"
        )
    fresh = Signature(keypair.public, keypair.sign(partial.id))
    others = [signature for signature in partial.witness.signatures if signature.key != fresh.key]
    return _with(partial, [*others, fresh], list(partial.witness.preimages))


def show_preimage(partial: PartialTransaction, preimage: bytes) -> PartialTransaction:
    """Add the secret bytes that a hash lock asks for. ForbiddenError if none does."""
    need = required(partial.body)
    digest = hash_of_preimage(preimage)
    if not any(digest in hashes_named(condition) for condition in (*need.acting, *need.receiving)):
        raise ForbiddenError(f"no condition here asks for bytes with SHA-256 {digest.hex()}: nothing to show")
    return _with(partial, list(partial.witness.signatures), [*partial.witness.preimages, preimage])


def merge(first: PartialTransaction, second: PartialTransaction) -> PartialTransaction:
    """What both copies agree to, in either order. UsageError if they are not copies of the same transaction."""
    if first.id != second.id:
        raise UsageError(
            f"these are two transactions, {first.id.hex()} and {second.id.hex()}: only copies of one are merged"
        )
    check(first)
    check(second)
    # Two valid signatures of one key (made with other auxiliary randomness): keep the lesser, whatever the order.
    signatures: dict[bytes, Signature] = {}
    for signature in (*first.witness.signatures, *second.witness.signatures):
        kept = signatures.get(signature.key, signature)
        signatures[signature.key] = min(kept, signature, key=lambda s: s.signature)
    return _with(first, list(signatures.values()), [*first.witness.preimages, *second.witness.preimages])


def missing(partial: PartialTransaction, height: int, median_time_ms: int) -> list[Condition]:
    """The conditions that are not satisfied yet, in a block of this height and median time past (ms)."""
    return authority.missing(required(partial.body), partial.witness, height, median_time_ms)


def finalize(
    partial: PartialTransaction,
    height: int = EVERY_LOCK_OPEN_HEIGHT,
    median_time_ms: int = EVERY_LOCK_OPEN_MS,
) -> Transaction:
    """The transaction, ready for the ledger. RuleError names who has not agreed.

    Without a height and time every lock counts as open: the ledger will refuse it until they are.
    """
    check(partial)
    check_agreement(required(partial.body), partial.witness, height, median_time_ms)
    return Transaction(partial.body, partial.witness)


# ---- the file -------------------------------------------------------------------------------------------------------


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file's fields; bytes in hexadecimal. ``summary`` is written and never read."""

    horoi_partial: int
    network: str
    transaction: str
    summary: list[str]
    body: str
    witness: str


def to_json(partial: PartialTransaction, names: Names | None = None) -> bytes:
    """The file: JSON, two spaces, with a summary in words for people."""
    form = _File(
        FORMAT,
        partial.network_id.hex(),
        partial.id.hex(),
        explain(partial.body, names),
        encode(partial.body).hex(),
        encode(partial.witness).hex(),
    )
    return msgspec.json.format(msgspec.json.encode(form), indent=2) + b"\n"


def from_json(data: bytes) -> PartialTransaction:
    """Read a file and check everything in it that can be: DecodeError for its form, RuleError for what it says."""
    if len(data) > MAX_FILE_SIZE_BYTES:
        raise DecodeError(f"{len(data)} bytes; a partially signed transaction has at most {MAX_FILE_SIZE_BYTES}")
    try:
        form = msgspec.json.decode(data, type=_File)
        fields = (form.network, form.transaction, form.body, form.witness)
        network, named_id, body, witness = (bytes.fromhex(text) for text in fields)
    except (msgspec.MsgspecError, ValueError) as error:
        raise DecodeError(f"not a partially signed transaction: {error}; ask for the file again") from None
    if form.horoi_partial != FORMAT:
        raise DecodeError(
            f"a partially signed transaction of version {form.horoi_partial}; this program reads {FORMAT}"
        )
    if len(network) != 32:
        raise DecodeError(f"a network id has 32 bytes, this one {len(network)}; ask for the file again")
    partial = PartialTransaction(network, body_codec.decode(body), _witness_codec.decode(witness))
    if partial.id != named_id:
        raise DecodeError(
            f"the file says {named_id.hex()} and holds {partial.id.hex()}: it was changed; ask for it again"
        )
    check(partial)
    return partial


def _with(partial: PartialTransaction, signatures: list[Signature], preimages: list[bytes]) -> PartialTransaction:
    """The same transaction with a witness in its one form: ascending, each once."""
    ordered = tuple(sorted(signatures, key=lambda signature: signature.key))
    return PartialTransaction(partial.network_id, partial.body, Witness(ordered, tuple(sorted(set(preimages)))))
