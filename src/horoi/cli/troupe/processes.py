"""The companies' nodes: a process each, on its own port, with its own folder, keys and disk.

A child's standard input is a pipe that this process holds: when this process ends, however it ends, the pipe closes and
the child stops cleanly (``horoi node run --stop-with-stdin``). So nothing is left running.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from horoi.base.errors import HoroiError, NetworkError, StorageError
from horoi.base.keys import KeyPair
from horoi.client import Client
from horoi.ledger.consensus.nakamoto import puzzle
from horoi.ledger.genesis import Genesis, Nakamoto, RewardSchedule, from_json, to_json
from horoi.node.names import NAMES_FILE, write_names
from horoi.node.offline import GENESIS_FILE
from horoi.node.story import Story
from horoi.node.wallet.keystore import Keystore

KEY_NAME = "company"
READY_TIMEOUT_S = 60.0  # a guess: four interpreters starting at once on two busy cores take five
STOP_TIMEOUT_S = 15.0
LOG_TAIL_LINES = 5
BLOCK_SIZE_BYTES = 4_000_000


@dataclass
class NodeProcess:
    """A company's running node."""

    company: str
    title: str
    folder: Path
    key: KeyPair
    process: subprocess.Popen[str]
    facts: dict[str, Any]
    client: Client

    @property
    def api(self) -> str:
        """Where its API is."""
        return str(self.facts["api"])


def story_genesis(story: Story, folder: Path) -> tuple[Genesis, Path]:
    """The genesis of a story's network: made at the first start, kept for all later ones."""
    path = folder / GENESIS_FILE
    if path.exists():
        genesis = from_json(path.read_bytes())
        if genesis.name != story.title:
            raise StorageError(
                f"{folder} holds the network {genesis.name!r}, not {story.title!r}: give --dir another folder, or --fresh"
            )
        return genesis, path
    network = story.network
    # What all miners together find in one interval, so that the first block comes when it should.
    hashes = max(1, network.hash_rate * len(story.companies) * network.interval_ms // 1000)
    target = puzzle.compact(puzzle.target_for(hashes))
    consensus = Nakamoto(
        interval_ms=network.interval_ms,
        half_life_ms=network.half_life_ms,
        future_limit=network.future_limit,
        maturity=network.maturity,
        first_target=target,
        easiest_target=puzzle.compact(puzzle.target_for(max(1, hashes // 2))),
        reward=RewardSchedule(network.reward, network.halving_blocks),
    )
    genesis = Genesis(
        name=story.title,
        created_ms=int(time.time() * 1000),
        consensus=consensus,
        fee_floor=network.fee_floor,
        max_block_size_bytes=BLOCK_SIZE_BYTES,
        issuers=(),
    )
    folder.mkdir(parents=True, exist_ok=True)
    path.write_bytes(to_json(genesis))
    return genesis, path


def company_key(folder: Path) -> KeyPair:
    """The company's key, made at the first start. Unencrypted: this is a demonstration on one machine."""
    keystore = Keystore(folder / "keys")
    if KEY_NAME not in [entry.name for entry in keystore.entries()]:
        keystore.new(KEY_NAME, unencrypted=True)
    return keystore.unlock(KEY_NAME, None)


class Troupe:
    """All nodes of a story. As ``with``: they are stopped at the end, in order."""

    def __init__(self, story: Story, folder: Path) -> None:
        self.story = story
        self.folder = folder
        self.nodes: list[NodeProcess] = []

    def __enter__(self) -> Troupe:
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start a node per company, each linked to the ones before it. Raises NetworkError with the log's last lines."""
        _, genesis_path = story_genesis(self.story, self.folder)
        keys = self._introduce()
        for number, company in enumerate(self.story.companies):
            folder = self.folder / company.id
            key = keys[company.id]
            process = self._spawn(folder, genesis_path)
            facts = self._await_ready(process, company.name, folder)
            token = (folder / "api-token").read_text().strip()
            client = Client(facts["api"], token)
            self.nodes.append(NodeProcess(company.id, company.name, folder, key, process, facts, client))
            for earlier in self.nodes[:number]:
                client.dial(str(earlier.facts["listen"]))

    def _introduce(self) -> dict[str, KeyPair]:
        """Every company's key; and each company writes the others into its book of names, as people who met would."""
        keys = {}
        for company in self.story.companies:
            folder = self.folder / company.id
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            keys[company.id] = company_key(folder)
        names = {keys[company.id].public: company.name for company in self.story.companies}
        for company in self.story.companies:
            book = self.folder / company.id / NAMES_FILE
            if not book.exists():
                write_names(book, names)
        return keys

    def _spawn(self, folder: Path, genesis_path: Path) -> subprocess.Popen[str]:
        command = [
            *(sys.executable, "-m", "horoi.cli.main", "node", "run", "--json", "--stop-with-stdin"),
            *("--dir", str(folder), "--genesis", str(genesis_path)),
            *("--listen", "127.0.0.1:0", "--api", "127.0.0.1:0"),
            *("--key", KEY_NAME, "--mine", str(self.story.network.hash_rate)),
        ]
        with (folder / "log").open("ab") as log:
            return subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                start_new_session=True,  # Ctrl-C reaches this process alone, which stops the others in order
            )

    def _await_ready(self, process: subprocess.Popen[str], title: str, folder: Path) -> dict[str, Any]:
        assert process.stdout is not None
        line = process.stdout.readline()  # ends when the child speaks or dies
        if not line:
            process.wait(STOP_TIMEOUT_S)
            raise NetworkError(f"the node of {title} did not start: {log_tail(folder)}")
        facts: dict[str, Any] = json.loads(line)
        return facts

    def check(self) -> None:
        """Raise NetworkError if a node has died."""
        for node in self.nodes:
            if node.process.poll() is not None:
                raise NetworkError(f"the node of {node.title} stopped: {log_tail(node.folder)}")

    def stop(self) -> None:
        """Stop every node cleanly; one that does not stop in time is ended."""
        for node in self.nodes:
            node.client.close()
            assert node.process.stdin is not None
            with contextlib.suppress(OSError):
                node.process.stdin.close()
        for node in self.nodes:
            try:
                node.process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                node.process.kill()
                node.process.wait()
            if node.process.stdout is not None:
                node.process.stdout.close()
        self.nodes.clear()


def log_tail(folder: Path) -> str:
    """Why a node stopped, if it said so (with ``--json``, as its last line); else the last lines of its log, in one."""
    try:
        lines = (folder / "log").read_text(errors="replace").splitlines()
    except OSError:
        return "it left no log"
    with contextlib.suppress(IndexError, ValueError, TypeError, KeyError):
        return str(json.loads(lines[-1])["error"]["message"])
    return " / ".join(lines[-LOG_TAIL_LINES:]) or "it left no log"


__all__ = ["HoroiError", "NodeProcess", "Troupe", "company_key", "log_tail", "story_genesis"]
