"""One search box that takes anything."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from msgspec import Meta

from horoi.web.model.base import Answer, Asking, Hash, TimeMs
from horoi.web.model.books import PostEntry
from horoi.web.model.people import Party

MAX_QUERY_CHARACTERS = 200
MAX_HITS = 50

HitKind: TypeAlias = Literal["block", "transaction", "waiting", "asset", "key", "document", "time"]
PostCursor: TypeAlias = Annotated[
    str, Meta(pattern=r"^[0-9]{1,10}\.[0-9]{1,10}\.[0-9]{1,5}$", description="What the page before said as `next`.")
]


class SearchQuery(Asking, frozen=True, kw_only=True):
    q: Annotated[
        str,
        Meta(
            max_length=MAX_QUERY_CHARACTERS,
            description="A height, the beginning of a hash or id (from 6 letters), an address, a name, a date or time "
            "(2026-11-29T14:30), or words of a post, the last of which may be unfinished.",
        ),
    ]
    before: PostCursor | None = None
    limit: Annotated[int, Meta(ge=1, le=MAX_HITS)] = 20


class Hit(Answer, frozen=True, kw_only=True):
    """Something with a page of its own: ``id`` is what its address ends with."""

    kind: HitKind
    id: str
    title: str
    detail: str
    height: int | None = None
    time_ms: TimeMs | None = None
    party: Party | None = None
    transactions: int | None = None
    """Of a block of the connected chain."""
    transaction: Hash | None = None
    """That put a document on the board."""


class FoundPost(PostEntry, frozen=True, kw_only=True):
    """A post with the searched words."""

    highlights: list[tuple[int, int]]
    """Where they stand in its text: from, to, in UTF-16 units, as a browser counts."""


class SearchView(Answer, frozen=True, kw_only=True):
    """What was found: things by name or number, and posts by their words, newest first."""

    query: str
    read_as: list[Literal["height", "hash", "address", "name", "date", "words"]]
    """As what the text was understood."""
    hits: list[Hit]
    posts: list[FoundPost]
    next: PostCursor | None
    truncated: bool
    """There may be posts that were not found: the words are very common, or the last one very short."""
