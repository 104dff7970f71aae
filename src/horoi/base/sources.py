"""Who a datagram comes from, as far as shares go: a host, and the network group (``networks``) that its address belongs to."""

from __future__ import annotations

import ipaddress
from functools import lru_cache
from typing import Any, NamedTuple

from horoi.base.networks import network_group, unmapped

HOST_BITS = 64  # of an IPv6 address: who has one has all of its network (RFC 4291, section 2.5.1), so they are one host
REMEMBERED = 8192  # addresses whose source is not worked out again; a guess


class Source(NamedTuple):
    """What counts as one host (an IPv4 address, or the network of an IPv6 one), and as one network group."""

    host: Any
    group: Any


OWN = Source("", "")
"""This peer itself."""


def source_of(address: Any) -> Source:
    """The host and the network group of an address as sockets say it, ``(ip, port, ...)``; any other address (in simulations a
    number or a name) is a host and a group by itself.

    >>> source_of(("198.51.100.9", 53)).group == source_of(("::ffff:198.51.7.7", 53, 0, 0)).group
    True
    >>> source_of(7)
    Source(host=7, group=7)
    """
    return _source_of(address[0]) if isinstance(address, tuple) else Source(address, address)


@lru_cache(maxsize=REMEMBERED)
def _source_of(host: Any) -> Source:
    try:
        ip = unmapped(ipaddress.ip_address(str(host).partition("%")[0]))
    except ValueError:
        return Source(host, host)
    written = str(ip) if isinstance(ip, ipaddress.IPv4Address) else ip.packed[: HOST_BITS // 8].hex()
    return Source(written, network_group(ip))
