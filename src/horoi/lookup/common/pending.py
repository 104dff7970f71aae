"""Requests under way: who was asked what, since when, and when to give up.

Timeouts follow the round trips that were measured (Jacobson 1988; RFC 6298), because under churn a lookup's time is mostly
timeouts (Rhea et al. 2004, section 5: TCP-style timeouts beat fixed ones). One estimate for all peers of a machine, not one
per peer: a lookup talks to peers that it never met (Chord uses coordinates for that). An answer counts only if it carries the
nonce and comes from the address that was asked: whoever cannot read the request cannot forge the answer.

A machine has one timer for all its requests, armed for the first that may run out.
"""

from __future__ import annotations

from math import inf
from random import Random
from typing import Any

import msgspec

from horoi.lookup.vocabulary import Address, Contact

FIRST_TIMEOUT_S = 1.0  # RFC 6298, 2.1: before any round trip was measured
MIN_TIMEOUT_S = 0.5  # RFC 6298 says 1 s, Linux 0.2; a guess between: half the globe and back is 0.36 s
MAX_TIMEOUT_S = 5.0  # a guess: nobody waits longer for one step
SLACK_S = 1e-6  # a clock's rounding: what is due within it is due
NONCE_BITS = 63  # fits a MessagePack integer; nobody guesses it
MAX_PENDING = 1024  # requests under way per machine, a guess: hundreds of lookups; the next fails at once


class RoundTrips:
    """Smoothed round trip and its deviation (RFC 6298, section 2)."""

    __slots__ = ("deviation_s", "smoothed_s", "timeout_s")

    def __init__(self) -> None:
        self.smoothed_s = 0.0
        self.deviation_s = 0.0
        self.timeout_s = FIRST_TIMEOUT_S
        """How long to wait for an answer now."""

    def add(self, round_trip_s: float) -> None:
        """Take one measurement."""
        if not self.smoothed_s:
            self.smoothed_s, self.deviation_s = round_trip_s, round_trip_s / 2
        else:
            self.deviation_s += (abs(self.smoothed_s - round_trip_s) - self.deviation_s) / 4
            self.smoothed_s += (round_trip_s - self.smoothed_s) / 8
        timeout_s = self.smoothed_s + 4 * self.deviation_s
        self.timeout_s = MIN_TIMEOUT_S if timeout_s < MIN_TIMEOUT_S else min(timeout_s, MAX_TIMEOUT_S)


class Request(msgspec.Struct, frozen=True, gc=False):
    """One request under way. ``context`` is the machine's own: what it was for."""

    contact: Contact | None
    context: Any
    sent_s: float
    due_s: float


class Pending:
    """The table of requests under way. Bounded by ``limit``.

    After ``open``, ask ``wake_s`` and arm the timer; when it fires, ``expire`` returns what ran out; ask ``wake_s`` again.
    """

    __slots__ = ("_armed_s", "_dice", "_limit", "_requests", "_soonest_s", "round_trips")

    def __init__(self, dice: Random, *, limit: int = MAX_PENDING) -> None:
        self._dice = dice
        self._limit = limit
        self._requests: dict[int, Request] = {}
        self._armed_s = inf
        self._soonest_s = inf
        self.round_trips = RoundTrips()

    def __len__(self) -> int:
        return len(self._requests)

    @property
    def full(self) -> bool:
        """True if no request can be opened now."""
        return len(self._requests) >= self._limit

    def open(self, contact: Contact | None, context: Any, now: float, timeout_s: float | None = None) -> int:
        """Note a request that is sent now and return its nonce. ``full`` is the caller's to check.

        ``contact`` is who must answer; None: whoever knows the nonce (the owner of a key, at the end of a route).
        """
        nonce = self._dice.getrandbits(NONCE_BITS)
        due_s = now + (timeout_s if timeout_s is not None else self.round_trips.timeout_s)
        self._requests[nonce] = Request(contact, context, now, due_s)
        if due_s < self._soonest_s:  # noqa: PLR1730  # min() is a call, and this is done for every request
            self._soonest_s = due_s
        return nonce

    def close(self, nonce: int, address: Address, now: float) -> Request | None:
        """Take the answer with this nonce from this address: the request, or None if nobody there was asked that."""
        request = self._requests.get(nonce)
        if request is None:
            return None
        if request.contact is not None:
            if request.contact.address != address:
                return None
            self.round_trips.add(now - request.sent_s)
        del self._requests[nonce]
        return request

    def wake_s(self, now: float) -> float | None:
        """Seconds until the timer should fire, or None if it is armed early enough or nothing waits."""
        if self._armed_s <= self._soonest_s:
            return None
        self._armed_s = self._soonest_s
        return max(0.0, self._armed_s - now)

    def expire(self, now: float) -> list[Request]:
        """The timer fired: the requests that ran out, oldest first, no longer under way."""
        self._armed_s = self._soonest_s = inf
        if not self._requests:
            return []  # mostly: the timer of a lookup outlives it
        late = [nonce for nonce, request in self._requests.items() if request.due_s <= now + SLACK_S]
        requests = [self._requests.pop(nonce) for nonce in late]
        self._soonest_s = min((request.due_s for request in self._requests.values()), default=inf)
        return requests

    def clear(self) -> list[Request]:
        """Forget all and return them, oldest first."""
        requests = list(self._requests.values())
        self._requests.clear()
        self._soonest_s = inf
        return requests
