"""Real node processes on loopback: documents are found through each of the five overlays, and peers through a DHT."""

from __future__ import annotations

import hashlib
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.cli.cli_fake_node import Runner
from tests.cli.test_cli_real import Company
from tests.node.live_nodes import wait_until

from horoi.base.errors import NetworkError, NotFoundError
from horoi.client import Client
from horoi.node.lookup.overlays import OVERLAYS

pytestmark = pytest.mark.real

WITHIN_S = 60.0  # of every condition, on busy cores
DOCUMENT = b"bill of lading"
NAME = hashlib.sha256(DOCUMENT).hexdigest()


@pytest.fixture
def genesis(horoi: Runner) -> Path:
    assert horoi("network", "new", "here", "-o", "genesis.json", "--interval", "10s", "--first-hashes", "1").code == 0
    return Path("genesis.json").absolute()


class Member:
    """A running node of the test."""

    def __init__(self, company: Company, facts: dict[str, Any]) -> None:
        self.company = company
        self.facts = facts
        self.client = Client(facts["api"], (company.folder / "api-token").read_text().strip())

    def kill(self) -> None:
        assert self.company.process is not None
        self.company.process.kill()
        self.company.process.wait()

    def finds(self, node: str) -> bool:
        """Whether it is told that this node has the document."""
        try:
            return node in [at.node for at in self.client.providers(NAME).providers]
        except NetworkError:  # nobody answered, yet
            return False

    def provides(self) -> bool:
        """Whether its word is kept by somebody."""
        try:
            return self.client.provide(NAME).copies > 0
        except NetworkError:
            return False


@contextmanager
def member(folder: Path, genesis: Path, *options: str) -> Iterator[Member]:
    company = Company(folder, genesis)
    with company.node(*options) as facts:
        running = Member(company, facts)
        with running.client:
            yield running


def linked(stack: ExitStack, folder: Path, genesis: Path, count: int, *options: str) -> list[Member]:
    """So many nodes, each linked to all before it."""
    members: list[Member] = []
    for number in range(count):
        known = [part for other in members for part in ("--peer", other.facts["listen"])]
        members.append(stack.enter_context(member(folder / f"node{number}", genesis, *options, *known)))
    return members


def test_documents_are_found_between_processes(genesis: Path, tmp_path: Path) -> None:
    """A network of each overlay, all five at once, because each mostly waits."""
    with ThreadPoolExecutor(len(OVERLAYS)) as pool:
        plays = {overlay: pool.submit(play, overlay, genesis, tmp_path / overlay) for overlay in OVERLAYS}
    failed = [(overlay, error) for overlay, done in plays.items() if (error := done.exception()) is not None]
    assert not failed, failed


def play(overlay: str, genesis: Path, folder: Path) -> None:
    folder.mkdir()
    with ExitStack() as stack:
        nodes = linked(stack, folder, genesis, 3, "--lookup", overlay)
        for node in nodes:
            wait_until(lambda node=node: node.client.lookup().joined, WITHIN_S, "joining")
            told = node.client.lookup()
            assert (told.overlay, told.listen) == (overlay, node.facts["lookup"])
            assert told.listen == node.facts["listen"]  # the same number, on UDP
        first, second, third = nodes
        wait_until(second.provides, WITHIN_S, "providing")
        for node in nodes:
            wait_until(lambda node=node: node.finds(second.facts["node_id"]), WITHIN_S, "finding")
        found = third.client.providers(NAME)
        assert [(at.address, at.via) for at in found.providers] == [(second.facts["listen"], overlay)]
        assert [node.client.providers(NAME).providing for node in nodes] == [False, True, False]
        first.kill()
        wait_until(second.provides, 2 * WITHIN_S, "providing without the first")
        wait_until(lambda: third.finds(second.facts["node_id"]), WITHIN_S, "finding without the first")


def test_what_is_provided_is_provided_again_after_a_restart(genesis: Path, tmp_path: Path) -> None:
    document = tmp_path / "bill.txt"
    document.write_bytes(DOCUMENT)
    with ExitStack() as stack:
        stays = stack.enter_context(member(tmp_path / "stays", genesis, "--lookup", "kademlia"))
        wait_until(lambda: stays.client.lookup().joined, WITHIN_S, "joining")
        options = ("--lookup", "kademlia", "--peer", stays.facts["listen"])
        with member(tmp_path / "restarts", genesis, *options) as restarts:
            said = restarts.company.run("provide", document)
            assert said["providing"]
            wait_until(lambda: restarts.client.lookup().joined, WITHIN_S, "joining")
            restarts.company.end(15)
        with member(tmp_path / "restarts", genesis, *options) as restarts:
            wait_until(lambda: stays.finds(restarts.facts["node_id"]), WITHIN_S, "being found again")
            listed = stays.company.run("providers", document)
            assert restarts.facts["listen"] in [at["address"] for at in listed["providers"]]
            assert restarts.company.run("provide", NAME, "--stop")["providing"] is False
            assert restarts.client.lookup().providing == 0


def test_a_node_that_looks_nothing_up_says_so(genesis: Path, tmp_path: Path) -> None:
    with member(tmp_path / "plain", genesis) as node:
        told = node.client.lookup()
        assert (told.overlay, told.dht, told.joined) == (None, None, False)
        with pytest.raises(NotFoundError, match="--lookup or --dht"):
            node.client.providers(NAME)
        with pytest.raises(NotFoundError, match="--lookup or --dht"):
            node.client.provide(NAME)


def udp_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_two_nodes_find_each_other_through_a_third_dht_peer(genesis: Path, tmp_path: Path) -> None:
    """Neither knows the other's address; a peer of the DHT, of no ledger, is all that they share."""
    with ExitStack() as stack:
        port = udp_port()
        company = Company(tmp_path / "dht", genesis)
        stack.enter_context(dht_node(company, port))
        options = ("--dht", "--dht-listen", "127.0.0.1:0", "--dht-bootstrap", f"127.0.0.1:{port}")
        nodes = [stack.enter_context(member(tmp_path / f"node{number}", genesis, *options)) for number in range(2)]
        for node, other in (nodes, nodes[::-1]):
            wait_until(
                lambda node=node, other=other: (
                    other.facts["node_id"] in [peer.peer for peer in node.client.peers().peers if peer.ready]
                ),
                2 * WITHIN_S,
                "a link",
            )
        wait_until(nodes[0].provides, WITHIN_S, "providing in the DHT")
        wait_until(
            lambda: nodes[0].facts["listen"] in [at.address for at in nodes[1].client.providers(NAME).providers],
            WITHIN_S,
            "finding a provider in the DHT",
        )
        (at,) = nodes[1].client.providers(NAME).providers
        assert (at.node, at.via) == (None, "dht")


@contextmanager
def dht_node(company: Company, port: int) -> Iterator[None]:
    """``horoi dht node`` on this port, the first of its DHT."""
    import subprocess
    import sys

    command = [sys.executable, "-m", "horoi.cli.main", "dht", "node"]
    command += ["--listen", f"127.0.0.1:{port}", "--no-bootstrap", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline()
            yield
        finally:
            process.kill()
