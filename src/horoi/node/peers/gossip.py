"""How addresses get about: asked for once per link, and as news.

The dialing end asks and the listening end answers, once: who could ask any node at any time could map the network
(Bitcoin Core answers only inbound peers for the same reason). An address that is news to this node's book is passed on to
two peers, so news dies out by itself when the books have it. How much is taken from one peer, and sent to one, is bounded
by token buckets; what is above is dropped in silence, because honest bursts exist.
"""

from __future__ import annotations

import random
from collections import OrderedDict
from collections.abc import Collection, Sequence

from horoi.machine.contract import Action, Peer, Send
from horoi.node.events import AddressesHeard
from horoi.node.peers.addressbook import AddressBook
from horoi.node.peers.addresses import LOCAL, canonical, group_of
from horoi.node.peers.link import Link
from horoi.node.peers.messages import MAX_ADDRESSES, Addresses, GetAddresses

MAX_NEWS = 10  # Bitcoin Core: a longer message is an answer to somebody, not news
MAX_TOLD = 1_000  # addresses of which it is remembered who told of them; a guess, more than a picture shows
FANOUT = 2  # Bitcoin Core: peers that news is passed on to


class Gossip:
    """Works on the book; the links are the machine's."""

    def __init__(self, book: AddressBook, dice: random.Random, own_address: str | None) -> None:
        self._book = book
        self._dice = dice
        self.own_address = own_address
        self.told: OrderedDict[str, Peer] = OrderedDict()
        """Who told of an address last. Bounded: for people, nothing is decided by it."""

    def ask(self, link: Link) -> list[Action]:
        """Ask a peer that we dialed."""
        link.asked_addresses = True
        link.addresses_in.grant(MAX_ADDRESSES)
        return [Send(link.peer, GetAddresses())]

    def answer(self, link: Link, now: float) -> list[Action]:
        """The peer asks: answer it the first time, if it was it that dialed."""
        if link.outbound or link.answered_addresses:
            return []
        link.answered_addresses = True
        known = self._book.sample(now, MAX_ADDRESSES, local=_is_local(link))
        if self.own_address is not None and _may_hear(link, self.own_address):
            known = (*known[: MAX_ADDRESSES - 1], self.own_address)
        return [Send(link.peer, Addresses(known))]

    def hear(self, link: Link, message: Addresses, links: Collection[Link], now: float) -> list[Action]:
        """Take in what a peer tells; pass news on."""
        news = []
        for address in message.addresses[:MAX_ADDRESSES]:
            if not link.addresses_in.take(now):
                break
            name = canonical(address)
            if name is not None:
                self._note(name, link)
            if name is not None and name != self.own_address and self._book.add(name, link.address, now):
                news.append(name)
        is_answer = link.asked_addresses
        link.asked_addresses = False
        if is_answer or len(message.addresses) > MAX_NEWS:
            return []
        return self.spread(news, link, links, now)

    def hear_from_elsewhere(self, heard: AddressesHeard, own: Collection[str], now: float) -> bool:
        """Take in what was found otherwise, as one more stranger's word. True if any of it was news."""
        before = len(self._book)
        for address in heard.addresses[:MAX_ADDRESSES]:
            name = canonical(address)
            if name is not None and name not in own:
                self._book.add(name, heard.source, now)
        return len(self._book) > before

    def _note(self, address: str, source: Link) -> None:
        self.told[address] = source.peer
        self.told.move_to_end(address)
        if len(self.told) > MAX_TOLD:
            self.told.popitem(last=False)

    def spread(self, news: Sequence[str], source: Link, links: Collection[Link], now: float) -> list[Action]:
        """Pass addresses on to two peers each."""
        parcels: dict[Link, list[str]] = {}
        for address in news:
            others = [other for other in links if other.ready and other is not source and _may_hear(other, address)]
            for other in self._dice.sample(others, min(FANOUT, len(others))):
                if other.addresses_out.take(now):
                    parcels.setdefault(other, []).append(address)
        return [Send(other.peer, Addresses(tuple(parcel))) for other, parcel in parcels.items()]

    def advertise(self, links: Collection[Link], now: float) -> list[Action]:
        """Remind all peers of our own address."""
        own = self.own_address
        if own is None:
            return []
        hearers = [link for link in links if link.ready and _may_hear(link, own) and link.addresses_out.take(now)]
        return [Send(link.peer, Addresses((own,))) for link in hearers]


def _is_local(link: Link) -> bool:
    return group_of(link.address) == LOCAL


def _may_hear(link: Link, address: str) -> bool:
    """False if the peer would not believe it: a local address, and we are not local to it."""
    return _is_local(link) or group_of(address) != LOCAL
