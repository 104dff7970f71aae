"""Links of the simulated world: TCP as a machine sees it through ``horoi.machine.links``.

Ordered and reliable: loss makes a message late, never gone, and everything behind it waits too. A link ends by ``Drop``,
by the death of a process (its kernel says goodbye), or because its ends cannot reach each other for
``link_timeout_s``; whatever the reason, each end that heard ``Linked`` hears ``Lost`` once.

Every dial is answered once: ``Linked``, or ``Unlinked`` with the reason. There is one link per pair. When both sides
dial at the same time the dial of the smaller name is kept and the other is answered ``Unlinked``; when a link is up
already, a new dial is answered ``Unlinked`` and the link stays.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from horoi.machine.contract import Asked, Lost, Peer
from horoi.machine.links import Dial, Linked, Unlinked
from horoi.world.sim.network import SYN_RETRY_S, next_retry_s, retransmission_delay_s

if TYPE_CHECKING:
    from horoi.world.sim.host import SimHost
    from horoi.world.sim.hosting import Hosting

FIRST_EPHEMERAL_PORT = 49152  # RFC 6335, section 6: dynamic ports
_EPHEMERAL_PORTS = 16384


class _Hello:
    """First on the way to the listener: the dialer's proof, after which the link is up there too."""


class _Goodbye:
    """Last on the way: this end was closed."""


_HELLO = _Hello()
_GOODBYE = _Goodbye()


class Link:
    """One TCP connection. Side 0 dialed, side 1 listened; lists are indexed by side."""

    __slots__ = ("cut_since_s", "ends", "from_address", "held", "is_open", "last_arrival_s", "silent", "told")

    def __init__(self, dialer: SimHost, listener: SimHost, from_address: str) -> None:
        self.ends = (dialer, listener)
        self.from_address = from_address
        self.is_open = [True, True]
        self.told = [True, False]  # who heard Linked, and so must hear Lost
        self.silent = False  # an end lost its power: nobody says goodbye for it
        self.last_arrival_s = [0.0, 0.0]  # by sending side: nothing overtakes
        self.held: list[list[Any]] = [[], []]  # by sending side: what a cut keeps from arriving
        self.cut_since_s: float | None = None


