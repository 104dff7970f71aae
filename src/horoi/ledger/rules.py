"""The rules that need nothing but the transaction itself. Only valid data are added (the blockchain algorithm).

    form          something is said, in text that can be shown; no input twice; no empty quantity; conditions within bounds
    conservation  per asset: spent + issued + produced = made + consumed + retired; the coin's rest is the fee
    rights        what is made is covered by a right that is spent, and rights only ever shrink or narrow
    custody       an asset either has custodians everywhere or nowhere
    agreement     see authority.py

Rules that need the history (does the holding exist, is it mature, is the issuer admitted) are in ledger.py.
Every refusal is a RuleError that names the rule and the values; docs/ledger.md lists them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from horoi.base.codec import U64_MAX, encode
from horoi.base.errors import RuleError
from horoi.base.keys import verify
from horoi.ledger import conditions
from horoi.ledger.authority import Required, check_witness_form, required
from horoi.ledger.conditions import Key
from horoi.ledger.transaction import (
    MAX_TRANSACTION_SIZE_BYTES,
    NATIVE,
    Body,
    Holding,
    Output,
    Recipe,
    Right,
    Transaction,
    Transform,
    Witness,
)

UNSHOWABLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff]"
)
"""Characters that deceive or cannot be written: controls (a terminal obeys them), invisible and direction marks (one name
looks like another; the joiners U+200C and U+200D stay, Persian is written with them), lone surrogates. A fixed list: a
property such as ``isprintable`` changes with the Unicode tables of the Python that runs, and would split the ledger."""


class Checked(NamedTuple):
    """What the context-free rules learned about a transaction."""

    need: Required
    fee: int


def check_transaction(transaction: Transaction) -> Checked:
    """Check everything but signatures and history. Raises RuleError."""
    size_bytes = len(encode(transaction))
    if size_bytes > MAX_TRANSACTION_SIZE_BYTES:
        raise RuleError("form.size", f"{size_bytes} bytes, the limit is {MAX_TRANSACTION_SIZE_BYTES}")
    fee = check_body(transaction.body)
    need = required(transaction.body)
    check_witness_form(need, transaction.witness)
    return Checked(need, fee)


def check_body(body: Body) -> int:
    """Check form, custody, rights and conservation; return the fee in the coin's smallest unit."""
    if not (body.inputs or body.definitions or body.posts):
        raise RuleError("form.empty", "a transaction without inputs defines or posts something")
    if body.inputs and body.since:
        raise RuleError("form.since", f"since={body.since} is for transactions without inputs")
    if len(body.inputs) > 1 and len({(spent.source, spent.index) for spent in body.inputs}) != len(body.inputs):
        raise RuleError("form.double_spend", "the same output is spent twice in one transaction")
    for spent in body.inputs:
        _check_content(spent.content)
    for made in body.outputs:
        check_output(made)
    for definition in body.definitions:
        conditions.check(definition.issuer)
        check_text(definition.name)
        check_text(definition.unit)
        if definition.limit == 0:
            raise RuleError("form.zero", f"asset {definition.name!r} has a limit of 0: nothing could be made")
    for post in body.posts:
        conditions.check(post.author)
        check_text(post.text.replace("\n", "").replace("\t", ""))
        if not (post.text or post.document):
            raise RuleError("form.empty", "a post says something or names a document")
    has_rights = _check_custody(body)
    return _check_conservation(body, has_rights=has_rights)


def check_text(text: str) -> None:
    """Raise RuleError if ``text`` cannot be shown to people as it is."""
    found = UNSHOWABLE.search(text)
    if found is not None:
        raise RuleError("form.text", f"character U+{ord(found[0]):04X} at {found.start()} cannot be shown")


def _check_content(content: Output) -> None:
    """What an input says it spends is not known to exist yet: bound its conditions before anything looks into them."""
    conditions.check(content.owner)
    if isinstance(content, Holding) and content.custodian is not None:
        conditions.check(content.custodian)


