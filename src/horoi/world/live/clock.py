"""A clock that reads as unix time and never steps back.

The contract wants a ``now`` that never steps back; the ledger wants one that can stand in a block's header. So: unix time
at the start, and from there the monotonic clock. Two clocks drift, and a machine that slept has a monotonic clock that
stood still (Linux: CLOCK_MONOTONIC does not count suspension). Therefore the world calls ``resync`` now and then: when
the wall clock is more than a second ahead, ``now`` jumps forward to it. It is never put back: if the wall clock was
set back, ``now`` stays ahead of it until the program starts again.
"""

from __future__ import annotations

import time
from collections.abc import Callable

RESYNC_ABOVE_S = 1.0  # a guess: more than NTP slews in a minute, less than what a header time may be off


class SteadyClock:
    """``now()`` in unix seconds, never stepping back."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic, wall: Callable[[], float] = time.time) -> None:
        self._monotonic = monotonic
        self._wall = wall
        self._offset_s = wall() - monotonic()

    def now(self) -> float:
        """Unix time in seconds."""
        return self._offset_s + self._monotonic()

    def resync(self) -> float:
        """Jump forward if the wall clock is more than a second ahead; return by how many seconds (0.0: not)."""
        ahead_s = self._wall() - self.now()
        if ahead_s <= RESYNC_ABOVE_S:
            return 0.0
        self._offset_s += ahead_s
        return ahead_s
