"""Ledger records as the API shows them: words, hexadecimal, decimal amounts."""

from __future__ import annotations

from collections.abc import Mapping

from horoi.base.address import address_of
from horoi.base.codec import encode
from horoi.ledger.conditions import Condition
from horoi.ledger.consensus.nakamoto import target as targets
from horoi.ledger.consensus.nakamoto.tree import Known
from horoi.ledger.ledger import Prepared
from horoi.ledger.transaction import NATIVE, Body, Holding, Output, Post, Recipe, Right, asset_id, outputs_made
from horoi.node.index.index import AssetRecord
from horoi.node.wallet.amounts import format_amount
from horoi.node.wallet.explain import AssetName, Names, explain
from horoi.node.wallet.text import condition_to_json, format_time
from horoi.web.access import NodeAccess
from horoi.web.lookalikes import is_odd
from horoi.web.model.base import TimeText
from horoi.web.model.books import AssetView
from horoi.web.model.ledger import (
    AmountView,
    DefinitionView,
    HeaderView,
    InputView,
    IssueView,
    OutputView,
    PostView,
    RecipeView,
    RetireView,
    SignatureView,
    TransactionView,
    TransformView,
)

COIN_NAME = "coin"


def time_text(time_ms: int) -> TimeText:
    """RFC 3339 in UTC, or None beyond the year 9999."""
    text = format_time(time_ms)
    return text if isinstance(text, str) else None


