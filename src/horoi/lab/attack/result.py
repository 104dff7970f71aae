"""One shape for every result: what was asked, what came out, what the paper says, and whether the two agree.

Agreement is |measured - predicted| <= 4 standard errors: a true prediction fails it once in 16,000 seeds. The digest is
a SHA-256 over every outcome in order, so two runs that agree in it saw the same universe.
"""

from __future__ import annotations

import hashlib
import math
from array import array
from collections.abc import Callable, Sequence
from typing import Any

from horoi.base.errors import UsageError

AGREEMENT_ERRORS = 4.0

Progress = Callable[[int, int], None]
"""Called now and then with (done, of)."""

MAX_TRIALS = 1_000_000_000
"""Beyond this a run of pure Python takes a quarter of an hour or more: surely a slip. A guess."""


def agrees(measured: float, predicted: float, standard_error: float) -> bool:
    """Whether the two differ by no more than four standard errors (and a last bit of rounding)."""
    return abs(measured - predicted) <= AGREEMENT_ERRORS * standard_error + 1e-12


def digest(outcomes: bytes | bytearray | array[int]) -> str:
    """SHA-256 of the outcomes in order, hex. Arrays are hashed in little-endian order on every machine."""
    if not isinstance(outcomes, array):
        return hashlib.sha256(outcomes).hexdigest()
    import sys

    if sys.byteorder == "big":
        outcomes = array(outcomes.typecode, outcomes)
        outcomes.byteswap()
    return hashlib.sha256(outcomes.tobytes()).hexdigest()


def ratio_of_sums(tops: Sequence[float], bottoms: Sequence[float]) -> tuple[float, float]:
    """The ratio of two sums over independent cycles, and its standard error (the regenerative method).

    The error is sqrt(sum (top - r * bottom)^2) / sum bottom: Crane & Lemoine, "An introduction to the regenerative
    method for simulation analysis" (1977), for a large number of cycles.
    """
    total = math.fsum(bottoms)
    ratio = math.fsum(tops) / total
    spread = math.fsum((top - ratio * bottom) ** 2 for top, bottom in zip(tops, bottoms, strict=True))
    return ratio, math.sqrt(spread) / total


def check_share(share: float, below: float = 1.0) -> None:
    """Refuse a share of the hash power that is not strictly between 0 and ``below``."""
    if not 0 < share < below:
        raise UsageError(f"share must lie between 0 and {below:g}, both excluded, not {share}")


def check_range(name: str, value: float, low: float, high: float) -> None:
    """Refuse a value outside [low, high], naming it."""
    if not low <= value <= high:
        raise UsageError(f"{name} must lie between {low:g} and {high:g}, not {value}")


def check_trials(trials: int) -> None:
    """Refuse a number of trials that is not positive or that would never end."""
    check_range("trials", trials, 1, MAX_TRIALS)


Result = dict[str, Any]
