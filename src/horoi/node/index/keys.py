"""Where the index keeps what: the keys of its store. Numbers are big-endian, so that they sort.

t || transaction id                          its place: height, position, where its bytes lie in the block
b || height                                  the block in figures (``BlockFigures``)
a || asset                                   definition
s || asset                                   its books: issued, produced, consumed, retired, transactions
r || asset || reason                         quantity retired for this reason
y || asset || height || position             transactions that touched the asset
n || name || 0 || asset                      assets by name
l || folded name || 0 || asset               the same by the folded beginnings of their names
k || key || outpoint                         unspent outputs that name the key, and how
h || asset || outpoint                       unspent outputs of the asset
c || key || height || position               transactions that name the key
u || key || height || position || number     names that the key gave itself
p || height || position || number            posts, in order
d || document || height || position || n     posts about a document
f || word || 0 || ~height                    full text: which posts of the block have the word (position, number each)
m                                            the marker
v                                            the format of all this: of another format, the index is made anew
"""

from __future__ import annotations

import struct

PLACE = struct.Struct(">IIII")
FIGURES = struct.Struct(">IQQQ")
BOOKS = struct.Struct(">QQQQQ")
POSTING = struct.Struct(">IH")
WHERE_SIZE_BYTES = 8  # height and position

_LAST_U32 = 2**32 - 1

# Names of the packers themselves: they run ten times for a transaction.
u32 = struct.Struct(">I").pack
u16 = struct.Struct(">H").pack
where = struct.Struct(">II").pack
"""A place in the ledger's order: height and position."""


def read_where(data: bytes) -> tuple[int, int]:
    """Height and position at the start of ``data``."""
    return int.from_bytes(data[:4], "big"), int.from_bytes(data[4:8], "big")


def name_key(name: str) -> bytes:
    """Of the assets with exactly this name: the beginning of their keys."""
    return b"n" + name.encode() + b"\0"


def word_key(word: bytes, height: int) -> bytes:
    """Of the posts of a block that have the word; newer blocks sort first."""
    return b"f" + word + b"\0" + u32(_LAST_U32 - height)


def height_of_word_key(key: bytes) -> int:
    """The reverse of ``word_key``, for the height."""
    return _LAST_U32 - int.from_bytes(key[-4:], "big")


def below(prefix: bytes) -> tuple[bytes, bytes]:
    """The range of keys with this prefix: no key goes on after it with so many bytes of 255."""
    return prefix, prefix + b"\xff" * 48
