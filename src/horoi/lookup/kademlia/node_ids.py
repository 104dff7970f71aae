"""Node ids that follow from addresses (BEP 42), so that nobody can choose to sit beside a key.

The first 21 bits of an id are those of CRC-32C over the masked address with a small random number r in its top bits; the
last byte of the id repeats r. Eight ids per address of a masked network, instead of 2**160.
"""

from __future__ import annotations

import ipaddress
from random import Random
from typing import Any

_POLYNOMIAL = 0x82F63B78  # CRC-32C (Castagnoli 1993), reflected; RFC 3720, appendix B.4
_MASK_V4 = bytes.fromhex("030f3fff")  # BEP 42
_MASK_V6 = bytes.fromhex("0103070f1f3f7fff")  # BEP 42: of the high 64 bits
_R_VALUES = 8  # BEP 42: r is 3 bits
_FREE_BITS = 160 - 21


def _table_entry(byte: int) -> int:
    for _ in range(8):
        byte = byte >> 1 ^ (_POLYNOMIAL if byte & 1 else 0)
    return byte


_TABLE = tuple(map(_table_entry, range(256)))


def crc32c(data: bytes) -> int:
    """CRC-32C of ``data``.

    >>> hex(crc32c(b"123456789"))
    '0xe3069283'
    """
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ _TABLE[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF


def _prefix(ip: str, r: int) -> int:
    """The 21 bits that an id of this address and this r begins with."""
    packed = ipaddress.ip_address(ip).packed
    mask = _MASK_V4 if len(packed) == 4 else _MASK_V6
    masked = bytearray(a & b for a, b in zip(packed, mask, strict=False))
    masked[0] |= r << 5
    return crc32c(bytes(masked)) >> 11


def node_id(ip: str, dice: Random, rand: int | None = None) -> int:
    """A node id that this address may have. ``rand`` is the id's last byte, whose low 3 bits are r."""
    last = dice.randrange(256) if rand is None else rand
    middle = dice.getrandbits(_FREE_BITS - 8)
    return _prefix(ip, last % _R_VALUES) << _FREE_BITS | middle << 8 | last


def is_node_id_of(number: int, address: Any) -> bool:
    """Whether the peer at this address may have this id. Local networks may have any (BEP 42, "local networks")."""
    if not isinstance(address, tuple):
        return True  # the number of a simulated host
    if is_local(address[0]):
        return True
    return number >> _FREE_BITS == _prefix(address[0], number % _R_VALUES)


def is_local(ip: str) -> bool:
    """Whether this is an address of a local network: loopback, link-local or private (BEP 42; RFC 1918, 4193)."""
    found = ipaddress.ip_address(ip)
    return (
        found.is_loopback or found.is_link_local or any(found in network for network in _LOCAL if _same(found, network))
    )


_LOCAL = tuple(map(ipaddress.ip_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")))


def _same(ip: Any, network: Any) -> bool:
    return bool(ip.version == network.version)
