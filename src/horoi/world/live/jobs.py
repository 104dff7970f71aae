"""Heavy pure work on threads. The libraries that do it (signatures, hashes) release the interpreter's lock.

Results come back to the event loop in batches: one wake-up for all that finished meanwhile, because waking a loop costs
a write to a pipe and a signature batch is small.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any


class JobsFullError(RuntimeError):
    """More jobs wait than the world keeps. It comes back as the job's result."""


class JobPool:
    """Runs ``job.run()`` on threads and hands (job, result or exception) to ``on_done`` in the event loop.

    ``threads``: None is one per processor. At most ``max_jobs`` are queued or running; one more is done at once with a
    JobsFullError.
    """

    def __init__(self, on_done: Callable[[Any, Any], None], *, threads: int | None, max_jobs: int) -> None:
        self._on_done = on_done
        self._max_jobs = max_jobs
        self._executor = ThreadPoolExecutor(threads or os.cpu_count() or 1, thread_name_prefix="horoi-job")
        self._loop = asyncio.get_running_loop()
        self._lock = threading.Lock()
        self._done: list[tuple[Any, Any]] = []
        self._closed = False
        self.in_flight = 0

    def run(self, job: Any) -> None:
        """Start ``job`` when a thread is free."""
        if self.in_flight >= self._max_jobs:
            self._on_done(job, JobsFullError(f"{self.in_flight} jobs are queued, the limit is {self._max_jobs}"))
            return
        self.in_flight += 1
        self._executor.submit(self._work, job)

    def _work(self, job: Any) -> None:
        """In a thread."""
        try:
            result = job.run()
        except Exception as error:
            result = error
        with self._lock:
            self._done.append((job, result))
            must_wake = len(self._done) == 1
        if must_wake and not self._closed:
            try:
                self._loop.call_soon_threadsafe(self._collect)
            except RuntimeError:  # the loop was closed meanwhile: nobody waits for this result
                return

    def _collect(self) -> None:
        """In the loop."""
        with self._lock:
            batch, self._done = self._done, []
        for job, result in batch:
            self.in_flight -= 1
            if not self._closed:
                self._on_done(job, result)

    def close(self) -> None:
        """Forget what has not begun. What runs is left to end by itself; its result goes nowhere."""
        self._closed = True
        self._executor.shutdown(wait=False, cancel_futures=True)
