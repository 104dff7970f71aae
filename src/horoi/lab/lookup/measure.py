"""What happened to each lookup, and the figures made of it."""

from __future__ import annotations

import hashlib
import math
from array import array
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from msgspec.structs import astuple

from horoi.lab.lookup.overlay import Overlay, Truth
from horoi.lookup.vocabulary import Contact, Failed, Found
from horoi.machine.wire import Wire

UDP_IP_BYTES = 28  # IPv4 (20) and UDP (8): what a datagram costs beside its content


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least ``share`` of the values do not exceed (nearest rank); 0 of nothing."""
    if not values:
        return 0.0
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


class Outcomes:
    """Collects answers. ``ask`` notes a lookup when it begins, ``answer`` takes its notice."""

    def __init__(self, overlay: Overlay, truth: Truth, distance_s: Callable[[int, int], float | None]) -> None:
        self._overlay = overlay
        self._truth = truth
        self._distance_s = distance_s
        self._open: dict[int, tuple[int, int, int, float]] = {}  # token -> (asker, key, true owner, when)
        self._hash = hashlib.sha256()
        self.asked = 0
        self.answered = 0
        self.completed = 0
        self.correct = 0
        self.hops = array("H")
        self.rpcs = 0
        self.replies = 0
        self.timeouts = 0
        self.stretch = array("d")

    def ask(self, token: int, asker: int, key: int, now_s: float) -> None:
        """A lookup begins."""
        self.asked += 1
        self._open[token] = (asker, key, self._truth.owner(key), now_s)

    def answer(self, notice: Found | Failed, now_s: float) -> None:
        """A lookup has ended."""
        begun = self._open.pop(notice.token, None)
        if begun is None:
            return
        asker, key, owner, asked_s = begun
        self.answered += 1
        self.rpcs += notice.rpcs
        self.replies += notice.replies
        self.timeouts += notice.timeouts
        found = notice.owners[0].address if isinstance(notice, Found) and notice.owners else -1
        self._hash.update(f"{notice.token},{found},{notice.hops},{notice.rpcs},{now_s!r};".encode())
        if not isinstance(notice, Found):
            return
        self.completed += 1
        self.hops.append(min(notice.hops, 65535))
        is_right = self._overlay.is_right(notice, owner) or self._overlay.is_right(notice, self._truth.owner(key))
        self.correct += is_right  # the true owner when it was asked, or when it was answered
        direct_s = self._distance_s(asker, found) if is_right else None
        if direct_s:
            self.stretch.append((now_s - asked_s) / (2 * direct_s))

    def forget(self, asker: int) -> None:
        """An asker is gone: nobody waits for its lookups, so they count for nothing."""
        for token in [token for token, begun in self._open.items() if begun[0] == asker]:
            del self._open[token]
            self.asked -= 1

    @property
    def pending(self) -> int:
        """Lookups that have not ended."""
        return len(self._open)

    def figures(self) -> dict[str, Any]:
        """Means and percentiles over all lookups. Hops are those of completed lookups and count the step to the owner."""
        asked = max(1, self.asked)
        counts = Counter(self.hops)
        return {
            "hops_mean": sum(self.hops) / max(1, len(self.hops)),
            "hops_p50": percentile(self.hops, 0.5),
            "hops_p99": percentile(self.hops, 0.99),
            "hops_histogram": [counts[hops] for hops in range(max(counts, default=-1) + 1)],
            "messages_per_lookup": (self.rpcs + self.replies) / asked,
            "rpcs_per_lookup": self.rpcs / asked,
            "timeouts_per_lookup": self.timeouts / asked,
            "completed": self.completed / asked,
            "correct": self.correct / asked,
            "stretch_p50": percentile(self.stretch, 0.5),
        }

    def stretch_percentiles(self) -> list[float]:
        """The stretch that 0, 1, ... 100 % of the right lookups do not exceed."""
        ordered = sorted(self.stretch)
        return [percentile(ordered, share / 100) for share in range(101)] if ordered else []

    def digest(self) -> str:
        """SHA-256 over every outcome in order: two runs that agree in it saw the same universe."""
        return self._hash.hexdigest()


class Sizes:
    """Sizes of datagrams, headers included. Messages of one shape have one size, so most are encoded only once.

    The shape: the type, the lengths of texts, bytes and lists of contacts, and which fields are absent. Whole numbers take
    their widest form almost always; a few bytes of a small one are neglected.
    """

    def __init__(self, wire: Wire) -> None:
        self._encode = wire.encode
        self._known: dict[Any, int] = {}

    def of(self, message: Any) -> int:
        """Bytes of one datagram."""
        shape: list[Any] = [type(message)]
        for value in astuple(message):
            if isinstance(value, (tuple, list)):
                if value and not isinstance(value[0], Contact):
                    return len(self._encode(message)) + UDP_IP_BYTES  # records with sizes of their own
                shape.append(len(value))
            else:
                shape.append(len(value) if isinstance(value, (bytes, str)) else value is None)
        key = tuple(shape)
        size_bytes = self._known.get(key)
        if size_bytes is None:
            size_bytes = self._known[key] = len(self._encode(message)) + UDP_IP_BYTES
        return size_bytes


def key_counts(truth: Truth, peers: int, keys: Sequence[int]) -> list[int]:
    """How many of the keys each peer owns, in no order."""
    load = Counter(truth.owner(key) for key in sorted(keys))  # in order each search ends beside the last: half the time
    return [*load.values(), *([0] * (peers - len(load)))]


def key_load(counts: Sequence[int]) -> dict[str, float]:
    """How unevenly keys fall on peers: the most loaded and the 99th percentile over the mean."""
    mean = sum(counts) / len(counts)
    return {"keys_max_over_mean": max(counts) / mean, "keys_p99_over_mean": percentile(counts, 0.99) / mean}


def resident_mb() -> float:
    """Memory of this process now, in MB of 10^6 bytes; the peak where the system does not tell."""
    try:
        with open("/proc/self/statm") as file:
            pages = int(file.read().split()[1])
    except OSError:
        return peak_mb()
    import resource

    return pages * resource.getpagesize() / 1e6


def peak_mb() -> float:
    """The most memory that this process has had, in MB of 10^6 bytes."""
    import resource
    import sys

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6
