"""Which holdings to spend for an amount. The same holdings and amount always give the same choice.

In order of preference:

1. an exact match, by branch and bound (Erhardt, "An Evaluation of Coin Selection Strategies", 2016, section 4.2): no change;
2. the smallest single holding that covers the amount: one input, and large holdings stay whole;
3. the largest first, until the amount is covered: fewest inputs.
"""

from __future__ import annotations

from collections.abc import Sequence

MAX_TRIES = 10_000  # a guess: some milliseconds; Erhardt's thesis and Bitcoin Core bound theirs at 100,000


def select(quantities: Sequence[int], target: int, max_inputs: int) -> list[int] | None:
    """Positions of at most ``max_inputs`` of ``quantities`` (in descending order) that sum to ``target`` or more.

    None if there are none.

    >>> select([50, 30, 20, 5], 25, 10), select([50, 30, 20], 26, 10), select([50, 30, 20], 70, 10)
    ([2, 3], [1], [0, 2])
    """
    if target <= 0:
        return []
    exact = _exact(quantities, target, max_inputs)
    if exact is not None:
        return exact
    single = sum(quantity >= target for quantity in quantities) - 1
    if single >= 0:
        return [single]
    total = 0
    for position, quantity in enumerate(quantities[:max_inputs]):
        total += quantity
        if total >= target:
            return list(range(position + 1))
    return None


def _exact(quantities: Sequence[int], target: int, max_inputs: int) -> list[int] | None:
    """Depth first: take the next quantity, or leave it and all that equal it; at most MAX_TRIES steps."""
    remaining = [0]
    for quantity in reversed(quantities):
        remaining.append(remaining[-1] + quantity)
    remaining.reverse()
    chosen: list[int] = []
    total = position = 0
    for _ in range(MAX_TRIES):
        if total == target:
            return chosen
        hopeless = total > target or total + remaining[position] < target
        if hopeless or position == len(quantities) or len(chosen) == max_inputs:
            if not chosen:
                return None
            left_out = chosen.pop()
            total -= quantities[left_out]
            position = left_out + 1
            while position < len(quantities) and quantities[position] == quantities[left_out]:
                position += 1
            continue
        chosen.append(position)
        total += quantities[position]
        position += 1
    return None
