"""Identifiers of peers and of things, in one space, and the distances that overlays measure in it.

An id is a whole number of ``bits`` bits. "Consistent hashing assigns each node and key an m-bit identifier using a base
hash function" (Stoica et al. 2001, section 4.2): peers and keys are hashed into the same space, so keys spread evenly over
peers, and a peer that comes or goes moves only the keys near it (Karger et al. 1997).

Distances, each with the overlay that lives by it: clockwise on the ring (Chord), around it in the shorter direction and by
shared digits (Pastry, Tapestry), exclusive or (Kademlia), Euclidean on a torus (CAN).

An id should be *bound* to something that costs: a peer that could choose its id could sit beside any key and own it. Here
an id is the hash of an address (as in Chord's paper) or of a public key (S/Kademlia, Baumgart & Mies 2007), so whoever
hears of a peer can check it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from horoi.base.hashing import HASH_SIZE_BYTES, tagged

ID_BITS = 160  # Chord, Kademlia and Mainline: the width of SHA-1
MAX_ID_BITS = HASH_SIZE_BYTES * 8

_hash_key = tagged("horoi/lookup/key")
_hash_address = tagged("horoi/lookup/address")
_hash_public_key = tagged("horoi/lookup/public-key")


def check_bits(bits: int) -> None:
    """Refuse a width that is not 8, 16, ... 256: ids travel as whole bytes and are cut from a SHA-256."""
    if not (8 <= bits <= MAX_ID_BITS and bits % 8 == 0):
        raise ValueError(f"an id has 8 to {MAX_ID_BITS} bits, in whole bytes, not {bits}")


def _cut(digest: bytes, bits: int) -> int:
    return int.from_bytes(digest, "big") >> (MAX_ID_BITS - bits)


# Ids


def key_of(data: bytes, bits: int = ID_BITS) -> int:
    """The key of a thing (a name, a document's hash): its tagged SHA-256, cut to ``bits``.

    >>> key_of(b"a", 64) == key_of(b"a", 160) >> 96
    True
    """
    return _cut(_hash_key(data), bits)


def id_of_address(address: object, bits: int = ID_BITS, index: int = 0) -> int:
    """The id bound to an address, "ip:port" or (ip, port) or a number of a simulation.

    ``index`` tells the virtual nodes of one address apart. Chord, section 4.2: the identifier is the hash of the IP address.
    """
    text = f"{address[0]}:{address[1]}" if isinstance(address, tuple) else str(address)
    return _cut(_hash_address(f"{text}/{index}".encode()), bits)


def id_of_public_key(public_key: bytes, bits: int = ID_BITS) -> int:
    """The id bound to a key pair: only who can sign with it may have this id (S/Kademlia, section 4.1)."""
    return _cut(_hash_public_key(public_key), bits)


def id_to_bytes(number: int, bits: int = ID_BITS) -> bytes:
    """``bits / 8`` bytes, big-endian: the order of the bytes is the order of the ids."""
    return number.to_bytes(bits // 8, "big")


def id_from_bytes(data: bytes) -> int:
    """The inverse of ``id_to_bytes``, whatever the width."""
    return int.from_bytes(data, "big")


# The ring: Chord, and Pastry's leaf sets


def clockwise(a: int, b: int, bits: int) -> int:
    """How far it is from ``a`` up to ``b``, over the top if needed. Not symmetric.

    >>> clockwise(250, 4, 8), clockwise(4, 250, 8)
    (10, 246)
    """
    return (b - a) & ((1 << bits) - 1)


def around(a: int, b: int, bits: int) -> int:
    """How far apart ``a`` and ``b`` are on the ring, in the shorter direction. Symmetric; at most half the ring."""
    mask = (1 << bits) - 1
    up = (b - a) & mask
    return up if up <= mask >> 1 else mask + 1 - up


def in_open(x: int, a: int, b: int) -> bool:
    """Whether x is in (a, b) clockwise: met on the way from ``a`` before ``b``. (a, a) is all but a.

    >>> in_open(5, 250, 10), in_open(10, 250, 10), in_open(3, 7, 7), in_open(7, 7, 7)
    (True, False, True, False)
    """
    if a < b:
        return a < x < b
    return x > a or x < b


def in_half_open(x: int, a: int, b: int) -> bool:
    """Whether x is in (a, b] clockwise; (a, a] is the whole ring. A Chord node n owns the keys of (predecessor, n].

    >>> in_half_open(10, 250, 10), in_half_open(250, 250, 10), in_half_open(7, 7, 7)
    (True, False, True)
    """
    if a < b:
        return a < x <= b
    return x > a or x <= b


# Prefixes and exclusive or: Pastry, Tapestry, Kademlia


def xor(a: int, b: int) -> int:
    """Kademlia's distance: symmetric, and for each distance from ``a`` there is exactly one b ("unidirectional")."""
    return a ^ b


def shared_bits(a: int, b: int, bits: int) -> int:
    """How many leading bits two ids share.

    >>> shared_bits(0b1010_0000, 0b1011_0000, 8)
    3
    """
    return bits - (a ^ b).bit_length()


def shared_digits(a: int, b: int, bits: int, digit_bits: int) -> int:
    """How many leading digits of ``digit_bits`` bits two ids share. The last digit may be short.

    >>> shared_digits(0xAB12, 0xAB92, 16, 4), shared_digits(7, 7, 16, 4)
    (2, 4)
    """
    if a == b:
        return -(-bits // digit_bits)
    return (bits - (a ^ b).bit_length()) // digit_bits


def digit(number: int, row: int, bits: int, digit_bits: int) -> int:
    """Digit number ``row`` of an id, counted from the front.

    >>> [digit(0xAB12, row, 16, 4) for row in range(4)]
    [10, 11, 1, 2]
    """
    shift = bits - (row + 1) * digit_bits
    mask = (1 << digit_bits) - 1
    return number >> shift & mask if shift >= 0 else number << -shift & mask


# The torus: CAN


def torus_point(number: int, dimensions: int, bits: int) -> tuple[int, ...]:
    """The point of an id: its bits dealt out in ``dimensions`` equal runs; each coordinate has bits // dimensions bits.

    CAN, section 2: "key K is deterministically mapped onto a point P in the coordinate space using a uniform hash function".

    >>> torus_point(0xAB12, 2, 16)
    (171, 18)
    """
    width = bits // dimensions
    mask = (1 << width) - 1
    return tuple(number >> (bits - (i + 1) * width) & mask for i in range(dimensions))


def torus_distance(a: Sequence[float], b: Sequence[float], side: float) -> float:
    """Euclidean distance where opposite edges of the cube of this ``side`` are glued.

    >>> torus_distance((1, 1), (9, 1), 10)
    2.0
    """
    total = 0.0
    for x, y in zip(a, b, strict=True):
        gap = abs(x - y)
        gap = min(gap, side - gap)
        total += gap * gap
    return math.sqrt(total)
