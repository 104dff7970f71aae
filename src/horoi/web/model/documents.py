"""Documents over the API: what the ledger holds the hash of, and peers the bytes."""

from __future__ import annotations

from typing import Literal

from horoi.web.model.base import Answer, Asking, Hash
from horoi.web.model.books import PostEntry


class DocumentContent(Answer, frozen=True, kw_only=True):
    """Whether this node keeps the bytes."""

    state: Literal["here", "fetching", "absent"]
    size_bytes: int | None
    """Null while no peer has named it."""
    have_bytes: int


class DocumentView(Answer, frozen=True, kw_only=True):
    """Who posted a document's hash, oldest first, and whether its bytes are here."""

    hash: Hash
    posts: list[PostEntry]
    content: DocumentContent


class DocumentKeptView(Answer, frozen=True, kw_only=True):
    """A document that this node keeps."""

    hash: Hash
    size_bytes: int
    is_new: bool


class FetchAnswer(Answer, frozen=True, kw_only=True):
    """What a fetch is doing."""

    hash: Hash
    content: DocumentContent


class FetchForm(Asking, frozen=True, kw_only=True):
    """Nothing to say."""
