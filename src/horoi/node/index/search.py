"""Full-text search over posts: an inverted index (Manning, Raghavan, Schuetze, "Introduction to Information Retrieval",
2008, ch. 1-2), newest first.

For every word of a block there is one row with the places of the posts that have it; rows of a word sort with the newest
block first. A question reads so many places of each of its words and intersects. Where a word is so common that not all its
places were read, the rare words' posts are looked at themselves. So a question costs a bounded number of rows whatever anybody
posts (docs/decisions/full-text.md has what was measured beside it).
"""

from __future__ import annotations

from itertools import islice
from typing import NamedTuple

from horoi.node.index.keys import POSTING, below, height_of_word_key, word_key
from horoi.node.index.records import PostRecord, post_codec
from horoi.node.index.text import words_of
from horoi.node.storage.cache import CachedStore

MAX_QUERY_WORDS = 8  # a guess: who writes a sentence means its first words
MAX_PLACES = 5_000  # of one of several words that are read, the newest: 3 ms
MAX_ROWS = 2_000  # of one word: blocks, or words that a beginning stands for
MAX_LOOKED_AT = 500  # posts that are read to see whether they have a common word, per question: 10 ms

Place = tuple[int, int, int]
"""Height, position, number: the order of posts."""


class Found(NamedTuple):
    """Posts with all the words, newest first. ``is_complete``: there are no others before the last of them."""

    posts: list[PostRecord]
    more: bool
    is_complete: bool


class _Places(NamedTuple):
    """Where a word stands. ``since``: all places from this height on are there."""

    places: set[Place]
    since: int


class Search:
    """Questions of full text."""

    store: CachedStore

    def search_posts(self, text: str, most: int, before: Place | None = None) -> Found:
        """Posts that have every word of ``text``, the last of which may be the beginning of a word."""
        words = list(words_of(text))[:MAX_QUERY_WORDS]
        if not words:
            return Found([], False, True)
        enough = most + 1 if len(words) == 1 else MAX_PLACES
        read = [self._exactly(word, before, enough) for word in words[:-1]]
        read.append(self._beginning(words[-1], before, enough))
        since = max(places.since for places in read)
        found = set.intersection(*(places.places for places in read))
        if since > 0 and len(words) > 1:
            found |= {place for place in self._among_rare(words, read) if before is None or place < before}
        chosen = sorted(found, reverse=True)
        posts = [post for place in chosen[:most] if (post := self._post(place)) is not None]
        is_complete = since == 0 or (len(chosen) > most and chosen[most - 1][0] >= since)
        return Found(posts, len(chosen) > most, is_complete)

    def _among_rare(self, words: list[str], read: list[_Places]) -> set[Place]:
        """Posts of the word that is known whole and has the fewest places, older than what is known of the common words."""
        whole = [places for places in read if places.since == 0]
        if not whole:
            return set()
        rarest = min(whole, key=lambda places: len(places.places))
        since = max(places.since for places in read)
        older = sorted((place for place in rarest.places if place[0] < since), reverse=True)
        return {place for place in older[:MAX_LOOKED_AT] if self._has_all(place, words)}

    def _has_all(self, place: Place, words: list[str]) -> bool:
        record = self._post(place)
        if record is None:
            return False
        there = words_of(record.post.text)
        return all(word in there for word in words[:-1]) and any(word.startswith(words[-1]) for word in there)

    def _exactly(self, word: str, before: Place | None, enough: int) -> _Places:
        """The newest places of a word: at least ``enough``, if there are so many."""
        prefix = b"f" + word.encode() + b"\0"
        start, stop = below(prefix)
        if before is not None:
            start = word_key(word.encode(), before[0])
        places: set[Place] = set()
        height = 0
        for count, (key, value) in enumerate(islice(self.store.items(start, stop), MAX_ROWS + 1)):
            if count == MAX_ROWS or len(places) >= enough:
                return _Places(places, height)
            height = height_of_word_key(key)
            _add(places, height, value, before)
        return _Places(places, 0)

    def _beginning(self, word: str, before: Place | None, enough: int) -> _Places:
        """The same of every word that begins so. Of too many of them: of the word itself and the first others."""
        exact = self._exactly(word, before, enough)
        prefix = b"f" + word.encode()
        rows: dict[int, list[bytes]] = {}
        is_cut = False
        longer = self.store.items(prefix + b"\x01", below(prefix)[1])
        for count, (key, value) in enumerate(islice(longer, MAX_ROWS + 1)):
            if count == MAX_ROWS:
                is_cut = True
                break
            rows.setdefault(height_of_word_key(key), []).append(value)
        own: dict[int, list[Place]] = {}
        for place in exact.places:
            own.setdefault(place[0], []).append(place)
        places: set[Place] = set()
        least = 1 if is_cut else 0
        for height in sorted({*rows, *own}, reverse=True):
            if height < exact.since or len(places) >= enough:
                return _Places(places, max(exact.since, least, height + 1))
            places.update(own.get(height, ()))
            for value in rows.get(height, ()):
                _add(places, height, value, before)
        return _Places(places, max(exact.since, least))

    def _post(self, place: Place) -> PostRecord | None:
        height, position, number = place
        key = b"p" + height.to_bytes(4, "big") + POSTING.pack(position, number)
        raw = self.store.get(key)
        return post_codec.decode(raw) if raw is not None else None


def _add(places: set[Place], height: int, postings: bytes, before: Place | None) -> None:
    """Add the places of a row, of those before ``before``."""
    if before is None or height < before[0]:
        places.update((height, position, number) for position, number in POSTING.iter_unpack(postings))
    elif height == before[0]:
        found = ((height, position, number) for position, number in POSTING.iter_unpack(postings))
        places.update(place for place in found if place < before)
