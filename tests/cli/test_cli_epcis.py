"""``horoi epcis``: hashes and faults on the terminal, without a network."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.cli.cli_fake_node import Runner
from tests.epcis.epcis_documents import data, document, event


@pytest.fixture
def shipment(tmp_path: Path) -> Path:
    path = tmp_path / "shipment.jsonld"
    path.write_bytes(data(document(event(bizStep="shipping"), event("TransformationEvent"))))
    return path


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    path = tmp_path / "broken.jsonld"
    path.write_bytes(data(document(event(action="SELL"), event(), event(eventTime="today"))))
    return path


def test_hash(horoi: Runner, shipment: Path) -> None:
    ran = horoi("epcis", "hash", str(shipment), "--json")
    told = json.loads(ran.out)
    assert (ran.code, told["valid"], told["count"], told["errors"]) == (0, True, 2, [])
    assert told["hashes"] == [entry["hash"] for entry in told["events"]]
    plain = horoi("epcis", "hash", str(shipment), "--prehash")
    assert told["hashes"][0] in plain.out
    assert "eventType=ObjectEvent" in plain.out


def test_dry_run_says_what_would_be_signed(horoi: Runner, shipment: Path) -> None:
    ran = horoi("epcis", "capture", str(shipment), "--dry-run", "--json")
    told = json.loads(ran.out)
    assert ran.code == 0
    assert told["would_sign"]["post"]["text"] == "EPCIS: 2 events captured"
    assert len(bytes.fromhex(told["would_sign"]["post"]["document"])) == 32
    assert len(told["would_sign"]["leaves"]) == 2
    assert told["would_sign"]["post"]["document"] in horoi("epcis", "capture", str(shipment), "--dry-run").out


@pytest.mark.parametrize("command", [["hash"], ["capture", "--dry-run"]])
def test_an_invalid_file_tells_every_error_with_its_pointer(horoi: Runner, broken: Path, command: list[str]) -> None:
    ran = horoi("epcis", *command, str(broken), "--json")
    told = json.loads(ran.out)
    assert (ran.code, told["valid"]) == (3, False)
    assert [error["pointer"] for error in told["errors"]] == [
        "/epcisBody/eventList/0/action",
        "/epcisBody/eventList/2/eventTime",
    ]
    assert "would_sign" not in told
    plain = horoi("epcis", *command, str(broken))
    assert plain.code == 3
    assert "/epcisBody/eventList/2/eventTime" in plain.err


def test_hostile_text_is_harmless_on_the_terminal(horoi: Runner, tmp_path: Path) -> None:
    path = tmp_path / "hostile.json"
    path.write_bytes(data(document({**event(), "type": "urn:x:\x1b[31m"}, {"\x1b]0;": 1})))
    ran = horoi("epcis", "hash", str(path))
    assert ran.code == 3
    assert "\x1b" not in ran.out + ran.err
