"""Who must agree: the digital signatures that a transaction needs.

Protecting ownership (DESIGN section 4, "Custody"):

- a change of owner needs the owner;
- a change of custodian needs the one who leaves and the one who receives;
- a transaction that does both needs all of them; ownership can change while custody stays.

Inputs and outputs are pools (that is how split and merge are just inputs and outputs), so a change is judged per asset on
the *net movement* of each pair (owner, custodian):

- an owner whose total changed agrees if any of its pairs went down, or one that it holds already is spent: nobody may
  touch another's holding, not even by adding to it;
- a custodian agrees if, over the owners whose total changed, what it has in custody changed: down is leaving, up is receiving;
- for an owner whose total did not change, every custodian of a pair that changed agrees;
- a pair that was only split or merged needs its owner.

Where an owner's total stays, its holdings may be merged or split by the custodians who hand them over: whoever may hand over
could do so twice. Leaving and owning are *acting* (locks that have run out count); receiving is judged as if no lock had run out.
"""

from __future__ import annotations

from typing import NamedTuple

from horoi.base.errors import RuleError
from horoi.ledger.conditions import Condition, Key, hash_of_preimage, hashes_named, keys_named, satisfied
from horoi.ledger.transaction import Body, Holding, Witness

Pairs = dict[tuple[Condition, Condition], int]
"""Net movement of each (owner, custodian) of one asset: out minus in."""


class Required(NamedTuple):
    """Conditions that must be satisfied, each once, in order of appearance."""

    acting: tuple[Condition, ...]
    receiving: tuple[Condition, ...]


def required(body: Body) -> Required:
    """Who must agree with this body. Assumes that ``rules.check_body`` accepted it."""
    acting: dict[Condition, None] = {}
    receiving: dict[Condition, None] = {}
    movements: dict[bytes, Pairs] = {}
    for spent in body.inputs:
        content = spent.content
        if isinstance(content, Holding) and content.custodian is not None:
            pairs = movements.setdefault(content.asset, {})
            pair = (content.owner, content.custodian)
            pairs[pair] = pairs.get(pair, 0) - content.quantity
        else:
            acting[content.owner] = None
    spent_pairs = {asset: tuple(pairs) for asset, pairs in movements.items()}
    for made in body.outputs:
        if isinstance(made, Holding) and made.custodian is not None:
            pairs = movements.setdefault(made.asset, {})
            pair = (made.owner, made.custodian)
            pairs[pair] = pairs.get(pair, 0) + made.quantity
    for asset, pairs in movements.items():
        _judge_movement(pairs, dict.fromkeys(spent_pairs.get(asset, ())), acting, receiving)
    for definition in body.definitions:
        acting[definition.issuer] = None
    for post in body.posts:
        acting[post.author] = None
    return Required(tuple(acting), tuple(receiving))


def _judge_movement(
    pairs: Pairs,
    spent: dict[tuple[Condition, Condition], None],
    acting: dict[Condition, None],
    receiving: dict[Condition, None],
) -> None:
    """Add who must agree to the movement of one asset. ``spent``: the pairs that inputs are of."""
    by_owner: dict[Condition, int] = {}
    for (owner, _), change in pairs.items():
        by_owner[owner] = by_owner.get(owner, 0) + change
    custody_with_ownership: dict[Condition, int] = {}
    for (owner, custodian), change in pairs.items():
        if change == 0:
            acting[owner] = None
        elif by_owner[owner] != 0:
            custody_with_ownership[custodian] = custody_with_ownership.get(custodian, 0) + change
            if (owner, custodian) in spent:
                acting[owner] = None
        elif change < 0:
            acting[custodian] = None
        else:
            receiving[custodian] = None
    for custodian, change in custody_with_ownership.items():
        if change < 0:
            acting[custodian] = None
        elif change > 0:
            receiving[custodian] = None


def check_witness_form(need: Required, witness: Witness) -> None:
    """Raise RuleError unless the witness has its one form: in order, each once, nothing that nobody asked for.

    So nobody on the way can add to a witness, and a transaction's size is what its signers made it.
    """
    keys = [signature.key for signature in witness.signatures]
    named: dict[bytes, None] = {}
    hashes: dict[bytes, None] = {}
    for condition in (*need.acting, *need.receiving):
        if isinstance(condition, Key):
            named[condition.public] = None
        else:
            named.update(dict.fromkeys(keys_named(condition)))
            hashes.update(dict.fromkeys(hashes_named(condition)))
    previous = b""
    for key in keys:
        if key <= previous:
            raise RuleError("witness.order", f"signature of {key.hex()} is out of order or there twice")
        if key not in named:
            raise RuleError("witness.stranger", f"nobody asked for a signature of {key.hex()}")
        previous = key
    if witness.preimages and list(witness.preimages) != sorted(set(witness.preimages)):
        raise RuleError("witness.order", "preimages are out of order or there twice")
    for preimage in witness.preimages:
        if hash_of_preimage(preimage) not in hashes:
            raise RuleError("witness.stranger", f"nobody asked for a preimage of {hash_of_preimage(preimage).hex()}")


def missing(need: Required, witness: Witness, height: int, median_time_ms: int) -> list[Condition]:
    """The conditions that the witness does not satisfy in a block of this height and median time past (ms).

    Counts signatures as given: that they are valid is ``rules.check_signatures``.
    """
    signers = {signature.key for signature in witness.signatures}
    shown = [hash_of_preimage(preimage) for preimage in witness.preimages]
    lacking: list[Condition] = []
    for condition in need.acting:
        if type(condition) is Key:  # the common case, without a call
            if condition.public not in signers:
                lacking.append(condition)
        elif not satisfied(condition, signers, shown, height, median_time_ms):
            lacking.append(condition)
    lacking += [condition for condition in need.receiving if not satisfied(condition, signers, shown, -1, -1)]
    return lacking


def check_agreement(need: Required, witness: Witness, height: int, median_time_ms: int) -> None:
    """Raise RuleError naming who has not agreed."""
    lacking = missing(need, witness, height, median_time_ms)
    if lacking:
        names = ", ".join(describe(condition) for condition in lacking[:3])
        raise RuleError("authority.missing", f"{len(lacking)} agreement(s) missing: {names}")


def describe(condition: Condition) -> str:
    """A condition in a few words, for errors."""
    if isinstance(condition, Key):
        return f"the signature of {condition.public.hex()}"
    keys = keys_named(condition)
    return f"a {type(condition).__name__} of {len(keys)} key(s) {', '.join(key.hex()[:16] for key in keys[:3])}"
