"""A small comparison, run for real: its files, its page, and that all overlays saw one trace."""

from __future__ import annotations

import json
import re
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner

from horoi.base.errors import UsageError
from horoi.cli.lab import lab
from horoi.lab.lookup import run as run_experiment
from horoi.lab.lookup.compare.compare import compare
from horoi.lab.lookup.compare.plan import Plan
from horoi.lab.lookup.compare.plots import PLOTS
from horoi.lab.lookup.network import LookupNetwork
from horoi.lab.lookup.run import OVERLAYS
from horoi.lab.lookup.sweep.engines import engine

FEW: dict[str, Any] = {"failed_shares": (0.5,), "sessions_s": (42.0, 84.0), "paces": (1.0, 2.0)}
PLAN = Plan(16, lookups=20, overlays=("chord", "pastry"), minutes=2.2, **FEW)
WORDS = ["--peers", "16", "--lookups", "20", "--overlays", "chord,pastry", "--minutes", "2.2", "--cores", "1"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a comparison was written to."""
    found = tmp_path_factory.mktemp("compared") / "out"
    compare(PLAN, found, engine("cores", cores=1))
    return found


def test_every_picture_is_there_and_names_the_overlays(folder: Path) -> None:
    for name in PLOTS:
        assert (folder / f"{name}.png").read_bytes().startswith(b"\x89PNG")
        text = "".join(ElementTree.parse(folder / f"{name}.svg").getroot().itertext())
        assert "Chord" in text
        assert "Pastry" in text


def test_the_page_stands_alone(folder: Path) -> None:
    text = (folder / "index.html").read_text()
    sources = re.findall(r'(?:src|href)="([^"]{0,20})', text)
    assert len(sources) == len(PLOTS)
    assert all(source.startswith("data:image/svg+xml") for source in sources)
    assert f"{PLAN.command} -o FOLDER" in text
    assert json.loads((folder / "compare.json").read_text())["digest"] in text
    assert text.count("What it shows.") == text.count("What follows.") == len(PLOTS)


def test_the_numbers_are_those_of_the_runs(folder: Path) -> None:
    found = json.loads((folder / "compare.json").read_text())
    alone = run_experiment(overlay="chord", peers=16, lookups=20, seed=1, start="converged")
    assert found["overlays"]["chord"]["table"]["hops_mean"] == alone["hops_mean"]
    assert found["overlays"]["chord"]["hops"][-1] == [16, alone["hops_mean"]]
    assert f"| {alone['hops_mean']:.2f} |" in (folder / "table.md").read_text()


def test_the_command_goes_on_where_it_was_and_writes_the_same(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("horoi.lab.lookup.compare.plan.Plan", partial(Plan, **FEW))
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    ran = CliRunner().invoke(lab, ["compare", *WORDS, "-o", str(folder), "--json"])
    assert ran.exit_code == 0, ran.stderr
    assert json.loads(ran.stdout) == json.loads(before["compare.json"])
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    people = CliRunner().invoke(lab, ["compare", *WORDS, "-o", str(folder)])
    assert "pastry" in people.stdout
    assert "index.html" in people.stdout


def test_without_matplotlib_it_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("horoi.lab.lookup.compare.compare.find_spec", lambda _name: None)
    with pytest.raises(UsageError, match=r"pip install 'horoi\[plots\]'"):
        compare(PLAN, tmp_path / "out", engine("cores", cores=1))
    assert not (tmp_path / "out").exists()


class Recorded(LookupNetwork):
    """Notes what happens to the network from outside."""

    seen: list[tuple[Any, ...]]

    def lookup(self, token: int, address: int, key: int) -> None:
        self.seen.append(("asks", round(self.universe.now, 6), address, key >> (self.overlay.bits - 128)))
        super().lookup(token, address, key)

    def add(self, address: int) -> Any:
        machine = super().add(address)
        others = [self.latency.base_s(0, number) for number in (address % 7, min(address, 30))]
        self.seen.append(("comes", round(self.universe.now, 6), address, *others))
        return machine

    def fail(self, share: float) -> None:
        super().fail(share)
        self.seen.append(("left", tuple(sorted(self.up))))


def traces(monkeypatch: pytest.MonkeyPatch, **options: Any) -> list[list[tuple[Any, ...]]]:
    """What each overlay's network saw, up to the last lookup."""
    monkeypatch.setattr(import_module("horoi.lab.lookup.run"), "LookupNetwork", Recorded)
    found = []
    for overlay in OVERLAYS:
        Recorded.seen = []
        run_experiment(overlay=overlay, peers=32, lookups=25, seed=9, start="converged", **options)
        last = max(place for place, event in enumerate(Recorded.seen) if event[0] == "asks")
        found.append(Recorded.seen[: last + 1])
    return found


@pytest.mark.parametrize("options", [{"fail": 0.4}, {"adversaries": 0.2}], ids=str)
def test_all_overlays_see_one_trace(options: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    first, *others = traces(monkeypatch, **options)
    assert sum(event[0] == "asks" for event in first) == 25
    assert all(other == first for other in others)


def test_peers_come_and_go_at_the_same_moments_in_all_overlays(monkeypatch: pytest.MonkeyPatch) -> None:
    first, *others = traces(monkeypatch, median_session_s=60.0, minutes=2.5)
    for other in others:
        differing = [(one, two) for one, two in zip(first, other, strict=True) if one != two]
        assert len(differing) <= 3, "who asks differs only where a newcomer has not joined one of them yet"
        for (kind, at, _, key), (other_kind, other_at, _, other_key) in differing:
            assert (kind, at, key) == (other_kind, other_at, other_key) == ("asks", at, key)
