"""How many peers a swarm has, counted by many nodes together: Bloom filters of addresses (BEP 33).

Each node knows some of a swarm's peers. It answers a scrape with a filter of 2048 bits with two set for each address; the
union of filters counts no address twice, and the share of zeros tells how many are in it.
"""

from __future__ import annotations

import hashlib
import ipaddress
import math
from collections.abc import Iterable

BLOOM_BYTES = 256  # BEP 33: m = 256 * 8
_BITS = BLOOM_BYTES * 8


def bloom_of(ips: Iterable[str]) -> bytes:
    """The filter of these addresses: the two lowest 11-bit numbers of SHA-1 of each say which bits."""
    bits = bytearray(BLOOM_BYTES)
    for ip in ips:
        digest = hashlib.sha1(ipaddress.ip_address(ip).packed, usedforsecurity=False).digest()
        for index in (digest[0] | digest[1] << 8, digest[2] | digest[3] << 8):
            bits[index % _BITS // 8] |= 1 << index % 8
    return bytes(bits)


def union(blooms: Iterable[bytes]) -> bytes:
    """The filter of all that are in any of these."""
    total = 0
    for bloom in blooms:
        total |= int.from_bytes(bloom, "big")
    return total.to_bytes(BLOOM_BYTES, "big")


def estimate(bloom: bytes) -> float:
    """About how many addresses are in a filter; BEP 33: log(c / m) / (k log(1 - 1/m)), c zeros, k = 2."""
    zeros = _BITS - int.from_bytes(bloom, "big").bit_count()
    zeros = max(zeros, 1)  # a full filter tells no more than this
    return max(0.0, math.log(zeros / _BITS) / (2 * math.log(1 - 1 / _BITS)))
