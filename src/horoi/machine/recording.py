"""What a machine heard, written down, so that another of the same make can be made to hear it again.

By the contract's fourth law the same constructor arguments and the same events, at the same times, give the same actions. So a
log of events that was taken in one world is a test of the other: replay it, and compare the digests of the actions.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import NamedTuple

from horoi.machine.contract import Action, Event, Machine


class Heard(NamedTuple):
    """One event, and when the machine was told of it."""

    now: float
    event: Event


class Recorder:
    """A machine around a machine: hands everything on, and keeps it."""

    def __init__(self, inner: Machine) -> None:
        self.inner = inner
        self.log: list[Heard] = []
        self._hash = hashlib.blake2b(digest_size=16)

    def handle(self, event: Event, now: float) -> list[Action]:
        self.log.append(Heard(now, event))
        actions = self.inner.handle(event, now)
        for action in actions:
            self._hash.update(_text_of(action))
        self._hash.update(b"\n")
        return actions

    def digest(self) -> str:
        """A hash over all actions so far, event by event; 32 hexadecimal letters."""
        return self._hash.hexdigest()


def replay(machine: Machine, log: Iterable[Heard]) -> str:
    """Let a fresh machine hear a log, in no world at all; the digest of what it does."""
    recorder = Recorder(machine)
    for now, event in log:
        recorder.handle(event, now)
    return recorder.digest()


def _text_of(action: Action) -> bytes:
    """An action as text. Floats and numbers of any size are exact in it; an object that has no text of its own is refused."""
    text = repr(action)
    if " object at 0x" in text:
        raise ValueError(f"{text[:200]} cannot be told from another of its kind: give it a repr")
    return text.encode()
