"""Tokens that other peers gave this one, kept while they are good: who holds one may store without asking first.

A token is of an address and not of a key (BEP 5: a hash of the asker's address and a secret; ours: ``common.permits``), so what a
search for one key brought is good for a put under another. On Horoi's own wire only: of Mainline's clients some make a token for
one key alone.
"""

from __future__ import annotations

from typing import NamedTuple

from horoi.lookup.common.permits import CHANGE_S
from horoi.lookup.vocabulary import Address

MAX_HELD = 1024  # a guess: the neighbourhoods of some fifty keys; the token that came first gives way


class _Held(NamedTuple):
    token: bytes
    came_s: float


class HeldTokens:
    """The last token of each address. One that is too old or wrong costs nothing: the answer to it brings another."""

    __slots__ = ("_held", "_limit")

    def __init__(self, limit: int = MAX_HELD) -> None:
        self._limit = limit
        self._held: dict[Address, _Held] = {}

    def __len__(self) -> int:
        return len(self._held)

    def keep(self, address: Address, token: bytes, now: float) -> None:
        """An answer from this address brought a token."""
        held = self._held
        held.pop(address, None)  # the youngest last
        held[address] = _Held(token, now)
        if len(held) > self._limit:
            del held[next(iter(held))]

    def get(self, address: Address, now: float) -> bytes | None:
        """The token of an address, if it is still good there: "surely" for as long as the secret stands (``Permits.check``)."""
        held = self._held.get(address)
        if held is None:
            return None
        if now - held.came_s >= CHANGE_S:
            del self._held[address]
            return None
        return held.token
