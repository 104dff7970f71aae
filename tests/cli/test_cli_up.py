"""``horoi up``: real companies on real sockets play a story to its end, stop on Ctrl-C, and go on from disk."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from horoi.cli.troupe.processes import log_tail
from horoi.node.story import load_story

PLAY_S = 150.0  # a busy machine; alone it takes 20 s

HOLDINGS = {
    "petroleum": {
        "Thasos Field": {"Thasos crude oil": (4105, 4105)},
        "Aegean Carriers": {},
        "ELPE Refinery": {"Thasos crude oil": (2327, 2327), "Petrol 95": (880, 880), "Diesel": (1790, 1790)},
        "Attica Retail": {"Petrol 95": (1200, 1200)},
    },
    "retail": {
        "Ilia Berries": {},
        "Pyrgos Packing": {},
        "Polar Freight": {},
        "Athens Market Shops": {"Strawberries, 250 g punnets": (190, 190)},
    },
}
"""What each company owns and holds at the end, by the story's own figures."""


ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}


def command(*words: str) -> list[str]:
    return [sys.executable, "-m", "horoi.cli.main", "up", *words]


def play_once(*words: str) -> dict[str, Any]:
    ran = subprocess.run(
        command("--once", "--json", *words),
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=PLAY_S,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr[-2000:]
    outcome: dict[str, Any] = json.loads(ran.stdout)
    return outcome


def check(outcome: dict[str, Any], story: str) -> None:
    """Four equal tips and states, and the books that the story ends with."""
    assert outcome["nodes"] == len(outcome["tips"]) == len(outcome["state_digests"]) == 4
    assert len(set(outcome["tips"])) == 1
    assert len(set(outcome["state_digests"])) == 1
    assert outcome["posts"] == [step.post for step in load_story(story).steps]
    assets = {asset.name for asset in load_story(story).assets}
    holdings = {
        company: {
            name: (sums["owned"], sums["held"])
            for name, sums in rows.items()
            if name in assets and (sums["owned"] or sums["held"])
        }
        for company, rows in outcome["holdings"].items()
    }
    assert holdings == HOLDINGS[story]


@pytest.mark.real
@pytest.mark.slow
def test_a_story_is_played_once_and_all_agree() -> None:
    check(play_once("--story", "retail"), "retail")


class Running:
    """``horoi up`` in a session of its own, with what it says on stderr in a file."""

    def __init__(self, folder: Path, log: Path) -> None:
        self.log = log
        self.out = log.open("w")
        self.process = subprocess.Popen(
            command("--dir", str(folder)),
            env=ENVIRONMENT,
            stdout=self.out,
            stderr=self.out,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )

    def wait_for(self, condition: str, count: int = 1) -> None:
        """Until its output has this text so many times."""
        deadline = time.monotonic() + PLAY_S
        while self.log.read_text().count(condition) < count:
            assert self.process.poll() is None, f"it ended: {self.log.read_text()[-2000:]}"
            assert time.monotonic() < deadline, f"no {condition!r} in: {self.log.read_text()[-2000:]}"
            time.sleep(0.05)

    def children(self) -> list[int]:
        pid = self.process.pid
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

    def interrupt(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(60)


@contextlib.contextmanager
def running(folder: Path, log: Path) -> Iterator[Running]:
    up = Running(folder, log)
    try:
        yield up
    finally:
        if up.process.poll() is None:
            up.process.kill()
            up.process.wait()
        up.out.close()


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "Z" not in Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]


def all_gone(pids: list[int]) -> bool:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with contextlib.suppress(FileNotFoundError):
            if not any(map(is_alive, pids)):
                return True
        time.sleep(0.05)
    return False


@pytest.mark.real
@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="children are listed by Linux's /proc")
def test_ctrl_c_stops_all_and_a_second_start_goes_on_from_disk(tmp_path: Path) -> None:
    folder = tmp_path / "companies"
    with running(folder, tmp_path / "first") as up:
        up.wait_for("playing: ", count=3)
        children = up.children()
        assert len(children) == 4
        assert up.interrupt() == 0, up.log.read_text()[-2000:]
        assert "Traceback" not in up.log.read_text()
    assert all_gone(children)
    before = json.loads((folder / "played.json").read_bytes())["transactions"]
    assert before, "nothing was played before the interrupt"
    heights = [
        json.loads(
            subprocess.run(
                [sys.executable, "-m", "horoi.cli.main", "ledger", "audit", "--dir", str(home), "--json"],
                env=ENVIRONMENT,
                capture_output=True,
                check=True,
                timeout=60,
            ).stdout
        )["height"]
        for home in sorted(folder.iterdir())
        if home.is_dir()
    ]
    outcome = play_once("--story", "petroleum", "--dir", str(folder))
    check(outcome, "petroleum")
    assert outcome["height"] > max(heights) >= 1
    played = json.loads((folder / "played.json").read_bytes())["transactions"]
    assert played[: len(before)] == before, "what was played is not played again"


@pytest.mark.real
@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="children are listed by Linux's /proc")
def test_ctrl_c_while_the_nodes_start_leaves_nobody_behind(tmp_path: Path) -> None:
    with running(tmp_path / "companies", tmp_path / "log") as up:
        deadline = time.monotonic() + PLAY_S
        while len(children := up.children()) < 2:
            assert up.process.poll() is None, up.log.read_text()[-2000:]
            assert time.monotonic() < deadline
            time.sleep(0.01)
        up.interrupt()
        assert "Traceback" not in up.log.read_text()
    assert all_gone(children)


@pytest.mark.parametrize(
    ("log", "said"),
    [
        ('height 3\n{"error": {"kind": "storage", "message": "in use by process 7"}}\n', "in use by process 7"),
        ("one\ntwo\n", "one / two"),
        ('one\n{"error": 5}\n', 'one / {"error": 5}'),
        ("", "it left no log"),
    ],
)
def test_why_a_node_stopped_is_what_it_said_last(tmp_path: Path, log: str, said: str) -> None:
    (tmp_path / "log").write_text(log)
    assert log_tail(tmp_path) == said
    assert log_tail(tmp_path / "nowhere") == "it left no log"
