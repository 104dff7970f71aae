"""SHA-256, tagged by purpose (BIP 340, "Design", tagged hashes).

A tagged hash is SHA-256(SHA-256(tag) || SHA-256(tag) || data): a digest made for one purpose can never be
taken for a digest of another. The two tag blocks fill exactly one SHA-256 block of 64 bytes, so the state
after them is computed once per tag and copied.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

HASH_SIZE_BYTES = 32

ZERO_HASH = bytes(HASH_SIZE_BYTES)

Hasher = Callable[[bytes], bytes]


def sha256(data: bytes) -> bytes:
    """Plain SHA-256 of ``data``, 32 bytes: the name of a document (what ``sha256sum`` prints)."""
    return hashlib.sha256(data).digest()


def tagged(tag: str, prefix: bytes = b"") -> Hasher:
    """Return the hash function of this purpose.

    ``prefix`` is data that every message of the purpose starts with (a network id, say); it is hashed once.

    >>> tagged("horoi/example")(b"x") == tagged("horoi/other")(b"x")
    False
    """
    label = hashlib.sha256(tag.encode()).digest()
    midstate = hashlib.sha256(label + label + prefix)

    def digest(data: bytes) -> bytes:
        state = midstate.copy()
        state.update(data)
        return state.digest()

    return digest
