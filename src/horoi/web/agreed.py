"""What signers agree to, in parts with names and amounts, for the reader's language."""

from __future__ import annotations

from horoi.ledger.transaction import Body, Definition
from horoi.node.wallet.amounts import format_amount
from horoi.node.wallet.sentences import Sentence, sentences
from horoi.web.model.agreed import DefinedView, SentenceView
from horoi.web.people import People
from horoi.web.views import Viewer


def sentence_views(view: Viewer, people: People, body: Body) -> list[SentenceView]:
    """The sentences of a body, in the order of ``explain``'s words."""
    return [sentence_view(view, people, sentence) for sentence in sentences(body)]


def sentence_view(view: Viewer, people: People, said: Sentence) -> SentenceView:
    """One sentence with the names that this node has."""
    amount, asset = said.amount, view.asset(said.asset) if said.asset is not None else None
    return SentenceView(
        kind=said.kind,
        who=people.party_if(said.who),
        to=people.party_if(said.to),
        owner=people.party_if(said.owner),
        amount=view.amount(amount.asset, amount.quantity) if amount is not None else None,
        asset=said.asset.hex() if said.asset is not None else None,
        asset_name=asset.name if asset is not None else None,
        sources=[view.amount(source.asset, source.quantity) for source in said.sources],
        recipes=[view.recipe(amount.asset, recipe) for recipe in said.recipes] if amount is not None else [],
        defined=_defined(said.definition) if said.definition is not None else None,
        text=said.text,
        document=said.document.hex() if said.document is not None else None,
        height=said.height,
        signers=[people.party(condition) for condition in said.signers],
    )


def _defined(d: Definition) -> DefinedView:
    return DefinedView(
        name=d.name,
        unit=d.unit,
        limit=format_amount(d.limit, d.decimals),
        custody=d.custody,
        terms=d.terms.hex() if d.terms else None,
    )
