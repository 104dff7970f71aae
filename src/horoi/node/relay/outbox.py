"""The actions of one event, with notices in measured portions.

A block confirms thousands of transactions at once and each of them is a notice. A stack refuses more than 10,000 notices
for one event, and nobody should wait for so many; so what is over the portion follows with the next event, in order.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Any

from horoi.machine.contract import Action, Tell

PORTION = 2_000  # notices per event: a few ms of a stack's routing; a guess


class Outbox:
    """Actions in order of effect."""

    def __init__(self) -> None:
        self._actions: list[Action] = []
        self._notices: deque[Any] = deque()
        self._told = 0

    @property
    def waiting(self) -> bool:
        """True if notices wait for the next event."""
        return bool(self._notices)

    def add(self, action: Action) -> None:
        self._actions.append(action)

    def extend(self, actions: Iterable[Action]) -> None:
        self._actions.extend(actions)

    def tell(self, notice: Any) -> None:
        """Tell it now, or after those that wait already."""
        if self._told < PORTION and not self._notices:
            self._told += 1
            self._actions.append(Tell(notice))
        else:
            self._notices.append(notice)

    def take(self) -> list[Action]:
        """The actions of this event."""
        while self._notices and self._told < PORTION:
            self._told += 1
            self._actions.append(Tell(self._notices.popleft()))
        actions, self._actions, self._told = self._actions, [], 0
        return actions
