"""Announce, request, deliver: which peer is asked for which version of which offer.

Invariant: an offer is asked of one peer at a time and examined before another is asked, and a peer owes at most MAX_IDS. What a
peer announces is asked for once per announcement; a version that brought nothing new is not asked for again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from horoi.machine.contract import Action, Peer, Send
from horoi.node.offers.link import Find, Link, remember
from horoi.node.offers.messages import MAX_IDS, OfferGet, Version

TIMEOUT_S = 5.0  # a guess: an honest peer is slower than this only when it must be served in turns
MAX_EARLY = 256  # offers of one peer that wait for a block; a guess


class Exchange:
    """The links, and who is asked for what."""

    def __init__(self) -> None:
        self.links: dict[Peer, Link] = {}
        self._asked: dict[bytes, Peer] = {}

    @property
    def is_waiting(self) -> bool:
        """True while something is owed or being examined."""
        return bool(self._asked)

    def join(self, peer: Peer, now: float) -> Link:
        """A peer that passed the handshake."""
        self.lose(peer)
        link = self.links[peer] = Link(peer, now)
        return link

    def lose(self, peer: Peer) -> None:
        """A peer is gone: what it owed is asked of others that announced it."""
        link = self.links.pop(peer, None)
        for item in link.owes if link else ():
            self._asked.pop(item, None)

    def hear(self, link: Link, items: Iterable[Version], mark_here: Callable[[bytes], bytes | None]) -> None:
        """A peer announces versions; those that differ from ours will be asked for."""
        for version in items:
            link.heard(version.id, version.mark)
            if mark_here(version.id) != version.mark:
                remember(link.has, version.id, version.mark)

    def ask(self, room: int, now: float, mark_here: Callable[[bytes], bytes | None]) -> list[Action]:
        """Ask for what peers have, as far as there is room to examine it."""
        actions: list[Action] = []
        for link in self.links.values():
            ids = self._next_of(link, min(room, MAX_IDS - len(link.owes)), mark_here)
            for item in ids:
                link.ask(item, now + TIMEOUT_S)
                self._asked[item] = link.peer
            if ids:
                room -= len(ids)
                actions.append(Send(link.peer, OfferGet(tuple(ids))))
        return actions

    def _next_of(self, link: Link, most: int, mark_here: Callable[[bytes], bytes | None]) -> list[bytes]:
        ids: list[bytes] = []
        if most <= 0 or link.banned:
            return ids
        for item, mark in list(link.has.items()):
            if mark_here(item) == mark:
                del link.has[item]  # it came from elsewhere
            elif item not in self._asked:
                ids.append(item)
                if len(ids) == most:
                    break
        return ids

    def delivered(self, link: Link, item: bytes) -> bool:
        """An offer came, and is examined until ``settle``; False if nobody asked this peer for it."""
        return link.settles(item)

    def settle(self, item: bytes) -> None:
        """The copy that came was taken in or refused: another version may be asked for."""
        self._asked.pop(item, None)

    def declined(self, link: Link, ids: Iterable[bytes]) -> None:
        """A peer cannot deliver these after all."""
        for item in ids:
            if link.settles(item):
                self.settle(item)
            link.has.pop(item, None)
            link.knows.pop(item, None)

    def expire(self, now: float) -> None:
        """Wait no longer for what is late."""
        for link in self.links.values():
            for item in link.give_up(now):
                if self._asked.get(item) == link.peer:
                    del self._asked[item]

    def wait_for_block(self, link: Link | None, item: bytes, mark: bytes) -> None:
        """The next block may allow this offer: it is asked for again then."""
        if link is not None:
            remember(link.early, item, mark, MAX_EARLY)

    def block_came(self) -> None:
        """Ask again for what waited for a block."""
        for link in self.links.values():
            for item, mark in link.early.items():
                remember(link.has, item, mark)
            link.early.clear()

    def tell(self, ids: Iterable[bytes]) -> None:
        """Let these be announced to every peer that does not know them in this version."""
        for item in ids:
            for link in self.links.values():
                link.to_tell[item] = None

    def announce(self, find: Find) -> list[Action]:
        """The announcements that are due."""
        return [action for link in self.links.values() for action in link.announce(find)]

    def forget(self, ids: Iterable[bytes]) -> None:
        """These are here no more."""
        for item in ids:
            for link in self.links.values():
                link.forget(item)
