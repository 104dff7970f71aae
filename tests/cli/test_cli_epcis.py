"""``horoi epcis``: hashes and faults on the terminal, without a network."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.cli.cli_fake_node import Runner
from tests.epcis.epcis_documents import data, document, event
from tests.web.web_server import serving

from horoi.client import Client
from horoi.web.model.wallet import Define
from horoi.web.token import read_token


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


@pytest.mark.real
def test_capture_find_and_export_at_a_node(
    horoi: Runner, shipment: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(tmp_path / "node") as node:
        monkeypatch.setenv("HOROI_API", node.url)
        monkeypatch.setenv("HOROI_TOKEN", read_token(tmp_path / "node"))
        captured = horoi("epcis", "capture", str(shipment), "--json")
        told = json.loads(captured.out)
        assert (captured.code, told["job"]["success"], told["job"]["running"]) == (0, True, False)
        assert "kept" in horoi("epcis", "capture", str(shipment)).out
        found = json.loads(horoi("epcis", "events", "--query", "EQ_bizStep=shipping", "--json").out)
        (event,) = found["epcisBody"]["queryResults"]["resultsBody"]["eventList"]
        assert event["eventID"] == told["hashes"][0]
        assert told["hashes"][1] in horoi("epcis", "events", "--id", told["hashes"][1]).out
        assert horoi("epcis", "events", "--query", "EQ_color=red").code == 2
        assert horoi("epcis", "events", "--query", "nonsense").code == 2

        with Client(node.url, read_token(tmp_path / "node")) as owner:
            asset = owner.act(Define(name="crude", limit="10")).assets[0]
        node.call(node.host.mine)
        out = tmp_path / "crude.csv"
        assert horoi("asset", "export", asset, "--form", "csv", "-o", str(out)).code == 0
        assert out.read_text().startswith("time,height,transaction")
        exported = horoi("asset", "export", "crude")
        assert json.loads(exported.out)["type"] == "EPCISDocument"
        assert json.loads(horoi("asset", "export", "crude", "--form", "prov", "--json").out)["form"] == "prov"
        monkeypatch.setenv("HOROI_TOKEN", "wrong")
        assert horoi("epcis", "capture", str(shipment)).code == 9
