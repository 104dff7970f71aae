"""What the ledger says of EPCIS events."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from horoi.web.model.base import Answer, Asking, Hash, Height

Uri = Annotated[
    str, Meta(min_length=3, max_length=500, pattern="^[A-Za-z][A-Za-z0-9+.-]*:[^\\s]+$", description="A URI.")
]


class AnchorPath(Asking, frozen=True, kw_only=True):
    hash: Annotated[Hash, Meta(description="The 32 bytes in the event's hash id.")]


class MovementView(Answer, frozen=True, kw_only=True):
    """What an event meant for quantities, and what became of it."""

    verb: str
    state: str
    """`done` (a transaction), `offered`, `accepted`, `refused`, or `unknown` (its names stand for nothing here)."""
    reference: str
    """The transaction or the offer; empty if there is none."""
    words: str


class AnchorView(Answer, frozen=True, kw_only=True):
    """A captured event, and its way to the post that carries it."""

    event: Hash
    event_id: str
    payload: str
    """As it is kept, byte for byte."""
    place: int
    size: int
    path: list[Hash]
    """From the leaf up (RFC 9162, section 2.1.3)."""
    root: Hash
    """The document of the post."""
    transaction: Hash | None
    """Null until it was handed in."""
    height: Height | None
    """Null until it is confirmed."""
    movements: list[MovementView]


class NameView(Answer, frozen=True, kw_only=True):
    """A GS1 name, and what it stands for: an asset's id, or an address."""

    kind: str
    uri: str
    what: str


class NamesView(Answer, frozen=True, kw_only=True):
    """All of them."""

    names: list[NameView]


class NamesForm(Asking, frozen=True, kw_only=True):
    """`class`: an EPC class (URN or Digital Link) stands for an asset; `party`: a party's URI stands for an address."""

    kind: Literal["class", "party"]
    uri: Uri
    what: Annotated[str, Meta(min_length=1, max_length=90)] | None
    """An asset's id or name, or an address; null forgets the name."""


class ExportQuery(Asking, frozen=True, kw_only=True):
    id: Hash
    form: Literal["epcis", "prov", "csv"] = "epcis"
