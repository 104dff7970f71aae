"""The peers machine: handshake, outbound links, inbound room, liveness, addresses, and the price of misbehaviour.

Every link starts with a ``Hello`` both ways. Until a peer's ``Hello`` was heard and found good, no other machine of the
node knows of the peer; then they hear ``PeerReady``. (A stack routes by type of message, so a hostile peer can speak to
other machines before its ``Hello``: they ignore peers that they were not told of.) The end is ``Lost``, heard by all.

The world keeps one link per pair of nodes and answers every ``Dial``; what may be linked at all is decided here.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any, ClassVar

from horoi.base.hashing import tagged
from horoi.machine.contract import Action, Arm, Asked, Drop, Event, Fired, Lost, Peer, Received, Save, Send, Tell
from horoi.machine.host import Started
from horoi.machine.links import Dial, Linked, Unlinked
from horoi.machine.wire import Wire
from horoi.node.events import (
    AddressesHeard,
    ConnectFailed,
    ConnectTo,
    DisconnectFrom,
    EndVisit,
    Misbehaved,
    PeerBanned,
    PeerHeight,
    PeerReady,
    PeerUseful,
    Visit,
)
from horoi.node.peers import eviction, greeting
from horoi.node.peers.addressbook import open_book
from horoi.node.peers.addresses import canonical
from horoi.node.peers.bans import BANS_EVERY_S, BANS_FIRST_S, Bans, BansRecord
from horoi.node.peers.config import PeersConfig
from horoi.node.peers.dialing import MAX_KEPT, Dialer
from horoi.node.peers.gossip import Gossip
from horoi.node.peers.link import Link, PeerInfo, Purpose
from horoi.node.peers.messages import (
    NONCE_SIZE_BYTES,
    WIRE,
    AddressBookRecord,
    Addresses,
    GetAddresses,
    Hello,
    Ping,
    Pong,
)
from horoi.node.peers.saving import Saver

DROP_AT_POINTS = 100
MAX_OWN_ADDRESSES = 16  # ways to reach ourselves that were found out by dialing; a guess
MAX_ANCHORS = 2  # Bitcoin Core


class Peers:
    """The machine. ``saved`` and ``bans`` are records of an earlier life; ``height`` gives our own height for greetings."""

    wire: Wire | None = WIRE

    def __init__(
        self,
        config: PeersConfig,
        dice: random.Random,
        *,
        saved: AddressBookRecord | None = None,
        bans: BansRecord | None = None,
        height: Callable[[], int] = lambda: 0,
    ) -> None:
        self.config = config
        self._dice = dice
        self._height = height
        self.book = open_book(saved.book if saved else None, dice)
        self._nonce = dice.randbytes(NONCE_SIZE_BYTES)
        self._secret_hash = tagged("horoi/peers/eviction", dice.randbytes(32))
        self._links: dict[Peer, Link] = {}
        self.bans = Bans(bans)
        own = None if config.own_address is None else canonical(config.own_address)
        self._own: dict[str, None] = {} if own is None else {own: None}
        self._gossip = Gossip(self.book, dice, own)
        self._dialer = Dialer(
            self.book,
            dice,
            kept=[address for address in map(canonical, config.connect) if address is not None],
            anchors=[address for address in map(canonical, saved.anchors if saved else ()) if address is not None],
            want=config.want_outbound,
            max_per_group=config.max_outbound_per_group,
            is_refused=self._is_refused,
        )
        self._book_saver = Saver("save", first_s=config.first_save_s, every_s=config.save_every_s)
        self._bans_saver = Saver("save bans", first_s=BANS_FIRST_S, every_s=BANS_EVERY_S)
        self._now = 0.0

    # For the application, from the same thread

    def peers(self) -> list[PeerInfo]:
        """All links, ready or not, in the order in which they came up."""
        return [link.info(self._now) for link in self._live()]

    def tellers(self) -> list[tuple[str, Peer]]:
        """Addresses that peers told of lately, each with the peer that told of it last."""
        return list(self._gossip.told.items())

    def record(self) -> AddressBookRecord:
        """What ``Save`` saves; also for a clean stop."""
        outbound = [link for link in self._live() if link.ready and link.purpose is Purpose.OUTBOUND]
        oldest = sorted(outbound, key=lambda link: link.since_s)[:MAX_ANCHORS]
        return AddressBookRecord(self.book.dump(), tuple(link.address for link in oldest))

    # The machine

    def handle(self, event: Event, now: float) -> list[Action]:
        self._now = now
        if isinstance(event, Received):
            return self._receive(event.peer, event.message, now)
        if isinstance(event, Fired):
            return self._fire(event.timer, now)
        if isinstance(event, Lost):
            return self._lose(event.peer, now)
        if isinstance(event, Asked):
            on_request = self._on_request.get(type(event.request))
            return on_request(self, event.request, now) if on_request else []
        return []

    def _start(self, _: Started, now: float) -> list[Action]:
        self.bans.settle(now, self.config.ban_s)
        return [
            Arm("feeler", self._jittered(self.config.feeler_every_s)),
            Arm("advertise", self._jittered(self.config.advertise_every_s)),
            *self._dial(now),
        ]

    def _fire(self, timer: Any, now: float) -> list[Action]:
        if timer == "dial":
            return self._dial(now)
        if timer == "feeler":
            address = self._dialer.choose_feeler(self._live(), now)
            again = Arm("feeler", self._jittered(self.config.feeler_every_s))
            return [again] if address is None else [again, Tell(Dial(address))]
        if timer == "advertise":
            again = Arm("advertise", self._jittered(self.config.advertise_every_s))
            return [again, *self._gossip.advertise(self._live(), now)]
        if timer == "save":
            self._book_saver.saved(now)
            return [Save(self.record())]
        if timer == "save bans":
            self._bans_saver.saved(now)
            return [Save(self.bans.record())]
        kind, peer = timer
        link = self._links.get(peer)
        if link is None or link.dropped:
            return []
        if kind == "hello":
            return self._drop(link, f"no hello within {self.config.hello_timeout_s:g} s")
        return self._check_liveness(link, now)

    # Links come and go

    def _link(self, linked: Linked, now: float) -> list[Action]:
        actions: list[Action] = []
        if linked.peer in self._links:  # the world let a newer link of the pair stand
            actions += self._lose(linked.peer, now)
        purpose = self._dialer.linked(linked.address) if linked.outbound else Purpose.INBOUND
        link = Link(linked.peer, linked.address, purpose, now)
        is_banned = self.bans.refuse(link, now) and purpose is not Purpose.KEPT
        if not linked.outbound and not is_banned:
            actions += self._make_room()
        inbound = sum(not other.outbound for other in self._live())
        self._links[linked.peer] = link
        if is_banned:
            return [*actions, *self._drop(link, "banned for misbehaviour")]
        if not linked.outbound and inbound >= self.config.max_inbound:
            return [*actions, *self._drop(link, f"no room: {inbound} peers have dialed this node")]
        hello = greeting.make(self.config, self._nonce, self._gossip.own_address, self._height())
        return [*actions, Send(link.peer, hello), Arm(("hello", link.peer), self.config.hello_timeout_s)]

    def _make_room(self) -> list[Action]:
        inbound = [link for link in self._live() if not link.outbound]
        if len(inbound) < self.config.max_inbound:
            return []
        victim = eviction.choose(inbound, self._secret_hash)
        return [] if victim is None else self._drop(victim, "room is needed for another peer")

    def _unlink(self, unlinked: Unlinked, now: float) -> list[Action]:
        self._dialer.failed(unlinked.address, now)
        is_kept = self._dialer.is_kept(unlinked.address)
        failed = [Tell(ConnectFailed(unlinked.address, unlinked.reason))] if is_kept else []
        return [*failed, *self._dial(now)]

    def _lose(self, peer: Peer, now: float) -> list[Action]:
        link = self._links.pop(peer, None)
        if link is None:
            return []
        if link.outbound:
            self._dialer.lost(link, now)
        return [Arm(("hello", peer), None), Arm(("ping", peer), None), *self._dial(now)]

    def _drop(self, link: Link, reason: str) -> list[Action]:
        link.dropped = True
        return [Arm(("hello", link.peer), None), Arm(("ping", link.peer), None), Drop(link.peer, reason)]

    def _live(self) -> list[Link]:
        return [link for link in self._links.values() if not link.dropped]

    def _dial(self, now: float) -> list[Action]:
        links = list(self._links.values())  # dropped ones too: their names are taken until they are lost
        actions: list[Action] = [Tell(Dial(address)) for address in self._dialer.choose(links, now)]
        again_s = self._jittered(self.config.dial_every_s) if self._dialer.is_short(links) else None
        return [*actions, Arm("dial", again_s)]

    def _jittered(self, mean_s: float) -> float:
        return mean_s * (0.5 + self._dice.random())

    # Messages

    def _receive(self, peer: Peer, message: Any, now: float) -> list[Action]:
        link = self._links.get(peer)
        if link is None or link.dropped:
            return []
        if isinstance(message, Hello):
            return self._greet(link, message, now)
        if not link.ready:
            return self._punish(link, DROP_AT_POINTS, f"{type(message).__name__} before hello", now)
        if isinstance(message, Ping):
            if not link.pings_in.take(now):
                return self._punish(link, 10, "too many pings", now)
            return [Send(peer, Pong(message.nonce))]
        if isinstance(message, Pong):
            return self._hear_pong(link, message, now)
        if isinstance(message, GetAddresses):
            return self._gossip.answer(link, now)
        if isinstance(message, Addresses):
            before = len(self.book)
            actions = self._gossip.hear(link, message, self._live(), now)
            return (
                actions
                if len(self.book) == before
                else [*actions, *self._book_saver.soon(now), *self._dial_if_short(now)]
            )
        return []

    def _greet(self, link: Link, hello: Hello, now: float) -> list[Action]:
        if link.ready:
            return self._punish(link, 20, "a second hello", now)
        objection = greeting.objection(hello, self.config.network_id, self._nonce)
        if objection:
            if link.outbound:
                self.book.bad(link.address)
                if hello.nonce == self._nonce and len(self._own) < MAX_OWN_ADDRESSES:
                    self._own[link.address] = None
            failed = [Tell(ConnectFailed(link.address, objection))] if link.purpose is Purpose.KEPT else []
            return [*failed, *self._drop(link, objection)]
        link.ready = True
        link.height = hello.height
        link.agent = hello.agent
        actions: list[Action] = [Arm(("hello", link.peer), None)]
        if link.outbound:
            self.book.add(link.address, link.address, now)
            self.book.good(link.address, now)
            actions += self._book_saver.soon(now)
            if link.purpose is Purpose.FEELER and not self._dialer.promote(link, self._live()):
                return [*actions, *self._drop(link, "feeler: the address answers, thank you")]
            if link.purpose is Purpose.VISIT and not self._dialer.is_visited(link.address):
                return [*actions, *self._drop(link, "the visit was called off meanwhile")]
            actions += self._gossip.ask(link)
        else:
            actions += self._learn_of_dialer(link, hello, now)
        return [
            *actions,
            Arm(("ping", link.peer), self._dice.random()),  # at once, but not all at once after a start
            Tell(PeerReady(link.peer, link.outbound, link.height, hello.version)),
        ]

    def _learn_of_dialer(self, link: Link, hello: Hello, now: float) -> list[Action]:
        address = greeting.learn_address(link, hello)
        if address is None or address in self._own or not self.book.add(address, link.address, now):
            return []
        return [
            *self._gossip.spread([address], link, self._live(), now),
            *self._book_saver.soon(now),
            *self._dial_if_short(now),
        ]

    def _hear_addresses(self, heard: AddressesHeard, now: float) -> list[Action]:
        is_news = self._gossip.hear_from_elsewhere(heard, self._own, now)
        return [*self._book_saver.soon(now), *self._dial_if_short(now)] if is_news else []

    def _dial_if_short(self, now: float) -> list[Action]:
        return self._dial(now) if self._dialer.is_short(list(self._links.values())) else []

    # Liveness

    def _check_liveness(self, link: Link, now: float) -> list[Action]:
        overdue_s = now - link.pinged_s - self.config.pong_timeout_s
        slept = overdue_s >= self.config.pong_timeout_s  # it was us: ask again
        if link.ping_nonce is not None and not slept:
            return self._drop(link, f"no pong within {self.config.pong_timeout_s:g} s")
        link.ping_nonce = self._dice.randbytes(NONCE_SIZE_BYTES)
        link.pinged_s = now
        return [Send(link.peer, Ping(link.ping_nonce)), Arm(("ping", link.peer), self.config.pong_timeout_s)]

    def _hear_pong(self, link: Link, pong: Pong, now: float) -> list[Action]:
        if link.ping_nonce is None or pong.nonce != link.ping_nonce:
            return self._punish(link, 10, "a pong that answers no ping", now)
        link.pong(now)
        return [Arm(("ping", link.peer), self._jittered(self.config.ping_every_s))]

    # Misbehaviour

    def _hear_misbehaved(self, notice: Misbehaved, now: float) -> list[Action]:
        link = self._links.get(notice.peer)
        return [] if link is None or link.dropped else self._punish(link, notice.points, notice.why, now)

    def _punish(self, link: Link, points: int, why: str, now: float) -> list[Action]:
        """At 100 points the link ends and the peer is banned; one that the operator named may come back at once."""
        if link.add_points(points, now) < DROP_AT_POINTS:
            return []
        dropped = self._drop(link, f"misbehaved: {why}")
        if self._dialer.keeps(link):
            return dropped
        self.bans.add(link, now + self.config.ban_s)
        self.book.bad(link.address)
        return [
            *dropped,
            *self._bans_saver.soon(now),
            Tell(PeerBanned(link.peer, link.address, why, self.config.ban_s)),
        ]

    def _is_refused(self, address: str, now: float) -> bool:
        is_banned = not self._dialer.is_kept(address) and self.bans.refuse_address(address, now)
        return is_banned or address in self._own

    def _hear_height(self, notice: PeerHeight, now: float) -> list[Action]:
        link = self._links.get(notice.peer)
        if link is not None:
            link.height = notice.height
        return []

    def _hear_useful(self, notice: PeerUseful, now: float) -> list[Action]:
        link = self._links.get(notice.peer)
        if link is not None:
            link.useful_s = now
        return []

    # The operator

    def _connect(self, request: ConnectTo, now: float) -> list[Action]:
        address = canonical(request.address)
        if address is None:
            reason = "this is no address: write host:port, or [host]:port for IPv6"
            return [Tell(ConnectFailed(request.address, reason))]
        if not self._dialer.keep(address):
            reason = f"{MAX_KEPT} addresses are kept linked, the limit; disconnect from one first"
            return [Tell(ConnectFailed(address, reason))]
        return self._dial(now)

    def _disconnect(self, request: DisconnectFrom, now: float) -> list[Action]:
        link = self._links.get(request.peer)
        if link is None or link.dropped:
            return []
        for address in filter(None, (link.address, link.listen_address)):
            self._dialer.release(address)
            self._dialer.backoff.failed(address, now)
        return self._drop(link, "the operator disconnected")

    # Other machines of the node

    def _visit(self, request: Visit, now: float) -> list[Action]:
        name = canonical(request.address)
        address = self._dialer.visit(name, self._links.values(), now) if name is not None else None
        return [Tell(Dial(address))] if address is not None else []

    def _end_visit(self, request: EndVisit, now: float) -> list[Action]:
        address = canonical(request.address)
        if address is None or not self._dialer.is_visited(address):
            return []
        self._dialer.end_visit(address)
        visited = [link for link in self._live() if link.purpose is Purpose.VISIT and link.address == address]
        return [action for link in visited for action in self._drop(link, "the visit is over")]

    _on_request: ClassVar[dict[type, Callable[[Peers, Any, float], list[Action]]]] = {
        Started: _start,
        Linked: _link,
        Unlinked: _unlink,
        Misbehaved: _hear_misbehaved,
        PeerHeight: _hear_height,
        PeerUseful: _hear_useful,
        AddressesHeard: _hear_addresses,
        ConnectTo: _connect,
        DisconnectFrom: _disconnect,
        Visit: _visit,
        EndVisit: _end_visit,
    }
    hears: tuple[type, ...] = tuple(_on_request)
