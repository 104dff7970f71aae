"""Who of the linked peers speaks this node's overlay, and where: the doors into it.

Each peer is told once, and tells once; a link's end is the end of it. So what a peer can grow here is one entry.
"""

from __future__ import annotations

import ipaddress

from horoi.machine.contract import Action, Peer, Send
from horoi.node.lookup.messages import MIN_VERSION, LookupAt
from horoi.node.peers.addresses import host_of

Door = tuple[str, int]


class Meeting:
    """Of one node. ``port`` is its own UDP port, 0 until there is one."""

    def __init__(self, overlay: str) -> None:
        self.port = 0
        self._overlay = overlay
        self._hosts: dict[Peer, str] = {}
        self._told: dict[Peer, bool] = {}  # peers that know ``LookupAt``: whether they were told
        self._doors: dict[Peer, Door | None] = {}  # peers that told us; None: of another overlay

    def linked(self, peer: Peer, address: str) -> None:
        """A link is up; ``address`` is the peer's, as the world sees it."""
        self._hosts[peer] = host_of(address).strip("[]")

    def ready(self, peer: Peer, version: int) -> None:
        """The peer's hello was good."""
        if version >= MIN_VERSION:
            self._told.setdefault(peer, False)

    def introduce(self) -> list[Action]:
        """Tell those who were not told yet, once there is something to tell."""
        untold = [peer for peer, was_told in self._told.items() if not was_told] if self.port else []
        self._told.update(dict.fromkeys(untold, True))
        return [Send(peer, LookupAt(self._overlay, self.port)) for peer in untold]

    def hear(self, peer: Peer, message: LookupAt) -> bool:
        """A peer tells; False if it did before."""
        if peer in self._doors:
            return False
        if peer in self._told:  # else it is not ready: nobody knows it yet
            host = self._hosts.get(peer, "")
            is_ours = message.overlay == self._overlay and _is_numeric(host)
            self._doors[peer] = (host, message.port) if is_ours else None
        return True

    def lose(self, peer: Peer) -> bool:
        """The link is no more; True if it was a door."""
        self._hosts.pop(peer, None)
        self._told.pop(peer, None)
        return self._doors.pop(peer, None) is not None

    def doors(self) -> tuple[Door, ...]:
        """Where the overlay is spoken, each place once."""
        return tuple(dict.fromkeys(door for door in self._doors.values() if door is not None))


def _is_numeric(host: str) -> bool:
    """Datagrams go to numbers: a name would have to be looked up."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
