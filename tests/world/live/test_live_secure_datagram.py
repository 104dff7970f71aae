"""Sealed datagrams on real sockets."""

from __future__ import annotations

import socket
from typing import Any

import pytest
from live_pingpong import Do, heard, in_loops, running, until
from test_live_datagram import Echo, decode, place_of

from horoi.machine import Received, Send
from horoi.machine.host import Hosted
from horoi.world.live.node_key import NodeKey
from horoi.world.live.secure_datagram import MAX_PAYLOAD_BYTES, SecureDatagramHost

pytestmark = pytest.mark.real


def make_host(key: bytes, speech: str = "echo") -> SecureDatagramHost:
    options: dict[str, Any] = {"listen": "127.0.0.1:0", "decode": decode, "encode": str.encode, "disk": None}
    return SecureDatagramHost(
        lambda place: Hosted(Echo(), None),
        node_key=NodeKey(key * 32),
        network_id=bytes(32),
        speech=speech,
        **options,
    )


@in_loops
async def test_text_comes_back_sealed() -> None:
    a, b = make_host(b"a"), make_host(b"b")
    longest = "x" * MAX_PAYLOAD_BYTES
    async with running(a, b):
        a.ask(Do([Send(place_of(b), "hello"), Send(place_of(b), longest)]))
        await until(lambda: len(heard(a, Received)) == 2)
        assert [event.message for event in heard(a, Received)] == ["HELLO", longest.upper()]
        assert a.sessions.public_of(place_of(b)) == b.key.public
        assert a.bytes_in > MAX_PAYLOAD_BYTES


@in_loops
async def test_who_has_no_session_or_speaks_something_else_is_not_heard() -> None:
    a, other, b = make_host(b"a"), make_host(b"o", "other"), make_host(b"b")
    async with running(a, other, b):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            stranger.sendto(b"hello", place_of(b))
        other.ask(Do([Send(place_of(b), "hello")]))
        await until(lambda: b.sessions.counters["malformed"] >= 2)
        a.ask(Do([Send(place_of(b), "from a")]))
        await until(lambda: heard(b, Received))
        assert heard(b, Received) == [Received(place_of(a), "from a")]
