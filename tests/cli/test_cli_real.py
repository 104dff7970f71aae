"""Real processes on loopback: a company keeps its ledger by hand, is killed, and goes on."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.real

WITHIN_S = 60


class Company:
    """A node's folder, and the commands of its people."""

    def __init__(self, folder: Path, genesis: Path) -> None:
        self.folder = folder
        self.genesis = genesis
        self.api = ""
        self.listen = ""
        self.process: subprocess.Popen[str] | None = None

    def run(self, *arguments: object, code: int = 0) -> Any:
        """A command with --json; its object."""
        command = [sys.executable, "-m", "horoi.cli.main", *map(str, arguments), "--json"]
        environment = {**os.environ, "HOROI_API": self.api, "HOROI_DIR": str(self.folder)}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=WITHIN_S, check=False)
        assert done.returncode == code, (arguments, done.returncode, done.stderr)
        return json.loads(done.stdout if code == 0 else done.stderr)

    @contextmanager
    def node(self, *arguments: object, log_to_pipe: bool = False) -> Iterator[dict[str, Any]]:
        """A running node; killed at the end if it runs still."""
        command = [sys.executable, "-m", "horoi.cli.main", "node", "run", "--dir", self.folder, "--json"]
        command += ["--genesis", self.genesis, "--listen", "127.0.0.1:0", "--api", "127.0.0.1:0", *arguments]
        command = list(map(str, command))
        log = (self.folder.parent / f"{self.folder.name}.log").open("a")
        errors = subprocess.PIPE if log_to_pipe else log
        with log, subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True) as process:
            self.process = process
            try:
                assert process.stdout is not None
                ready = json.loads(process.stdout.readline() or "{}")
                assert ready.get("ready"), (self.folder.parent / f"{self.folder.name}.log").read_text()
                self.api, self.listen = ready["api"], ready["listen"]
                yield ready
            finally:
                process.kill()

    def end(self, number: int) -> int:
        """Send a signal to the node; its exit code."""
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(WITHIN_S)

    def owned(self, name: str) -> dict[str, tuple[str, str]]:
        """What a key owns and holds, by asset; without the coin, which mining makes more of."""
        sums = self.run("holdings", name)["sums"]
        found = {s["owned"]["name"]: (s["owned"]["amount"], s["held"]["amount"]) for s in sums}
        found.pop("coin", None)
        return found


@pytest.fixture
def company(tmp_path: Path) -> Company:
    company = Company(tmp_path / "office", tmp_path / "genesis.json")
    for name in ("office", "carrier"):
        company.run("key", "new", name, "--no-passphrase")
    quick = ("--interval", "500ms", "--half-life", "30s", "--maturity", "2", "--first-hashes", "1000")
    company.run("network", "new", "aegean", "-o", company.genesis, *quick, "--easiest-hashes", "50")
    return company


