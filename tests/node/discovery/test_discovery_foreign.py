"""Two nodes find each other through a peer of the Mainline DHT that nobody here wrote."""

from __future__ import annotations

import asyncio
import importlib.util
from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.cli.cli_fake_node import Runner
from tests.cli.test_cli_lookup import WITHIN_S, member
from tests.lookup.kademlia.dht_foreign import LibtorrentPeer, free_port, missing
from tests.node.live_nodes import wait_until

from horoi.node.discovery.machine import network_key

pytestmark = [pytest.mark.foreign, pytest.mark.real]


def test_two_nodes_find_each_other_through_libtorrent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    if importlib.util.find_spec("libtorrent") is None:
        missing("libtorrent; pip install libtorrent")
    monkeypatch.chdir(tmp_path)
    new = ("network", "new", "here", "-o", "genesis.json", "--interval", "10s", "--first-hashes", "1")
    assert Runner(capsys)(*new).code == 0
    port = free_port()
    foreign = LibtorrentPeer("127.10.1.1", port)
    try:
        with ExitStack() as stack:
            nodes = []
            for number in range(2):
                ip = f"127.{70 + number}.1.1"
                options = ["--listen", f"{ip}:0", "--dht", "--dht-listen", f"{ip}:{port}"]
                options += ["--dht-bootstrap", f"127.10.1.1:{port}"]
                nodes.append(
                    stack.enter_context(member(tmp_path / f"node{number}", tmp_path / "genesis.json", *options))
                )
            for node, other in (nodes, nodes[::-1]):
                wait_until(
                    lambda node=node, other=other: (
                        other.facts["node_id"] in [peer.peer for peer in node.client.peers().peers if peer.ready]
                    ),
                    2 * WITHIN_S,
                    "a link",
                )
            key = f"{network_key(bytes.fromhex(nodes[0].facts['network'])):040x}"
            found = asyncio.run(foreign.find(key))  # what a foreign peer says under the network's key
            assert found & {node.facts["listen"] for node in nodes}
    finally:
        asyncio.run(foreign.stop())
