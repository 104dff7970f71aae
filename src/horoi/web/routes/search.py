"""One search box that takes anything: everything that the text may mean is looked for, and said as what it was read."""

from __future__ import annotations

from typing import Literal

from horoi.node.index.text import words_in_place, words_of
from horoi.web import finding
from horoi.web.access import NodeAccess
from horoi.web.lines import Liner
from horoi.web.model.search import FoundPost, Hit, SearchQuery, SearchView
from horoi.web.routes.books import post_entry

MAX_HIGHLIGHTS = 50


def search(access: NodeAccess, query: SearchQuery, _: None) -> SearchView:
    """Find blocks, transactions, assets, companies, documents by name, number or date, and posts by their words."""
    text = query.q.strip()
    liner = Liner(access)
    hits, read_as = _things(access, liner, text) if query.before is None else ([], [])
    before = tuple(int(part) for part in query.before.split(".")) if query.before else None
    place = (before[0], before[1], before[2]) if before else None
    found = access.index.search_posts(text, query.limit, place)
    if words_of(text):
        read_as.append("words")
    last = found.posts[-1] if found.posts and found.more else None
    return SearchView(
        query=query.q,
        read_as=read_as,
        hits=hits[: query.limit],
        posts=[
            FoundPost(
                **{name: getattr(entry, name) for name in entry.__struct_fields__},
                highlights=highlights(entry.post.text, text),
            )
            for entry in (post_entry(liner.view, record) for record in found.posts)
        ],
        next=f"{last.height}.{last.position}.{last.number}" if last else None,
        truncated=not found.is_complete,
    )


ReadAs = Literal["height", "hash", "address", "name", "date", "words"]


def _things(access: NodeAccess, liner: Liner, text: str) -> tuple[list[Hit], list[ReadAs]]:
    """Hits of every reading of the text, the most exact reading first."""
    readings: list[tuple[ReadAs, list[Hit] | None]] = [
        ("height", finding.by_height(access, text)),
        ("address", finding.by_address(access, liner, text)),
        ("hash", finding.by_hash(access, liner, text)),
        ("date", finding.by_time(access, text)),
        ("name", finding.by_name(access, liner, text) or None if text else None),
    ]
    hits: dict[tuple[str, str], Hit] = {}
    for _, found in readings:
        for hit in found or []:
            hits.setdefault((hit.kind, hit.id), hit)
    return list(hits.values()), [name for name, found in readings if found is not None]


def highlights(text: str, query: str) -> list[tuple[int, int]]:
    """Where the words of a query stand in a text, in UTF-16 units."""
    words = list(words_of(query))
    if not words:
        return []
    last, exact = words[-1], dict.fromkeys(words)
    found = []
    for word in words_in_place(text):
        if word.folded in exact or word.folded.startswith(last):
            start = _utf16_length(text[: word.start])
            found.append((start, start + _utf16_length(text[word.start : word.end])))
        if len(found) >= MAX_HIGHLIGHTS:
            break
    return found


def _utf16_length(text: str) -> int:
    return len(text) + sum(letter > "\uffff" for letter in text)
