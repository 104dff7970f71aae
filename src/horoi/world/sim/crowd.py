"""A crowd: a universe for up to a million machines that speak by datagrams and save nothing.

``Universe`` can do more (links, disks, codecs, partitions, frozen hosts, clocks that drift, a digest of every event) and pays
for it with every message. Experiments with overlays need none of that: here a message costs one entry of the schedule and
one call, and a host a record of a few words. Time, order, dice and loss are those of ``Universe``: one seed is one crowd.
A job takes its modelled time on a core of its own. What is saved is forgotten, for nobody here comes back; links are refused,
so that no experiment quietly lacks what it relies on.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from horoi.machine.contract import (
    Action,
    Arm,
    Asked,
    Event,
    Finished,
    Fired,
    Machine,
    Received,
    Run,
    Save,
    Send,
    Tell,
)
from horoi.world.sim.network import Network
from horoi.world.sim.schedule import Schedule

PENDING_SLOT_S = 0.01
"""Ten times ``schedule.SLOT_WIDTH_S``: with ten lookups under way a slot of 1 ms holds one event, and to open it costs more than
the event. Nor is 10 ms too wide: the nearest peers of ``latency.Regions`` are that far apart, so what is sent arrives in a later
slot. Measured in docs/decisions/event-queue.md."""


class _Member:
    """One host. ``machine`` is None once it is gone; ``timers`` maps a name to the number of its live entry."""

    __slots__ = ("index", "machine", "name", "timers")

    def __init__(self, name: int, index: int, machine: Machine) -> None:
        self.name = name
        self.index = index
        self.machine: Machine | None = machine
        self.timers: dict[Any, int] | None = None


class Crowd:
    """Machines by number, which is their address. ``on_notice(address, notice)`` hears what they tell.

    ``sizes(message)`` is called for every datagram that is sent, for whoever counts bytes.
    """

    def __init__(
        self,
        seed: int | str,
        *,
        network: Network,
        on_notice: Callable[[int, Any], None],
        sizes: Callable[[Any], object] | None = None,
    ) -> None:
        if network.duplicate or network.reorder or network.uplink_bytes_per_s is not None:
            raise ValueError(
                "a crowd knows latency and loss only; use a Universe for duplicates, reordering and uplinks"
            )
        self.seed = seed
        self.network = network
        self.schedule = Schedule(slot_width_s=PENDING_SLOT_S)
        self._push = self.schedule.push
        self._delay_s = network.latency.delay_s
        self._loss = network.loss
        self._sizes = sizes
        self._on_notice = on_notice
        self._members: dict[int, _Member] = {}
        self._added = 0
        self._armed = 0
        self._dice = self.dice("network")
        self._region_dice = self.dice("regions")

    def dice(self, purpose: str) -> random.Random:
        """Dice of their own for a purpose."""
        return random.Random(f"{self.seed}/{purpose}/''")

    # Time

    @property
    def now(self) -> float:
        """Seconds since the beginning."""
        return self.schedule.now_s

    @property
    def events(self) -> int:
        """How many scheduled calls were made so far."""
        return self.schedule.fired

    def after(self, wait_s: float, call: Callable[[], object]) -> None:
        """Make ``call()`` ``wait_s`` from now."""
        self._push(self.now + wait_s, _call_it, call)

    def run_for(self, duration_s: float) -> int:
        """Let ``duration_s`` seconds pass. Returns the number of events."""
        return self.schedule.run(self.now + duration_s)

    def run_while(self, condition: Callable[[], bool], limit_s: float) -> bool:
        """Go on as long as ``condition()`` holds, at most ``limit_s`` seconds. True if it ended, False at the limit."""
        return self.schedule.run_while(condition, self.now + limit_s)

    # Members

    def add(self, address: int, machine: Machine) -> None:
        """Add a machine. An address that was removed may be added again."""
        if address in self._members:
            raise ValueError(f"somebody is at {address} already; remove it first")
        self.network.latency.settle(self._added, None, self._region_dice)
        self._members[address] = _Member(address, self._added, machine)
        self._added += 1

    def remove(self, address: int) -> None:
        """End a machine without a word; what is under way to it finds nobody."""
        member = self._members.pop(address, None)
        if member is not None:
            member.machine = None
            member.timers = None

    def is_up(self, address: int) -> bool:
        """True while there is a machine at the address."""
        return address in self._members

    def machine(self, address: int) -> Any:
        """The machine at an address. Raises ValueError if there is none."""
        member = self._members.get(address)
        if member is None:
            raise ValueError(f"nobody is at {address}")
        return member.machine

    def distance_s(self, a: int, b: int) -> float | None:
        """The true one-way distance between two members, in seconds; None if one is gone or they are the same."""
        first, second = self._members.get(a), self._members.get(b)
        if first is None or second is None or first is second:
            return None
        return self.network.latency.base_s(first.index, second.index)

    def ask(self, address: int, request: Any) -> None:
        """Hand ``Asked(request)`` to a machine, as the next thing that happens."""
        self._push(self.now, self._deliver, self._members[address], Asked(request))

    def close(self) -> None:
        """End every machine and forget everything that is under way."""
        self._members.clear()
        self._on_notice = lambda _address, _notice: None
        self._sizes = None
        self.schedule = Schedule()

    # Events

    def _arrive(self, member: _Member, source: int, message: Any) -> None:
        machine = member.machine
        if machine is not None:
            self._carry_out(member, machine.handle(Received(source, message), self.schedule.now_s))

    def _deliver(self, member: _Member, event: Event, _c: None) -> None:
        machine = member.machine
        if machine is not None:
            self._carry_out(member, machine.handle(event, self.schedule.now_s))

    def _finish(self, member: _Member, job: Any, _c: None) -> None:
        if member.machine is None:
            return
        try:
            result = job.run()
        except Exception as error:
            result = error
        self._deliver(member, Finished(job, result), None)

    def _timer_is_due(self, member: _Member, timer: Any, number: int) -> None:
        timers = member.timers
        if timers is None or timers.get(timer) != number:
            return  # re-armed, disarmed or gone meanwhile
        del timers[timer]
        self._deliver(member, Fired(timer), None)

    def _carry_out(self, member: _Member, actions: list[Action]) -> None:
        for action in actions:
            kind = type(action)
            if kind is Send:  # nine of ten actions: in line, since a call would cost as much as what it does
                message = action.message  # type: ignore[union-attr]
                if self._sizes is not None:
                    self._sizes(message)
                target = self._members.get(action.peer)  # type: ignore[union-attr]
                if target is not None and not (self._loss and self._dice.random() < self._loss):
                    delay_s = self._delay_s(member.index, target.index, self._dice)
                    self._push(self.schedule.now_s + delay_s, self._arrive, target, member.name, message)
            elif kind is Arm:
                self._arm(member, action.timer, action.after_s)  # type: ignore[union-attr]
            elif kind is Tell:
                self._on_notice(member.name, action.notice)  # type: ignore[union-attr]
            elif kind is Run:
                self._push(self.schedule.now_s + action.job.modelled_s, self._finish, member, action.job)  # type: ignore[union-attr]
            elif kind is not Save:
                raise TypeError(
                    f"{member.name} answered {action!r:.200}, which a crowd of datagrams does not carry out"
                )

    def _arm(self, member: _Member, timer: Any, after_s: float | None) -> None:
        if member.timers is None:
            member.timers = {}
        if after_s is None:
            member.timers.pop(timer, None)
            return
        self._armed = member.timers[timer] = self._armed + 1
        self._push(self.schedule.now_s + max(0.0, after_s), self._timer_is_due, member, timer, self._armed)


def _call_it(call: Callable[[], object], _b: None, _c: None) -> None:
    call()
