"""docs/ledger.md says what the code does: the same rules by the same names, the same limits."""

from __future__ import annotations

import ast
import re

from tests.base.vectors import PROJECT

from horoi.ledger import block, conditions, genesis, ledger, transaction
from horoi.ledger.bitfield import CHUNK_SIZE_BYTES
from horoi.ledger.consensus.nakamoto import reward
from horoi.ledger.rules import UNSHOWABLE

SOURCE = PROJECT / "src" / "horoi" / "ledger"
PAGE = (PROJECT / "docs" / "ledger.md").read_text(encoding="utf-8")


def rules_raised() -> set[str]:
    """The first argument of every ``RuleError(...)`` in the ledger: always a literal, so that it can be found."""
    names = set()
    for file in sorted(SOURCE.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "RuleError":
                name = node.args[0]
                assert isinstance(name, ast.Constant), f"{file.name}:{node.lineno}"
                names.add(name.value)
    return names


def rules_documented() -> list[str]:
    return re.findall(r"^\| `([a-z_.]+)` \|", PAGE, re.MULTILINE)


def test_every_rule_raised_is_documented_and_every_rule_documented_is_raised() -> None:
    documented = rules_documented()
    assert len(documented) == len(set(documented))
    assert set(documented) == rules_raised()
    assert len(documented) > 40


def test_the_limits_are_those_of_the_code() -> None:
    table = PAGE[PAGE.index("## Limits") :]
    limits = {what: int(most) for what, most in re.findall(r"^\| ([^|]+) \| (\d+) \|$", table, re.MULTILINE)}
    assert limits == {
        "transaction, bytes": transaction.MAX_TRANSACTION_SIZE_BYTES,
        "inputs": transaction.MAX_INPUTS,
        "outputs": transaction.MAX_OUTPUTS,
        "definitions, issues, transforms, retires, posts: each": transaction.MAX_VERBS,
        "characters of a post": transaction.MAX_TEXT_CHARACTERS,
        "characters of a name or reason": transaction.MAX_NAME_CHARACTERS,
        "sources of a recipe": transaction.MAX_RECIPE_SOURCES,
        "signatures": transaction.MAX_SIGNATURES,
        "preimages": conditions.MAX_MEMBERS,
        "bytes of a preimage": conditions.MAX_PREIMAGE_SIZE_BYTES,
        "depth of a condition": conditions.MAX_DEPTH,
        "bytes of a condition": conditions.MAX_SIZE_BYTES,
        "keys or parts of a condition": conditions.MAX_MEMBERS,
        "blocks in which an inputless transaction is valid": ledger.INPUTLESS_WINDOW,
        "outputs of a reward": reward.MAX_REWARD_OUTPUTS,
        "grants": genesis.MAX_GRANTS,
        "block, bytes, whatever the genesis says": block.block_codec.max_size_bytes,
    }
    assert f"chunks are {CHUNK_SIZE_BYTES} bytes" in PAGE


def test_the_characters_that_cannot_be_shown_are_those_of_the_code() -> None:
    listed = PAGE[PAGE.index("The characters of `form.text`") :].split("\n\n")[0]
    characters: set[int] = set()
    for first, last in re.findall(r"U\+([0-9A-F]{4})(?:\s+to\s+U\+([0-9A-F]{4}))?", listed):
        characters |= set(range(int(first, 16), int(last or first, 16) + 1))
    assert characters == {code for code in range(0x110000) if UNSHOWABLE.search(chr(code))}


def test_the_byte_forms_list_the_fields_in_order() -> None:
    for name, record in [
        ("Body", transaction.Body),
        ("Header", block.Header),
        ("Definition", transaction.Definition),
        ("Issue", transaction.Issue),
        ("Transform", transaction.Transform),
        ("Retire", transaction.Retire),
        ("Post", transaction.Post),
        ("Input", transaction.Input),
        ("Witness", transaction.Witness),
        ("Recipe", transaction.Recipe),
    ]:
        line = re.search(rf"^    {name} += \[(.*)\]$", PAGE, re.MULTILINE)
        assert line is not None, name
        flat = line[1]
        while "[" in flat:
            flat = re.sub(r"\[[^\[\]]*\]", "", flat)
        fields = [part.split(":")[0].strip().replace(" ", "_") for part in flat.split(",") if part.strip()]
        expected = ["time" if field == "time_ms" else field for field in record.__struct_fields__]
        assert fields == expected, name


def test_every_tag_is_documented() -> None:
    tags = re.findall(r'`H\["([a-z/]+)"\]', PAGE)
    used = set()
    for file in sorted(SOURCE.rglob("*.py")):
        used |= set(re.findall(r'tagged\("([a-z/]+)"', file.read_text(encoding="utf-8")))
    assert set(tags) == used