def check_output(made: Output) -> None:
    """Check one output on its own."""
    conditions.check(made.owner)
    if isinstance(made, Holding):
        if made.quantity == 0:
            raise RuleError("form.zero", f"a holding of 0 of {made.asset.hex()}")
        if made.asset == NATIVE and made.custodian is not None:
            raise RuleError("custody.coin", "the coin has no custodian")
        if made.custodian is not None and made.custodian != made.owner:
            conditions.check(made.custodian)
    else:
        if made.limit == 0:
            raise RuleError("form.zero", f"a right to make 0 of {made.asset.hex()}")
        for recipe in made.recipes:
            _check_recipe(made.asset, recipe)


def _check_recipe(asset: bytes, recipe: Recipe) -> None:
    sources = [source.asset for source in recipe.sources]
    if sources != sorted(set(sources)):
        raise RuleError("rights.recipe", "sources of a recipe stand in ascending order, each once")
    if asset in sources or NATIVE in sources:
        raise RuleError("rights.recipe", "an asset is not made of itself, nor of the coin")
    if recipe.product == 0 or any(source.quantity == 0 for source in recipe.sources):
        raise RuleError("rights.recipe", "a recipe says how much of each, and none is 0")


def _check_custody(body: Body) -> bool:
    """An asset has custodians everywhere or nowhere; a right says which for what it makes. True if there are rights."""
    custody: dict[bytes, bool] = {}
    has_rights = False
    contents = [spent.content for spent in body.inputs]
    for content in (*contents, *body.outputs):
        if isinstance(content, Holding):
            tracked = content.custodian is not None
        else:
            tracked = content.custody
            has_rights = True
        if custody.setdefault(content.asset, tracked) != tracked:
            raise RuleError("custody.mixed", f"asset {content.asset.hex()} has custodians everywhere or nowhere")
    return has_rights


def _check_conservation(body: Body, *, has_rights: bool) -> int:
    incoming: dict[bytes, int] = {}
    for spent in body.inputs:
        if isinstance(spent.content, Holding):
            _add(incoming, spent.content.asset, spent.content.quantity)
    outgoing: dict[bytes, int] = {}
    for made in body.outputs:
        if isinstance(made, Holding):
            _add(outgoing, made.asset, made.quantity)
    if has_rights or body.issues or body.transforms:
        _check_rights(body, incoming, outgoing)
    for retired in body.retires:
        check_text(retired.reason)
        if retired.quantity == 0 or retired.asset == NATIVE:
            raise RuleError("form.retire", "a retirement is of some quantity, and not of the coin")
        _add(outgoing, retired.asset, retired.quantity)
    fee = incoming.pop(NATIVE, 0) - outgoing.pop(NATIVE, 0)
    if fee < 0:
        raise RuleError("conservation", f"{-fee} more of the coin go out than come in")
    if incoming != outgoing:
        _check_sums(incoming, outgoing)
    return fee


def _check_sums(incoming: dict[bytes, int], outgoing: dict[bytes, int]) -> None:
    """Where both differ in more than assets of which they count 0, RuleError names the first."""
    differing = [a for a in {**incoming, **outgoing} if incoming.get(a, 0) != outgoing.get(a, 0)]
    if differing:
        asset = min(differing)
        raise RuleError(
            "conservation",
            f"asset {asset.hex()}: {incoming.get(asset, 0)} come in or are made, {outgoing.get(asset, 0)} go out",
        )


def _add(sums: dict[bytes, int], asset: bytes, quantity: int) -> None:
    """Add, bounded: no sum of quantities leaves 64 bits."""
    total = sums.get(asset, 0) + quantity
    if total > U64_MAX:
        raise RuleError("conservation.overflow", f"a sum of asset {asset.hex()} is over 2**64 - 1")
    sums[asset] = total


class _Allowance:
    """What the rights of one asset that are spent allow, less what is made and passed on under them."""

    def __init__(self) -> None:
        self.free = 0
        self.under: dict[tuple[Recipe, ...], int] = {}

    def add(self, recipes: tuple[Recipe, ...], quantity: int) -> None:
        if recipes:
            self.under[recipes] = self.under.get(recipes, 0) + quantity
        else:
            self.free += quantity

    def check(self, asset: bytes) -> None:
        """A free right may cover what a narrow one lacks, never the other way round."""
        lacking = sum(-rest for rest in self.under.values() if rest < 0)
        if lacking > self.free:
            raise RuleError(
                "rights.exceeded", f"asset {asset.hex()}: {lacking - self.free} more than the rights spent allow"
            )


