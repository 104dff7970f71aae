"""``horoi proof verify`` and ``horoi checkpoint verify``: offline, with exit codes and the name of the broken link."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.cli.cli_fake_node import Runner
from tests.ledger.proof.proofs import WITNESSES, story

from horoi.base.errors import UsageError
from horoi.cli.output import write_file
from horoi.client import Client
from horoi.ledger.checkpoint import witness_key
from horoi.ledger.genesis import to_json
from horoi.ledger.proof.form import write


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A folder with proofs, the genesis and a checkpoint."""
    for kind, proof in story().proofs().items():
        (tmp_path / f"{kind}.json").write_bytes(write(proof))
    (tmp_path / "genesis.json").write_bytes(to_json(story().chain.genesis))
    (tmp_path / "checkpoint.txt").write_text(story().witnessed().text, "utf-8")
    return tmp_path


def run(horoi: Runner, *arguments: Any, code: int = 0) -> Any:
    done = horoi(*map(str, arguments), "--json")
    assert done.code == code, done
    return json.loads(done.out if code == 0 else done.err)


def test_a_proof_verifies_without_a_node(horoi: Runner, files: Path) -> None:
    for kind in story().proofs():
        found = run(horoi, "proof", "verify", files / f"{kind}.json", "--genesis", files / "genesis.json")
        assert found["ok"]
        assert found["links"][0]["name"] == "form"
        assert found["proven"]
        assert found["assumed"]
    asset = run(horoi, "proof", "verify", files / "asset.json")
    assert [output["words"].partition(" [")[0] for output in asset["unspent"]["outputs"]] == [
        "600 bbl of crude",
        "300 bbl of crude",
    ]
    shown = horoi("proof", "verify", str(files / "holding.json"))
    assert "every link holds" in shown.out


def test_a_forged_proof_ends_with_4_and_names_the_link(horoi: Runner, files: Path) -> None:
    form = json.loads((files / "post.json").read_bytes())
    form["records"][0]["first_output"] += 1
    (files / "forged.json").write_text(json.dumps(form, indent=2, ensure_ascii=False) + "\n")
    said = run(horoi, "proof", "verify", files / "forged.json", code=4)
    assert said["error"]["rule"] == "merkle path"
    assert said["error"]["kind"] == "proof"
    (files / "other.json").write_bytes(b"{}")
    assert run(horoi, "proof", "verify", files / "other.json", code=4)["error"]["rule"] == "form"


def test_chosen_witnesses(horoi: Runner, files: Path) -> None:
    keys = [str(witness_key(pair.public)) for pair in WITNESSES]
    chosen = [part for key in keys for part in ("--witness", key)]
    found = run(horoi, "proof", "verify", files / "document.json", *chosen)
    assert found["checkpoint"]["chosen"] == keys
    said = run(horoi, "proof", "verify", files / "post.json", *chosen, code=4)
    assert said["error"]["rule"].startswith("cosignature of horoi-node/")
    assert run(horoi, "proof", "verify", files / "post.json", "--witness", "nobody", code=2)
    assert run(horoi, "checkpoint", "verify", files / "checkpoint.txt", *chosen)["ok"]
    text = (files / "checkpoint.txt").read_text("utf-8").split("\n")
    text[1] = str(int(text[1]) + 1)
    (files / "forged.txt").write_text("\n".join(text), "utf-8")
    said = run(horoi, "checkpoint", "verify", files / "forged.txt", *chosen, code=4)
    assert said["error"]["rule"].startswith("cosignature of")


@pytest.mark.parametrize("command", [("proof", "make", "--kind", "transaction"), ("light", "prove", "transaction")])
def test_a_proof_of_something_else_is_no_answer(
    horoi: Runner, files: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    """It holds, every link of it; it is just not what was asked for."""
    data = (files / "post.json").read_bytes()
    monkeypatch.setattr(Client, "proof", lambda self, kind, identifier, **options: data)
    monkeypatch.setattr("horoi.cli.light._ask", lambda chain, disk, url: {})
    place = files / "light"
    place.mkdir()
    (place / "genesis.json").write_bytes((files / "genesis.json").read_bytes())
    out = files / "asked.json"
    where = ("--dir", files) if command[0] == "light" else ()
    said = run(horoi, *command, "ab" * 32, "-o", out, *where, code=4)
    assert said["error"]["rule"] == "answer"
    assert not out.exists()


def test_a_file_that_cannot_be_written_is_said(files: Path) -> None:
    with pytest.raises(UsageError, match="choose another"):
        write_file(files / "no such folder" / "x.json", b"")
