"""Object pointers: at each peer on the way from a thing's holder to its root, "that one has it" (JSAC, section III-B).

Soft state: pointers expire, and holders publish again before (JSAC, section III-B). A query that meets a pointer is answered
from it, so near things are found near. Bounded like all that others can make a peer keep.
"""

from __future__ import annotations

from horoi.base.ids import id_to_bytes, key_of
from horoi.lookup.common.providers import ProviderStore

ObjectPointers = ProviderStore
"""Holders by key, with the time when each is forgotten."""


def salted(key: int, salt: int, bits: int) -> int:
    """One of the keys of a thing with several roots, made with a small salt that all peers know (TR). Salt 0: the key itself."""
    return key if salt == 0 else key_of(id_to_bytes(key, bits) + bytes([salt]), bits)
