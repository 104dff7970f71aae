"""Full text against a plain reading of all posts, and within its bounds whatever is posted."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from horoi.base.codec import encode
from horoi.ledger.conditions import Key
from horoi.ledger.transaction import Post
from horoi.node.index import search as search_module
from horoi.node.index.answers import Answers
from horoi.node.index.keys import POSTING, u16, where, word_key
from horoi.node.index.records import PostRecord
from horoi.node.index.search import Search
from horoi.node.index.text import words_of
from horoi.node.storage.cache import CachedStore
from horoi.world.sim.disk import SimDisk

WORDS = ("ba", "bar", "bari", "lo", "lot", "χρώμα", "x")


class Board(Answers, Search):
    """An index of posts alone."""

    def __init__(self, posts: list[tuple[int, str]]) -> None:
        super().__init__(CachedStore(SimDisk(random.Random(1)).store("index"), 1_000_000))
        self.records: list[PostRecord] = []
        for number, (height, text) in enumerate(sorted(posts, key=lambda row: row[0])):
            record = PostRecord(bytes(32), height, number, 0, 0, Post(Key(bytes(32)), text, None, None))
            self.records.append(record)
            self.store.put(b"p" + where(height, number) + u16(0), encode(record))
            for word in words_of(text):
                key = word_key(word.encode(), height)
                self.store.put(key, (self.store.get(key) or b"") + POSTING.pack(number, 0))

    def plainly(self, text: str) -> list[PostRecord]:
        *whole, last = words_of(text)
        found = []
        for record in reversed(self.records):
            there = words_of(record.post.text)
            if all(word in there for word in whole) and any(word.startswith(last) for word in there):
                found.append(record)
        return found


texts = st.lists(st.sampled_from(WORDS), max_size=6).map(" ".join)
boards = st.lists(st.tuples(st.integers(0, 9), texts), max_size=30)
queries = st.lists(st.sampled_from(WORDS), min_size=1, max_size=3).map(" ".join)


@settings(max_examples=150, deadline=None)
@given(boards, queries, st.integers(1, 5))
def test_what_is_found_is_what_reading_everything_finds(posts: list[tuple[int, str]], query: str, most: int) -> None:
    board = Board(posts)
    expected = board.plainly(query)
    read: list[PostRecord] = []
    before = None
    while True:
        found = board.search_posts(query, most, before)
        assert found.is_complete
        read += found.posts
        if not found.more:
            break
        last = found.posts[-1]
        before = (last.height, last.position, last.number)
    assert read == expected


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search_module, "MAX_PLACES", 5)
    monkeypatch.setattr(search_module, "MAX_ROWS", 5)


@settings(max_examples=100, deadline=None)
@given(boards, queries)
def test_beyond_its_bounds_it_finds_fewer_and_says_so(posts: list[tuple[int, str]], query: str) -> None:
    before = search_module.MAX_PLACES, search_module.MAX_ROWS
    search_module.MAX_PLACES = search_module.MAX_ROWS = 3
    try:
        board = Board(posts)
        found = board.search_posts(query, 100)
    finally:
        search_module.MAX_PLACES, search_module.MAX_ROWS = before
    expected = board.plainly(query)
    assert [record for record in expected if record in found.posts] == found.posts
    if found.is_complete:
        assert found.posts == expected


@pytest.mark.usefixtures("small")
def test_a_rare_word_is_found_beside_a_common_one_however_long_ago() -> None:
    board = Board([(0, "lot χρώμα"), *((height, "lot") for height in range(1, 40))])
    found = board.search_posts("χρώμα lot", 10)
    assert [record.height for record in found.posts] == [0]
