"""An offer: the terms that its proposer sealed, and the statements about them. Each statement is proved by a signature.

    terms        the body, who proposes, what the proposer stakes, until when, a note; their hash is the offer's id
    seal         the proposer's signature over the id: note and expiry are its own words
    witness      who agreed so far: signatures over the *transaction's* id, ready for the ledger
    refusals     who will not agree, and why: over the id and the reason
    withdrawal   the proposer's, over the id

Each kind is hashed under a purpose of its own, so none is taken for another (BIP 340, "tagged hashes").
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, NamedTuple, TypeVar

from msgspec import Meta

from horoi.base.codec import Record, encode
from horoi.base.errors import RuleError
from horoi.base.hashing import tagged
from horoi.base.keys import KeyPair
from horoi.ledger.authority import Required
from horoi.ledger.conditions import Hash, PublicKey, hashes_named, keys_named, satisfied
from horoi.ledger.ledger import Ledger, Prepared
from horoi.ledger.rules import UNSHOWABLE, SignatureTriple
from horoi.ledger.transaction import Body, Index, Signature, Transaction, Witness
from horoi.node.offers.limits import MAX_ASKED_KEYS, MAX_NOTE_CHARACTERS, MAX_OFFER_SIZE_BYTES

MARK_SIZE_BYTES = (
    8  # tells versions of one offer apart: a twin that somebody searched for hides statements from itself alone
)
LATEST_HEIGHT, LATEST_MS = 2**32 - 1, 2**53  # locks cannot name later ones

SignatureBytes = Annotated[bytes, Meta(min_length=64, max_length=64)]
Note = Annotated[str, Meta(max_length=MAX_NOTE_CHARACTERS)]

Statement = TypeVar("Statement", "Signature", "Refusal")

_mark = tagged("horoi/offer-mark")


class Stake(Record, frozen=True):
    """An unspent output that names the proposer: often one that the body spends."""

    source: Hash
    index: Index


class Terms(Record, frozen=True):
    """What is offered. ``by``: the proposer's key; ``expires_ms``: since 1970."""

    body: Body
    by: PublicKey
    stake: Stake
    expires_ms: Annotated[int, Meta(ge=1, le=2**53)]
    note: Note


class Refusal(Record, frozen=True):
    """A key that is asked to agree, and will not."""

    key: PublicKey
    reason: Note
    signature: SignatureBytes


class Offer(Record, frozen=True):
    """Terms and statements. Refusals stand in ascending order of their keys, each once, as signatures do."""

    terms: Terms
    seal: SignatureBytes
    witness: Witness
    refusals: Annotated[tuple[Refusal, ...], Meta(max_length=MAX_ASKED_KEYS)] = ()
    withdrawal: SignatureBytes | None = None


class Digests:
    """What is signed, of one network."""

    def __init__(self, network: bytes) -> None:
        self._terms = tagged("horoi/offer", network)
        self._refusal = tagged("horoi/offer-refusal", network)
        self._withdrawal = tagged("horoi/offer-withdrawal", network)

    def id_of(self, terms: Terms) -> bytes:
        """The offer's id, which the seal is over."""
        return self._terms(encode(terms))

    def refusal(self, offer: bytes, reason: str) -> bytes:
        return self._refusal(offer + reason.encode("utf-8", "surrogatepass"))

    def withdrawal(self, offer: bytes) -> bytes:
        return self._withdrawal(offer)


class Examined(NamedTuple):
    """An offer that keeps every rule which needs neither history nor a signature check."""

    offer: Offer
    id: bytes
    mark: bytes
    prepared: Prepared
    """Its transaction, as far as it is signed."""
    size_bytes: int


# ---- making statements ----------------------------------------------------------------------------------------------


def propose(network: bytes, terms: Terms, witness: Witness, proposer: KeyPair) -> Offer:
    """Seal an offer."""
    return Offer(terms, proposer.sign(Digests(network).id_of(terms)), witness)


def refuse(network: bytes, offer: Offer, keypair: KeyPair, reason: str) -> Offer:
    """The offer with one key's refusal."""
    digests = Digests(network)
    signature = keypair.sign(digests.refusal(digests.id_of(offer.terms), reason))
    refusals = {refusal.key: refusal for refusal in offer.refusals}
    refusals[keypair.public] = Refusal(keypair.public, reason, signature)
    return Offer(offer.terms, offer.seal, offer.witness, _by_key(refusals), offer.withdrawal)


def withdraw(network: bytes, offer: Offer, proposer: KeyPair) -> Offer:
    """The offer, withdrawn."""
    digests = Digests(network)
    signature = proposer.sign(digests.withdrawal(digests.id_of(offer.terms)))
    return Offer(offer.terms, offer.seal, offer.witness, offer.refusals, signature)


def agree(offer: Offer, witness: Witness) -> Offer:
    """The offer with this witness."""
    return Offer(offer.terms, offer.seal, witness, offer.refusals, offer.withdrawal)


# ---- examining ------------------------------------------------------------------------------------------------------


