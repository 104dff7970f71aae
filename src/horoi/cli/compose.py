"""Builds a transaction here from what a node tells over its API, so that no secret leaves this program.

The words of a verb are read as the node's own wallet reads them (``horoi.web.compose``); only where assets and unspent
outputs come from differs. What the node says of an output stands in the transaction's input and is signed with it: a node
that lies about an amount gets a transaction that the ledger refuses.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from horoi.base.codec import Codec
from horoi.base.errors import InsufficientError, NotFoundError
from horoi.cli.lookup import COIN_NAME, asset_id
from horoi.ledger.conditions import Condition, Key, keys_named
from horoi.ledger.genesis import from_json
from horoi.ledger.transaction import MAX_TRANSACTION_SIZE_BYTES, NATIVE, Body, Output
from horoi.node.wallet.amounts import parse_amount
from horoi.node.wallet.builder import Draft
from horoi.node.wallet.explain import AssetName, Names
from horoi.node.wallet.pools import Spendable
from horoi.node.wallet.text import condition_from_json
from horoi.web.compose import Composer, reader_of

if TYPE_CHECKING:
    from horoi.client import Client
    from horoi.web.model.books import UnspentView
    from horoi.web.model.wallet import Verb

MAX_OUTPUTS_READ = 10_000  # of one key: what the API gives at once

_output_codec: Codec[Output] = Codec(Output, max_size_bytes=MAX_TRANSACTION_SIZE_BYTES)


class Books:
    """What assets are called, as a node knows them. Each is asked for once."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self._known: dict[bytes, AssetName | None] = {NATIVE: AssetName(COIN_NAME)}

    def asset_name(self, asset: bytes) -> AssetName | None:
        """Name, unit and decimals of an asset; None if it is not defined there."""
        if asset not in self._known:
            try:
                view = self.client.asset(asset.hex()).asset
                self._known[asset] = AssetName(view.name, view.unit, view.decimals)
            except NotFoundError:
                self._known[asset] = None
        return self._known[asset]

    def names(self, body: Body, people: Mapping[bytes, str] | None = None) -> Names:
        """The names for what ``body`` touches, with ``people`` by their keys."""
        touched = dict.fromkeys(_touched(body))
        known = {asset: name for asset in touched if (name := self.asset_name(asset)) is not None}
        return Names({Key(key): name for key, name in (people or {}).items()}, known)


class Remote(Composer):
    """Reads the words of one command against a node's API. ``own`` stands where nobody is named."""

    def __init__(self, client: Client, own: Key) -> None:
        self.client = client
        self.own = own
        self.status = client.status()
        self.network_id = bytes.fromhex(self.status.network.id)
        self.parties = dict.fromkeys(keys_named(own))
        self.books = Books(client)
        self._granted_assets: dict[bytes, None] | None = None

    # ---- words ------------------------------------------------------------------------------------------------

    def who(self, form: Any) -> Condition:
        condition = self.own if form is None else condition_from_json(form)
        self.parties.update(dict.fromkeys(keys_named(condition)))
        return condition

    def asset(self, text: str) -> bytes:
        return bytes.fromhex(asset_id(self.client, text))

    def quantity(self, asset: bytes, amount: str) -> int:
        known = self.books.asset_name(asset)
        if known is None and asset not in self._grants():
            raise NotFoundError(
                f"asset {asset.hex()} is not defined in the connected chain: wait until its definition is"
            )
        return parse_amount(amount, known.decimals if known else 0)

    def _grants(self) -> dict[bytes, None]:
        if self._granted_assets is None:
            grants = from_json(self.client.genesis()).grants
            self._granted_assets = dict.fromkeys(grant.asset for grant in grants)
        return self._granted_assets

    # ---- the transaction --------------------------------------------------------------------------------------

    def body(self, verb: Verb, *, payer: Condition, fee: int | None) -> Body:
        """One body that says ``verb``: from confirmed outputs, else also from those of waiting transactions."""
        say = reader_of(verb)(self, verb)
        self.parties.update(dict.fromkeys(keys_named(payer)))
        try:
            return say(self._draft(payer, fee, unconfirmed=False)).build()
        except InsufficientError:
            return say(self._draft(payer, fee, unconfirmed=True)).build()

    def _draft(self, payer: Condition, fee: int | None, *, unconfirmed: bool) -> Draft:
        network = self.status.network
        draft = Draft(
            self._spendables(unconfirmed=unconfirmed),
            height=self.status.height + 1,
            maturity=network.maturity,
            fee_floor=int(network.fee_floor),
            payer=payer,
        )
        return draft if fee is None else draft.pay_fee(payer, fee)

    def _spendables(self, *, unconfirmed: bool) -> list[Spendable]:
        """Unspent outputs that name one of the parties, that no waiting transaction spends and no offer promises, each once."""
        found: dict[tuple[str, int], Spendable] = {}
        for key in self.parties:
            name = key.hex()
            rows = self.client.holdings(key=name, unconfirmed=unconfirmed, limit=MAX_OUTPUTS_READ).outputs
            for row in (*rows, *self.client.rights(key=name).outputs):
                if row.spent_by is None and row.offered is None:
                    found[row.source, row.index] = self._spendable(row)
        return list(found.values())

    def _spendable(self, row: UnspentView) -> Spendable:
        height = row.height if row.height is not None else self.status.height + 1
        content = _output_codec.decode(bytes.fromhex(row.output.content))
        return Spendable(bytes.fromhex(row.source), row.index, content, height, row.is_reward)


def _touched(body: Body) -> Iterable[bytes]:
    for content in (*(spent.content for spent in body.inputs), *body.outputs):
        yield content.asset
        for recipe in getattr(content, "recipes", ()):
            yield from (source.asset for source in recipe.sources)
    for retired in body.retires:
        yield retired.asset
    for transform in body.transforms:
        yield from (amount.asset for amount in transform.consumed)
    for post in body.posts:
        if post.about is not None:
            yield post.about
