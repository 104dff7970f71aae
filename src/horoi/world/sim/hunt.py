"""Hunting: run a scenario under many seeds; when one fails, say which and how to see it again.

``HOROI_SEED=17`` runs one seed only: it is what a failure prints. ``HOROI_HUNT=1000`` hunts under that many seeds instead
of the few that a test asks for, for a night when nobody needs the machine.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable

from horoi.base.errors import UsageError

ONE_SEED = "HOROI_SEED"
HOW_MANY = "HOROI_HUNT"


class HuntFailed(AssertionError):
    """A scenario failed. ``seed`` is under which; the cause is its own error."""

    def __init__(self, message: str, seed: int | str) -> None:
        super().__init__(message)
        self.seed = seed


def replay_hint(seed: int | str, command: str | None = None) -> str:
    """One line that says how to run the same universe again.

    ``command`` is what to run; by default the pytest test that is running, or failing that the seed alone.
    """
    if command is None:
        test = os.environ.get("PYTEST_CURRENT_TEST", "").rpartition(" (")[0]  # "tests/x.py::test_y (call)"
        command = f"python -m pytest '{test}'" if test else None
    if command is None:
        return f"seed {seed!r}; set {ONE_SEED}={seed} and run the same again"
    return f"seed {seed!r}; replay with: {ONE_SEED}={seed} {command}"


def _number_in(name: str) -> int | None:
    text = os.environ.get(name)
    if not text:
        return None
    try:
        return int(text)
    except ValueError:
        raise UsageError(f"{name}={text!r}: a whole number is wanted") from None


def seeds_to_hunt(seeds: int | Iterable[int]) -> list[int]:
    """The seeds to run: what the environment says, else ``seeds`` (a number n means 0 to n-1)."""
    one = _number_in(ONE_SEED)
    if one is not None:
        return [one]
    many = _number_in(HOW_MANY)
    if many is not None:
        return list(range(many))
    return list(range(seeds)) if isinstance(seeds, int) else list(seeds)


def hunt(seeds: int | Iterable[int], scenario: Callable[[int], object], *, command: str | None = None) -> int:
    """Run ``scenario(seed)`` under each seed; raise HuntFailed at the first that fails. Returns how many were run.

    A scenario that makes its universe in a ``with Universe(seed) as universe`` shows the last events too.
    """
    chosen = seeds_to_hunt(seeds)
    for seed in chosen:
        try:
            scenario(seed)
        except Exception as error:
            raise HuntFailed(f"{type(error).__name__}: {error}\n{replay_hint(seed, command)}", seed) from error
    return len(chosen)
