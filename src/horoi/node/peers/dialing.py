"""Whom to dial, and when.

Outbound links are those that an attacker cannot choose for us, so they are chosen with care: first the peers that the
operator named and the anchors of the last life (Heilman et al. 2015, countermeasure 5), then picks from the book, at most
two per network group. When all places are taken, a feeler now and then tests an address and hangs up (countermeasure 4):
so ``tried`` fills with addresses that were alive lately, before they are needed.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Collection, Iterable
from typing import NamedTuple

from horoi.node.peers.addressbook import AddressBook
from horoi.node.peers.addresses import LOCAL, group_of
from horoi.node.peers.limits import Backoff
from horoi.node.peers.link import Link, Purpose

MAX_PER_GROUP = 2  # Bitcoin Core has 1; a consortium's nodes often share one or two clouds
MAX_KEPT = 64  # addresses that the operator wants linked; a guess
MAX_VISITS = 16  # at once; a guess: a few providers of a few documents
BACKOFF_BASE_S = 2.0  # a guess: a restarting node is back in that time
BACKOFF_CAP_S = 300.0  # a guess: a peer that was away for a day is linked within five minutes of its return
STABLE_S = (
    60.0  # a link that ends sooner counts as a failed dial, or two nodes would link and part without end; a guess
)
DIAL_TIMEOUT_S = 60.0  # a world answers every dial; after so long a lost answer is not waited for any more


class Attempt(NamedTuple):
    """A dial under way."""

    purpose: Purpose
    since_s: float


class Dialer:
    """Keeps the addresses to dial. ``is_refused`` tells of an address that is banned or our own."""

    def __init__(
        self,
        book: AddressBook,
        dice: random.Random,
        *,
        kept: Iterable[str],
        anchors: Iterable[str],
        want: int,
        max_per_group: int,
        is_refused: Callable[[str, float], bool],
    ) -> None:
        self._book = book
        self._want = want
        self._max_per_group = max_per_group
        self._is_refused = is_refused
        self._kept = dict.fromkeys(kept)
        self._anchors = list(anchors)
        self._visits: dict[str, None] = {}
        self._dialing: dict[str, Attempt] = {}
        self.backoff = Backoff(dice, base_s=BACKOFF_BASE_S, cap_s=BACKOFF_CAP_S)

    # What the operator wants

    def keep(self, address: str) -> bool:
        """Stay linked to this address from now on, and try at once; False if too many are kept."""
        if address not in self._kept and len(self._kept) >= MAX_KEPT:
            return False
        self._kept[address] = None
        self.backoff.forget(address)
        return True

    def release(self, address: str) -> None:
        """No longer stay linked to this address."""
        self._kept.pop(address, None)

    def is_kept(self, address: str) -> bool:
        """True if the operator wants a link to this address."""
        return address in self._kept

    def keeps(self, link: Link) -> bool:
        """True if the peer of this link is one to stay linked to, whoever dialed."""
        listens_at = link.listen_address
        return link.purpose is Purpose.KEPT or (listens_at is not None and self.is_kept(listens_at))

    # What other machines of the node want

    def visit(self, address: str, links: Collection[Link], now: float) -> str | None:
        """The address, if it is to be dialed now: once, and if nothing speaks against it."""
        if len(self._visits) >= MAX_VISITS or not self._is_free(address, _addresses_of(links), now):
            return None
        self._visits[address] = None
        return self._begin(address, Purpose.VISIT, now)

    def end_visit(self, address: str) -> None:
        """It is not wanted any more."""
        self._visits.pop(address, None)

    def is_visited(self, address: str) -> bool:
        """True if a visit there is wanted still."""
        return address in self._visits

    # Choice

    def choose(self, links: Collection[Link], now: float) -> list[str]:
        """Addresses to dial now; they count as being dialed."""
        self._forget_lost_answers(now)
        taken = _addresses_of(links)
        chosen = [self._begin(a, Purpose.KEPT, now) for a in self._kept if self._is_free(a, taken, now)]
        missing = self._missing(links)
        groups = Counter(group_of(link.address) for link in links if link.outbound)
        groups.update(map(group_of, self._dialing))
        while missing > 0:
            address = self._next(taken, groups, now)
            if address is None:
                break
            chosen.append(self._begin(address, Purpose.OUTBOUND, now))
            groups[group_of(address)] += 1
            missing -= 1
        return chosen

    def choose_feeler(self, links: Collection[Link], now: float) -> str | None:
        """An address to test: one in ``tried`` whose slot another waits for, else one that was only heard of."""
        self._book.resolve_collisions(now)
        taken = _addresses_of(links)
        waiting = self._book.next_test()
        if waiting is not None and self._is_free(waiting, taken, now):
            return self._begin(waiting, Purpose.FEELER, now)
        if self.is_short(links):
            return None
        address = self._book.pick(now, lambda a: not self._is_free(a, taken, now), only_new=True)
        return None if address is None else self._begin(address, Purpose.FEELER, now)

    def is_short(self, links: Collection[Link]) -> bool:
        """True if a link that is wanted is missing."""
        taken = _addresses_of(links)
        return self._missing(links) > 0 or any(a not in taken for a in self._kept)

    def _missing(self, links: Collection[Link]) -> int:
        standing = sum(link.purpose in (Purpose.KEPT, Purpose.OUTBOUND) for link in links)
        coming = sum(attempt.purpose in (Purpose.KEPT, Purpose.OUTBOUND) for attempt in self._dialing.values())
        return self._want - standing - coming

    def _next(self, taken: Collection[str], groups: Counter[str], now: float) -> str | None:
        while self._anchors:
            anchor = self._anchors.pop(0)
            if self._is_free(anchor, taken, now):
                return anchor
        return self._book.pick(now, lambda a: self._is_crowded(a, groups) or not self._is_free(a, taken, now))

    def _is_crowded(self, address: str, groups: Counter[str]) -> bool:
        group = group_of(address)
        return group != LOCAL and groups[group] >= self._max_per_group

    def _is_free(self, address: str, taken: Collection[str], now: float) -> bool:
        return (
            address not in taken
            and address not in self._dialing
            and self.backoff.is_over(address, now)
            and not self._is_refused(address, now)
        )

    def _begin(self, address: str, purpose: Purpose, now: float) -> str:
        self._dialing[address] = Attempt(purpose, now)
        self._book.attempt(address, now)
        return address

    def _forget_lost_answers(self, now: float) -> None:
        for address, attempt in list(self._dialing.items()):
            if now - attempt.since_s > DIAL_TIMEOUT_S:
                self.failed(address, now)

    # What came of it

    def linked(self, address: str) -> Purpose:
        """A dialed link is up; say what it is for."""
        attempt = self._dialing.pop(address, None)
        if address in self._kept:
            return Purpose.KEPT
        return attempt.purpose if attempt else Purpose.OUTBOUND

    def promote(self, feeler: Link, links: Collection[Link]) -> bool:
        """A feeler found a peer: if a place is free by now, the link stays. True if it does."""
        groups = Counter(group_of(link.address) for link in links if link.outbound and link is not feeler)
        if self._missing(links) <= 0 or self._is_crowded(feeler.address, groups):
            return False
        feeler.purpose = Purpose.OUTBOUND
        return True

    def failed(self, address: str, now: float) -> None:
        """The dial failed."""
        self._dialing.pop(address, None)
        self.backoff.failed(address, now)

    def lost(self, link: Link, now: float) -> None:
        """A dialed link ended."""
        if link.ready and now - link.since_s >= STABLE_S:
            self.backoff.forget(link.address)
        self.backoff.failed(link.address, now)


def _addresses_of(links: Collection[Link]) -> dict[str, None]:
    taken = dict.fromkeys(link.address for link in links)
    taken.update((link.listen_address, None) for link in links if link.listen_address is not None)
    return taken
