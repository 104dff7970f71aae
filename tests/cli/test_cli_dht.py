"""``horoi dht`` on loopback: a peer, and commands that ask it."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.loopback import needs_ipv6

KEY = "0123456789abcdef0123456789abcdef01234567"
PATIENCE_S = 30.0
PROGRAM = "from horoi.cli.dht import dht; from horoi.cli.exits import run; import sys; \
sys.exit(run(lambda: dht(sys.argv[1:], standalone_mode=False), as_json='--json' in sys.argv, debug=False))"


def command(*words: str) -> list[str]:
    return [sys.executable, "-c", PROGRAM, *words]


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Node:
    """``horoi dht node`` in a process of its own."""

    def __init__(self, *words: str, listen: str = "127.0.0.1:0") -> None:
        self._process = subprocess.Popen(
            command("node", "--listen", listen, "--json", *words),
            env=environment(),
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        ready, _, _ = select.select([self._process.stdout], [], [], PATIENCE_S)
        assert ready, "the node said nothing"
        self.facts: dict[str, Any] = json.loads(self._process.stdout.readline())
        self.address: str = self.facts["address"]

    def stop(self) -> int:
        """Press Ctrl-C; return the exit code."""
        self._process.send_signal(signal.SIGINT)
        return self._process.wait(PATIENCE_S)

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()


@pytest.fixture(scope="module")
def nodes() -> Iterator[list[Node]]:
    first = Node("--no-bootstrap")
    second = Node("--bootstrap", first.address)
    yield [first, second]
    for node in (first, second):
        node.kill()


def horoi(*words: str, code: int = 0) -> Any:
    done = subprocess.run(
        command(*words, "--listen", "127.0.0.1:0", "--json"),
        env=environment(),
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode == code, done.stderr
    return json.loads(done.stdout if code == 0 else done.stderr)


def test_a_node_says_who_it_is_and_stops(nodes: list[Node]) -> None:
    assert len(nodes[0].facts["id"]) == 40
    assert nodes[1].facts["contacts"] == 1
    third = Node("--bootstrap", nodes[1].address)
    assert third.facts["contacts"] == 2
    assert third.stop() == 130
    third.kill()


def test_ping(nodes: list[Node]) -> None:
    pong = horoi("ping", nodes[0].address)
    assert pong["id"] == nodes[0].facts["id"]
    assert pong["seen_as"].startswith("127.0.0.1:")
    assert horoi("ping", f"127.0.0.1:{free_port()}", code=7)["error"]["kind"] == "network"


def test_put_and_get(nodes: list[Node]) -> None:
    put = horoi("put", "hello", "--bootstrap", nodes[0].address)
    until(lambda: put["copies"] == 2 or horoi("put", "hello", "--bootstrap", nodes[0].address)["copies"] == 2)
    got = horoi("get", put["key"], "--bootstrap", nodes[1].address)
    assert (got["text"], got["bencoded"]) == ("hello", b"5:hello".hex())
    missing = horoi("get", KEY, "--bootstrap", nodes[0].address, code=8)
    assert missing["error"]["kind"] == "not-found"


def test_signed_items(nodes: list[Node], tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text(f"{7:064d}\n")
    words = ("--secret-file", str(secret), "--salt", "board", "--bootstrap", nodes[0].address)
    first = horoi("put", "one", *words)
    second = horoi("put", "two", *words)
    assert (first["seq"], second["seq"]) == (1, 2)
    got = horoi("get", "--public-key", first["public_key"], "--salt", "board", "--bootstrap", nodes[1].address)
    assert (got["text"], got["seq"]) == ("two", 2)
    late = horoi("put", "old", *words, "--seq", "1", code=1)
    assert "302" in late["error"]["message"]
    missed = horoi("put", "three", *words, "--seq", "3", "--cas", "1", code=1)
    assert "301" in missed["error"]["message"]
    assert horoi("put", "three", *words, "--seq", "3", "--cas", "2")["seq"] == 3


def test_announce_and_find(nodes: list[Node]) -> None:
    horoi("announce", KEY, "--port", "99", "--seed", "--bootstrap", nodes[0].address)
    assert horoi("get-peers", KEY, "--bootstrap", nodes[1].address)["peers"] == ["127.0.0.1:99"]
    scraped = horoi("get-peers", KEY, "--scrape", "--bootstrap", nodes[1].address)
    assert (scraped["seeds"], scraped["peers"]) == (1.0, 0.0)
    found = horoi("find", KEY, "--bootstrap", nodes[1].address)
    assert {node["id"] for node in found["nodes"]} <= {node.facts["id"] for node in nodes}


@pytest.mark.parametrize(
    "words",
    [
        ("find", "xyz"),
        ("ping", "nowhere"),
        ("ping", "127.0.0.1:99999"),
        ("get",),
        ("get", KEY, "--public-key", "00"),
        ("get", "--public-key", "00"),
        ("put", "x" * 1001),
        ("put", "x", "--salt", "s"),
        ("put", "x", "--cas", "1"),
        ("put", "x", "--secret-file", __file__, "--salt", "s" * 65),
        ("get", "--public-key", "00" * 32, "--salt", "s" * 65),
        ("announce", KEY, "--port", "70000"),
    ],
)
def test_wrong_use_is_said_so(words: tuple[str, ...]) -> None:
    assert horoi(*words, code=2)["error"]["kind"] == "usage"


@needs_ipv6
def test_a_network_of_ipv6_is_entered_without_saying_where_to_listen() -> None:
    node = Node("--no-bootstrap", listen="[::1]:0")
    try:
        for words in (("ping", node.address), ("find", KEY, "--bootstrap", node.address)):
            done = subprocess.run(
                command(*words, "--json"),
                env=environment(),
                capture_output=True,
                text=True,
                timeout=PATIENCE_S,
                check=True,
            )
            assert node.facts["id"] in done.stdout
    finally:
        node.kill()


def test_nobody_there() -> None:
    lost = horoi("find", KEY, "--bootstrap", f"127.0.0.1:{free_port()}", code=7)
    assert "--bootstrap" in lost["error"]["message"]


def until(condition: Any) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline
