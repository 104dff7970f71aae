"""Two machines and a conversation between them that a test can hold still: a fake link, delivered by hand.

Everything that happens is written down as a line of text, so that a test can compare a whole conversation with what it
ought to be (as in etcd's raft, "interaction tests"). Nothing happens by itself: messages wait until ``deliver``,
timers until ``advance``, jobs until ``finish_job``.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from horoi.machine.contract import (
    Arm,
    Asked,
    Drop,
    Event,
    Finished,
    Fired,
    Lost,
    Machine,
    Received,
    Run,
    Save,
    Send,
    Tell,
)
from horoi.machine.links import Linked
from horoi.machine.wire import Wire

MAX_STEPS = 10_000  # a guess: machines that talk longer without a timer chase each other


class _Closed:
    """Last in a direction: the sender closed its end."""


_CLOSED = _Closed()


class Pair:
    """Machines ``a`` and ``b``, by the names that they call each other.

    With a ``wire`` every message is encoded and decoded on its way. ``save(name, record)`` hears what is saved.
    ``lines`` is the conversation; ``notices[name]`` what a machine told.
    """

    def __init__(
        self,
        a: Machine,
        b: Machine,
        *,
        names: tuple[Any, Any] = ("a", "b"),
        wire: Wire | None = None,
        save: Callable[[Any, Any], None] | None = None,
        now_s: float = 0.0,
    ) -> None:
        if names[0] == names[1]:
            raise ValueError(f"the two machines need two names, got {names[0]!r} twice")
        self.names = names
        self.machines: dict[Any, Machine] = {names[0]: a, names[1]: b}
        self.now_s = now_s
        self.lines: list[str] = []
        self.notices: dict[Any, list[Any]] = {names[0]: [], names[1]: []}
        self.saved: dict[Any, list[Any]] = {names[0]: [], names[1]: []}
        self.linked = False
        self._wire = wire
        self._save = save
        self._to: dict[Any, deque[Any]] = {names[0]: deque(), names[1]: deque()}
        self._timers: dict[tuple[Any, Any], tuple[float, int]] = {}
        self._armed = 0
        self._jobs: deque[tuple[Any, Any]] = deque()

    # What a test does

    def ask(self, name: Any, request: Any) -> None:
        """Hand ``Asked(request)`` to a machine."""
        self._check_name(name)
        self._say(f"ask {name}: {request!r}")
        self._hand(name, Asked(request))

    def link(self, dialer: Any = None) -> None:
        """Put the link up: both machines hear ``Linked``, the dialer (by default the first) first."""
        dialer = self.names[0] if dialer is None else dialer
        self._check_name(dialer)
        if self.linked:
            raise ValueError("the link is up already; unlink it first")
        listener = self.other(dialer)
        self.linked = True
        self._say(f"link {dialer} -> {listener}")
        self._hand(dialer, Asked(Linked(listener, f"{listener}:1", outbound=True)))
        self._hand(listener, Asked(Linked(dialer, f"{dialer}:2", outbound=False)))

    def unlink(self) -> None:
        """Break the link: what is under way is gone, both machines hear ``Lost``."""
        self.linked = False
        self._say("unlink")
        for waiting in self._to.values():
            waiting.clear()
        for name in self.names:
            self._hand(name, Lost(self.other(name)))

    def waiting(self, to: Any) -> list[Any]:
        """The messages that are under way to a machine, next one first."""
        self._check_name(to)
        return [self._open(item) for item in self._to[to] if item is not _CLOSED]

    def deliver(self, to: Any = None) -> bool:
        """Deliver the next message to a machine (by default to the first for which one waits). False if none waits."""
        if to is None:
            to = next((name for name in self.names if self._to[name]), self.names[0])
        self._check_name(to)
        if not self._to[to]:
            return False
        item = self._to[to].popleft()
        if item is _CLOSED:
            self._say(f"close {self.other(to)} -> {to}")
            self._hand(to, Lost(self.other(to)))
            return True
        message = self._open(item)
        self._say(f"deliver {self.other(to)} -> {to}: {message!r}")
        self._hand(to, Received(self.other(to), message))
        return True

    def drop_next(self, to: Any) -> Any:
        """Lose the next message to a machine; return it."""
        message = self._open(self._next(to))
        self._to[to].popleft()
        self._say(f"drop {self.other(to)} -> {to}: {message!r}")
        return message

    def duplicate_next(self, to: Any) -> None:
        """Let the next message to a machine arrive twice."""
        item = self._next(to)
        self._to[to].appendleft(item)
        self._say(f"duplicate {self.other(to)} -> {to}: {self._open(item)!r}")

    def reorder_next(self, to: Any) -> None:
        """Let the next message to a machine arrive after all others that wait."""
        item = self._next(to)
        self._to[to].rotate(-1)
        self._say(f"reorder {self.other(to)} -> {to}: {self._open(item)!r}")

    def finish_job(self) -> bool:
        """Do the oldest job and hand its result over. False if there is none."""
        if not self._jobs:
            return False
        name, job = self._jobs.popleft()
        try:
            result = job.run()
        except Exception as error:
            result = error
        self._say(f"finish {name}: {type(job).__name__} -> {result!r}")
        self._hand(name, Finished(job, result))
        return True

    def run_until_quiet(self) -> int:
        """Deliver and finish until nothing waits but timers; return how many steps it took."""
        for step in range(MAX_STEPS):
            if not (self.deliver() or self.finish_job()):
                return step
        tail = "\n".join(self.lines[-20:])
        raise RuntimeError(f"the machines are not quiet after {MAX_STEPS} steps; the last lines are:\n{tail}")

    def advance(self, seconds: float) -> int:
        """Let time pass and fire the timers that run out, in order; return how many. Messages stay where they are."""
        if seconds < 0:
            raise ValueError(f"time does not step back, got {seconds} s")
        until_s = self.now_s + seconds
        self._say(f"advance {seconds:g} s")
        fired = 0
        while True:
            due = min(
                ((at, order, key) for key, (at, order) in self._timers.items()), default=None, key=lambda d: d[:2]
            )
            if due is None or due[0] > until_s:
                break
            self.now_s, _, (name, timer) = due
            del self._timers[name, timer]
            self._say(f"fire {name}: {timer!r}")
            self._hand(name, Fired(timer))
            fired += 1
            if fired > MAX_STEPS:
                raise RuntimeError(f"{fired} timers fired within {seconds} s, the last of {name}: {timer!r}")
        self.now_s = until_s
        return fired

    def timers(self, name: Any) -> dict[Any, float]:
        """Armed timers of a machine and when they run out."""
        self._check_name(name)
        return {timer: at for (owner, timer), (at, _) in self._timers.items() if owner == name}

    def other(self, name: Any) -> Any:
        """The name of the one at the other end."""
        return self.names[1] if name == self.names[0] else self.names[0]

    @property
    def text(self) -> str:
        """The conversation so far."""
        return "\n".join(self.lines)

    def take_text(self) -> str:
        """The conversation since the last ``take_text``, which is forgotten."""
        text = self.text
        self.lines.clear()
        return text

    # What machines do

    def _hand(self, name: Any, event: Event) -> None:
        lost: list[Any] = []
        for action in self.machines[name].handle(event, self.now_s):
            if isinstance(action, Send):
                self._send(name, action)
            elif isinstance(action, Arm):
                self._arm(name, action)
            elif isinstance(action, Tell):
                self._say(f"  {name} tells: {action.notice!r}")
                self.notices[name].append(action.notice)
            elif isinstance(action, Save):
                self._say(f"  {name} saves: {action.record!r}")
                self.saved[name].append(action.record)
                if self._save is not None:
                    self._save(name, action.record)
            elif isinstance(action, Run):
                self._say(f"  {name} runs: {type(action.job).__name__}")
                self._jobs.append((name, action.job))
            elif isinstance(action, Drop):
                self._say(f"  {name} drops: {action.peer} ({action.reason})")
                lost.append(action.peer)
            else:
                raise TypeError(f"{name} answered {action!r:.200}, which is no action of the contract")
        for peer in lost:
            self._close(name, peer)

    def _send(self, name: Any, action: Send) -> None:
        if action.peer != self.other(name):
            self._say(f"  {name} -> {action.peer}: {action.message!r} (nobody there)")
            return
        self._say(f"  {name} -> {action.peer}: {action.message!r}")
        item = self._wire.encode(action.message) if self._wire else action.message
        self._to[action.peer].append(item)

    def _arm(self, name: Any, action: Arm) -> None:
        key = (name, action.timer)
        if action.after_s is None:
            if self._timers.pop(key, None) is not None:
                self._say(f"  {name} disarms: {action.timer!r}")
            return
        self._say(f"  {name} arms: {action.timer!r} in {action.after_s:g} s")
        self._armed += 1
        self._timers[key] = (self.now_s + max(0.0, action.after_s), self._armed)

    def _close(self, name: Any, peer: Any) -> None:
        if peer != self.other(name) or not self.linked:
            return
        self.linked = False
        self._to[name].clear()  # what was under way to it finds nobody
        self._to[peer].append(_CLOSED)
        self._hand(name, Lost(peer))

    def _open(self, item: Any) -> Any:
        return self._wire.decode(item) if self._wire else item

    def _next(self, to: Any) -> Any:
        self._check_name(to)
        if not self._to[to] or self._to[to][0] is _CLOSED:
            raise ValueError(f"no message is under way to {to}")
        return self._to[to][0]

    def _check_name(self, name: Any) -> None:
        if name not in self.machines:
            raise ValueError(f"no machine {name!r} here; the names are {self.names[0]!r} and {self.names[1]!r}")

    def _say(self, line: str) -> None:
        self.lines.append(line)
