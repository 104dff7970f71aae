"""Compact forms of Mainline: ids of 20 bytes, addresses of 6 (IPv4) or 18 (IPv6), contacts of 26 or 38 (BEP 5, BEP 32)."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

from horoi.lookup.common.wire import pack_address
from horoi.lookup.vocabulary import Address, Contact

ID_BYTES = 20


def pack_id(number: int) -> bytes:
    """20 bytes, big-endian."""
    return number.to_bytes(ID_BYTES, "big")


def unpack_address(data: bytes) -> Address | None:
    """The address in 6 or 18 bytes, the port last; None for another length or port 0, which no peer can have."""
    port = int.from_bytes(data[-2:], "big")
    if len(data) == 6 and port:
        a, b, c, d, *_ = data
        return f"{a}.{b}.{c}.{d}", port  # 20 times quicker than ipaddress
    if len(data) == 18 and port:
        return str(ipaddress.IPv6Address(data[:16])), port
    return None


def unpack_contacts(data: bytes, address_bytes: int, most: int) -> list[Contact]:
    """At most ``most`` contacts. Those without a port, and a rest that is too short, as some clients send, are passed over."""
    size = ID_BYTES + address_bytes
    found: list[Contact] = []
    for at in range(0, min(len(data), most * size) - size + 1, size):
        address = unpack_address(data[at + ID_BYTES : at + size])
        if address is not None:
            found.append(Contact(int.from_bytes(data[at : at + ID_BYTES], "big"), address))
    return found


def pack_contacts(contacts: Iterable[Contact]) -> tuple[bytes, bytes]:
    """(nodes, nodes6): the contacts with IPv4 and with IPv6 addresses."""
    four: list[bytes] = []
    six: list[bytes] = []
    for contact in contacts:
        packed = pack_address(contact.address)
        (four if len(packed) == 6 else six).append(pack_id(contact.id) + packed)
    return b"".join(four), b"".join(six)
