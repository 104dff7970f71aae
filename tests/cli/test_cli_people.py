"""Who is meant: addresses, keys, names of the keystore, conditions with names inside."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.cli.cli_fake_node import Runner

from horoi.base.errors import UsageError
from horoi.cli.people import who


def test_every_way_of_naming_a_key(horoi: Runner, home: Path) -> None:
    office = horoi("key", "new", "office", "--no-passphrase", "--json").data
    for text in ("office", f" {office['address']} ", office["key"], office["key"].upper()):
        assert who(text, home) == office["address"]


def test_names_inside_conditions(horoi: Runner, home: Path) -> None:
    office = horoi("key", "new", "office", "--no-passphrase", "--json").data["address"]
    boss = horoi("key", "new", "boss", "--no-passphrase", "--json").data["address"]
    both = who('{"threshold": 2, "keys": ["office", "boss"]}', home)
    assert sorted(both["keys"]) == sorted([office, boss])
    nested = {"any": ["office", {"all": [{"after_height": 9}, "boss"]}]}
    assert who(json.dumps(nested), home) == {"any": [office, {"all": [{"after_height": 9}, boss]}]}


@pytest.mark.parametrize("text", ["nobody", "", "horoi1qqqq", "../office", "{", "[]", '{"any": "office"}', '{"x": 1}'])
def test_what_names_nobody(text: str, home: Path) -> None:
    with pytest.raises(UsageError):
        who(text, home)
