"""What the papers say about attacks on proof of work: closed formulas, no dice.

    Nakamoto 2008        "Bitcoin: A Peer-to-Peer Electronic Cash System", section 11
    Rosenfeld 2014       "Analysis of hashrate-based double-spending", arXiv:1402.2009
    Eyal & Sirer 2014    "Majority is not enough: Bitcoin mining is vulnerable", Financial Cryptography, arXiv:1311.0243
    Sompolinsky & Zohar  "Secure high-rate transaction processing in Bitcoin", Financial Cryptography 2015
    Dembo et al. 2020    "Everything is a race and Nakamoto always wins", CCS 2020, arXiv:2005.10484
    Feller               "An introduction to probability theory and its applications", vol. 1, chapters III and XIV

Throughout, q is the attacker's share of the hash power, p = 1 - q the honest share, z the confirmations. The sums
have positive terms only, so a probability of 10^-12 is as exact as one of a half.
"""

from __future__ import annotations

import math

NEGLIGIBLE = 1e-18
"""A Poisson tail is cut where its terms fall below this: beneath the rounding of any printed figure."""


def catch_up(share: float, deficit: int) -> float:
    """The chance that an attacker who is ``deficit`` blocks short of its goal ever reaches it: min(1, (q/p)^deficit).

    The gambler's ruin against an infinitely rich bank (Feller XIV.2; Nakamoto section 11).
    """
    if deficit <= 0 or share >= 0.5:
        return 1.0
    return math.pow(share / (1 - share), deficit)


def rosenfeld(share: float, confirmations: int, premined: int = 1) -> float:
    """The chance that a private fork overtakes a payment with z confirmations: the exact race.

    While the honest miners find z blocks the attacker finds m, negative binomial:
    P(m) = C(m + z - 1, m) p^z q^m. It then needs to be one block ahead, ``premined`` of which it already had
    when the payment was broadcast, so it is z + 1 - m - premined short. Rosenfeld, eq. (1), has premined = 1:
    r = sum P(m) min(1, (q/p)^(z - m)), which is 20 % at q = .1, z = 1.
    """
    return rosenfeld_moment(share, confirmations, premined, 1)


def rosenfeld_moment(share: float, confirmations: int, premined: int, power: int) -> float:
    """The mean of (chance from delivery on) to this power, in Rosenfeld's race. Power 1 is the chance itself.

    Power 2 gives the variance of an estimator that plays the wait and takes the exact chance of the rest.
    """
    goal = confirmations + 1 - premined
    if share >= 0.5 or goal <= 0:
        return 1.0
    if confirmations == 0:
        return catch_up(share, goal) ** power
    # Reaching the goal before the z-th honest block: at least `goal` of the first goal + z - 1 blocks are the attacker's.
    flips = goal + confirmations - 1
    already = [_binomial_term(flips, wins, share) for wins in range(goal, flips + 1)]
    later = [
        math.exp(
            _log_choose(found + confirmations - 1, found)
            + confirmations * math.log(1 - share)
            + found * math.log(share)
            + power * (goal - found) * math.log(share / (1 - share))
        )
        for found in range(goal)
    ]
    return min(1.0, math.fsum(already + later))


def nakamoto(share: float, confirmations: int, premined: int = 1) -> float:
    """Nakamoto's approximation (section 11): the honest blocks take exactly their expected time.

    The attacker's progress is then Poisson with mean z q / p instead of negative binomial, and the chance is
    sum Poisson(k) min(1, (q/p)^(z - k)). The paper lets a tie win, which is the same as a block in hand and a
    strict lead; ``premined`` = 1 is therefore the paper's table.
    """
    return nakamoto_moment(share, confirmations, premined, 1)


def nakamoto_moment(share: float, confirmations: int, premined: int, power: int) -> float:
    """The mean of (chance from delivery on) to this power, in Nakamoto's model. See ``rosenfeld_moment``."""
    goal = confirmations + 1 - premined
    if share >= 0.5 or goal <= 0:
        return 1.0
    if confirmations == 0:
        return catch_up(share, goal) ** power
    mean = confirmations * share / (1 - share)
    terms = [_poisson_term(mean, found) * catch_up(share, power * (goal - found)) for found in range(goal)]
    found = goal
    while True:
        term = _poisson_term(mean, found)
        terms.append(term)
        if found > mean and term < NEGLIGIBLE:
            return min(1.0, math.fsum(terms))
        found += 1


