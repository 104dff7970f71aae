"""When an address may be dialed again."""

from __future__ import annotations

import random

MAX_BACKOFFS = 1000  # a guess: what is forgotten beyond may be dialed again at once, which is harmless


class Backoff:
    """When an address may be dialed again: after 2, 4, 8 ... seconds, at most ``cap_s``, each with jitter.

    Jitter: a uniform part of 50 to 100 %, so that nodes that lost the same peer at once do not come back at once.
    """

    def __init__(self, dice: random.Random, *, base_s: float, cap_s: float) -> None:
        self._dice = dice
        self._base_s = base_s
        self._cap_s = cap_s
        self._table: dict[str, tuple[int, float]] = {}  # address -> failures, not before

    def failed(self, address: str, now: float) -> None:
        """The address did not work (or its link ended): wait longer."""
        failures = self._table.pop(address, (0, 0.0))[0] + 1
        if len(self._table) >= MAX_BACKOFFS:
            del self._table[next(iter(self._table))]
        wait_s = min(self._cap_s, self._base_s * 2 ** min(failures - 1, 30)) * (0.5 + self._dice.random() / 2)
        self._table[address] = (failures, now + wait_s)

    def forget(self, address: str) -> None:
        """The address works."""
        self._table.pop(address, None)

    def is_over(self, address: str, now: float) -> bool:
        """True if the address may be dialed."""
        return self._table.get(address, (0, 0.0))[1] <= now
