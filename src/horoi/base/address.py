"""Addresses: a public key in bech32m (BIP 350), so that a mistyped letter is caught before anything moves.

``horoi1`` + version 0 + 32 key bytes + 6 checksum letters. The checksum finds any error of up to 4 letters.
PyPI's ``bech32`` has only the older form (BIP 173), which misses inserted letters; hence these few lines.
"""

from __future__ import annotations

from functools import lru_cache

from horoi.base.errors import UsageError
from horoi.base.keys import PUBLIC_KEY_SIZE_BYTES

_LETTERS = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"  # BIP 173, table "bech32 character set"
_GENERATORS = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)  # BIP 173, "Checksum"
_BECH32M = 0x2BC830A3  # BIP 350
PREFIX = "horoi"
VERSION = 0
KEPT_ADDRESSES = 10_000  # that were written lately, 2 MB: a page names the same few companies again and again


def _polymod(values: list[int]) -> int:
    check = 1
    for value in values:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for bit, generator in enumerate(_GENERATORS):
            check ^= generator if (top >> bit) & 1 else 0
    return check


def _expand(prefix: str) -> list[int]:
    return [ord(c) >> 5 for c in prefix] + [0] + [ord(c) & 31 for c in prefix]


def _regroup(data: list[int], from_bits: int, to_bits: int, *, pad: bool) -> list[int] | None:
    accumulator = bits = 0
    result = []
    for value in data:
        accumulator = accumulator << from_bits | value
        bits += from_bits
        while bits >= to_bits:
            bits -= to_bits
            result.append(accumulator >> bits & (1 << to_bits) - 1)
    remainder = accumulator & (1 << bits) - 1
    if pad:
        return [*result, remainder << (to_bits - bits)] if bits else result
    if bits >= from_bits or remainder:
        return None  # BIP 173: padding longer than needed, or not zero
    return result


def bech32m_encode(prefix: str, data: list[int]) -> str:
    """``data`` is in groups of 5 bits."""
    checksum = _polymod([*_expand(prefix), *data, 0, 0, 0, 0, 0, 0]) ^ _BECH32M
    letters = data + [checksum >> 5 * (5 - i) & 31 for i in range(6)]
    return prefix + "1" + "".join(_LETTERS[i] for i in letters)


def bech32m_decode(text: str) -> tuple[str, list[int]] | None:
    """Return (prefix, groups of 5 bits), or None if the checksum or any letter is wrong."""
    if len(text) > 90 or any(not 33 <= ord(c) <= 126 for c in text):
        return None  # before letter case: the Kelvin sign would become a k
    if text != text.lower() and text != text.upper():
        return None
    text = text.lower()
    split = text.rfind("1")
    if split < 1 or split + 7 > len(text):
        return None
    prefix, rest = text[:split], text[split + 1 :]
    if any(c not in _LETTERS for c in rest):
        return None
    data = [_LETTERS.index(c) for c in rest]
    if _polymod(_expand(prefix) + data) != _BECH32M:
        return None
    return prefix, data[:-6]


@lru_cache(maxsize=KEPT_ADDRESSES)
def address_of(public_key: bytes) -> str:
    """The address of a 32-byte public key.

    >>> public_key_of(address_of(bytes(range(32)))) == bytes(range(32))
    True
    """
    groups = _regroup(list(public_key), 8, 5, pad=True)
    assert groups is not None
    return bech32m_encode(PREFIX, [VERSION, *groups])


def public_key_of(address: str) -> bytes:
    """The public key of an address; raise UsageError with what is wrong with it."""
    decoded = bech32m_decode(address)
    if decoded is None:
        raise UsageError(
            f"address {address[:100]!r}: the checksum is wrong; copy it again, whole",
            code="address-checksum",
            text=address[:100],
        )
    prefix, groups = decoded
    if prefix != PREFIX:
        raise UsageError(
            f"address {address[:100]!r} is of {prefix!r}; addresses here begin with {PREFIX}1",
            code="address-other",
            text=address[:100],
            prefix=f"{PREFIX}1",
        )
    key = _regroup(groups[1:], 5, 8, pad=False) if groups and groups[0] == VERSION else None
    if key is None or len(key) != PUBLIC_KEY_SIZE_BYTES:
        raise UsageError(
            f"address {address[:100]!r}: not version {VERSION} with a 32-byte key",
            code="address-version",
            text=address[:100],
        )
    return bytes(key)
