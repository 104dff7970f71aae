"""Each check of the doctor finds what it is for."""

from __future__ import annotations

import functools
import shutil
import socket
import time
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from tests.cli.cli_fake_node import NETWORK, FakeNode, Runner

from horoi.node import checkup
from horoi.web.model.node import StatusView


class Clinic(FakeNode):
    """A node with a clock that is right, whose status is changed at will."""

    def __init__(self) -> None:
        super().__init__()
        self.changes: dict[str, Any] = {}
        self.refuses: str | None = None

    def status(self) -> StatusView:
        now_ms = int(time.time() * 1000)
        right = {"started_ms": now_ms - 5000, "uptime_s": 5.0, "tip_time_ms": now_ms}
        return msgspec.structs.replace(super().status(), **{**right, **self.changes})

    def _answer(self, method: str, path: str, query: dict[str, str], content: bytes) -> Any:
        if path != "/v1/checkpoint":
            return super()._answer(method, path, query, content)
        note = {"origin": "horoi/00", "size": 40, "root": "ab" * 32, "note": "", "cosigners": [], "own_key": None}
        return {**note, "refuses": self.refuses}


@pytest.fixture
def clinic(monkeypatch: pytest.MonkeyPatch) -> Clinic:
    node = Clinic()
    monkeypatch.setattr(httpx, "Client", functools.partial(httpx.Client, transport=httpx.MockTransport(node)))
    return node


def examine(horoi: Runner, *arguments: object) -> tuple[int, dict[str, str]]:
    shown = horoi("doctor", "--listen", "127.0.0.1:0", *arguments, "--json")
    assert shown.data["ok"] == (shown.code == 0)
    assert all(check["advice"] for check in shown.data["checks"] if check["verdict"] != "ok")
    return shown.code, {check["name"]: check["verdict"] for check in shown.data["checks"]}


def test_nothing_there_yet_is_no_failure(horoi: Runner) -> None:
    code, found = examine(horoi, "--api", "127.0.0.1:1")
    assert code == (1 if found["API's port"] == "fail" else 0)  # port 1 needs a privilege, which a test may have
    assert found["folder"] == found["genesis"] == found["node"] == "warn"
    assert found["Python"] == found["OpenSSL"] == found["libsecp256k1 (coincurve)"] == found["msgspec"] == "ok"
    assert found["peers' port"] == "ok"


def test_a_healthy_node(horoi: Runner, clinic: Clinic) -> None:
    clinic.changes = {"peers": 3}
    code, found = examine(horoi)
    assert code == 0
    assert found["node"] == found["peers"] == found["chain"] == found["clock"] == found["block times"] == "ok"
    assert found["witness"] == "ok"


def test_a_witness_that_signs_no_more(horoi: Runner, clinic: Clinic) -> None:
    clinic.refuses = "this node's key has no file 'witness'"
    code, found = examine(horoi)
    assert (code, found["witness"]) == (0, "warn")


@pytest.mark.parametrize(
    ("off_s", "verdict"), [(0.5, "ok"), (-5.0, "warn"), (5.0, "warn"), (30.0, "fail"), (-4000.0, "fail")]
)
def test_the_clock_against_the_nodes(horoi: Runner, clinic: Clinic, off_s: float, verdict: str) -> None:
    clinic.changes = {"uptime_s": 5.0 - off_s}
    code, found = examine(horoi)
    assert found["clock"] == verdict
    assert code == (verdict == "fail")


def test_block_times(horoi: Runner, clinic: Clinic) -> None:
    clinic.changes = {"tip_time_ms": int(time.time() * 1000) + 60_000}  # the fake network forgives 12 s
    assert examine(horoi)[1]["block times"] == "fail"
    clinic.changes = {"tip_time_ms": 0, "synced": False, "headers_height": 99}
    code, found = examine(horoi)
    assert (code, found["block times"], found["chain"]) == (0, "warn", "warn")


def test_a_taken_port(horoi: Runner) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        shown = horoi("doctor", "--listen", address, "--api", "127.0.0.1:1", "--peer", address, "--json")
        found = {check["name"]: check for check in shown.data["checks"]}
        assert found["peers' port"]["verdict"] == "fail"
        assert "is taken" in found["peers' port"]["found"]
        assert found[f"peer {address}"]["verdict"] == "ok"
    assert shown.code == 1
    code, found_now = examine(horoi, "--api", "127.0.0.1:1", "--peer", address, "--peer", "nonsense")
    assert (code, found_now[f"peer {address}"], found_now["peer nonsense"]) == (1, "fail", "fail")


def test_keys_that_others_can_read(horoi: Runner, home: Path, clinic: Clinic) -> None:
    horoi("key", "new", "office", "--no-passphrase")
    assert examine(horoi)[1]["keys"] == "warn"
    (home / "keys" / "office.key.json").chmod(0o644)
    code, found = examine(horoi)
    assert (code, found["keys"]) == (1, "fail")
    home.chmod(0o755)
    assert examine(horoi)[1]["folder"] == "warn"


def test_a_damaged_key_genesis_and_configuration(horoi: Runner, home: Path, tmp_path: Path, clinic: Clinic) -> None:
    (home / "keys").mkdir(parents=True, mode=0o700)
    (home / "keys" / "bad.key.json").write_text("{}")
    (home / "keys" / "bad.key.json").chmod(0o600)
    (home / "genesis.json").write_text("{}")
    (tmp_path / "horoi.toml").write_text("api = 3")
    code, found = examine(horoi)
    assert code == 1
    assert found["keys"] == found["genesis"] == found["configuration"] == "fail"


def test_a_folder_of_another_network(horoi: Runner, home: Path, clinic: Clinic) -> None:
    home.mkdir(mode=0o700)
    made = horoi("network", "new", "other", "-o", home / "genesis.json", "--json").data
    assert examine(horoi)[1]["network"] == "fail"
    clinic.changes = {"network": msgspec.structs.replace(clinic.status().network, id=made["network"])}
    assert made["network"] != NETWORK.hex()
    assert examine(horoi)[1]["network"] == "ok"


@pytest.mark.parametrize(("free", "verdict"), [(10**12, "ok"), (10**8, "warn"), (10**6, "fail")])
def test_disk_space(
    horoi: Runner, home: Path, clinic: Clinic, free: int, verdict: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.mkdir(mode=0o700)
    usage = shutil.disk_usage(home)
    monkeypatch.setattr(checkup.shutil, "disk_usage", lambda _: usage._replace(free=free))
    assert examine(horoi)[1]["disk"] == verdict


def test_a_disk_that_does_not_sync(horoi: Runner, home: Path, clinic: Clinic, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: int) -> None:
        raise OSError(5, "Input/output error")

    home.mkdir(mode=0o700)
    monkeypatch.setattr(checkup.os, "fsync", fail)
    code, found = examine(horoi)
    assert (code, found["writing"]) == (1, "fail")
    assert list(home.iterdir()) == []


def test_for_people(horoi: Runner, clinic: Clinic) -> None:
    shown = horoi("doctor")
    assert "what to do" in shown.out
    assert "to look at" in shown.out
