"""The future event list of a discrete-event simulation: what happens next, and in which order.

A bucketed queue (Brown 1988, "Calendar queues", in its simplest form): events of one slot of time wait in an unsorted
list, only the slot that is being fired is sorted, and a small heap knows which slots exist, so empty time costs nothing.
Measured against a plain heap and other structures in docs/decisions/event-queue.md.

Order is total: by time, then by order of ``push``. Two runs that push the same things fire the same things.
"""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush
from math import isfinite
from operator import itemgetter
from typing import Any, TypeAlias

SLOT_WIDTH_S = 0.001  # measured against 0.1 ms and 10 ms in docs/decisions/event-queue.md

Call: TypeAlias = Callable[[Any, Any, Any], object]
_Entry: TypeAlias = tuple[float, Call, Any, Any, Any]
_Late: TypeAlias = tuple[float, int, Call, Any, Any, Any]
_time = itemgetter(0)


class Schedule:
    """Calls that are due at a time, in seconds. ``now_s`` is the time of the call that is being fired.

    >>> fired = []
    >>> schedule = Schedule()
    >>> schedule.push(2.0, lambda a, b, c: fired.append(a), "later")
    >>> schedule.push(1.0, lambda a, b, c: fired.append(a), "sooner")
    >>> schedule.run(10.0), fired, schedule.now_s
    (2, ['sooner', 'later'], 10.0)
    """

    __slots__ = (
        "_current",
        "_fired",
        "_late",
        "_latecomers",
        "_order",
        "_per_s",
        "_running",
        "_slot",
        "_slots",
        "now_s",
    )

    def __init__(self, *, start_s: float = 0.0, slot_width_s: float = SLOT_WIDTH_S) -> None:
        if not (isfinite(slot_width_s) and slot_width_s > 0):
            raise ValueError(f"a slot is longer than no time at all, got {slot_width_s} s")
        self.now_s = start_s
        self._per_s = 1.0 / slot_width_s
        self._slots: dict[int, list[_Entry]] = {}  # slots after the current one, in order of push
        self._order: list[int] = []  # heap of the keys of _slots
        self._slot = int(start_s * self._per_s) - 1  # the slot in _current; everything at or before it goes to _late
        self._current: list[_Entry] = []  # sorted, the next one last
        self._late: list[_Late] = []  # heap: what was pushed into the slot while it was fired
        self._latecomers = 0
        self._fired = 0
        self._running = False

    def __len__(self) -> int:
        """How many calls are pending."""
        return len(self._current) + len(self._late) + sum(map(len, self._slots.values()))

    @property
    def fired(self) -> int:
        """How many calls were made by the runs that have ended."""
        return self._fired

    def push(self, at_s: float, call: Call, a: Any = None, b: Any = None, c: Any = None) -> None:
        """Have ``call(a, b, c)`` made at ``at_s``. Raises ValueError for a time that is past or no number."""
        if not at_s >= self.now_s:
            raise ValueError(f"{at_s} s is before now, {self.now_s} s; a call can only be scheduled for the future")
        slot = int(at_s * self._per_s)
        waiting = self._slots.get(slot)
        if waiting is not None:
            waiting.append((at_s, call, a, b, c))
        elif slot > self._slot:
            self._slots[slot] = [(at_s, call, a, b, c)]
            heappush(self._order, slot)
        else:
            self._latecomers += 1
            heappush(self._late, (at_s, self._latecomers, call, a, b, c))

    def run(self, until_s: float) -> int:
        """Make every call that is due up to and at ``until_s``, in order; then it is ``until_s``. Returns how many."""
        fired_before = self._fired
        self._loop(until_s, None)
        self.now_s = max(self.now_s, until_s)
        return self._fired - fired_before

    def run_while(self, condition: Callable[[], bool], until_s: float) -> bool:
        """Make calls as long as ``condition()`` holds, at most up to ``until_s``. True if it no longer holds.

        The condition is asked before the first call and after each one. When it ends, ``now_s`` is the time of the
        call that ended it; otherwise it is ``until_s``.
        """
        if not condition():
            return True
        if self._loop(until_s, condition):
            return True
        self.now_s = max(self.now_s, until_s)
        return False

    def _loop(self, until_s: float, condition: Callable[[], bool] | None) -> bool:
        if self._running:
            raise RuntimeError("the schedule is already running; a scheduled call cannot run it again")
        self._running = True
        current = self._current
        late = self._late
        fired = 0
        try:
            while True:
                if late and (not current or late[0][0] < current[-1][0]):  # of the same time, who came late is later
                    at_s = late[0][0]
                    if at_s > until_s:
                        return False
                    _, _, call, a, b, c = heappop(late)
                elif current:
                    at_s, call, a, b, c = current[-1]
                    if at_s > until_s:
                        return False
                    del current[-1]
                elif self._order:
                    current = self._open_next_slot()
                    continue
                else:
                    return False
                self.now_s = at_s
                fired += 1
                call(a, b, c)
                if condition is not None and not condition():
                    return True
        finally:
            self._fired += fired
            self._running = False

    def _open_next_slot(self) -> list[_Entry]:
        """Sort the next slot. Sorting is stable, so calls of one time stay in the order in which they were pushed."""
        self._slot = slot = heappop(self._order)
        self._current = current = self._slots.pop(slot)
        if len(current) > 1:
            current.sort(key=_time)
            current.reverse()
        return current
