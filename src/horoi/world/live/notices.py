"""What a machine tells, handed to whoever listens in the application. Bounded: a slow reader loses the oldest, counted."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from typing import Any

from horoi.base.errors import UsageError

MAX_LISTENERS = 256  # a guess: one per open event stream of the API and a few inside

_log = logging.getLogger("horoi.live")


class NoticeStream:
    """An asynchronous iterator over notices, with at most ``max_pending`` kept; ``lost`` counts what did not fit."""

    def __init__(self, board: NoticeBoard, max_pending: int, kinds: tuple[type, ...]) -> None:
        self._pending: deque[Any] = deque(maxlen=max_pending)
        self._arrived = asyncio.Event()
        self._closed = False
        self._leave = board.listen(self._put, *kinds, at_end=self.close)
        self.lost = 0

    def _put(self, notice: Any) -> None:
        if len(self._pending) == self._pending.maxlen:
            self.lost += 1
        self._pending.append(notice)
        self._arrived.set()

    def close(self) -> None:
        """Stop listening; a waiting reader gets what is kept and then the end."""
        self._closed = True
        self._leave()
        self._arrived.set()

    def __enter__(self) -> NoticeStream:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def __aiter__(self) -> NoticeStream:
        return self

    async def __anext__(self) -> Any:
        while not self._pending:
            if self._closed:
                raise StopAsyncIteration
            self._arrived.clear()
            await self._arrived.wait()
        return self._pending.popleft()


class NoticeBoard:
    """Callbacks by type of notice."""

    def __init__(self) -> None:
        self._listeners: dict[int, tuple[Callable[[Any], None], tuple[type, ...]]] = {}
        self._at_end: dict[int, Callable[[], None]] = {}
        self._next = 0

    def listen(
        self, callback: Callable[[Any], None], *kinds: type, at_end: Callable[[], None] | None = None
    ) -> Callable[[], None]:
        """Call ``callback`` with every notice of these types (none given: every notice); return how to stop it.

        ``at_end`` is called when there will be no more notices.
        """
        if len(self._listeners) >= MAX_LISTENERS:
            raise UsageError(f"{MAX_LISTENERS} listeners for notices are the limit; close one first")
        number = self._next
        self._next += 1
        self._listeners[number] = (callback, kinds)
        if at_end is not None:
            self._at_end[number] = at_end

        def stop() -> None:
            self._listeners.pop(number, None)
            self._at_end.pop(number, None)

        return stop

    def close(self) -> None:
        """There will be no more notices: streams end."""
        for at_end in list(self._at_end.values()):
            at_end()

    def post(self, notice: Any) -> None:
        """Hand ``notice`` to its listeners, in the order in which they came. One that fails harms nobody else."""
        for callback, kinds in list(self._listeners.values()):
            if kinds and not isinstance(notice, kinds):
                continue
            try:
                callback(notice)
            except Exception:
                _log.exception("a listener failed on the notice %.200r", notice)
