"""Who is refused, and until when.

A ban names the node id, which is cheap to change, and the host, which is not. Hosts on local networks are shared by many
nodes (all nodes of a test have one), so there it names host and port. Bans live in memory: an attacker cannot restart this
node, and its operator can.
"""

from __future__ import annotations

from typing import Any

from horoi.node.peers.addresses import LOCAL, group_of, host_of
from horoi.node.peers.link import Link

MAX_BANS = 1000  # a guess: the ban that ends first makes room

Key = tuple[str, Any]


class Bans:
    """Bounded: at most MAX_BANS keys, two of which a peer takes."""

    def __init__(self) -> None:
        self._until_s: dict[Key, float] = {}

    def __len__(self) -> int:
        return len(self._until_s)

    def add(self, link: Link, until_s: float) -> None:
        """Refuse this peer until then; of two bans of one key the longer stands."""
        for key in _keys_of(link):
            if key not in self._until_s and len(self._until_s) >= MAX_BANS:
                del self._until_s[min(self._until_s, key=self._until_s.__getitem__)]
            self._until_s[key] = max(until_s, self._until_s.get(key, until_s))

    def refuse(self, link: Link, now: float) -> bool:
        """True if this link is to a banned peer."""
        return any(self._holds(key, now) for key in _keys_of(link))

    def refuse_address(self, address: str, now: float) -> bool:
        """True if this address need not be dialed."""
        return self._holds(_address_key(address), now)

    def _holds(self, key: Key, now: float) -> bool:
        until_s = self._until_s.get(key)
        if until_s is None:
            return False
        if until_s <= now:
            del self._until_s[key]
            return False
        return True


def _address_key(address: str) -> Key:
    return ("address", address if group_of(address) == LOCAL else host_of(address))


def _keys_of(link: Link) -> list[Key]:
    if link.outbound or group_of(link.address) != LOCAL:
        return [("peer", link.peer), _address_key(link.address)]
    # The port that a local peer came from says nothing; the one where it listens does, once it is known.
    listens_at = [] if link.listen_address is None else [_address_key(link.listen_address)]
    return [("peer", link.peer), *listens_at]