class Links:
    """All links of a universe."""

    def __init__(self, universe: Hosting) -> None:
        self._universe = universe
        self._schedule = universe.schedule
        self._network = universe.network
        self._faults = universe.faults
        self._dice = universe.network_dice
        self._dialed = 0

    # Dialing

    def dial(self, host: SimHost, dial: Dial) -> None:
        """Begin to connect. A second dial of an address that is being dialed is the same dial."""
        if host.dials is None:
            host.dials = {}
        if dial.address in host.dials:
            return
        self._dialed += 1
        number = self._dialed
        host.dials[dial.address] = number
        now_s = self._schedule.now_s
        target = self._universe.host_at(dial.address)
        if target is host:
            self._fail_dial_later(host, dial, number, now_s, "that is this peer's own address")
        elif target is None or not target.speaks_links:
            self._fail_dial_later(host, dial, number, now_s + self._network.dial_timeout_s, "timed out")
        else:
            self._try(host, dial, (number, now_s, SYN_RETRY_S))

    def _fail_dial_later(self, host: SimHost, dial: Dial, number: int, at_s: float, reason: str) -> None:
        self._schedule.push(at_s, self._fail_dial, (host, number), dial, reason)

    def _fail_dial(self, who: tuple[SimHost, int], dial: Dial, reason: str) -> None:
        host, number = who
        if self._universe.hold_if_frozen(host, self._fail_dial, who, dial, reason):
            return
        if host.dials is None or host.dials.get(dial.address) != number:
            return  # the dialer has died
        del host.dials[dial.address]
        self._universe.deliver(host, Asked(Unlinked(dial.address, reason)))

    def _try(self, host: SimHost, dial: Dial, attempt: tuple[int, float, float]) -> None:
        target = self._universe.host_at(dial.address)
        due_s = self._schedule.now_s
        if target is not None:
            round_trip_s = self._delay_s(host, target) + self._delay_s(target, host)
            due_s += self._network.handshake_round_trips * round_trip_s
        self._schedule.push(due_s, self._meet, host, dial, attempt)

    def _meet(self, host: SimHost, dial: Dial, attempt: tuple[int, float, float]) -> None:
        """The handshake is over at the dialer, or would be if the other side had been there."""
        if self._universe.hold_if_frozen(host, self._meet, host, dial, attempt):
            return
        number = attempt[0]
        if host.dials is None or host.dials.get(dial.address) != number:
            return  # the dialer has died
        target = self._universe.host_at(dial.address)
        if target is None or not self._is_reachable(host, target):
            self._retry(host, dial, attempt)
            return
        refusal = "refused" if target.machine is None else self._refusal(host, target, dial)
        if refusal:
            self._fail_dial((host, number), dial, refusal)
            return
        del host.dials[dial.address]
        self._establish(host, target, dial)

    def _is_reachable(self, host: SimHost, target: SimHost) -> bool:
        """True if somebody answers: the machine, or for a stopped one the kernel of its host."""
        if self._faults.any and self._faults.is_cut_either_way(host.name, target.name):
            return False
        if target.machine is None:
            return target.was_stopped
        return target.backlog is None

    def _retry(self, host: SimHost, dial: Dial, attempt: tuple[int, float, float]) -> None:
        number, began_s, retry_s = attempt
        again_s = self._schedule.now_s + retry_s
        deadline_s = began_s + self._network.dial_timeout_s
        if again_s < deadline_s:
            self._schedule.push(again_s, self._try, host, dial, (number, began_s, 2 * retry_s))
            return
        self._fail_dial_later(host, dial, number, max(deadline_s, self._schedule.now_s), "timed out")

    def _refusal(self, host: SimHost, target: SimHost, dial: Dial) -> str:
        if dial.expect is not None and dial.expect != target.name:
            return f"another peer lives there: {target.name!r}, not {dial.expect!r}"
        if host.links and target.name in host.links:
            return "already linked to this peer"
        if target.name < host.name and target.dials and host.address in target.dials:
            return "the other side is dialing too, and its dial is kept"
        return ""

    def _establish(self, host: SimHost, target: SimHost, dial: Dial) -> None:
        stale = target.links.get(host.name) if target.links else None
        if stale is not None:  # the dialer's end is gone and its goodbye under way, or it never said one
            self._end(stale, stale.ends.index(target), None)
        port = FIRST_EPHEMERAL_PORT + self._dialed % _EPHEMERAL_PORTS
        link = Link(host, target, f"{host.address.rpartition(':')[0] or host.address}:{port}")
        for end, other in ((host, target), (target, host)):
            if end.links is None:
                end.links = {}
            end.links[other.name] = link
        self._transmit(link, 0, _HELLO, 0)
        self._universe.deliver(host, Asked(Linked(target.name, dial.address, outbound=True)))

    # Messages

    def send(self, link: Link, host: SimHost, payload: Any, size_bytes: int) -> None:
        """Send a message from ``host``'s end, if that is still open."""
        side = 0 if link.ends[0] is host else 1
        if link.is_open[side]:
            self._transmit(link, side, payload, size_bytes)

    def _transmit(self, link: Link, side: int, item: Any, size_bytes: int, after_s: float = 0.0) -> None:
        sender = link.ends[side]
        receiver = link.ends[1 - side]
        delay_s = self._delay_s(sender, receiver)
        loss = self._network.loss
        if self._faults.any:
            loss = max(loss, self._faults.pair(sender.name, receiver.name).loss)
        if loss:
            delay_s += retransmission_delay_s(2 * delay_s, loss, self._dice)
        at_s = sender.departure_s(self._schedule.now_s, size_bytes) + delay_s + after_s
        at_s = max(at_s, link.last_arrival_s[side])
        link.last_arrival_s[side] = at_s
        self._schedule.push(at_s, self._arrive, link, side, item)

    def _delay_s(self, source: SimHost, target: SimHost) -> float:
        delay_s = self._network.latency.delay_s(source.index, target.index, self._dice)
        if self._faults.any:
            delay_s += self._faults.pair(source.name, target.name).extra_s
        return delay_s

    def _arrive(self, link: Link, side: int, item: Any) -> None:
        if link.cut_since_s is not None or link.held[side]:
            link.held[side].append(item)
            return
        self._take(link, side, item)

    def _take(self, link: Link, side: int, item: Any) -> None:
        """An item from ``side`` has reached the other end's host."""
        receiver = link.ends[1 - side]
        if not link.is_open[1 - side]:
            if link.silent and receiver.machine is not None and link.is_open[side]:
                # The receiver lives a new life and knows no such connection: its kernel says so.
                at_s = self._schedule.now_s + self._delay_s(receiver, link.ends[side])
                self._schedule.push(at_s, self._end, link, side)
            return
        if self._universe.hold_if_frozen(receiver, self._take, link, side, item):
            return
        if item is _HELLO:
            link.told[1] = True
            name = link.ends[0].name
            self._universe.deliver(receiver, Asked(Linked(name, link.from_address, outbound=False)))
        elif item is _GOODBYE:
            self._end(link, 1 - side, None)
        else:
            self._universe.deliver_message(receiver, link.ends[side].name, item)

    # Ends

    def drop(self, host: SimHost, peer: Peer) -> None:
        """Close ``host``'s end. It hears Lost after what it is doing now, the other end after what was sent before."""
        link = host.links.get(peer) if host.links else None
        if link is None:
            return
        side = 0 if link.ends[0] is host else 1
        if not link.is_open[side]:
            return
        link.is_open[side] = False
        self._transmit(link, side, _GOODBYE, 0)
        # The name stays taken until Lost is out, so that a dial in the same list of actions finds the link.
        self._schedule.push(self._schedule.now_s, self._forget, link, side)

    def _forget(self, link: Link, side: int, _: None) -> None:
        host, peer = link.ends[side], link.ends[1 - side].name
        if self._universe.hold_if_frozen(host, self._forget, link, side, None):
            return
        if host.links is None or host.links.get(peer) is not link:
            return  # the host has died meanwhile
        del host.links[peer]
        if link.told[side]:
            self._universe.deliver(host, Lost(peer))

    def _end(self, link: Link, side: int, _: None) -> None:
        """One end learns that the link is over."""
        if not link.is_open[side]:
            return
        link.is_open[side] = False
        self._forget(link, side, None)

    def host_died(self, host: SimHost, *, silent: bool) -> None:
        """Close all ends of a host whose machine is gone. Called before the host forgets its links."""
        for link in list((host.links or {}).values()):
            side = 0 if link.ends[0] is host else 1
            was_open = link.is_open[side]
            link.is_open[side] = False
            if silent:
                link.silent = True
                at_s = self._schedule.now_s + self._network.link_timeout_s
                self._schedule.push(at_s, self._end, link, 1 - side)
            elif was_open:
                self._transmit(link, side, _GOODBYE, 0, self._network.crash_notice_s)

    # Cuts

    def faults_changed(self, hosts: list[SimHost]) -> None:
        """Stop the links that are cut now; let those go on that are not any more. ``hosts`` is all hosts, in order."""
        now_s = self._schedule.now_s
        for host in hosts:
            for link in list((host.links or {}).values()):
                if link.ends[0] is not host:
                    continue  # each link once, at its dialer
                a, b = link.ends
                cut = self._faults.any and self._faults.is_cut_either_way(a.name, b.name)
                if cut and link.cut_since_s is None:
                    link.cut_since_s = now_s
                    self._schedule.push(now_s + self._network.link_timeout_s, self._break, link, now_s)
                elif not cut and link.cut_since_s is not None:
                    at_s = next_retry_s(link.cut_since_s, now_s)
                    self._schedule.push(at_s, self._resume, link, link.cut_since_s)
                    link.cut_since_s = None

    def _break(self, link: Link, since_s: float, _: None) -> None:
        if link.cut_since_s != since_s:
            return  # it was healed in time
        link.held = [[], []]
        self._end(link, 0, None)
        self._end(link, 1, None)

    def _resume(self, link: Link, since_s: float, _: None) -> None:
        """What was sent during the cut is sent again, and arrives."""
        if link.cut_since_s is not None:
            return  # cut again before TCP tried again
        for side in (0, 1):
            items, link.held[side] = link.held[side], []
            for item in items:
                self._take(link, side, item)
