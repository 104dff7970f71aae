"""The server on a real port: start, stop, connections that do nothing, streams that are not read."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from pathlib import Path
from time import monotonic

import httpx
import pytest
from tests.web.web_node import make_access
from tests.web.web_server import serving

from horoi.base.errors import NetworkError
from horoi.web.guard import ApiLimits
from horoi.web.model.node import RemovedEvent
from horoi.web.server import ApiServer
from horoi.web.token import read_token


def test_it_serves_and_stops(tmp_path: Path) -> None:
    with serving(tmp_path) as running:
        url = running.url
        assert httpx.get(f"{url}/healthz").json() == {"ok": True}
        head = httpx.get(f"{url}/v1/wallet/keys", headers={"Authorization": f"Bearer {read_token(tmp_path)}"})
        assert head.json()["keys"][0]["name"] == "alice"
        assert "server" not in head.headers
        assert httpx.get(f"{url}/healthz", headers={"Host": "evil.example"}).status_code == 421
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{url}/healthz")


def test_a_taken_port_is_one_clear_sentence(tmp_path: Path) -> None:
    async def start() -> None:
        with socket.socket() as other:
            other.bind(("127.0.0.1", 0))
            other.listen()
            access, _ = make_access()
            server = ApiServer(access, folder=tmp_path, listen=f"127.0.0.1:{other.getsockname()[1]}")
            with pytest.raises(NetworkError, match="is taken by another program"):
                await server.start()
            await server.stop()

    asyncio.run(start())


def test_a_connection_that_says_nothing_is_cut_off(tmp_path: Path) -> None:
    limits = ApiLimits(head_timeout_s=0.1)
    with serving(tmp_path, limits=limits) as running:
        silent, half = (socket.create_connection(("127.0.0.1", running.port), 10) for _ in range(2))
        half.sendall(b"GET /healthz HTTP/1.1\r\nHost: local")
        for connection in (silent, half):
            connection.settimeout(10)
            with contextlib.suppress(ConnectionResetError):
                assert connection.recv(1000) == b""
            connection.close()
        assert httpx.get(f"{running.url}/healthz").status_code == 200


def test_a_stream_that_is_not_read_is_cut_off(tmp_path: Path) -> None:
    limits = ApiLimits(max_stream_events=50, linger_s=0.1)
    with serving(tmp_path, limits=limits) as running:
        connection = socket.create_connection(("127.0.0.1", running.port), 10)
        connection.sendall(b"GET /v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        hub = running.server.access.live.hub

        def flood() -> int:
            for _ in range(20):
                hub._publish("transaction-removed", RemovedEvent(id="00" * 32, why="x" * 10_000))
            return len(hub.subscribers)

        assert b"200 OK" in connection.recv(1000)
        until = monotonic() + 30
        while running.call(flood):
            assert monotonic() < until, "the stream that nobody reads still stands"
        assert hub.dropped == 1
        connections = running.server._server.server_state.connections
        while running.call(lambda: len(connections)):
            assert monotonic() < until, "the connection that nobody reads still stands"
        connection.close()
        assert httpx.get(f"{running.url}/healthz").status_code == 200


def test_stopping_does_not_wait_for_open_streams(tmp_path: Path) -> None:
    with serving(tmp_path) as running:
        connection = socket.create_connection(("127.0.0.1", running.port), 10)
        connection.sendall(b"GET /v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert b"200 OK" in connection.recv(1000)
    connection.settimeout(10)
    while connection.recv(1000):
        pass
    connection.close()
