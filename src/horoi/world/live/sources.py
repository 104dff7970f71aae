"""Who a datagram comes from, and what each may cost: a host's share, its network group's share, and what there is in all.

One bound for everybody would let one flooding address use all of it up. Shares alone would let whoever has many addresses
take any amount. So each source has a share, its network group (``horoi.base.networks``) has one too, and all groups a sum.
What was refused is not counted, so the tables are as small as the sum.
"""

from __future__ import annotations

import ipaddress
from collections import Counter
from functools import lru_cache
from typing import Any, NamedTuple

from horoi.base.networks import network_group, unmapped

Address = Any
"""(ip, port), as sockets say it."""

HOST_BITS = 64  # of an IPv6 address: who has one has all of its network (RFC 4291, section 2.5.1), so they are one host
REMEMBERED = 8192  # addresses whose source is not worked out again; a guess


class Source(NamedTuple):
    """What counts as one host (an IPv4 address, or the network of an IPv6 one), and as one network group."""

    host: str
    group: str


@lru_cache(maxsize=REMEMBERED)
def _source_of(text: str) -> Source:
    ip = unmapped(ipaddress.ip_address(text.partition("%")[0]))
    host = str(ip) if isinstance(ip, ipaddress.IPv4Address) else ip.packed[: HOST_BITS // 8].hex()
    return Source(host, network_group(ip))


def source_of(address: Address) -> Source:
    """The host and the network group of an address.

    >>> source_of(("198.51.100.9", 53)).group == source_of(("::ffff:198.51.7.7", 53, 0, 0)).group
    True
    """
    return _source_of(str(address[0]))


class Ration:
    """So much until the next ``refill``: of one host, of one network group, and in all."""

    def __init__(self, *, per_host: int, per_group: int, in_all: int) -> None:
        self._per_host = per_host
        self._per_group = per_group
        self._in_all = in_all
        self._hosts: Counter[str] = Counter()
        self._groups: Counter[str] = Counter()
        self._taken = 0

    def take(self, address: Address) -> bool:
        """True, and one less is left, if this source may have one more."""
        host, group = source_of(address)
        if self._taken >= self._in_all or self._hosts[host] >= self._per_host or self._groups[group] >= self._per_group:
            return False
        self._hosts[host] += 1
        self._groups[group] += 1
        self._taken += 1
        return True

    def refill(self) -> None:
        """Everybody has all again."""
        self._hosts.clear()
        self._groups.clear()
        self._taken = 0
