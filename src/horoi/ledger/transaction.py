"""Transaction data: a transfer of ownership, as a plain record.

State is a set of *holdings* (unspent outputs): asset, quantity, owner, custodian. A transaction consumes holdings and makes
new ones. Who owns what is what the history says and nothing else.

    body      what is said: inputs, outputs, and the verbs (define, issue, transform, retire, post)
    witness   who agrees: signatures over the transaction's id, and preimages

An input carries the *content* of the holding that it spends, so a signer who is offline sees every amount, and who must
sign is a function of the transaction alone. The ledger checks that the content is what the history says.

The id of a transaction is the tagged hash of network id and body. It is what everybody signs: the whole transaction
without its witnesses, on one network, under one purpose. So parties sign in any order, nothing can be added after, and
nothing replays on another ledger. Witnesses are outside the id and inside the block's commitment.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, TypeAlias

from msgspec import Meta

from horoi.base.codec import Codec, Record, encode
from horoi.base.hashing import ZERO_HASH, tagged
from horoi.ledger.conditions import MAX_MEMBERS, MAX_PREIMAGE_SIZE_BYTES, Condition, Hash, PublicKey

MAX_TRANSACTION_SIZE_BYTES = 100_000  # as Bitcoin's standardness limit: one transaction must not be a block
MAX_INPUTS = 1_000  # a guess, below what the size allows: bounds the work of one refusal
MAX_OUTPUTS = 1_000
MAX_VERBS = 100  # of each kind, a guess
MAX_TEXT_CHARACTERS = 2_000  # of a post; longer texts are documents, the ledger holds their hash
MAX_NAME_CHARACTERS = 64
MAX_RECIPE_SOURCES = 8
MAX_SIGNATURES = 1_000

NATIVE = ZERO_HASH
"""The asset id of the native coin, which rewards and fees are paid in. It has no custodian."""

Quantity: TypeAlias = Annotated[int, Meta(ge=0)]  # msgpack itself stops at 2**64 - 1
Index: TypeAlias = Annotated[int, Meta(ge=0, le=2**16 - 1)]
Height: TypeAlias = Annotated[int, Meta(ge=0, le=2**32 - 1)]
Text: TypeAlias = Annotated[str, Meta(max_length=MAX_TEXT_CHARACTERS)]
Name: TypeAlias = Annotated[str, Meta(min_length=1, max_length=MAX_NAME_CHARACTERS)]


class Amount(Record, frozen=True):
    """So much of an asset, in its smallest unit."""

    asset: Hash
    quantity: Quantity


class Recipe(Record, frozen=True):
    """A rule of transformation: at least ``sources`` are consumed for every ``product`` units made (crude to petrol)."""

    sources: Annotated[tuple[Amount, ...], Meta(min_length=1, max_length=MAX_RECIPE_SOURCES)]
    product: Quantity


class Holding(Record, frozen=True, tag=0, tag_field="kind"):
    """A quantity that somebody owns and somebody holds.

    ``custodian`` is None for assets without custody (the coin, papers). Otherwise it says who has the goods, which is the
    owner itself until they are handed over.
    """

    asset: Hash
    quantity: Quantity
    owner: Condition
    custodian: Condition | None


class Right(Record, frozen=True, tag=1, tag_field="kind"):
    """A right to make up to ``limit`` of an asset. Itself a holding: spent and made again, so it can be shared and passed on.

    Without ``recipes`` it is the right to issue freely; with them, only to transform under one of them. A free right may
    be narrowed into one with recipes (so an issuer licenses a refinery), never widened. ``custody``: whether
    what it makes has custodians.
    """

    asset: Hash
    limit: Quantity
    owner: Condition
    custody: bool
    recipes: Annotated[tuple[Recipe, ...], Meta(max_length=8)]


Output: TypeAlias = Holding | Right


class Input(Record, frozen=True):
    """Spends output ``index`` of transaction ``source``, whose content is ``content``."""

    source: Hash
    index: Index
    content: Output


class Definition(Record, frozen=True):
    """Defines an asset and makes its first right, owned by ``issuer``, at the output index after all listed outputs.

    ``limit`` is the most that will ever be made, in the smallest unit: 10**-decimals of ``unit``.
    """

    name: Name
    unit: Annotated[str, Meta(max_length=16)]
    decimals: Annotated[int, Meta(ge=0, le=18)]
    issuer: Condition
    limit: Quantity
    custody: bool
    terms: Hash | None
    """SHA-256 of a document with the issuer's rule in words, if any."""