def examine(ledger: Ledger, digests: Digests, offer: Offer) -> Examined:
    """Apply every rule that needs neither history nor a signature check. Raises RuleError."""
    _check_line("note", offer.terms.note)
    for refusal in offer.refusals:
        _check_line("reason", refusal.reason)
    size_bytes = len(encode(offer))
    if size_bytes > MAX_OFFER_SIZE_BYTES:
        raise RuleError("offer.size", f"{size_bytes} bytes, the limit is {MAX_OFFER_SIZE_BYTES}")
    terms = offer.terms
    prepared = ledger.prepare(Transaction(terms.body, offer.witness))
    asked = asked_keys(prepared.need)
    if len(asked) > MAX_ASKED_KEYS:
        raise RuleError("offer.signers", f"{len(asked)} keys are asked to agree, the limit is {MAX_ASKED_KEYS}")
    if terms.by not in asked:
        raise RuleError("offer.proposer", f"{terms.by.hex()} proposes, and nobody asks for its agreement")
    if all(signature.key != terms.by for signature in offer.witness.signatures):
        raise RuleError("offer.unsigned", f"{terms.by.hex()} proposes what it has not signed")
    _check_refusals(offer, asked)
    return Examined(offer, digests.id_of(terms), mark_of(offer), prepared, size_bytes)


def _check_refusals(offer: Offer, asked: Mapping[bytes, None]) -> None:
    previous = b""
    for refusal in offer.refusals:
        if refusal.key <= previous:
            raise RuleError("offer.order", f"the refusal of {refusal.key.hex()} is out of order or there twice")
        if refusal.key not in asked:
            raise RuleError("offer.stranger", f"{refusal.key.hex()} refuses, and nobody asked it")
        previous = refusal.key


def _check_line(what: str, text: str) -> None:
    found = UNSHOWABLE.search(text)
    if found is not None:
        raise RuleError("offer.text", f"the {what} has a character that cannot be shown: {found[0]!r}")


def asked_keys(need: Required) -> dict[bytes, None]:
    """Every key whose agreement counts, in order of appearance."""
    return {key: None for condition in (*need.acting, *need.receiving) for key in keys_named(condition)}


def mark_of(offer: Offer) -> bytes:
    """Tells versions apart: *who* stated what, not by which of many valid signatures. So nobody makes new versions at will."""
    signers = tuple(signature.key for signature in offer.witness.signatures)
    refusing = tuple(refusal.key for refusal in offer.refusals)
    said = (signers, offer.witness.preimages, refusing, offer.withdrawal is not None)
    return _mark(encode(said))[:MARK_SIZE_BYTES]


def proofs(digests: Digests, fresh: Examined, known: Offer | None) -> list[SignatureTriple]:
    """The signature checks of what ``fresh`` says beyond ``known``, a verified version of the same offer.

    What is left out is the same to the byte: another signature of a key that has signed is checked like any.
    """
    offer, item = fresh.offer, fresh.id
    terms = offer.terms
    signed = known.witness.signatures if known else ()
    refused = known.refusals if known else ()
    triples: list[SignatureTriple] = []
    if known is None or offer.seal != known.seal:
        triples.append((terms.by, item, offer.seal))
    triples += [(s.key, fresh.prepared.id, s.signature) for s in offer.witness.signatures if s not in signed]
    triples += [(r.key, digests.refusal(item, r.reason), r.signature) for r in offer.refusals if r not in refused]
    if offer.withdrawal is not None and (known is None or offer.withdrawal != known.withdrawal):
        triples.append((terms.by, digests.withdrawal(item), offer.withdrawal))
    return triples


# ---- merging --------------------------------------------------------------------------------------------------------


def merge(known: Offer, other: Offer) -> Offer:
    """What both verified copies of one offer state. Of two statements of the same key the known one stays."""
    signatures = {s.key: s for s in (*other.witness.signatures, *known.witness.signatures)}
    refusals = {r.key: r for r in (*other.refusals, *known.refusals)}
    preimages = tuple(sorted({*known.witness.preimages, *other.witness.preimages}))
    witness = Witness(_by_key(signatures), preimages)
    return Offer(known.terms, known.seal, witness, _by_key(refusals), known.withdrawal or other.withdrawal)


def _by_key(statements: Mapping[bytes, Statement]) -> tuple[Statement, ...]:
    return tuple(statements[key] for key in sorted(statements))


# ---- judging --------------------------------------------------------------------------------------------------------


def is_refused(need: Required, offer: Offer) -> bool:
    """True if it cannot come about without those who refused. Who signed after refusing thought better of it."""
    signed = {signature.key for signature in offer.witness.signatures}
    unwilling = {refusal.key: None for refusal in offer.refusals if refusal.key not in signed}
    if not unwilling:
        return False
    willing = [key for key in asked_keys(need) if key not in unwilling]
    hashes = [digest for condition in (*need.acting, *need.receiving) for digest in hashes_named(condition)]
    if any(not satisfied(condition, willing, hashes, LATEST_HEIGHT, LATEST_MS) for condition in need.acting):
        return True
    return any(not satisfied(condition, willing, hashes, -1, -1) for condition in need.receiving)
