"""One simulated host: a machine with its clock, timers, cores, disk and links. A record; the universe does the work.

A million of them must fit: slots, and nothing is made before it is needed (dice, disk, timers, links).
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from horoi.machine.contract import Machine, Peer
from horoi.machine.disk import Disk
from horoi.machine.host import Boot, Hosted, Place
from horoi.machine.wire import Wire
from horoi.world.sim.disk import SimDisk

if TYPE_CHECKING:
    from horoi.world.sim.links import Link
    from horoi.world.sim.schedule import Call


class SimPlace(Place):
    """A place whose dice and disk come into being when a boot asks for them (a ``random.Random`` takes 2.5 kB)."""

    def __init__(self, name: Peer, make_dice: Callable[[], random.Random], make_disk: Callable[[], Disk]) -> None:
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "_make_dice", make_dice)
        object.__setattr__(self, "_make_disk", make_disk)

    def __getattr__(self, field: str) -> Any:
        # Only called for what is not set yet. The dataclass is frozen, hence object.__setattr__.
        if field not in ("dice", "disk"):
            raise AttributeError(f"a place has name, dice and disk, not {field!r}")
        value = getattr(self, f"_make_{field}")()
        object.__setattr__(self, field, value)
        return value


class Timer:
    """A named timer. It has one entry in the schedule, at ``entry_at_s``, and moves on from there if re-armed later."""

    __slots__ = ("due_s", "entry_at_s")

    def __init__(self, due_s: float) -> None:
        self.due_s: float | None = due_s  # None: disarmed
        self.entry_at_s = due_s


class SimHost:
    """State of one host. ``machine`` is None while it is down; ``life`` counts boots."""

    __slots__ = (
        "address",
        "backlog",
        "boot",
        "close",
        "core_free_s",
        "cores",
        "dials",
        "disk",
        "index",
        "last_now_s",
        "life",
        "links",
        "machine",
        "name",
        "notices",
        "offset_s",
        "rate",
        "received_bytes",
        "save",
        "sent_bytes",
        "speaks_datagrams",
        "speaks_links",
        "timers",
        "uplink_bytes_per_s",
        "uplink_free_s",
        "was_stopped",
        "wire",
    )

    def __init__(self, name: Peer, index: int, address: str, boot: Boot, *, cores: int) -> None:
        self.name = name
        self.index = index
        self.address = address
        self.boot = boot
        self.cores = cores
        self.life = 0
        self.machine: Machine | None = None
        self.wire: Wire | None = None
        self.save: Callable[[Any], None] | None = None
        self.close: Callable[[], None] | None = None
        self.disk: SimDisk | None = None
        self.timers: dict[Any, Timer] | None = None
        self.links: dict[Peer, Link] | None = None
        self.dials: dict[str, int] | None = None  # address -> number of the dial in progress
        self.notices: list[Any] | None = None
        self.core_free_s: list[float] | None = None
        self.backlog: list[tuple[Call, Any, Any, Any]] | None = None  # not None: frozen
        self.uplink_bytes_per_s: float | None = None
        self.uplink_free_s = 0.0
        self.offset_s = 0.0
        self.rate = 1.0
        self.last_now_s = float("-inf")
        self.sent_bytes = 0
        self.received_bytes = 0
        self.speaks_links = True
        self.speaks_datagrams = False
        self.was_stopped = False

    def begin_life(self, hosted: Hosted) -> None:
        """Install what a boot gave back."""
        self.machine = hosted.machine
        self.wire = hosted.wire
        self.save = hosted.save
        self.close = hosted.close
        self.was_stopped = False

    def end_life(self) -> None:
        """Forget everything that does not survive a process: timers, jobs, links, dials, what was not read yet."""
        self.life += 1
        self.machine = self.wire = self.save = self.close = None
        self.timers = self.links = self.dials = self.core_free_s = self.backlog = None
        self.last_now_s = float("-inf")

    def clock_s(self, now_s: float) -> float:
        """What this host's clock shows at ``now_s`` of the universe. Never less than it showed before in this life."""
        shown_s = now_s * self.rate + self.offset_s
        if shown_s < self.last_now_s:
            return self.last_now_s
        self.last_now_s = shown_s
        return shown_s

    def departure_s(self, now_s: float, size_bytes: int) -> float:
        """When the last byte of a message that is sent now leaves the uplink."""
        self.sent_bytes += size_bytes
        if self.uplink_bytes_per_s is None:
            return now_s
        free_s = self.uplink_free_s
        self.uplink_free_s = left_s = (free_s if free_s > now_s else now_s) + size_bytes / self.uplink_bytes_per_s
        return left_s

    def job_done_s(self, now_s: float, work_s: float) -> float:
        """When a job that is handed over now is done: jobs wait in line for the first free core."""
        if self.core_free_s is None:
            self.core_free_s = [0.0] * self.cores
        core = min(range(self.cores), key=self.core_free_s.__getitem__)
        self.core_free_s[core] = done_s = max(now_s, self.core_free_s[core]) + work_s
        return done_s
