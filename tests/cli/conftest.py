"""Every test has a folder and a configuration of its own, and no node but the fake one."""

from __future__ import annotations

import functools
from pathlib import Path

import httpx
import pytest
from tests.cli.cli_fake_node import FakeNode, Runner


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "home"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOROI_CONFIG", str(tmp_path / "horoi.toml"))
    monkeypatch.setenv("HOROI_DIR", str(folder))
    for variable in ("HOROI_API", "HOROI_PASSPHRASE", "HOROI_TOKEN"):
        monkeypatch.delenv(variable, raising=False)
    return folder


@pytest.fixture
def horoi(capsys: pytest.CaptureFixture[str]) -> Runner:
    return Runner(capsys)


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakeNode:
    node = FakeNode()
    monkeypatch.setattr(httpx, "Client", functools.partial(httpx.Client, transport=httpx.MockTransport(node)))
    return node
