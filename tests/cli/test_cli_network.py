"""``horoi network``: what the options say is what the genesis fixes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.cli.cli_fake_node import Runner

from horoi.cli.durations import parse_duration_ms
from horoi.ledger.genesis import from_json, network_id


def test_new_writes_what_was_asked(horoi: Runner) -> None:
    office = horoi("key", "new", "office", "--no-passphrase", "--json").data
    options = "--interval 2s --half-life 10m --future-limit 7 --maturity 3 --reward 9 --halving 100 --fee-floor 5"
    more = "--block-size 300000 --issuer office --first-hashes 4000 --easiest-hashes 100 --grant office:1234"
    made = horoi("network", "new", "aegean", *options.split(), *more.split(), "--json")
    assert made.code == 0
    genesis = from_json(Path("genesis.json").read_bytes())
    consensus = genesis.consensus
    assert (consensus.interval_ms, consensus.half_life_ms, consensus.future_limit) == (2000, 600_000, 7)
    assert (consensus.maturity, consensus.reward.initial, consensus.reward.halving_blocks) == (3, 9, 100)
    assert (genesis.name, genesis.fee_floor, genesis.max_block_size_bytes) == ("aegean", 5, 300_000)
    assert made.data["network"] == network_id(genesis).hex()
    assert made.data["issuers"] == [office["address"]]
    assert made.data["grants"][0]["owner"] == office["address"]
    assert genesis.grants[0].quantity == 1234
    assert made.data["first_hashes"] == pytest.approx(4000, rel=0.01)
    assert made.data["easiest_hashes"] == pytest.approx(100, rel=0.01)
    shown = horoi("network", "show", "genesis.json", "--json").data
    assert shown == made.data
    assert "aegean" in horoi("network", "show", "genesis.json").out


def test_defaults_make_a_network_that_can_run(horoi: Runner) -> None:
    made = horoi("network", "new", "plain", "--json").data
    assert made["interval_ms"] == 60_000
    assert made["half_life_ms"] == 288 * 60_000
    assert made["issuers"] == []


def test_a_genesis_is_never_overwritten(horoi: Runner) -> None:
    horoi("network", "new", "first")
    before = Path("genesis.json").read_bytes()
    assert horoi("network", "new", "second").code == 2
    assert Path("genesis.json").read_bytes() == before


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (["--interval", "soon"], 2),
        (["--grant", "office"], 2),
        (["--grant", "horoi1xyz:5"], 2),
        (["--issuer", "nobody"], 2),
        (["--first-hashes", "10", "--easiest-hashes", "20"], 2),
        (["--half-life", "1s"], 4),  # under what the future limit lets a clock lie
        (["--block-size", "1"], 2),
    ],
)
def test_refusals_leave_no_file(horoi: Runner, options: list[str], code: int) -> None:
    assert horoi("network", "new", "bad", *options).code == code
    assert not Path("genesis.json").exists()


def test_show_names_the_file_that_is_wrong(horoi: Runner) -> None:
    Path("bad.json").write_text(json.dumps({"horoi_genesis": 1}))
    refused = horoi("network", "show", "bad.json")
    assert refused.code == 2
    assert "bad.json" in refused.err


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [("500ms", 500), ("2s", 2000), ("1.5m", 90_000), ("1h", 3_600_000), ("7d", 604_800_000), ("3", 3000)],
)
def test_durations(text: str, milliseconds: int) -> None:
    assert parse_duration_ms(text) == milliseconds


@pytest.mark.parametrize("text", ["", "s", "-1s", "0", "1w", "1 s", "1e3", "nan", "9" * 40 + "d"])
def test_what_is_no_duration(text: str) -> None:
    assert parse_duration_ms(text) is None
