"""The majority attack: whoever has half the hash power or more rewrites history from any depth, given time.

An attacker starts a private fork ``deficit_blocks`` under the tip, so it must gain deficit + 1 blocks to be strictly longer.
Each block is its own with chance q: a simple random walk. With q >= 1/2 the walk reaches any height with probability 1
(Feller XIV.2), in (deficit + 1) / (2q - 1) blocks on average; at exactly 1/2 it does so with no finite mean. What a
finite run can measure is success within a horizon, and the hitting-time theorem (Feller III.7) gives that exactly.
"""

from __future__ import annotations

import math
from random import Random
from time import perf_counter

from horoi.lab.attack import predict
from horoi.lab.attack.result import Progress, Result, agrees, check_range, check_share, check_trials, digest

TRIALS_PER_REPORT = 100


def run(
    *,
    share: float = 0.51,
    confirmations: int = 6,
    horizon: int = 1000,
    trials: int = 10_000,
    seed: int = 1,
    progress: Progress | None = None,
) -> Result:
    """Measure how often a fork from ``confirmations`` blocks under the tip is longer within ``horizon`` blocks of anyone."""
    check_share(share)
    check_range("confirmations", confirmations, 0, 100_000)
    check_range("horizon", horizon, 1, 1_000_000)
    check_trials(trials)
    started = perf_counter()
    dice = Random(seed).random
    goal = confirmations + 1
    outcomes = bytearray()
    waits: list[int] = []
    for trial in range(trials):
        short = goal
        for block in range(1, horizon + 1):
            short += -1 if dice() < share else 1
            if short == 0:
                waits.append(block)
                break
        outcomes += (waits[-1] if short == 0 else 0).to_bytes(4, "little")
        if progress and trial % TRIALS_PER_REPORT == 0:
            progress(trial, trials)

    measured = len(waits) / trials
    predicted = predict.catch_up_within(share, goal, horizon)
    error = math.sqrt(max(0.0, predicted * (1 - predicted)) / trials)
    return {
        "kind": "majority",
        "share": share,
        "confirmations": confirmations,
        "horizon": horizon,
        "trials": trials,
        "seed": seed,
        "model": "a fork from that depth, strictly longer within the horizon (hitting-time theorem, Feller III.7)",
        "measured": measured,
        "predicted": predicted,
        "standard_error": error,
        "agrees": agrees(measured, predicted, error),
        "predicted_eventually": predict.catch_up(share, goal),
        "mean_blocks_when_successful": sum(waits) / len(waits) if waits else None,
        "predicted_mean_blocks_without_horizon": goal / (2 * share - 1) if share > 0.5 else None,
        "digest": digest(outcomes),
        "seconds": perf_counter() - started,
    }
