"""TAKEOVER (section 2.3): which neighbour gets the zone of a peer that failed.

Each neighbour starts a timer in proportion to the volume of its own zone. When it runs out, the peer takes the zone and tells
all neighbours of the failed one its volume. Who hears that from a smaller peer stops its own timer; who is smaller itself
answers with a TAKEOVER of its own. So the zone goes to a small neighbour that is alive.

Volumes are powers of two apart, so the timer is measured in volumes of the failed zone: a peer of the same size waits
``takeover_s``. These are the rules; ``repair`` carries them out.
"""

from __future__ import annotations

from collections.abc import Hashable
from random import Random
from typing import TypeAlias

from horoi.lookup.can.messages import Claim
from horoi.lookup.can.zone import Zone, overlap
from horoi.lookup.vocabulary import Address, Contact

Key: TypeAlias = Hashable

MAX_TAKEOVERS = 64  # failures that one peer attends to at once, a guess: more than its neighbours, mostly
MAX_TIMER = 8.0  # times takeover_s, a guess: a huge zone beside a tiny one must not wait for ever
MIN_TIMER = 0.25  # times takeover_s: about a round trip, for a TAKEOVER that is under way
UNSURE = 2.0  # times takeover_s, in which an heir does not answer yet: another may have the better right; a guess
JITTER = 0.75  # times takeover_s, so that equals do not all speak at once; a guess


class Failure:
    """One failed neighbour: what it held, whom it had around it, and who of those has answered since.

    ``key`` is its address; for a zone of an owner that nobody knows, the zone.
    """

    __slots__ = ("answered", "around", "contact", "is_searched", "key", "was_put_off", "zones")

    def __init__(self, key: Key, contact: Contact, zones: tuple[Zone, ...], around: tuple[Claim, ...]) -> None:
        self.key = key
        self.contact = contact
        self.zones = zones
        self.around = around
        self.answered: dict[Address, bytes] = {}  # with the permits that they gave
        self.is_searched = False
        self.was_put_off = False

    def is_risky(self) -> bool:
        """Less than half of the failed peer's neighbours can be reached: look farther before taking over (section 2.3)."""
        return not self.is_searched and 2 * len(self.answered) < len(self.around)


class Takeovers:
    """Failures that this peer attends to, by key."""

    __slots__ = ("_failures",)

    def __init__(self) -> None:
        self._failures: dict[Key, Failure] = {}

    def __len__(self) -> int:
        return len(self._failures)

    def get(self, key: Key) -> Failure | None:
        return self._failures.get(key)

    def add(self, failure: Failure) -> bool:
        """Attend to a failure. False if it is attended to already, or there are too many."""
        if failure.key in self._failures or len(self._failures) >= MAX_TAKEOVERS:
            return False
        self._failures[failure.key] = failure
        return True

    def drop(self, key: Key) -> Failure | None:
        """The matter is settled."""
        return self._failures.pop(key, None)

    def attends(self, zone: Zone) -> bool:
        """Whether one of the failures is about this zone or a part of it."""
        return any(overlap(zone, other) for failure in self._failures.values() for other in failure.zones)

    def heard(self, address: Address, permit: bytes) -> None:
        """A peer has answered, and given a permit: where it is a failed one's neighbour, that counts."""
        for failure in self._failures.values():
            if any(claim.contact.address == address for claim in failure.around):
                failure.answered[address] = permit


def timer_of(reality: int, key: Key) -> str:
    """The name of the takeover timer of a failure."""
    return f"takeover {reality} {key!r}"


def timer_s(own_volume: float, failed_volume: float, takeover_s: float, dice: Random) -> float:
    """How long to wait before taking over: in proportion to the volume of one's own zone."""
    ratio = min(max(own_volume / failed_volume, MIN_TIMER), MAX_TIMER) if failed_volume else MAX_TIMER
    return takeover_s * (ratio + JITTER * dice.random())


def gives_way(own_volume: float, own: Contact, other_volume: float, other: Contact) -> bool:
    """Whether the other one, by its TAKEOVER, is the better heir: smaller, or equal with the lower id."""
    return (other_volume, other.id) < (own_volume, own.id)