def catch_up_within(share: float, deficit: int, horizon_blocks: int) -> float:
    """The chance that an attacker ``deficit`` blocks short reaches its goal within ``horizon_blocks`` blocks of anyone.

    The first passage of a random walk (Feller III.7, the hitting-time theorem):
    P(first at n) = (d / n) C(n, (n + d) / 2) q^((n + d) / 2) p^((n - d) / 2).
    """
    if deficit <= 0:
        return 1.0
    return min(1.0, math.fsum(_first_passage(share, deficit, n) for n in range(deficit, horizon_blocks + 1, 2)))


def selfish_revenue(share: float, gamma: float) -> float:
    """The selfish pool's share of the blocks that count: Eyal & Sirer, eq. (8). For 0 < share < 1/2.

    R = (a (1-a)^2 (4a + g (1-2a)) - a^3) / (1 - a (1 + (2-a) a)).
    """
    a, g = share, gamma
    return (a * (1 - a) ** 2 * (4 * a + g * (1 - 2 * a)) - a**3) / (1 - a * (1 + (2 - a) * a))


def selfish_threshold(gamma: float) -> float:
    """The share above which selfish mining pays: (1-g) / (3-2g). Eyal & Sirer, observation 1, eq. (9)."""
    return (1 - gamma) / (3 - 2 * gamma)


def stale_rate(share: float, blocks_per_delay: float) -> float:
    """The part of the honest blocks that never counts when each takes the full delay to spread: hD / (1 + hD).

    h D = (1 - share) * blocks_per_delay honest blocks fall in one delay. Each height of the honest chain lasts one
    delay, in which every further block is a rival of the same height, and then the wait for the next block
    (Sompolinsky & Zohar 2015; Dembo et al., the growth rate h / (1 + hD)).
    """
    honest_per_delay = (1 - share) * blocks_per_delay
    return honest_per_delay / (1 + honest_per_delay)


def race_ratio(share: float, blocks_per_delay: float) -> float:
    """Attacker's blocks per height of the honest chain, b (1 + (1-b) l D) / (1-b). At 1 and above the chain is lost.

    Dembo et al., eq. (2), as a ratio.
    """
    return share * (1 + (1 - share) * blocks_per_delay) / (1 - share)


def race_bound(blocks_per_delay: float) -> float:
    """The share b* at which the honest chain just keeps pace: b = (1-b) / (1 + (1-b) l D). Dembo et al., eq. (2).

    The smaller root of x b^2 - (2 + x) b + 1 = 0 with x = l D, in the form that does not cancel at small x.
    """
    x = blocks_per_delay
    return 2 / (2 + x + math.sqrt(4 + x * x))


def implied_delay_s(rate: float, interval_s: float) -> float:
    """The spreading delay, in seconds, that explains a stale rate at a block interval: x / (1 + x) solved for x."""
    return interval_s * rate / (1 - rate)


def asert_lead_s(share: float, offset_s: float, half_life_s: float) -> float:
    """How far ahead of schedule, in seconds, ASERT settles when ``share`` of the blocks are stamped ``offset_s`` late.

    The target of a block is 2^((stamp of its parent - its due time) / half-life) of the anchor's. In the long run the
    mean solve time is the ideal one, and who stamped a block does not depend on when it was found, so
    E[2^(-x / half-life)] * (1 - a + a 2^(-offset / half-life)) = 1, with x the true time minus the due time. The lead is
    half-life * log2 of that mean: close to a * offset when the offset is small beside the half-life. Derived here; the
    rule is van Wensveen & Toomim, "aserti3-2d" (Bitcoin Cash upgrade of November 2020).
    """
    return -half_life_s * math.log2(1 - share + share * math.pow(2, -offset_s / half_life_s))


def _first_passage(share: float, deficit: int, blocks: int) -> float:
    wins = (blocks + deficit) // 2
    return deficit / blocks * _binomial_term(blocks, wins, share)


def _binomial_term(flips: int, wins: int, share: float) -> float:
    return math.exp(_log_choose(flips, wins) + wins * math.log(share) + (flips - wins) * math.log(1 - share))


def _poisson_term(mean: float, count: int) -> float:
    return math.exp(count * math.log(mean) - mean - math.lgamma(count + 1))


def _log_choose(n: int, k: int) -> float:
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
