"""Peers that a prefix-routing peer has talked to, and the questions that it asks them: for Pastry and Tapestry.

Both prefer near peers, so a round trip is remembered of each; both write only with a permit, so that is remembered too.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any, ClassVar

from horoi.lookup.common.peer import OnFailure, OnReply, Peer, PeerConfig
from horoi.lookup.common.pending import MAX_TIMEOUT_S
from horoi.lookup.common.permits import CHANGE_S
from horoi.lookup.vocabulary import Address, Contact
from horoi.machine.contract import Send

MAX_ACQUAINTED = 512  # a guess: three times the tables of a peer in a network of a million
BACK_OFF = 2  # RFC 6298, 5.5: the next timeout after one in vain is twice as long
PERMIT_AGE_S = CHANGE_S * 0.8  # used up to then, so that it is still good when it arrives


class Acquaintance:
    """What was learned of a peer by talking to it: its round trip, when it was last heard, the permit that it gave."""

    __slots__ = ("can_route", "heard_s", "permit", "permit_s", "round_trip_s")

    def __init__(self) -> None:
        self.heard_s = float("-inf")
        self.round_trip_s = float("inf")
        self.permit = b""
        self.permit_s = float("-inf")
        self.can_route = False


class AcquaintedPeer(Peer):
    """A peer that remembers whom it has talked to. The room says what its ``Ping`` and ``Pong`` are."""

    __slots__ = ("acquainted", "is_joined", "is_routing", "me", "probing", "suspects")

    ping_type: ClassVar[Any]
    """Called with (nonce, own id, whether this peer can be routed through)."""
    pong_type: ClassVar[Any]
    """Has ``id``, ``permit`` and ``is_routing``."""

    def __init__(self, contact: Contact, config: PeerConfig, dice: Random) -> None:
        super().__init__(config, dice)
        self.me = contact
        self.acquainted: dict[Address, Acquaintance] = {}
        self.suspects: dict[Address, None] = {}  # did not answer once, being pinged
        self.probing: dict[Address, None] = {}  # candidates being pinged
        self.is_routing = False  # the tables are filled, so messages may come through
        self.is_joined = False

    # What is known of a peer

    def is_believed(self, contact: Contact, now: float) -> bool:
        """Whether to take a contact that somebody named: its id belongs to it, and it was not silent a moment ago."""
        if contact.address == self.me.address or not 0 <= contact.id < 1 << self.config.bits:
            return False
        return not self.is_buried(contact, now) and self.is_bound(contact)

    def bury(self, contact: Contact, now: float) -> None:
        """A peer does not answer: forget it, and do not believe others that name it, for a while."""
        super().bury(contact, now)
        self.acquainted.pop(contact.address, None)

    def acquaint(self, address: Address) -> Acquaintance:
        """What is known of an address; the one not met for longest is forgotten for it."""
        found = self.acquainted.get(address)
        if found is None:
            found = self.acquainted[address] = Acquaintance()
            if len(self.acquainted) > MAX_ACQUAINTED:
                del self.acquainted[min(self.acquainted, key=lambda other: self.acquainted[other].heard_s)]
                self.acquainted[address] = found
        return found

    def round_trip_s(self, contact: Contact) -> float:
        """The measured round trip to a contact; infinite if it was never measured."""
        found = self.acquainted.get(contact.address)
        return found.round_trip_s if found is not None else float("inf")

    def heard_s(self, contact: Contact) -> float:
        """When the contact last spoke; minus infinity if it never did."""
        found = self.acquainted.get(contact.address)
        return found.heard_s if found is not None else float("-inf")

    def forget_peers(self, now: float) -> None:
        """Be as before the first join, as far as others are concerned; what is under way fails."""
        for kept in (self.acquainted, self.suspects, self.probing):
            kept.clear()
        self._buried = self.own_words = self.bootstrap = None
        self.is_routing = self.is_joined = False
        for request in self.pending.clear():
            request.context.on_failure(now)

    # Questions

    def ask(
        self,
        contact: Contact,
        make: Callable[[int], Any],
        on_reply: OnReply,
        on_failure: OnFailure,
        now: float,
        *,
        tries: int = 1,
        timeout_s: float | None = None,
    ) -> None:
        """Send the request ``make(nonce)`` up to ``tries`` times: one lost datagram is no death, and the timeout is of usual
        distances, so who is far away is waited for longer the second time. One of the two is called."""

        def unanswered(at: float) -> None:
            if tries > 1 and self.bootstrap is not None:
                longer_s = timeout_s or min(BACK_OFF * self.pending.round_trips.timeout_s, MAX_TIMEOUT_S)
                self.ask(contact, make, on_reply, on_failure, at, tries=tries - 1, timeout_s=longer_s)
            else:
                on_failure(at)

        nonce = self.open(contact, on_reply, unanswered, now, timeout_s)
        if nonce is None:
            on_failure(now)
            return
        self.out.append(Send(contact.address, make(nonce)))

    def ping(self, contact: Contact, on_alive: OnFailure, on_dead: OnFailure, now: float, *, tries: int = 2) -> None:
        """See whether a contact is there, as itself: ``on_alive(now)`` or ``on_dead(now)``. Takes its permit and round trip."""

        def answered(reply: Any, at: float) -> None:
            if isinstance(reply, self.pong_type) and reply.id == contact.id:
                self.take_permit(contact.address, reply.permit, at)
                self.acquaint(contact.address).can_route = reply.is_routing
                on_alive(at)
            else:
                on_dead(at)

        self.ask(
            contact,
            lambda nonce: self.ping_type(nonce, self.me.id, self.is_routing),
            answered,
            on_dead,
            now,
            tries=tries,
        )

    def take_permit(self, address: Address, permit: bytes, now: float) -> None:
        """Remember the permit that an address gave."""
        found = self.acquaint(address)
        found.permit, found.permit_s = permit, now

    def ask_permitted(
        self,
        contact: Contact,
        make: Callable[[int, bytes], Any],
        on_reply: OnReply,
        on_failure: OnFailure,
        now: float,
        *,
        tries: int = 2,
        timeout_s: float | None = None,
    ) -> None:
        """Send ``make(nonce, permit)``, with the permit that is at hand or one that is fetched by a ping first."""

        def ask(at: float) -> None:
            permit = self.acquaint(contact.address).permit
            self.ask(
                contact, lambda nonce: make(nonce, permit), on_reply, on_failure, at, tries=tries, timeout_s=timeout_s
            )

        found = self.acquainted.get(contact.address)
        if found is not None and now - found.permit_s < PERMIT_AGE_S:
            ask(now)
        else:
            self.ping(contact, ask, on_failure, now, tries=tries)
