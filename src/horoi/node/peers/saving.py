"""When something that is known of peers is written down: soon after its first change, then no more often than so."""

from __future__ import annotations

from horoi.machine.contract import Action, Arm


class Saver:
    """The timer of one record. ``soon`` after each change; ``saved`` when the timer has run out and it is saved."""

    def __init__(self, timer: str, *, first_s: float, every_s: float) -> None:
        self._timer = timer
        self._first_s = first_s
        self._every_s = every_s
        self._is_armed = False
        self._saved_s: float | None = None

    def soon(self, now: float) -> list[Action]:
        """Arm the timer, if it is not armed."""
        if self._is_armed:
            return []
        self._is_armed = True
        wait_s = self._first_s if self._saved_s is None else max(self._first_s, self._saved_s + self._every_s - now)
        return [Arm(self._timer, wait_s)]

    def saved(self, now: float) -> None:
        """What changed until now is in the record that is being saved."""
        self._is_armed = False
        self._saved_s = now
