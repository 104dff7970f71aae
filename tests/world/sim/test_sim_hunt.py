"""Hunting: a failure names its seed and the command, and that command runs the same universe."""

from __future__ import annotations

import pytest

from horoi.base.errors import UsageError
from horoi.world.sim.hunt import HuntFailed, hunt, replay_hint
from horoi.world.sim.universe import Universe


@pytest.fixture(autouse=True)
def _no_wishes_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HOROI_SEED", raising=False)
    monkeypatch.delenv("HOROI_HUNT", raising=False)


def fails_at_seven(seed: int) -> None:
    with Universe(seed) as universe:
        universe.note("a line of the trace")
        assert seed != 7, "the bug"


def test_a_failure_names_its_seed_and_the_command() -> None:
    with pytest.raises(HuntFailed) as caught:
        hunt(10, fails_at_seven)
    assert caught.value.seed == 7
    text = str(caught.value)
    assert "the bug" in text
    assert "HOROI_SEED=7 python -m pytest 'tests/world/sim/test_sim_hunt.py::test_a_failure_names" in text
    assert caught.value.__cause__ is not None
    assert "a line of the trace" in caught.value.__cause__.__notes__[0]


def test_the_seed_from_the_environment_is_the_only_one_run(monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[int] = []
    monkeypatch.setenv("HOROI_SEED", "42")
    assert hunt(10, ran.append) == 1
    assert ran == [42]


def test_a_night_of_hunting(monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[int] = []
    monkeypatch.setenv("HOROI_HUNT", "100")
    assert hunt(3, ran.append) == 100
    assert ran == list(range(100))


def test_seeds_may_be_named() -> None:
    ran: list[int] = []
    assert hunt([5, 3], ran.append) == 2
    assert ran == [5, 3]


def test_a_seed_that_is_no_number_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOROI_SEED", "x")
    with pytest.raises(UsageError, match="HOROI_SEED"):
        hunt(1, print)


def test_outside_of_pytest_the_hint_names_the_seed_or_a_given_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTEST_CURRENT_TEST")
    assert "HOROI_SEED=3" in replay_hint(3)
    assert replay_hint(3, "horoi lab run attack").endswith("HOROI_SEED=3 horoi lab run attack")
