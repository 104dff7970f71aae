"""Who somebody is, ready to be shown, and the names that this node knows."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from msgspec import Meta

from horoi.web.model.base import Answer, Asking, ConditionForm, Hash, Height

NameSource: TypeAlias = Annotated[
    Literal["book", "own", "claim"],
    Meta(
        description="`book`: the operator's names; `own`: this node's keystore; `claim`: it says so itself, unverified."
    ),
]


class Party(Answer, frozen=True, kw_only=True):
    """Somebody. ``text`` is what to print: a name only if this node trusts it; of a claim, the address."""

    text: str
    name: str | None
    source: NameSource | None
    key: Hash | None
    """Null for a condition of several keys, or of none."""
    address: str | None
    condition: ConditionForm
    later: str | None
    """The whole condition in words, where others may act too once a lock has run out."""


class NameView(Answer, frozen=True, kw_only=True):
    """A name that this node trusts."""

    name: str
    key: Hash
    address: str
    source: NameSource


class NameList(Answer, frozen=True, kw_only=True):
    """All of them, in order of name."""

    names: list[NameView]


class NameForm(Asking, frozen=True, kw_only=True):
    """Call an address so; an empty name forgets it."""

    address: Annotated[str, Meta(max_length=90)]
    name: Annotated[str, Meta(max_length=64)]


class ClaimView(Answer, frozen=True, kw_only=True):
    """A name that a key gave itself in a post. Others may claim the same."""

    name: str
    transaction: Hash
    height: Height
