"""A machine on UDP, with a foreign codec."""

from __future__ import annotations

import socket
from typing import Any

import pytest
from live_pingpong import Do, PingPong, heard, in_loops, running, until
from tests.loopback import needs_ipv6

from horoi.base.errors import DecodeError, NetworkError
from horoi.machine import Action, Dial, Drop, Event, Lost, Received, Send, Tell, Unlinked
from horoi.machine.host import Hosted
from horoi.world.live.datagram import DatagramHost


class Echo(PingPong):
    """Answers text with the same text in capitals."""

    def handle(self, event: Event, now: float) -> list[Action]:
        if isinstance(event, Received):
            self.events.append(event)
            return [Send(event.peer, event.message.upper())] if event.message.islower() else [Tell(event)]
        if isinstance(event, Lost):
            self.events.append(event)
            return []
        return super().handle(event, now)


def decode(data: bytes) -> str:
    try:
        return data.decode("ascii")
    except UnicodeDecodeError:
        raise DecodeError("not ASCII") from None


def make_host(**options: Any) -> DatagramHost:
    options = {"listen": "127.0.0.1:0", "decode": decode, "encode": str.encode, "disk": None} | options
    return DatagramHost(lambda place: Hosted(Echo(), None), **options)


def place_of(host: DatagramHost) -> tuple[str, int]:
    ip, port = (host.address or "").split(":")
    return ip, int(port)


@in_loops
async def test_text_comes_back() -> None:
    a, b = make_host(), make_host()
    async with running(a, b):
        a.ask(Do([Send(place_of(b), "hello")]))
        await until(lambda: heard(a, Received))
        assert heard(a, Received) == [Received(place_of(b), "HELLO")]
        assert heard(b, Received) == [Received(place_of(a), "hello")]
        assert a.sent[str] == b.received[str] == 1
        assert a.bytes_out == b.bytes_in == 5


@in_loops
async def test_garbage_and_oversize_are_counted_and_ignored() -> None:
    host = make_host(max_size_bytes=10)
    async with running(host):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            for data in (b"\xff", b"x" * 11, b"", b"fine"):
                stranger.sendto(data, place_of(host))
            await until(lambda: "fine" in heard(host, str))
            assert host.counters["drop", "decode"] == 1
            assert host.counters["drop", "oversize in"] == 1
        wrong = [
            Send(peer, "x")
            for peer in (("a.name", 1), ("192.0.2.1", -1), ("::1", 1), b"peer", None, ("192.0.2.1", "1"))
        ]
        host.ask(Do([Send(place_of(host), "x" * 11), *wrong, Send(place_of(host), "ok")]))
        await until(lambda: "OK" in heard(host, str))
        assert host.counters["drop", "oversize out"] == 1
        assert host.counters["drop", "address"] == len(wrong)


@in_loops
async def test_a_codec_that_fails_costs_the_datagram_alone() -> None:
    host = make_host(decode=lambda data: decode(data) if data != b"bug" else 1 // 0)
    async with running(host):
        host.take(b"bug", ("192.0.2.1", 1))
        host.take(b"FINE", ("192.0.2.1", 1))
        await until(lambda: heard(host, Received))
        assert host.counters["error", "ZeroDivisionError"] == 1


@in_loops
async def test_what_waits_for_the_machine_is_bounded() -> None:
    host = make_host(max_waiting=3)
    async with running(host):
        host.ask(Do([Drop(("192.0.2.1", 2))]))  # Lost waits; while nothing waits, a datagram has its turn at once
        for n in range(5):
            host.take(b"X%d" % n, ("192.0.2.1", 1))
        await until(lambda: len(heard(host, Received)) == 3)
        assert host.counters["drop", "behind"] == 2


@in_loops
async def test_dial_and_drop_are_answered() -> None:
    host = make_host()
    async with running(host):
        host.ask(Dial("127.0.0.1:1"))
        host.ask(Do([Drop(("192.0.2.1", 1))]))
        await until(lambda: heard(host, Unlinked) and heard(host, Lost))
        assert heard(host, Lost) == [Lost(("192.0.2.1", 1))]


@in_loops
async def test_a_taken_port_is_told() -> None:
    host = make_host()
    async with running(host):
        with pytest.raises(NetworkError, match="taken by another program"):
            await make_host(listen=host.address).start()


@needs_ipv6
@in_loops
async def test_a_port_of_all_addresses_serves_both_families() -> None:
    """A peer of IPv4 has its IPv4 address there, and not the form in which a port of IPv6 sees it."""
    dual = make_host(listen="[::]:0")
    four, six = make_host(), make_host(listen="[::1]:0")
    async with running(dual, four, six):
        port = int((dual.address or "").rpartition(":")[2])
        four.ask(Do([Send(("127.0.0.1", port), "hello")]))
        six.ask(Do([Send(("::1", port), "hello")]))
        await until(lambda: heard(four, Received) and heard(six, Received))
        assert heard(four, Received) == [Received(("127.0.0.1", port), "HELLO")]
        assert heard(six, Received) == [Received(("::1", port), "HELLO")]
        places = {event.peer for event in heard(dual, Received)}
        assert places == {place_of(four), ("::1", int((six.address or "").rpartition(":")[2]))}


@in_loops
async def test_a_foreign_wire_may_be_taken_though_it_is_too_long_to_be_sent() -> None:
    host = make_host(max_size_bytes=100, max_size_in_bytes=200)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        async with running(host):
            for size in (150, 250):
                stranger.sendto(b"X" * size, place_of(host))
            await until(lambda: host.counters["drop", "oversize in"] and host.received[str])
            assert [len(event.message) for event in heard(host, Received)] == [150]


@in_loops
async def test_a_request_is_handled_at_once_and_one_from_a_listener_after_the_effects() -> None:
    host = make_host()
    told: list[Any] = []
    async with running(host):
        await until(lambda: not host._inbox)
        host.on_notice(told.append, str)
        host.on_notice(lambda notice: host.ask(Do([Tell("last")])) if notice == "first" else None, str)
        host.ask(Do([Tell("first"), Tell("second")]))
        assert told == ["first", "second"]  # the listener's own request waits for its turn
        await until(lambda: len(told) == 3)
        assert told == ["first", "second", "last"]
