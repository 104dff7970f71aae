"""A key's page: the company behind it, as far as this ledger knows."""

from __future__ import annotations

import re

from horoi.base.address import PREFIX, public_key_of
from horoi.base.errors import NotFoundError, UsageError
from horoi.ledger.conditions import Key
from horoi.ledger.transaction import Holding, Post, Right
from horoi.node.index.records import PostRecord
from horoi.web.access import NodeAccess
from horoi.web.lines import Liner
from horoi.web.model.board import BoardLine
from horoi.web.model.books import PostEntry
from horoi.web.model.pages import KeyPage, KeyPath
from horoi.web.model.people import ClaimView
from horoi.web.reading import confirmed, unspent_of_key
from horoi.web.routes.board import read_cursor
from horoi.web.routes.books import post_entry, sums_of

MAX_UNSPENT = 500  # outputs that are added up: 8 ms; /v1/holdings has the rest
MAX_RIGHTS = 20
MAX_POSTS = 20
MAX_CLAIMS = 10
MAX_LOOKED_AT_FOR_POSTS = 50  # its newest transactions

_KEY = re.compile(r"[0-9a-f]{64}")


def key_page(access: NodeAccess, path: KeyPath, _: None) -> KeyPage:
    """A key or address: its names, what it owns, holds and may make, its history and its posts, newest first."""
    key = key_named(access, path.address)
    liner = Liner(access)
    rows, truncated = unspent_of_key(access, key, unconfirmed=False, most=MAX_UNSPENT)
    holdings = [row for row in rows if isinstance(row.spendable.content, Holding)]
    rights = [row.spendable.content for row in rows if isinstance(row.spendable.content, Right)]
    lines, after = _history(access, liner, key, path)
    return KeyPage(
        party=liner.people.party(Key(key)),
        claims=_claims(access, key),
        sums=sums_of(liner.view, holdings, any_role=False),
        rights=[liner.view.output(right) for right in rights[:MAX_RIGHTS]],
        lines=lines,
        posts=_posts(access, liner, key) if path.before is None else [],
        next=after,
        truncated=truncated or len(rights) > MAX_RIGHTS,
    )


def key_named(access: NodeAccess, text: str) -> bytes:
    """The key of an address, of a key in hexadecimal, or of a name in the book or the keystore."""
    if _KEY.fullmatch(text):
        return bytes.fromhex(text)
    if text.lower().startswith(f"{PREFIX}1"):
        return public_key_of(text)
    found = keys_called(access, text)
    if not found:
        raise NotFoundError(
            f"{text[:90]!r} is neither an address, nor a key, nor a name that this node knows",
            code="no-party",
            text=text[:90],
        )
    if len(found) > 1:
        raise UsageError(
            f"{len(found)} keys are called {text[:90]!r} here: give the address of the one you mean",
            code="keys-named",
            name=text[:90],
        )
    return found[0]


def keys_called(access: NodeAccess, name: str) -> list[bytes]:
    """Keys of exactly this name, whatever the case: the operator's, then the node's own."""
    own = [key.pair.public for key in access.keys if key.name.casefold() == name.casefold()]
    return list(dict.fromkeys([*access.book.keys_of(name), *own]))


def _claims(access: NodeAccess, key: bytes) -> list[ClaimView]:
    claims = []
    for (height, position), name in access.index.claims(key, MAX_CLAIMS):
        ids = access.index.block_ids(height)
        claims.append(ClaimView(name=name, transaction=ids[position].hex(), height=height))
    return claims


def _history(access: NodeAccess, liner: Liner, key: bytes, path: KeyPath) -> tuple[list[BoardLine], str | None]:
    rows = access.index.latest_of_key(key, path.limit + 1, read_cursor(path.before))
    lines: list[BoardLine] = []
    for _, item in rows[: path.limit]:
        found = confirmed(access, item)
        if found is not None:
            prepared, known, position = found
            lines += liner.confirmed(known, position, item, prepared.transaction.body)
    height, at = rows[path.limit - 1][0] if len(rows) > path.limit else (0, 0)
    return lines, f"{height}.{at}" if len(rows) > path.limit else None


def _posts(access: NodeAccess, liner: Liner, key: bytes) -> list[PostEntry]:
    """Its newest posts, among its newest transactions."""
    entries: list[PostEntry] = []
    for (height, position), item in access.index.latest_of_key(key, MAX_LOOKED_AT_FOR_POSTS):
        found = confirmed(access, item)
        if found is None:
            continue
        prepared, known, _ = found
        for number, post in enumerate(prepared.transaction.body.posts):
            if _is_by(post, key):
                record = PostRecord(item, height, position, number, known.header.time_ms, post)
                entries.append(post_entry(liner.view, record))
        if len(entries) >= MAX_POSTS:
            break
    return entries[:MAX_POSTS]


def _is_by(post: Post, key: bytes) -> bool:
    return type(post.author) is Key and post.author.public == key