class Viewer:
    """Shows records of one node, for one answer. Remembers the assets that it looked up."""

    def __init__(self, access: NodeAccess) -> None:
        self.chain = access.node.chain
        self.index = access.node.index
        self._assets: dict[bytes, AssetName | None] = {NATIVE: AssetName(COIN_NAME)}
        self._alike: dict[bytes, bool] = {}

    # ---- assets and amounts -----------------------------------------------------------------------------------

    def asset(self, asset: bytes) -> AssetName | None:
        """Name, unit and decimals of an asset; None if its definition is not known."""
        if asset not in self._assets:
            record = self.index.asset(asset) if self.index is not None else None
            known = None
            if record is not None:
                known = AssetName(record.definition.name, record.definition.unit, record.definition.decimals)
            self._assets[asset] = known
        return self._assets[asset]

    def is_alike(self, asset: bytes) -> bool:
        """Whether the name of an asset could be taken for another's."""
        if asset not in self._alike:
            known = self.asset(asset)
            self._alike[asset] = known is not None and asset != NATIVE and self._reads_as_another(asset, known.name)
        return self._alike[asset]

    def _reads_as_another(self, asset: bytes, name: str) -> bool:
        if is_odd(name) or name.casefold() == COIN_NAME:
            return True
        return self.index is not None and any(other != asset for other in self.index.assets_named(name, 2))

    def learn(self, transaction: bytes, body: Body) -> None:
        """Remember the assets that a transaction defines, which may not be in a block yet."""
        for number, d in enumerate(body.definitions):
            self._assets[asset_id(transaction, number)] = AssetName(d.name, d.unit, d.decimals)

    def amount(self, asset: bytes, quantity: int) -> AmountView:
        """So much of an asset."""
        known = self.asset(asset)
        return AmountView(
            asset=asset.hex(),
            name=known.name if known else None,
            alike=self.is_alike(asset),
            unit=known.unit if known else None,
            quantity=str(quantity),
            amount=format_amount(quantity, known.decimals) if known else None,
        )

    def names(self, body: Body, people: Mapping[Condition, str] | None = None) -> Names:
        """The names of the assets that a body touches, for ``explain``; and those of ``people``."""
        touched = [spent.content.asset for spent in body.inputs] + [made.asset for made in body.outputs]
        touched += [retired.asset for retired in body.retires]
        touched += [amount.asset for transform in body.transforms for amount in transform.consumed]
        touched += [post.about for post in body.posts if post.about is not None]
        for content in (*(spent.content for spent in body.inputs), *body.outputs):
            if isinstance(content, Right):
                touched += [source.asset for recipe in content.recipes for source in recipe.sources]
        found = {asset: known for asset in dict.fromkeys(touched) if (known := self.asset(asset)) is not None}
        return Names(people, found)

    def asset_view(self, asset: bytes, record: AssetRecord) -> AssetView:
        """An asset's definition and books."""
        d = record.definition
        existing = record.issued + record.produced - record.consumed - record.retired
        return AssetView(
            id=asset.hex(),
            name=d.name,
            alike=self.is_alike(asset),
            unit=d.unit,
            decimals=d.decimals,
            issuer=condition_to_json(d.issuer),
            limit=str(d.limit),
            custody=d.custody,
            terms=d.terms.hex() if d.terms else None,
            transaction=record.transaction.hex(),
            height=record.height,
            issued=str(record.issued),
            produced=str(record.produced),
            consumed=str(record.consumed),
            retired=str(record.retired),
            existing=str(existing),
            existing_amount=format_amount(existing, d.decimals),
            transactions=record.transactions,
        )

    # ---- outputs and transactions -----------------------------------------------------------------------------

    def output(self, content: Output) -> OutputView:
        """A holding or a right."""
        if isinstance(content, Holding):
            return OutputView(
                kind="holding",
                amount=self.amount(content.asset, content.quantity),
                owner=condition_to_json(content.owner),
                custodian=condition_to_json(content.custodian) if content.custodian is not None else None,
                custody=content.custodian is not None,
                content=encode(content).hex(),
            )
        return OutputView(
            kind="right",
            amount=self.amount(content.asset, content.limit),
            owner=condition_to_json(content.owner),
            custody=content.custody,
            recipes=[self.recipe(content.asset, recipe) for recipe in content.recipes],
            content=encode(content).hex(),
        )

    def recipe(self, product: bytes, recipe: Recipe) -> RecipeView:
        """A rule of transformation."""
        sources = [self.amount(source.asset, source.quantity) for source in recipe.sources]
        return RecipeView(sources=sources, product=self.amount(product, recipe.product))

    def post(self, post: Post) -> PostView:
        """A line on the board."""
        about = self.asset(post.about) if post.about is not None else None
        return PostView(
            author=condition_to_json(post.author),
            text=post.text,
            about=post.about.hex() if post.about is not None else None,
            about_name=about.name if about else None,
            about_alike=post.about is not None and self.is_alike(post.about),
            document=post.document.hex() if post.document is not None else None,
        )

    def transaction(self, item: Prepared, place: tuple[Known, int] | None) -> TransactionView:
        """A transaction, whole; ``place`` is its block and its position there."""
        body, witness = item.transaction.body, item.transaction.witness
        self.learn(item.id, body)
        known, position = place if place is not None else (None, None)
        return TransactionView(
            id=item.id.hex(),
            status="confirmed" if known else "waiting",
            block=known.name.hex() if known else None,
            height=known.height if known else None,
            position=position,
            confirmations=self.confirmations(known) if known else 0,
            time_ms=known.header.time_ms if known else None,
            time=time_text(known.header.time_ms) if known else None,
            size_bytes=item.size_bytes,
            fee=str(item.fee),
            words=explain(body, self.names(body)),
            inputs=[
                InputView(source=spent.source.hex(), index=spent.index, output=self.output(spent.content))
                for spent in body.inputs
            ],
            outputs=[self.output(made) for made in outputs_made(item.id, body)],
            definitions=self._definitions(item.id, body),
            issues=[
                IssueView(right=issue.right, made=self.amount(_asset_at(body, issue.right), issue.quantity))
                for issue in body.issues
            ],
            transforms=[
                TransformView(
                    right=t.right,
                    recipe=t.recipe,
                    consumed=[self.amount(amount.asset, amount.quantity) for amount in t.consumed],
                    produced=self.amount(_asset_at(body, t.right), t.produced),
                )
                for t in body.transforms
            ],
            retires=[RetireView(retired=self.amount(r.asset, r.quantity), reason=r.reason) for r in body.retires],
            posts=[self.post(post) for post in body.posts],
            since=body.since,
            signatures=[
                SignatureView(key=s.key.hex(), address=address_of(s.key), signature=s.signature.hex())
                for s in witness.signatures
            ],
            preimages=[preimage.hex() for preimage in witness.preimages],
            hex=encode(item.transaction).hex(),
        )

    def _definitions(self, transaction: bytes, body: Body) -> list[DefinitionView]:
        return [
            DefinitionView(
                asset=asset_id(transaction, number).hex(),
                name=d.name,
                unit=d.unit,
                decimals=d.decimals,
                issuer=condition_to_json(d.issuer),
                limit=str(d.limit),
                custody=d.custody,
                terms=d.terms.hex() if d.terms else None,
            )
            for number, d in enumerate(body.definitions)
        ]

    # ---- blocks -----------------------------------------------------------------------------------------------

    def confirmations(self, known: Known) -> int:
        """Blocks on top of this one, itself counted; 0 if it is not on the connected chain."""
        return self.chain.tip.height - known.height + 1 if self.chain.is_active(known) else 0

    def header(self, known: Known) -> HeaderView:
        """A header and what follows from it."""
        header = known.header
        return HeaderView(
            height=header.height,
            hash=known.name.hex(),
            parent=header.parent.hex(),
            content_root=header.content_root.hex(),
            state_root=header.state_root.hex(),
            time_ms=header.time_ms,
            time=time_text(header.time_ms),
            target=f"{header.target:08x}",
            difficulty=str(difficulty(header.target)),
            work=str(known.work),
            median_time_ms=known.median_time_ms,
            nonce=header.nonce.hex(),
            confirmations=self.confirmations(known),
            hex=encode(header).hex(),
        )


def difficulty(target: int) -> int:
    """Hashes that a puzzle of this compact target takes on average."""
    return targets.work(targets.expand(target))


def _asset_at(body: Body, right: int) -> bytes:
    return body.inputs[right].content.asset
