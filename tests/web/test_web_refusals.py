"""What a refusal of the API carries for whoever says it in another language: its code and values, beside the English."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from horoi.base.errors import InsufficientError, RuleError, UsageError
from horoi.web.problems import problem_of, problem_of_status

SOURCE = Path(__file__).parents[2] / "src" / "horoi"
WORDS = SOURCE / "web" / "explorer" / "source" / "words"
ENTRY = re.compile(r'^  "(\w+)\.([^"]+)": \["((?:[^"\\]|\\.)*)"', re.MULTILINE)
RULES_MET = re.compile(
    r"(condition|form|conservation|rights|custody|fee|define|witness|spend|authority|inputless|pool|offer)\b"
)
"""Families of the rules of transactions and offers; those of blocks, headers and genesis files no page submits."""

NOT_RAISED = {"asset", "coin"}
"""Parts of other sentences."""


def words(file: str) -> dict[str, str]:
    """The English of a file of the dictionary, by what follows the first point of the key."""
    return {name: english for _, name, english in ENTRY.findall((WORDS / file).read_text())}


def calls() -> list[tuple[str, ast.Call]]:
    """(place, call) of every call in the program."""
    return [
        (f"{path.relative_to(SOURCE)}:{node.lineno}", node)
        for path in sorted(SOURCE.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
    ]


def raised_codes() -> dict[str, list[tuple[str, set[str]]]]:
    """Every code that an error is made with: where, and the names of the values that it carries there."""
    found: dict[str, list[tuple[str, set[str]]]] = {}
    for place, call in calls():
        given = {keyword.arg: keyword.value for keyword in call.keywords if keyword.arg is not None}
        code = given.pop("code", None)
        if isinstance(code, ast.Constant) and ast.unparse(call.func).endswith("Error"):
            found.setdefault(str(code.value), []).append((place, set(given)))
    return found


def test_a_problem_carries_code_and_values() -> None:
    problem = problem_of(UsageError("'x' is not an amount", code="amount-form", text="x"))
    assert (problem.code, problem.values, problem.rule) == ("amount-form", {"text": "x"}, None)
    problem = problem_of(RuleError("spend.unknown", "output 0 of ab is spent"))
    assert (problem.code, problem.rule, problem.detail) == ("spend.unknown", "spend.unknown", "output 0 of ab is spent")
    assert problem_of(InsufficientError("have 0")).code is None
    assert problem_of_status(401, "no token").code == "http-401"


def test_every_code_has_a_sentence_and_every_value_that_it_says() -> None:
    sentences = words("refusals.js")
    codes = raised_codes()
    assert len(codes) > 50
    for code, places in codes.items():
        assert code in sentences, f"{places[0][0]}: no words for refusal.{code}"
        said = set(re.findall(r"\{(\w+)\}", sentences[code]))
        for place, values in places:
            assert said <= values, f"{place}: refusal.{code} says {said - values}, which are not given here"
    idle = [name for name in sentences if name not in codes and name not in NOT_RAISED and not name.startswith("http-")]
    assert idle == []


def test_every_rule_that_a_page_can_break_has_a_sentence() -> None:
    rules = {
        str(call.args[0].value)
        for _, call in calls()
        if ast.unparse(call.func) == "RuleError" and call.args and isinstance(call.args[0], ast.Constant)
    }
    met = {rule for rule in rules if RULES_MET.match(rule)}
    assert len(met) > 45
    assert sorted(met - set(words("rules.js"))) == []


@pytest.mark.parametrize("name", ["wallet/amounts.py", "wallet/pools.py", "wallet/quantities.py"])
def test_the_wallet_refuses_nothing_without_a_code(name: str) -> None:
    tree = ast.parse((SOURCE / "node" / name).read_text())
    raised = [node.exc for node in ast.walk(tree) if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call)]
    bare = [
        ast.unparse(call) for call in raised if ast.unparse(call.func).endswith("Error") and len(call.keywords) == 0
    ]
    assert bare == []
