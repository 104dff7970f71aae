"""What a query asks of an event: conditions on its facts. A store answers them along its index; here, of one event at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from horoi.epcis.facts import Fact, Value
from horoi.epcis.patterns import Pattern


class Condition(NamedTuple):
    """Some fact with one of ``names`` must have a value that ``op`` allows.

    ``op``: ``in`` (one of the values), ``like`` (one of the values, or meant by one of the patterns), ``exists``, a comparison
    (``GT`` ...), ``below`` (a value or its descendant in the master data), ``has`` (its master data has one of these
    attributes), ``attribute`` (the first value is the attribute's name, the others what it may be). One of ``instead`` may be
    met as well: the same in another unit.
    """

    names: tuple[str, ...]
    op: str
    values: tuple[Value, ...] = ()
    patterns: tuple[Pattern, ...] = ()
    instead: tuple[Condition, ...] = ()


def holds(condition: Condition, facts: Iterable[Fact]) -> bool:
    """Whether some fact meets a condition that needs no master data: what the store's index must agree with."""
    facts = list(facts)
    if any(holds(other, facts) for other in condition.instead):
        return True
    values = [fact.value for fact in facts if fact.name in condition.names]
    if condition.op == "like":
        texts = [value for value in values if isinstance(value, str)]
        return any(
            text in condition.values or any(pattern.matches(text) for pattern in condition.patterns) for text in texts
        )
    test = _TESTS[condition.op]
    return any(test(value, condition.values) for value in values)


def _compared(compare: Callable[[Any, Any], bool]) -> Callable[[Value, Sequence[Value]], bool]:
    return lambda value, given: isinstance(value, str) == isinstance(given[0], str) and compare(value, given[0])


_TESTS: dict[str, Callable[[Value, Sequence[Value]], bool]] = {
    "in": lambda value, given: value in given,
    "exists": lambda value, given: True,
    "GT": _compared(lambda a, b: a > b),
    "GE": _compared(lambda a, b: a >= b),
    "LT": _compared(lambda a, b: a < b),
    "LE": _compared(lambda a, b: a <= b),
}
