"""``horoi dht`` on loopback: a peer as a process, and commands that go through it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

COMMAND = [sys.executable, "-m", "horoi.cli.main", "dht"]
TIMEOUT_S = 60


@pytest.fixture
def peer() -> Iterator[str]:
    """The address of the first peer of a network of its own."""
    command = [*COMMAND, "node", "--listen", "127.0.0.1:0", "--no-bootstrap", "--json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    facts = json.loads(process.stdout.readline())
    yield facts["address"]
    process.send_signal(signal.SIGINT)
    assert process.wait(TIMEOUT_S) in (0, 130)
    process.stdout.close()


def dht(verb: str, *arguments: str, peer: str) -> Any:
    command = [*COMMAND, verb, *arguments, "--bootstrap", peer, "--listen", "127.0.0.1:0", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, check=True)
    return json.loads(done.stdout)


@pytest.mark.real
def test_what_is_put_is_got_and_who_announces_is_found(peer: str) -> None:
    put = dht("put", "hello", peer=peer)
    assert "hello" in json.dumps(dht("get", put["key"], peer=peer))
    name = "2c6b6858d61da9543d4231a71db4b1c9264b0685"
    dht("announce", name, "--port", "4711", peer=peer)
    assert [p for p in dht("get-peers", name, peer=peer)["peers"] if str(p).endswith("4711")]
