"""Hashes are tagged by purpose, as BIP 340 does it."""

from __future__ import annotations

import hashlib

from hypothesis import given, settings
from hypothesis import strategies as st

from horoi.base.hashing import sha256, tagged


@given(st.text("abc/", min_size=1, max_size=8), st.binary(max_size=40), st.binary(max_size=200))
@settings(deadline=None, max_examples=50)
def test_a_tagged_hash_is_what_bip340_says(tag: str, prefix: bytes, data: bytes) -> None:
    label = hashlib.sha256(tag.encode()).digest()
    assert tagged(tag, prefix)(data) == hashlib.sha256(label + label + prefix + data).digest()


def test_bip340_challenge_tag_is_a_tag_like_any_other() -> None:
    """The same data under two purposes has two digests, and neither is the plain hash."""
    digests = {tagged("horoi/a")(b"x"), tagged("horoi/b")(b"x"), sha256(b"x")}
    assert len(digests) == 3


def test_a_hasher_keeps_nothing_between_calls() -> None:
    hasher = tagged("horoi/a")
    assert hasher(b"one") != hasher(b"two")
    assert hasher(b"one") == hasher(b"one")
