"""Hosts one machine on an event loop: events in, actions carried out in order. What a transport does is left open.

Everything that happens (a frame, a timer, a finished job, a request) goes into one queue and is handed to the machine in
that order, in turns of bounded length, so that reading, accepting and the application's own work stay alive while a
machine is busy. At the end of a turn the transport flushes: all that was sent in a turn leaves in one write per peer.

When something fails: an exception while a peer's message is handled costs that peer its link, is logged with its trace
and counted, and the machine goes on (a bug must not let one stranger stop a node). Any other exception of a machine, any
StorageError (the own disk is nobody else's fault, and every peer would be dropped for it in turn), and any failure of
``save`` (the disk is full), stops the host at once: nothing after a ``Save`` that failed may happen.
"""

from __future__ import annotations

import asyncio
import logging
import random
from abc import ABC, abstractmethod
from collections import Counter, deque
from collections.abc import Callable, Sequence
from functools import partial
from time import monotonic
from typing import Any, TypeVar

from horoi.base.errors import NetworkError, StorageError
from horoi.machine import (
    Action,
    Arm,
    Asked,
    Dial,
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
from horoi.machine.disk import Disk
from horoi.machine.host import Boot, Hosted, Place, Started
from horoi.world.live.clock import SteadyClock
from horoi.world.live.jobs import JobPool
from horoi.world.live.notices import NoticeBoard, NoticeStream

T = TypeVar("T")

_log = logging.getLogger("horoi.live")

Arrival = Callable[[], Event | None]
"""An entry of the queue: called when its turn comes, it gives the event, or None if it is void by then."""

TURN_S = 0.010  # a guess: an API call waits no longer than this for a busy machine
HARD_JOBS_FACTOR = (
    4  # a guess: at max_jobs reading stops; timers and the application may still add this many times more
)


class SaveFailedError(Exception):
    """A ``Save`` did not become durable. The cause is the disk's own error."""


class Runner(ABC):
    """A machine with its clock, timers, threads, disk and listeners. Not restartable: one life each."""

    def __init__(
        self, boot: Boot, *, disk: Disk, dice: random.Random | None, threads: int | None, max_jobs: int
    ) -> None:
        self._boot = boot
        self._disk = disk
        self._dice = dice or random.Random(random.SystemRandom().getrandbits(256))
        self._threads = threads
        self._max_jobs = max_jobs
        self._inbox: deque[Arrival] = deque()
        self._timers: dict[Any, asyncio.TimerHandle] = {}
        self._turn_is_due = False
        self._is_handling = False
        self._alive = False
        self._jobs_full = False
        self.board = NoticeBoard()
        self.clock = SteadyClock()
        self.counters: Counter[tuple[str, str]] = Counter()
        """Counts by (what, which): ("in", message type), ("out", message type), ("drop", reason), ("error", where)."""

    # What the application uses

    def ask(self, request: Any) -> None:
        """Hand ``Asked(request)`` to the machine in the next turn. From the loop's own thread."""
        self._require_alive()
        self._post(Asked(request))

    def ask_threadsafe(self, request: Any) -> None:
        """As ``ask``, from any thread."""
        self._require_alive()
        self._loop.call_soon_threadsafe(self._post, Asked(request))

    async def ask_for(
        self, request: Any, kind: type[T], match: Callable[[T], bool] | None = None, *, timeout_s: float
    ) -> T:
        """Ask, and return the first notice of type ``kind`` for which ``match`` holds.

        Raises NetworkError after ``timeout_s`` seconds, or what ended the host meanwhile."""
        self._require_alive()
        found: asyncio.Future[T] = self._loop.create_future()

        def take(notice: T) -> None:
            if not found.done() and (match is None or match(notice)):
                found.set_result(notice)

        stop = self.on_notice(take, kind)
        try:
            self.ask(request)
            await asyncio.wait((found, self._ended), timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
            if found.done():
                return found.result()
            if self._ended.done():
                self._ended.result()
                raise NetworkError(f"the host was stopped before it answered {type(request).__name__}")
            raise NetworkError(
                f"no {kind.__name__} came within {timeout_s:g} s of {type(request).__name__}; ask again or wait longer"
            )
        finally:
            stop()

    def on_notice(self, callback: Callable[[Any], None], *kinds: type) -> Callable[[], None]:
        """Call ``callback``, in the loop and in the order of effects, with every notice the machine tells (of these
        types, if any are given; ``Dial`` is for the world and not passed on). Must be quick. Returns how to stop it."""
        return self.board.listen(callback, *kinds)

    def notices(self, *kinds: type, max_pending: int = 1000) -> NoticeStream:
        """A stream for ``async for``, of at most ``max_pending`` unread notices; close it, or use it as ``with``."""
        return NoticeStream(self.board, max_pending, kinds)

    @property
    def machine(self) -> Any:
        """The machine, to be looked at from the loop's own thread and not to be touched."""
        return self._hosted.machine

    def now(self) -> float:
        """What the machine would be told: unix time in seconds, never stepping back."""
        return self.clock.now()

    async def wait(self) -> None:
        """Return when the host was stopped; raise what stopped it if it failed. After ``start`` only."""
        await asyncio.shield(self._ended)

    # Life and death

    def _come_alive(self, name: Peer) -> None:
        self._loop = asyncio.get_running_loop()
        self._ended: asyncio.Future[None] = self._loop.create_future()
        self._hosted: Hosted = self._boot(Place(name, self._dice, self._disk))
        self._jobs = JobPool(self._job_is_done, threads=self._threads, max_jobs=HARD_JOBS_FACTOR * self._max_jobs)
        self._alive = True
        self._post(Asked(Started()))

    def _die(self, failure: BaseException | None) -> None:
        """End the machine's life. Idempotent; the transport is closed by whoever calls."""
        if not self._alive:
            return
        self._alive = False
        self._inbox.clear()
        for handle in self._timers.values():
            handle.cancel()
        self._timers.clear()
        self._jobs.close()
        self.board.close()
        try:
            self._hosted.close()
        except Exception as error:
            failure = failure or error
        if self._ended.done():
            return
        if failure is None:
            self._ended.set_result(None)
        else:
            self._ended.set_exception(failure)
            self._ended.exception()  # so that a host nobody waits for does not complain twice

    def _fail(self, failure: BaseException) -> None:
        _log.error("the host stops: %s: %s", type(failure).__name__, failure, exc_info=failure)
        self.counters["error", type(failure).__name__] += 1
        self._die(failure)
        self._abort_transport()

    def _require_alive(self) -> None:
        if not self._alive:
            raise NetworkError("the host is not running; start it first, or look at what wait() raises")

    # Events in

    def _post(self, event: Event) -> None:
        self._post_arrivals([partial(_same, event)])

    def _post_arrivals(self, arrivals: Sequence[Arrival]) -> None:
        if not self._alive:
            return
        self._inbox.extend(arrivals)
        if not self._turn_is_due:
            self._turn_is_due = True
            self._loop.call_soon(self._turn)

    def _turn(self) -> None:
        self._turn_is_due = False
        inbox = self._inbox
        until = monotonic() + TURN_S
        while inbox:
            event = inbox.popleft()()
            if event is not None:
                self._handle(event)
                if monotonic() > until:
                    break
        self._flush()
        if inbox and not self._turn_is_due:
            self._turn_is_due = True
            self._loop.call_soon(self._turn)

    def _handle(self, event: Event) -> None:
        self._is_handling = True
        try:
            for action in self._hosted.machine.handle(event, self.clock.now()):
                self._carry_out(action)
        except SaveFailedError as error:
            self._fail(error.__cause__ or error)
        except Exception as error:
            if not isinstance(event, Received) or isinstance(error, StorageError):
                self._fail(error)
                return
            _log.exception("the machine failed on %.300r; the peer is dropped", event.message)
            self.counters["error", type(error).__name__] += 1
            self._drop(event.peer, "error", "this node failed on a message")
        finally:
            self._is_handling = False

    # Actions out

    def _carry_out(self, action: Action) -> None:
        if isinstance(action, Send):
            self._send(action.peer, action.message)
        elif isinstance(action, Arm):
            self._arm(action.timer, action.after_s)
        elif isinstance(action, Tell):
            if isinstance(action.notice, Dial):
                self._dial(action.notice)
            else:
                self.board.post(action.notice)
        elif isinstance(action, Save):
            try:
                self._hosted.save(action.record)
            except Exception as error:
                raise SaveFailedError from error
        elif isinstance(action, Run):
            self._jobs.run(action.job)
            self._watch_jobs()
        else:
            assert isinstance(action, Drop), f"{action!r:.200} is no action"
            self._drop(action.peer, "machine", action.reason)

    def _arm(self, timer: Any, after_s: float | None) -> None:
        old = self._timers.pop(timer, None)
        if old is not None:
            old.cancel()
        if after_s is not None:
            self._timers[timer] = self._loop.call_later(max(0.0, after_s), self._timer_is_due, timer)

    def _timer_is_due(self, timer: Any) -> None:
        self._post_arrivals([partial(self._fire, timer, self._timers[timer])])

    def _fire(self, timer: Any, handle: asyncio.TimerHandle) -> Event | None:
        if self._timers.get(timer) is not handle:  # it ran out, and was armed again before its turn came
            return None
        del self._timers[timer]
        return Fired(timer)

    def _job_is_done(self, job: Any, result: Any) -> None:
        self._post(Finished(job, result))
        self._watch_jobs()

    def _watch_jobs(self) -> None:
        """Stop reading from peers while the threads are behind; go on when half of the queue is done."""
        in_flight = self._jobs.in_flight
        full = in_flight > self._max_jobs // 2 if self._jobs_full else in_flight >= self._max_jobs
        if full != self._jobs_full:
            self._jobs_full = full
            self._jobs_fullness_changed()

    # The transport's part

    @abstractmethod
    def _send(self, peer: Peer, message: Any) -> None:
        """Queue ``message`` for ``peer``; nothing if the peer is gone."""

    @abstractmethod
    def _drop(self, peer: Peer, category: str, reason: str) -> None:
        """Give ``peer`` up and post ``Lost``. ``category`` is a short name for the counters."""

    @abstractmethod
    def _dial(self, dial: Dial) -> None:
        """Begin to connect; the answer is ``Asked(Linked)`` or ``Asked(Unlinked)``."""

    @abstractmethod
    def _flush(self) -> None:
        """End of a turn: let what was queued go."""

    @abstractmethod
    def _jobs_fullness_changed(self) -> None:
        """``self._jobs_full`` changed: pause or resume reading."""

    @abstractmethod
    def _abort_transport(self) -> None:
        """Close everything at once; the machine is dead."""


def _same(event: Event) -> Event:
    return event
