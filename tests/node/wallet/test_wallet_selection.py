from hypothesis import given, settings
from hypothesis import strategies as st

from horoi.node.wallet.selection import MAX_TRIES, select


def test_preferences() -> None:
    assert select([50, 30, 20, 5], 25, 10) == [2, 3]  # exact: no change
    assert select([50, 30, 20], 26, 10) == [1]  # the smallest that is enough
    assert select([50, 30, 20], 70, 10) == [0, 2]
    assert select([50, 30, 20], 95, 10) == [0, 1, 2]
    assert select([50, 30, 20], 101, 10) is None
    assert select([50, 30, 20], 95, 2) is None
    assert select([], 0, 10) == []
    assert select([], 1, 10) is None


def test_an_exact_match_of_many_equals_is_found_at_once() -> None:
    assert select([2] * 5_000, 1_001, 1_000) == list(range(501))
    assert select([3] * 900 + [2] * 900, 1_801, 1_000) is not None


@settings(deadline=None)
@given(st.lists(st.integers(1, 60), max_size=14), st.integers(1, 400), st.integers(1, 14))
def test_selection_is_enough_bounded_and_exact_where_that_can_be(
    quantities: list[int], target: int, max_inputs: int
) -> None:
    quantities.sort(reverse=True)
    chosen = select(quantities, target, max_inputs)
    best = sum(quantities[:max_inputs])
    if chosen is None:
        assert best < target
        return
    assert len(set(chosen)) == len(chosen) <= max_inputs
    total = sum(quantities[position] for position in chosen)
    assert total >= target
    assert 2 ** len(quantities) > MAX_TRIES or (total == target) == _some_subset(quantities, target, max_inputs)


def _some_subset(quantities: list[int], target: int, max_inputs: int) -> bool:
    """Every reachable (sum, count), by dynamic programming: another method than the one under test."""
    least_count = {0: 0}
    for quantity in quantities:
        for total, count in sorted(least_count.items(), reverse=True):
            least_count[total + quantity] = min(count + 1, least_count.get(total + quantity, 99))
    return least_count.get(target, 99) <= max_inputs
