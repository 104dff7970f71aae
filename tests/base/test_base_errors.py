"""Every family of errors is an exit code of its own, so a script can tell them apart."""

from __future__ import annotations

from horoi.base import errors
from horoi.base.errors import HoroiError, RuleError


def test_exit_codes_are_distinct() -> None:
    families = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, HoroiError)]
    codes = [family.exit_code for family in families]
    assert len(codes) == len(set(codes))
    assert min(codes) == 1


def test_a_rule_error_names_its_rule_and_the_values() -> None:
    error = RuleError("fee.floor", "a fee of 1, 2 asked")
    assert (error.rule, error.detail) == ("fee.floor", "a fee of 1, 2 asked")
    assert str(error) == "fee.floor: a fee of 1, 2 asked"
