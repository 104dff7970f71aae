"""Which node is behind an address: asked, answered, remembered for a while.

Bounded; an answer counts once, and only from whom it was asked.
"""

from __future__ import annotations

from random import Random

import msgspec

from horoi.lookup.vocabulary import Address
from horoi.machine.contract import Action, Send
from horoi.node.lookup.messages import IAm, WhoAreYou

FRESH_S = 600.0  # how long an introduction is believed, a guess: nodes keep their ports
PATIENCE_S = 2.0  # for an answer: a handshake and a question, twice; a guess
MAX_KNOWN = 1024  # a guess: 200 kB
MAX_ASKED = 256  # a guess
NONCE_BITS = 63


class Known(msgspec.Struct, frozen=True, gc=False):
    """What the node at an address said."""

    said: IAm
    heard_s: float


class Introductions:
    """See the module."""

    def __init__(self, dice: Random) -> None:
        self._dice = dice
        self._asked: dict[int, tuple[Address, float]] = {}
        self._known: dict[Address, Known] = {}

    def ask(self, address: Address, now: float) -> list[Action]:
        """Ask who is there, unless that was asked just now."""
        self._expire(now)
        if len(self._asked) >= MAX_ASKED or self.is_asked(address):
            return []
        nonce = self._dice.getrandbits(NONCE_BITS)
        self._asked[nonce] = (address, now + PATIENCE_S)
        return [Send(address, WhoAreYou(nonce))]

    def take(self, address: Address, said: IAm, now: float) -> bool:
        """Take an answer; False if nobody there was asked that."""
        if self._asked.get(said.nonce, (None, 0.0))[0] != address:
            return False
        del self._asked[said.nonce]
        self._known.pop(address, None)
        self._known[address] = Known(said, now)  # the youngest last
        if len(self._known) > MAX_KNOWN:
            del self._known[next(iter(self._known))]
        return True

    def get(self, address: Address, now: float, fresh_s: float = FRESH_S) -> IAm | None:
        """What the node there said in the last ``fresh_s`` seconds."""
        known = self._known.get(address)
        return known.said if known is not None and now - known.heard_s <= fresh_s else None

    def is_asked(self, address: Address) -> bool:
        """Whether an answer from there is awaited."""
        return any(asked == address for asked, _ in self._asked.values())

    def _expire(self, now: float) -> None:
        for nonce in [nonce for nonce, (_, due_s) in self._asked.items() if due_s <= now]:
            del self._asked[nonce]
