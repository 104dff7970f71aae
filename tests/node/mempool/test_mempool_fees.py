from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from horoi.node.mempool.fees import WaitingLine, class_rate, fee_class

FEES = st.integers(0, 2**64 - 1)
SIZES = st.integers(1, 100_000)


@settings(deadline=None)
@given(FEES, FEES, SIZES)
def test_a_higher_rate_is_never_in_a_lower_class(a: int, b: int, size: int) -> None:
    low, high = sorted((a, b))
    assert fee_class(low, size) <= fee_class(high, size)


@settings(deadline=None)
@given(FEES, SIZES)
def test_a_class_is_a_narrow_band(fee: int, size: int) -> None:
    rate = fee * 1000 // size
    number = fee_class(fee, size)
    assert class_rate(number) <= rate < class_rate(number + 1)
    assert class_rate(number + 1) - class_rate(number) <= max(1, class_rate(number) / 16)


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 12)), max_size=60))
def test_a_line_is_sorted_by_class_and_then_by_arrival(steps: list[tuple[int, int]]) -> None:
    line: WaitingLine[tuple[int, int]] = WaitingLine()
    inside: dict[int, tuple[int, int]] = {}
    for arrival, (number, item) in enumerate(steps):
        if item in inside:
            line.remove(inside.pop(item)[0], bytes([item]))
        else:
            inside[item] = (number, arrival)
            line.add(number, bytes([item]), inside[item])
    wanted = sorted(inside.values(), key=lambda value: (-value[0], value[1]))
    assert list(line.best_first()) == wanted
    assert list(line.worst_first()) == wanted[::-1]