class Issue(Record, frozen=True):
    """Makes ``quantity`` under the free right that input ``right`` spends."""

    right: Index
    quantity: Quantity


class Transform(Record, frozen=True):
    """Makes ``produced`` under recipe number ``recipe`` of the right that input ``right`` spends, out of ``consumed``."""

    right: Index
    recipe: Annotated[int, Meta(ge=0, le=7)]
    consumed: Annotated[tuple[Amount, ...], Meta(min_length=1, max_length=MAX_RECIPE_SOURCES)]
    produced: Quantity


class Retire(Record, frozen=True):
    """Quantity leaves with a stated reason (loss, consumption), so books reconcile."""

    asset: Hash
    quantity: Quantity
    reason: Annotated[str, Meta(min_length=1, max_length=MAX_NAME_CHARACTERS)]


class Post(Record, frozen=True):
    """A signed line on the bulletin board: a statement, a document's hash, about an asset or on its own."""

    author: Condition
    text: Text
    about: Hash | None
    document: Hash | None
    """SHA-256 of the document."""


class Body(Record, frozen=True):
    """What a transaction says. ``since`` is for a transaction without inputs (see ledger.py, "inputless")."""

    inputs: Annotated[tuple[Input, ...], Meta(max_length=MAX_INPUTS)] = ()
    outputs: Annotated[tuple[Output, ...], Meta(max_length=MAX_OUTPUTS)] = ()
    definitions: Annotated[tuple[Definition, ...], Meta(max_length=MAX_VERBS)] = ()
    issues: Annotated[tuple[Issue, ...], Meta(max_length=MAX_VERBS)] = ()
    transforms: Annotated[tuple[Transform, ...], Meta(max_length=MAX_VERBS)] = ()
    retires: Annotated[tuple[Retire, ...], Meta(max_length=MAX_VERBS)] = ()
    posts: Annotated[tuple[Post, ...], Meta(max_length=MAX_VERBS)] = ()
    since: Height = 0


class Signature(Record, frozen=True):
    """A BIP 340 signature of ``key`` over the transaction's id."""

    key: PublicKey
    signature: Annotated[bytes, Meta(min_length=64, max_length=64)]


class Witness(Record, frozen=True):
    """Agreement with the content. Signatures stand in ascending order of their keys, preimages in ascending order."""

    signatures: Annotated[tuple[Signature, ...], Meta(max_length=MAX_SIGNATURES)] = ()
    preimages: Annotated[
        tuple[Annotated[bytes, Meta(max_length=MAX_PREIMAGE_SIZE_BYTES)], ...], Meta(max_length=MAX_MEMBERS)
    ] = ()


class Transaction(Record, frozen=True):
    """Body and witness."""

    body: Body
    witness: Witness


TransactionId: TypeAlias = bytes

transaction_codec: Codec[Transaction] = Codec(Transaction, max_size_bytes=MAX_TRANSACTION_SIZE_BYTES)
body_codec: Codec[Body] = Codec(Body, max_size_bytes=MAX_TRANSACTION_SIZE_BYTES)


def transaction_hasher(network_id: bytes) -> Callable[[bytes], TransactionId]:
    """The hash that names transactions of one network: of the encoded body, tagged, after the network's id."""
    return tagged("horoi/transaction", network_id)


def transaction_id(network_id: bytes, body: Body) -> TransactionId:
    """The id of a transaction, and the digest that its signers sign."""
    return transaction_hasher(network_id)(encode(body))


_asset_hash = tagged("horoi/asset")


def asset_id(transaction: TransactionId, definition_index: int) -> bytes:
    """The id of the asset that a transaction defines: unique, because transaction ids are."""
    return _asset_hash(transaction + definition_index.to_bytes(2, "big"))


def first_right(transaction: TransactionId, definition_index: int, definition: Definition) -> Right:
    """The right that a definition makes."""
    asset = asset_id(transaction, definition_index)
    return Right(asset, definition.limit, definition.issuer, definition.custody, ())


def outputs_made(transaction: TransactionId, body: Body) -> tuple[Output, ...]:
    """Every output of a transaction, in order of index: those listed, then one right per definition."""
    if not body.definitions:
        return body.outputs
    rights = tuple(first_right(transaction, i, definition) for i, definition in enumerate(body.definitions))
    return body.outputs + rights


def outpoint(transaction: TransactionId, index: int) -> bytes:
    """The name of an output: 32 bytes of transaction id and 2 of index."""
    return transaction + index.to_bytes(2, "big")
