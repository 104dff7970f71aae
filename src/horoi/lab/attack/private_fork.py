"""The double spend by a private fork: pay, take the goods, then publish a longer chain without the payment.

The race (Nakamoto 2008, section 11; Rosenfeld 2014, arXiv:1402.2009):

1. Before it pays, the attacker mines ``premined`` blocks in secret, on the block under the payment-to-be.
2. It broadcasts the payment. Every block is the attacker's with chance q and honest with chance p = 1 - q (two Poisson
   processes, thinned). The merchant delivers when the payment has z confirmations. The attacker holds its fork back.
3. From then on it publishes as soon as its fork is strictly longer, since the first-seen chain keeps a tie.

With premined = 1 this is Rosenfeld's table (q = .1, z = 6: .059 %). Nakamoto has no block in hand but lets a tie win,
which comes to the same goal: z blocks. The two differ in step 2. In the true race the time to z honest blocks is
random and the attacker's blocks meanwhile are negative binomial. Nakamoto gives those z blocks exactly their expected
time, so the attacker's are Poisson with mean z q / p (z = 6: .0002428). Model ``rosenfeld`` plays the former and is the
default, because it is what miners do; model ``nakamoto`` plays the latter.

A walk with q < p may never end. It is followed until the attacker is so far short that (q/p)^deficit < 10^-9, at most
``FOLLOWED_DEFICIT`` blocks; there, one last draw with exactly that chance settles it. By the strong Markov property
this changes no probability at all, and the result says how many trials were settled so.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from enum import IntEnum
from random import Random
from time import perf_counter

from horoi.base.errors import UsageError
from horoi.lab.attack import predict
from horoi.lab.attack.result import Progress, Result, agrees, check_range, check_share, check_trials, digest

HOPELESS = 1e-9
"""An attacker whose chance is below this has lost for every purpose of this experiment."""

FOLLOWED_DEFICIT = 100
"""The longest deficit that is played block by block: at q near 1/2 the chance falls too slowly to wait for 10^-9."""

TRIALS_PER_REPORT = 1000

FEWEST_SUCCESSES = 5
"""With fewer expected successes the normal law behind "four standard errors" is poor: the usual rule of thumb."""

MODELS = {
    "rosenfeld": "the true race: attacker's blocks during z honest ones are negative binomial (Rosenfeld 2014, eq. 1)",
    "nakamoto": "z honest blocks take exactly their expected time: attacker's blocks are Poisson (Nakamoto 2008, 11)",
}

ESTIMATORS = {
    "race": "each trial is played to its end; measured is the part that succeeded",
    "conditional": "each trial is played until delivery; measured is the mean of the exact chance from there "
    "(Rao-Blackwell: the same mean, a smaller error)",
    "importance": "as conditional, but the wait is played by an attacker as strong as the honest miners, and each trial "
    "is weighted by how much likelier that made it (importance sampling: for chances far below 1 / trials)",
}


class Block(IntEnum):
    """The event: who found the next block."""

    HONEST = 0
    ATTACKER = 1


class Step(IntEnum):
    """The action: what the attacker does after a block."""

    HOLD = 0
    PUBLISH = 1
    LAST_DRAW = 2


class PrivateFork:
    """The attacker as a state machine. State: confirmations still missing, and blocks short of a strictly longer fork.

    ``handle(block)`` answers with a step: hold the fork back, publish it (the double spend succeeds), or leave the rest
    to one draw, because the fork is ``followed_deficit`` blocks short.
    """

    __slots__ = ("awaited", "followed_deficit", "short")

    def __init__(self, confirmations: int, premined: int, followed_deficit: int) -> None:
        self.awaited = confirmations
        self.short = 1 - premined
        self.followed_deficit = followed_deficit

    def handle(self, block: Block) -> Step:
        """Take in one block and say what the attacker does now."""
        if block:
            self.short -= 1
        else:
            self.short += 1
            self.awaited -= 1
        return self.decide()

    def pass_time(self, attacker_blocks: int) -> Step:
        """Take in the whole wait at once: all confirmations arrived and the attacker found this many meanwhile."""
        self.short += self.awaited - attacker_blocks
        self.awaited = 0
        return self.decide()

    def decide(self) -> Step:
        """Hold until the goods are delivered; then publish when strictly ahead."""
        if self.awaited > 0:
            return Step.HOLD
        if self.short <= 0:
            return Step.PUBLISH
        if self.short >= self.followed_deficit:
            return Step.LAST_DRAW
        return Step.HOLD


def followed_deficit(share: float) -> int:
    """The deficit at which the walk is no longer followed: where the chance is below 10^-9, at most 100 blocks."""
    if share >= 0.5:
        return FOLLOWED_DEFICIT
    return min(FOLLOWED_DEFICIT, math.ceil(math.log(HOPELESS) / math.log(share / (1 - share))))


def play_wait(fork: PrivateFork, share: float, dice: Callable[[], float], model: str) -> Step:
    """Play one trial from the payment to the delivery of the goods."""
    if model == "nakamoto":
        return fork.pass_time(poisson(dice, fork.awaited * share / (1 - share)))
    step = fork.decide()
    while fork.awaited > 0:
        step = fork.handle(Block.ATTACKER if dice() < share else Block.HONEST)
    return step


def weigh_wait(fork: PrivateFork, share: float, dice: Callable[[], float], model: str) -> float:
    """Play the wait with an attacker of share 1/2; return the likelihood ratio, P(this wait | share) / P(it | 1/2).

    Rosenfeld: (2q)^m (2p)^z for m attacker's blocks. Nakamoto: the Poisson means are L = z q / p and z, and the ratio is
    e^(z - L) (L / z)^m.
    """
    honest, short = fork.awaited, fork.short
    play_wait(fork, 0.5, dice, model)
    found = short + honest - fork.short
    if model == "nakamoto":
        odds = share / (1 - share)
        return math.exp(honest * (1 - odds)) * math.pow(odds, found)
    return math.exp(found * math.log(2 * share) + honest * math.log(2 * (1 - share)))


def play_chase(fork: PrivateFork, step: Step, share: float, dice: Callable[[], float]) -> Step:
    """Play one trial from the delivery on, until the fork is published or is left to a last draw."""
    handle, attacker, honest = fork.handle, Block.ATTACKER, Block.HONEST
    while step is Step.HOLD:
        step = handle(attacker if dice() < share else honest)
    return step


def poisson(dice: Callable[[], float], mean: float) -> int:
    """A Poisson count: how many exponential gaps of mean 1 fit into ``mean``."""
    count = 0
    left = mean + math.log(1 - dice())
    while left >= 0:
        count += 1
        left += math.log(1 - dice())
    return count


def run(
    *,
    share: float = 0.1,
    confirmations: int = 6,
    trials: int = 10_000,
    seed: int = 1,
    model: str = "rosenfeld",
    estimator: str = "race",
    premined: int = 1,
    progress: Progress | None = None,
) -> Result:
    """Measure the chance of a double spend and compare it with the formula that the model obeys.

    ``standard_error`` is that of the model itself where it is known (race: sqrt(P (1-P) / trials)), because an observed
    error is 0 when no trial succeeds; for importance sampling, whose weights are bounded, it is the observed one.
    """
    check(
        share=share,
        confirmations=confirmations,
        trials=trials,
        model=model,
        estimator=estimator,
        premined=premined,
    )
    started = perf_counter()
    dice = Random(seed).random
    predictions = {
        "rosenfeld": predict.rosenfeld(share, confirmations, premined),
        "nakamoto": predict.nakamoto(share, confirmations, premined),
    }
    predicted = predictions[model]
    limit = followed_deficit(share)
    outcomes = bytearray()
    chances: list[float] = []
    successes = last_draws = 0
    for trial in range(trials):
        fork = PrivateFork(confirmations, premined, limit)
        if estimator == "race":
            step = play_wait(fork, share, dice, model)
            outcomes += fork.short.to_bytes(4, "little", signed=True)
            succeeded, by_last_draw = play_rest(fork, step, share, dice)
            outcomes.append(succeeded)
            successes += succeeded
            last_draws += by_last_draw
        else:
            chances.append(mean_of_the_rest(fork, share, dice, model, estimator))
            outcomes += fork.short.to_bytes(4, "little", signed=True)
        if progress and trial % TRIALS_PER_REPORT == 0:
            progress(trial, trials)

    if estimator == "race":
        measured, error = successes / trials, math.sqrt(predicted * (1 - predicted) / trials)
    else:
        measured, error = mean_and_error(chances)
    if estimator == "conditional":
        moment = predict.rosenfeld_moment if model == "rosenfeld" else predict.nakamoto_moment
        error = math.sqrt(max(0.0, moment(share, confirmations, premined, 2) - predicted**2) / trials)
    result: Result = {
        "kind": "private-fork",
        "share": share,
        "confirmations": confirmations,
        "premined": premined,
        "trials": trials,
        "seed": seed,
        "model": f"{model}: {MODELS[model]}",
        "estimator": f"{estimator}: {ESTIMATORS[estimator]}",
        "measured": measured,
        "predicted": predicted,
        "predicted_rosenfeld": predictions["rosenfeld"],
        "predicted_nakamoto": predictions["nakamoto"],
        "standard_error": error,
        "agrees": agrees(measured, predicted, error),
        "expected_successes": predicted * trials,
        "settled_by_last_draw": last_draws,
        "digest": digest(outcomes),
        "seconds": perf_counter() - started,
    }
    if estimator != "importance" and predicted * trials < FEWEST_SUCCESSES:
        result["warning"] = (
            f"only {predicted * trials:.3g} successes are expected: raise --trials, or use --estimator importance"
        )
    return result


def play_rest(fork: PrivateFork, step: Step, share: float, dice: Callable[[], float]) -> tuple[bool, bool]:
    """Play a trial from the delivery to its end; return (the double spend succeeded, one last draw settled it)."""
    if play_chase(fork, step, share, dice) is Step.LAST_DRAW:
        return dice() < predict.catch_up(share, fork.short), True
    return True, False


def mean_of_the_rest(fork: PrivateFork, share: float, dice: Callable[[], float], model: str, estimator: str) -> float:
    """Play one trial until delivery; return the exact chance from there on, weighted if the wait was played tilted."""
    if estimator == "importance":
        weight = weigh_wait(fork, share, dice, model)
        return weight * predict.catch_up(share, fork.short)
    play_wait(fork, share, dice, model)
    return predict.catch_up(share, fork.short)


def check(*, share: float, confirmations: int, trials: int, model: str, estimator: str, premined: int) -> None:
    """Refuse parameters that mean nothing."""
    check_share(share)
    check_range("confirmations", confirmations, 0, 1000)
    check_range("premined", premined, 0, 1000)
    check_trials(trials)
    if model not in MODELS:
        raise UsageError(f"model must be one of {', '.join(MODELS)}, not {model!r}")
    if model == "nakamoto" and share >= 0.5:
        raise UsageError(f"model nakamoto needs a share below .5, not {share}: use model rosenfeld or kind majority")
    if estimator == "importance" and share >= 0.5:
        raise UsageError(f"estimator importance needs a share below .5, not {share}: success is certain anyway")
    if estimator not in ESTIMATORS:
        raise UsageError(f"estimator must be one of {', '.join(ESTIMATORS)}, not {estimator!r}")


def mean_and_error(values: list[float]) -> tuple[float, float]:
    """The mean and its standard error, sqrt(variance / n)."""
    mean = math.fsum(values) / len(values)
    if len(values) == 1:
        return mean, 0.0
    variance = math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1)
    return mean, math.sqrt(variance / len(values))