def _check_rights(body: Body, incoming: dict[bytes, int], outgoing: dict[bytes, int]) -> None:
    """Check that everything made is covered; add it to ``incoming`` and what it consumed to ``outgoing``."""
    allowances: dict[bytes, _Allowance] = {}
    for spent in body.inputs:
        if isinstance(spent.content, Right):
            allowance = allowances.setdefault(spent.content.asset, _Allowance())
            allowance.add(spent.content.recipes, spent.content.limit)
    for issue in body.issues:
        right = _right_at(body, issue.right)
        if right.recipes:
            raise RuleError("rights.narrow", f"input {issue.right} is a right to transform, not to issue")
        if issue.quantity == 0:
            raise RuleError("form.zero", "an issue of 0")
        allowances[right.asset].add((), -issue.quantity)
        _add(incoming, right.asset, issue.quantity)
    for transform in body.transforms:
        right = _right_at(body, transform.right)
        _check_transform(right, transform)
        allowances[right.asset].add(right.recipes, -transform.produced)
        _add(incoming, right.asset, transform.produced)
        for amount in transform.consumed:
            _add(outgoing, amount.asset, amount.quantity)
    for made in body.outputs:
        if isinstance(made, Right):
            if made.asset not in allowances:
                raise RuleError("rights.nowhere", f"no right to asset {made.asset.hex()} is spent here")
            allowances[made.asset].add(made.recipes, -made.limit)
    for asset, allowance in allowances.items():
        allowance.check(asset)


def _right_at(body: Body, index: int) -> Right:
    if index >= len(body.inputs):
        raise RuleError("rights.index", f"input {index} of {len(body.inputs)}")
    content = body.inputs[index].content
    if not isinstance(content, Right):
        raise RuleError("rights.index", f"input {index} is a holding, not a right")
    return content


def _check_transform(right: Right, transform: Transform) -> None:
    if transform.recipe >= len(right.recipes):
        raise RuleError("rights.recipe", f"recipe {transform.recipe} of {len(right.recipes)}")
    if transform.produced == 0:
        raise RuleError("form.zero", "a transformation into 0")
    recipe = right.recipes[transform.recipe]
    if [amount.asset for amount in transform.consumed] != [source.asset for source in recipe.sources]:
        raise RuleError("rights.recipe", "the consumed assets are those of the recipe, in its order")
    for amount, source in zip(transform.consumed, recipe.sources, strict=True):
        if amount.quantity * recipe.product < transform.produced * source.quantity:
            raise RuleError(
                "rights.yield",
                f"{amount.quantity} of {source.asset.hex()} give at most "
                f"{amount.quantity * recipe.product // source.quantity}, not {transform.produced}",
            )


SignatureTriple = tuple[bytes, bytes, bytes]


def signature_triples(transaction_id: bytes, witness: Witness) -> list[SignatureTriple]:
    """(key, digest, signature) of every signature: the heavy work, to be spread over cores."""
    return [(signature.key, transaction_id, signature.signature) for signature in witness.signatures]


def first_invalid(triples: Iterable[SignatureTriple]) -> int:
    """Verify in order; the position of the first signature that is not valid, or -1."""
    for position, (key, digest, signature) in enumerate(triples):
        if not verify(key, digest, signature):
            return position
    return -1


def check_signatures(transaction_id: bytes, witness: Witness) -> None:
    """Raise RuleError unless every signature is valid."""
    bad = first_invalid(signature_triples(transaction_id, witness))
    if bad >= 0:
        key = witness.signatures[bad].key
        raise RuleError("witness.signature", f"the signature of {key.hex()} over {transaction_id.hex()} is not valid")


__all__ = ["Checked", "Key", "check_body", "check_output", "check_signatures", "check_transaction", "first_invalid"]
