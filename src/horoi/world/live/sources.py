"""What each source of datagrams may cost: a host's share, its network group's share, and what there is in all.

One bound for everybody would let one flooding address use all of it up. Shares alone would let whoever has many addresses
take any amount. So each source has a share, its network group (``horoi.base.networks``) has one too, and all groups a sum.
What was refused is not counted, so the tables are as small as the sum.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from horoi.base.sources import source_of

Address = Any
"""(ip, port), as sockets say it."""


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
