"""Sealed datagrams on real sockets."""

from __future__ import annotations

import asyncio
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


class Wiretap:
    """A box on the way between two ends: passes datagrams on both ways and keeps them."""

    def __init__(self, far: tuple[str, int]) -> None:
        self.near_side, self.far_side = _bound(), _bound()
        self.far = far
        self.near: tuple[str, int] | None = None
        self.kept: list[bytes] = []
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self.near_side, self._from_near)
        self._loop.add_reader(self.far_side, self._from_far)

    @property
    def address(self) -> tuple[str, int]:
        """Where the near end believes the far end to be."""
        ip, port = self.near_side.getsockname()
        return ip, port

    def _from_near(self) -> None:
        data, self.near = self.near_side.recvfrom(2048)
        self.kept.append(data)
        self.far_side.sendto(data, self.far)

    def _from_far(self) -> None:
        data = self.far_side.recv(2048)
        if self.near is not None:
            self.near_side.sendto(data, self.near)

    def close(self) -> None:
        for side in (self.near_side, self.far_side):
            self._loop.remove_reader(side)
            side.close()


def _bound() -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.setblocking(False)
    made.bind(("127.0.0.1", 0))
    return made


@in_loops
async def test_what_was_overheard_is_worth_nothing_a_second_time_or_from_elsewhere() -> None:
    a, b = make_host(b"a"), make_host(b"b")
    async with running(a, b):
        tap = Wiretap(place_of(b))
        try:
            a.ask(Do([Send(tap.address, "hello")]))
            await until(lambda: heard(a, Received))
            stolen = tap.kept[-1]
            tap.far_side.sendto(stolen, place_of(b))  # from the address of the session: a replay
            await until(lambda: b.sessions.counters["forged or replayed"] == 1)
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as elsewhere:
                elsewhere.sendto(stolen, place_of(b))
                await until(lambda: b.sessions.counters["wrong address"] == 1)
            assert len(heard(b, Received)) == 1
            assert b"hello" not in b"".join(tap.kept)
        finally:
            tap.close()


@in_loops
async def test_before_an_address_is_proven_less_is_sent_than_came() -> None:
    """The amplification factor, measured on the socket: every kind of datagram that a stranger can make, whole and damaged."""
    a, b = make_host(b"a"), make_host(b"b")
    async with running(a, b):
        tap = Wiretap(place_of(b))
        try:
            a.ask(Do([Send(tap.address, "hello")]))
            await until(lambda: heard(a, Received))
            samples = list(tap.kept)
        finally:
            tap.close()
        assert {data[0] for data in samples} == {0x01, 0x03, 0x05}
        unknown = b"\x05" + bytes(40)
        stranger = _bound()
        try:
            before = b.bytes_in, b.bytes_out
            for data in [*samples, unknown, *(data[:-1] for data in samples), b"\x02" * 57, b"\x04" * 113, b"\x06" * 9]:
                stranger.sendto(data, place_of(b))
            probe = samples[0]
            stranger.sendto(probe, place_of(b))
            sent = sum(map(len, samples)) * 2 - len(samples) + len(unknown) + 57 + 113 + 9 + len(probe)
            await until(lambda: b.bytes_in - before[0] == sent)
            assert 0 < b.bytes_out - before[1] <= sent
            factor = (b.bytes_out - before[1]) / sent
            assert factor <= 1
            assert len(b.sessions) == 1  # a's, and none of the stranger's
        finally:
            stranger.close()
