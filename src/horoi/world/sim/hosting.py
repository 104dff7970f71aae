"""What a world does for a machine, in simulated time: events in, actions carried out in order.

Timers, jobs, messages, saves and notices of all hosts of a universe. What a script can do to hosts and to the network is
in ``universe.py``.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from typing import Any

from horoi.base.errors import DecodeError, StorageError
from horoi.machine.contract import (
    Arm,
    Asked,
    Drop,
    Event,
    Finished,
    Fired,
    Peer,
    Received,
    Run,
    Save,
    Send,
    Tell,
)
from horoi.machine.host import Started
from horoi.machine.links import Dial
from horoi.world.sim.disk import Crashed, SimDisk
from horoi.world.sim.host import SimHost, SimPlace, Timer
from horoi.world.sim.links import Links
from horoi.world.sim.network import Faults, Network
from horoi.world.sim.schedule import Call, Schedule
from horoi.world.sim.trace import Digest, Trace, short_name


class Hosting:
    """The part of a universe that machines meet."""

    def __init__(
        self,
        seed: int | str,
        *,
        network: Network,
        schedule: Schedule,
        codec: bool,
        sizes: Callable[[Any], int] | None,
        digest: Digest | None,
        trace: Trace | None,
        keep_notices: bool,
        on_notice: Callable[[Peer, Any], None] | None,
    ) -> None:
        self.seed = seed
        self.schedule = schedule
        self.network = network
        self.faults = Faults()
        self.network_dice = self.dice("network")
        self.on_notice = on_notice
        self.failures: list[tuple[float, Peer, str]] = []
        """Hosts that stopped because their disk failed: (when, who, why)."""
        self.sent_messages = 0
        self.delivered_messages = 0
        self.sent_bytes = 0
        self._codec = codec
        self._sizes = sizes
        self._keep_notices = keep_notices
        self._digest = digest
        self._trace = trace
        self._hosts: dict[Peer, SimHost] = {}
        self._by_address: dict[str, SimHost] = {}
        self._links = Links(self)
        self._carriers: dict[type, Callable[[SimHost, Any], None]] = {
            Send: self._send,
            Arm: self._arm,
            Tell: self._tell,
            Save: self._save,
            Drop: self._drop,
            Run: self._run_job,
        }

    def dice(self, purpose: str, name: Peer = "") -> random.Random:
        """Dice of their own for a purpose. Texts seed ``random.Random`` by SHA-512, whatever PYTHONHASHSEED is."""
        return random.Random(f"{self.seed}/{purpose}/{name!r}")

    def host_at(self, address: str) -> SimHost | None:
        """Who can be dialed at this address."""
        return self._by_address.get(address)

    def hold_if_frozen(self, host: SimHost, call: Call, a: Any, b: Any, c: Any) -> bool:
        """True if the host is frozen; then ``call(a, b, c)`` is made when it thaws."""
        if host.backlog is None:
            return False
        host.backlog.append((call, a, b, c))
        return True

    def _disk_of(self, host: SimHost) -> SimDisk:
        if host.disk is None:
            host.disk = SimDisk(self.dice("disk", host.name))
        return host.disk

    def _note(self, name: Peer, text: str) -> None:
        if self._trace is not None:
            self._trace.add(self.schedule.now_s, name, text)

    # Events to machines

    def _boot(self, host: SimHost) -> None:
        self._note(host.name, "-- booted")
        try:
            place = SimPlace(
                host.name,
                lambda: self.dice("dice", (host.name, host.life)),
                lambda: self._disk_of(host),
            )
            host.begin_life(host.boot(place))
        except Crashed:
            self._kill(host, silent=False)
            return
        self.schedule.push(self.schedule.now_s, self._asked, host, host.life, Started())

    def _asked(self, host: SimHost, life: int, request: Any) -> None:
        if host.life == life and not self.hold_if_frozen(host, self._asked, host, life, request):
            self.deliver(host, Asked(request))

    def deliver_message(self, host: SimHost, source: Peer, payload: Any) -> None:
        """Decode a message and hand it over. What does not decode costs its sender the link."""
        if self._codec and host.wire is not None and type(payload) is bytes:
            host.received_bytes += len(payload)
            try:
                payload = host.wire.decode(payload)
            except DecodeError as error:
                self._note(host.name, f"-- refused from {short_name(source)}: {error}")
                self._links.drop(host, source)
                return
        self.delivered_messages += 1
        self.deliver(host, Received(source, payload))

    def deliver(self, host: SimHost, event: Event) -> None:
        """Hand an event to a machine that is up and carry out what it answers, in order."""
        machine = host.machine
        if machine is None:
            return
        if self._digest is not None:
            self._digest.add(self.schedule.now_s, host.name, event)
        if self._trace is not None:
            self._trace.add(self.schedule.now_s, host.name, event)
        life = host.life
        carriers = self._carriers
        try:
            for action in machine.handle(event, host.clock_s(self.schedule.now_s)):
                carry_out = carriers.get(type(action))
                if carry_out is None:
                    raise TypeError(f"machine {host.name!r} answered {action!r:.200}, no action of the contract")
                carry_out(host, action)
                if host.life != life:
                    return  # the host died of this action: the rest of the list never happens
        except Crashed:
            self._kill(host, silent=False)

    # Actions of machines

    def _send(self, host: SimHost, action: Send) -> None:
        peer = action.peer
        message = action.message
        link = host.links.get(peer) if host.links else None
        target = None if link is not None else self._hosts.get(peer)
        if link is None and not (host.speaks_datagrams and target is not None and target.speaks_datagrams):
            return
        size_bytes = 0
        payload = message
        if self._codec and host.wire is not None:
            payload = host.wire.encode(message)
            size_bytes = len(payload)
        if self._sizes is not None:
            size_bytes = self._sizes(message)
        self.sent_messages += 1
        self.sent_bytes += size_bytes
        if link is not None:
            self._links.send(link, host, payload, size_bytes)
        else:
            assert target is not None
            self._send_datagram(host, target, payload, size_bytes)

    def _send_datagram(self, host: SimHost, target: SimHost, payload: Any, size_bytes: int) -> None:
        network, dice = self.network, self.network_dice
        at_s = host.departure_s(self.schedule.now_s, size_bytes)
        loss = network.loss
        if self.faults.any:
            fault = self.faults.pair(host.name, target.name)
            if self.faults.is_cut(host.name, target.name):
                return
            loss = max(loss, fault.loss)
            at_s += fault.extra_s
        if loss and dice.random() < loss:
            return
        copies = 2 if network.duplicate and dice.random() < network.duplicate else 1
        for _ in range(copies):
            arrival_s = at_s + network.latency.delay_s(host.index, target.index, dice)
            if network.reorder and dice.random() < network.reorder:
                arrival_s += dice.random() * network.reorder_by_ms / 1000
            self.schedule.push(arrival_s, self._datagram_arrives, target, host.name, payload)

    def _datagram_arrives(self, host: SimHost, source: Peer, payload: Any) -> None:
        if host.machine is None or self.hold_if_frozen(host, self._datagram_arrives, host, source, payload):
            return
        self.deliver_message(host, source, payload)

    def _arm(self, host: SimHost, action: Arm) -> None:
        name = action.timer
        after_s = action.after_s
        timers = host.timers
        if timers is None:
            timers = host.timers = {}
        timer = timers.get(name)
        if after_s is None:
            if timer is not None:
                timer.due_s = None
            return
        if not -math.inf < after_s < math.inf:
            raise ValueError(
                f"timer {name!r} of {host.name!r} is armed with {after_s} s; give a time, or None to disarm"
            )
        due_s = self.schedule.now_s + (after_s / host.rate if after_s > 0 else 0.0)
        if timer is not None and timer.entry_at_s <= due_s:
            timer.due_s = due_s  # its entry comes first and moves on: re-arming a keep-alive costs no entry
            return
        timers[name] = timer = Timer(due_s)
        self.schedule.push(due_s, self._timer_is_due, host, name, timer)

    def _timer_is_due(self, host: SimHost, name: Any, timer: Timer) -> None:
        timers = host.timers
        if timers is None or timers.get(name) is not timer:
            return
        if self.hold_if_frozen(host, self._timer_is_due, host, name, timer):
            return
        due_s = timer.due_s
        if due_s is not None and due_s > self.schedule.now_s:
            timer.entry_at_s = due_s
            self.schedule.push(due_s, self._timer_is_due, host, name, timer)
            return
        del timers[name]
        if due_s is not None:
            self.deliver(host, Fired(name))

    def _drop(self, host: SimHost, action: Drop) -> None:
        self._links.drop(host, action.peer)

    def _run_job(self, host: SimHost, action: Run) -> None:
        done_s = host.job_done_s(self.schedule.now_s, action.job.modelled_s)
        self.schedule.push(done_s, self._finish, host, host.life, action.job)

    def _finish(self, host: SimHost, life: int, job: Any) -> None:
        if host.life != life or self.hold_if_frozen(host, self._finish, host, life, job):
            return
        try:
            result = job.run()
        except Exception as error:
            result = error
        self.deliver(host, Finished(job, result))

    def _tell(self, host: SimHost, action: Tell) -> None:
        notice = action.notice
        if isinstance(notice, Dial):
            self._links.dial(host, notice)
            return
        if self._keep_notices:
            if host.notices is None:
                host.notices = []
            host.notices.append(notice)
        if self.on_notice is not None:
            self.on_notice(host.name, notice)

    def _save(self, host: SimHost, action: Save) -> None:
        assert host.save is not None
        try:
            host.save(action.record)
        except StorageError as error:  # as the live world does: a host that cannot keep its word stops
            self.failures.append((self.schedule.now_s, host.name, str(error)))
            self._note(host.name, f"-- its disk failed: {error}")
            self._fail(host)

    def _fail(self, host: SimHost) -> None:
        assert host.close is not None
        try:
            host.close()
        except StorageError as error:
            self._note(host.name, f"-- and again while it closed: {error}")
        self._end_life(host, silent=False)

    def _kill(self, host: SimHost, *, silent: bool) -> None:
        if host.disk is not None:
            host.disk.crash()
        self._note(host.name, "-- crashed")
        self._end_life(host, silent=silent)

    def _end_life(self, host: SimHost, *, silent: bool) -> None:
        self._links.host_died(host, silent=silent)
        host.end_life()