def test_by_hand_killed_and_still_there(company: Company, tmp_path: Path) -> None:
    mine = ("--key", "office", "--mine", "2000")
    with company.node(*mine) as first:
        company.run("asset", "define", "crude", "--unit", "bbl", "--limit", "20000", "--key", "office", "--wait")
        company.run("asset", "issue", "crude", "10432", "--key", "office", "--wait")
        bill = tmp_path / "bill.json"
        drafted = company.run("asset", "hand-over", "crude", "6327", "--to", "carrier", "--key", "office", "-o", bill)
        assert not drafted["submitted"]
        company.run("tx", "sign", bill, "--key", "carrier", "--submit")
        company.run("tx", "wait", bill)
        company.run("asset", "transfer", "crude", "100", "--to", "carrier", "--node-key", "--wait")
        company.run("post", "loaded", "--about", "crude", "--document", bill, "--key", "carrier", "--wait")
        refused = company.run("asset", "transfer", "crude", "99999", "--to", "carrier", "--key", "office", code=10)
        assert refused["error"]["kind"] == "insufficient"
        before = company.owned("office"), company.owned("carrier")
        height = company.run("status")["height"]
        assert company.end(signal.SIGKILL) == -signal.SIGKILL
    assert before == ({"crude": ("10332", "4105")}, {"crude": ("100", "6327")})

    with company.node(*mine) as second:
        assert second["node_id"] == first["node_id"]
        assert second["height"] >= height
        assert (company.owned("office"), company.owned("carrier")) == before
        (post,) = company.run("posts")["posts"]
        assert post["post"]["text"] == "loaded"
        assert company.run("document", "find", bill)["posts"] == [post]
        history = company.run("asset", "history", "crude")
        assert history["count"] == 5
        proof = tmp_path / "bill-proof.json"
        assert company.run("proof", "make", bill, "-o", proof)["claim"]["kind"] == "document"
        assert company.run("proof", "verify", proof, "--genesis", company.genesis)["block"]["height"] == post["height"]
        company.run("mine", "0")

        other = Company(tmp_path / "other", company.genesis)
        with other.node("--peer", company.listen):
            tip = company.run("status")
            until = post["transaction"]
            assert other.run("tx", "wait", until)["status"] == "confirmed"
            while (seen := other.run("status"))["height"] < tip["height"]:
                assert other.process is not None
                assert other.process.poll() is None
            assert (seen["tip"], seen["state_digest"]) == (tip["tip"], tip["state_digest"])
            assert company.run("peers")["peers"][0]["ready"]
            assert company.run("doctor")["ok"]
            bill_again = tmp_path / "bill-again.json"
            hashed = company.run("document", "put", bill)["hash"]
            assert other.run("document", "get", hashed, "-o", bill_again)["hash"] == hashed
            assert bill_again.read_bytes() == bill.read_bytes()
            assert other.run("document", "find", hashed)["content"]["state"] == "here"
            phone = Company(tmp_path / "phone", company.genesis)
            asked = ("--genesis", company.genesis, "--node", company.api, "--node", other.api)
            followed = phone.run("light", "run", "--once", *asked)
            assert [one["refused"] for one in followed["asked"]] == [None, None]
            assert followed["tip"] == tip["tip"]
            assert phone.run("light", "verify", proof)["followed"]["tip"] == tip["tip"]
            assert phone.run("light", "prove", "post", until, "--node", other.api)["signers"] == [
                {"key": signer["key"], "address": signer["address"]}
                for signer in company.run("tx", "wait", until)["signatures"]
            ]
            assert phone.run("light", "status", "--check")["headers"] == tip["height"]
            assert other.end(signal.SIGTERM) == 0
        assert company.end(signal.SIGINT) == 0
    assert company.run("ledger", "audit")["ok"]


@pytest.mark.parametrize("log_to_pipe", [True, False], ids=["log elsewhere", "log on the same disk"])
def test_a_full_disk_is_one_sentence_and_loses_nothing(company: Company, log_to_pipe: bool) -> None:
    with company.node("--key", "office", "--mine", "2000", log_to_pipe=log_to_pipe):
        company.run("post", "before", "--key", "office", "--wait")
        assert company.process is not None
        resource.prlimit(company.process.pid, resource.RLIMIT_FSIZE, (1, 1))  # as a full disk: EFBIG
        assert company.process.wait(WITHIN_S) == 6
        if company.process.stderr is not None:
            log = company.process.stderr.read()
            assert "the disk is full" in log.splitlines()[-1]
            assert "Traceback" not in log
    with company.node():
        assert company.run("posts")["posts"][0]["post"]["text"] == "before"
        assert company.end(signal.SIGTERM) == 0
    assert company.run("ledger", "audit")["ok"]


def test_a_child_ends_with_its_parents_pipe(company: Company) -> None:
    command = [sys.executable, "-m", "horoi.cli.main", "node", "run", "--dir", str(company.folder), "--json"]
    command += ["--genesis", str(company.genesis), "--listen", "127.0.0.1:0", "--api", "127.0.0.1:0"]
    with subprocess.Popen(
        [*command, "--stop-with-stdin"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        try:
            assert process.stdin is not None
            assert process.stdout is not None
            assert json.loads(process.stdout.readline())["ready"]
            process.stdin.close()
            assert process.wait(WITHIN_S) == 0
        finally:
            process.kill()
