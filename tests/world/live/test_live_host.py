"""Hosts linked over real loopback sockets: what is delivered, who is refused, what is noticed."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from live_pingpong import (
    NETWORK,
    QUICK,
    Ball,
    Do,
    Throw,
    heard,
    in_loops,
    keys_in_order,
    link,
    make_host,
    running,
    until,
)

from horoi.base.errors import NetworkError, UsageError
from horoi.machine import Dial, Drop, Linked, Lost, Received, Run, Send, Unlinked
from horoi.machine.wire import Wire
from horoi.world.live.channel import DialerHandshake, dialer_context, key_of_certificate
from horoi.world.live.frames import ControlKind, FrameBuffer, frame, is_control, open_control
from horoi.world.live.host import LiveHost
from horoi.world.live.node_key import NodeKey


class RawPeer:
    """The other end, by hand: says whatever the test wants."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.buffer = FrameBuffer(1 << 24)
        self.payloads: list[bytes] = []

    async def next(self) -> bytes:
        while not self.payloads:
            data = await self.reader.read(1 << 16)
            if not data:
                raise EOFError
            self.payloads += self.buffer.feed(data)
        return self.payloads.pop(0)

    async def goodbye(self) -> str:
        """Everything until the end; the reason of the goodbye."""
        reason = ""
        try:
            while True:
                payload = await self.next()
                if is_control(payload) and payload[1] == ControlKind.BYE:
                    reason = open_control(payload)[1].decode()
        except (EOFError, OSError):
            return reason


@asynccontextmanager
async def raw_tls(host: LiveHost) -> AsyncIterator[RawPeer]:
    address, port = (host.address or "").split(":")
    reader, writer = await asyncio.open_connection(address, int(port), ssl=dialer_context(), server_hostname="")
    try:
        yield RawPeer(reader, writer)
    finally:
        writer.transport.abort()


@asynccontextmanager
async def raw_peer(host: LiveHost, key: NodeKey | None = None) -> AsyncIterator[RawPeer]:
    """Dial and prove ourselves, then say nothing."""
    async with raw_tls(host) as peer:
        tls: ssl.SSLObject = peer.writer.get_extra_info("ssl_object")
        listener_key = key_of_certificate(tls.getpeercert(binary_form=True))
        handshake = DialerHandshake(key or NodeKey.generate(), NETWORK, listener_key)
        answer = handshake.receive(await peer.reader.readexactly(32))
        assert answer is not None
        peer.writer.write(answer)
        handshake.check_verdict(await peer.next())
        yield peer


def unlinked(host: LiveHost) -> list[str]:
    return [request.reason for request in heard(host, Unlinked)]


@in_loops
async def test_a_ball_goes_back_and_forth() -> None:
    a, b = make_host(), make_host()
    async with running(a, b):
        await link(a, b)
        assert heard(a, Linked) == [Linked(b.key.node_id, b.address, True)]
        assert [(x.peer, x.outbound) for x in heard(b, Linked)] == [(a.key.node_id, False)]
        a.ask(Throw(Ball(9)))
        await until(lambda: len(heard(a, Ball)) == 5)
        assert [ball.count for ball in heard(b, Ball)] == [9, 7, 5, 3, 1]
        assert [ball.count for ball in heard(a, Ball)] == [8, 6, 4, 2, 0]
        assert a.sent[Ball] == a.received[Ball] == 5
        await until(lambda: a.peers()[0].rtt_ms and b.peers()[0].rtt_ms)
        (info,) = a.peers()
        assert info.peer == b.key.node_id
        assert info.address == b.address
        assert info.outbound
        assert 0 < info.rtt_ms < 5000
        assert info.bytes_in > 32
        assert info.bytes_out > 96
        assert a.half_open == b.half_open == 0


@in_loops
async def test_lost_is_heard_after_the_last_message() -> None:
    a, b = make_host(), make_host()
    async with running(a, b):
        await link(a, b)
        a.ask(Do([Send(b.key.node_id, Ball(0, bytes([n]))) for n in range(100)] + [Drop(b.key.node_id, "enough")]))
        await until(lambda: heard(b, Lost) and heard(a, Lost))
        assert [ball.pad for ball in heard(b, Ball)] == [bytes([n]) for n in range(100)]
        assert b.machine.events[-1] == Lost(a.key.node_id)
        assert a.peers() == b.peers() == []
        assert b.counters["drop", "goodbye"] == 1
        a.ask(Do([Send(b.key.node_id, Ball(0))]))  # to a peer that is gone: silently nothing
        await link(a, b)
        assert len(heard(b, Ball)) == 100


@in_loops
async def test_big_messages_keep_their_order_and_content() -> None:
    a, b = make_host(max_size_bytes=1 << 21), make_host(max_size_bytes=1 << 21)
    async with running(a, b):
        await link(a, b)
        pads = [bytes([n]) * size for n, size in enumerate([1, 1 << 20, 3, 70_000, 1 << 20, 16_384, 300_000])]
        a.ask(Do([Send(b.key.node_id, Ball(0, pad)) for pad in pads]))
        await until(lambda: len(heard(b, Ball)) == len(pads))
        assert [ball.pad for ball in heard(b, Ball)] == pads


@in_loops
async def test_a_flood_is_read_no_faster_than_it_is_handled() -> None:
    limits = replace(QUICK, max_backlog_bytes=5_000)
    a, b = make_host(), make_host(limits=limits)
    async with running(a, b):
        await link(a, b)
        backlogs: list[int] = []
        (inner,) = b._links.values()
        b.on_notice(lambda _: backlogs.append(inner.backlog_bytes), Ball)
        a.ask(Do([Send(b.key.node_id, Ball(0, bytes(300))) for _ in range(20_000)]))
        await until(lambda: len(heard(b, Ball)) == 20_000, 25)
        assert max(backlogs) <= 5_000 + 256 * 1024  # the bound and one read
        assert not inner.is_paused


@in_loops
async def test_reading_stops_while_the_threads_are_behind() -> None:
    import threading

    gate = threading.Event()

    class Job:
        modelled_s = 0.0

        def run(self) -> None:
            gate.wait(20)

    a, b = make_host(), make_host(threads=1, max_jobs=4)
    async with running(a, b):
        await link(a, b)
        (inner,) = b._links.values()
        b.ask(Do([Run(Job()) for _ in range(4)]))
        await until(lambda: inner.is_paused)
        a.ask(Throw(Ball(0)))
        gate.set()
        await until(lambda: heard(b, Ball))
        assert not inner.is_paused


@in_loops
async def test_dialing_nobody_says_so() -> None:
    a = make_host()
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{unused.getsockname()[1]}"
        async with running(a):
            a.ask(Dial(address))
            a.ask(Dial("no port"))
            await until(lambda: len(unlinked(a)) == 2)
            found = {x.address: x.reason for x in heard(a, Unlinked)}
            assert found[address] == "connection refused"
            assert "write host:port" in found["no port"]


@in_loops
async def test_a_listener_that_never_answers_is_given_up() -> None:
    a = make_host(limits=replace(QUICK, dial_timeout_s=0.1))
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        async with running(a):
            a.ask(Dial(f"127.0.0.1:{silent.getsockname()[1]}"))
            await until(lambda: unlinked(a))
            assert unlinked(a) == ["no connection within 0.1 s"]


@in_loops
async def test_another_than_expected_is_refused() -> None:
    a, b = make_host(), make_host()
    async with running(a, b):
        a.ask(Dial(b.address or "", expect=bytes(32)))
        await until(lambda: unlinked(a))
        assert b.key.node_id.hex() in unlinked(a)[0]
        a.ask(Dial(b.address or "", expect=b.key.node_id))
        await until(lambda: heard(a, Linked))


@in_loops
async def test_another_network_is_refused_with_the_reason() -> None:
    a, b = make_host(), make_host(network_id=b"x" * 32)
    async with running(a, b):
        a.ask(Dial(b.address or ""))
        await until(lambda: unlinked(a))
        assert unlinked(a)[0].startswith("another network: the listener is of " + (b"x" * 32).hex())
        await until(lambda: b.counters["drop", "handshake"] == 1)
        assert not heard(b, Linked)


@in_loops
async def test_a_node_does_not_link_to_itself() -> None:
    a = make_host()
    async with running(a):
        a.ask(Dial(a.address or ""))
        await until(lambda: unlinked(a))
        assert unlinked(a) == ["the address is this node's own"]
        assert not heard(a, Linked)


@in_loops
async def test_a_second_dial_is_refused_while_the_first_link_stands() -> None:
    a, b = make_host(), make_host()
    async with running(a, b):
        await link(a, b)
        a.ask(Dial(b.address or ""))
        await until(lambda: unlinked(a))
        assert unlinked(a) == ["already linked to this node"]
        assert len(a.peers()) == len(b.peers()) == 1
        assert not heard(b, Lost)


@in_loops
async def test_two_names_of_one_listener_give_one_link() -> None:
    a, b = make_host(), make_host()
    async with running(a, b):
        port = (b.address or "").split(":")[1]
        a.ask(Do([]))
        a.ask(Dial(f"127.0.0.1:{port}"))
        a.ask(Dial(f"localhost:{port}"))
        await until(lambda: heard(a, Linked) and unlinked(a))
        a.ask(Throw(Ball(3)))
        await until(lambda: any(ball.count == 0 for ball in heard(a, Ball)))
        assert len(a.peers()) == len(b.peers()) == 1


@in_loops
async def test_when_both_dial_the_smaller_ids_link_stands() -> None:
    small, large = keys_in_order()
    a, b = make_host(key=small), make_host(key=large)
    async with running(a, b):
        for _ in range(5):
            a.ask(Dial(b.address or ""))
            b.ask(Dial(a.address or ""))
            await until(
                lambda: (
                    [(x.peer, x.outbound) for x in a.peers()] == [(large.node_id, True)]
                    and [(x.peer, x.outbound) for x in b.peers()] == [(small.node_id, False)]
                    and not a._dialing
                    and not b._dialing
                    and a.machine.peers == {large.node_id: True}
                    and b.machine.peers == {small.node_id: False}
                )
            )
            a.ask(Throw(Ball(3)))
            await until(lambda: any(ball.count == 0 for ball in heard(a, Ball)))
            a.ask(Do([Drop(large.node_id)]))
            await until(lambda: not a.machine.peers and not b.machine.peers)
            a.machine.events.clear()


@in_loops
async def test_the_larger_ids_link_gives_way_and_the_machines_hear_it() -> None:
    small, large = keys_in_order()
    a, b = make_host(key=small), make_host(key=large)
    async with running(a, b):
        await link(b, a)
        a.ask(Dial(b.address or ""))
        await until(lambda: len(heard(a, Linked)) == 2 and len(heard(b, Linked)) == 2)
        order = [type(x) for x in heard(a, object) if isinstance(x, Linked | Lost)]
        assert order == [Linked, Lost, Linked]
        assert [x.outbound for x in a.peers()] == [True]
        assert [x.outbound for x in b.peers()] == [False]


@in_loops
async def test_a_node_that_comes_back_replaces_its_old_link() -> None:
    key = NodeKey.generate()
    host = make_host()
    async with running(host), raw_peer(host, key) as first:
        await until(lambda: heard(host, Linked))
        async with raw_peer(host, key):
            await until(lambda: len(heard(host, Linked)) == 2)
            assert await first.goodbye() == "replaced by another link"
            assert [type(x) for x in heard(host, object) if isinstance(x, Linked | Lost)] == [Linked, Lost, Linked]


@in_loops
async def test_links_are_bounded_each_way() -> None:
    one_in = make_host(limits=replace(QUICK, max_inbound=1))
    a, b = make_host(limits=replace(QUICK, max_outbound=1)), make_host()
    async with running(one_in, a, b):
        await link(a, one_in)
        b.ask(Dial(one_in.address or ""))
        await until(lambda: unlinked(b))
        assert "no room" in unlinked(b)[0]
        a.ask(Dial(b.address or ""))
        await until(lambda: unlinked(a))
        assert "limit is 1" in unlinked(a)[0]


@in_loops
async def test_an_oversize_frame_costs_the_link() -> None:
    host = make_host(max_size_bytes=1000)
    async with running(host), raw_peer(host) as peer:
        peer.writer.write((1001).to_bytes(4, "big"))
        await until(lambda: heard(host, Lost))
        assert host.counters["drop", "frame"] == 1


@in_loops
async def test_a_message_of_another_wire_costs_the_link() -> None:
    host = make_host()
    async with running(host), raw_peer(host) as peer:
        peer.writer.write(frame(b"\x91\xa1z"))
        assert "none of this wire" in await peer.goodbye()
        await until(lambda: heard(host, Lost))
        assert host.counters["drop", "decode"] == 1


@in_loops
async def test_a_slow_frame_costs_the_link() -> None:
    host = make_host(limits=replace(QUICK, frame_timeout_s=0.2))
    whole = frame(Wire([Ball], max_size_bytes=1000).encode(Ball(0)))
    async with running(host), raw_peer(host) as peer:
        peer.writer.write(whole + whole[:5])
        await until(lambda: heard(host, Ball))
        await until(lambda: heard(host, Lost))
        assert host.counters["drop", "slow"] == 1


@in_loops
async def test_a_steady_stream_is_not_slow() -> None:
    """Every moment ends within some frame, none of them takes long."""
    host = make_host(limits=replace(QUICK, frame_timeout_s=0.2))
    stream = frame(Wire([Ball], max_size_bytes=1000).encode(Ball(0))) * 2
    half = len(stream) // 4
    async with running(host), raw_peer(host) as peer:
        peer.writer.write(stream[:half])
        for _ in range(60):
            peer.writer.write(stream[half:] + stream[:half])
            await asyncio.sleep(0.01)
        assert not heard(host, Lost)
        assert len(heard(host, Ball)) > 60


@in_loops
async def test_a_frozen_peer_is_noticed() -> None:
    host = make_host(limits=replace(QUICK, ping_every_s=0.1, silence_timeout_s=0.3))
    async with running(host), raw_peer(host) as peer:
        assert "silent" in await peer.goodbye()
        assert host.counters["drop", "silence"] == 1
        await until(lambda: heard(host, Lost))


@in_loops
async def test_pings_keep_an_idle_link_alive() -> None:
    limits = replace(QUICK, ping_every_s=0.05, silence_timeout_s=0.3)
    a, b = make_host(limits=limits), make_host(limits=limits)
    async with running(a, b):
        await link(a, b)
        before = a.peers()[0].bytes_in
        await until(lambda: a.peers()[0].bytes_in > before + 400)  # dozens of pings, over a second
        assert not heard(a, Lost)


@in_loops
async def test_who_does_not_read_for_long_is_dropped() -> None:
    limits = replace(QUICK, max_queue_bytes=500_000, queue_grace_s=0.2, hard_queue_factor=100)
    host = make_host(limits=limits)
    async with running(host), raw_peer(host) as peer:
        peer.writer.transport.pause_reading()  # type: ignore[attr-defined]
        await until(lambda: heard(host, Linked))
        host.ask(Do([Send(x, Ball(0, bytes(90_000))) for x in host.machine.peers for _ in range(200)]))
        await until(lambda: heard(host, Lost))
        assert host.counters["drop", "queue"] == 1


@in_loops
async def test_far_over_the_bound_is_dropped_at_once() -> None:
    host = make_host(limits=replace(QUICK, max_queue_bytes=500_000, queue_grace_s=3600))
    async with running(host), raw_peer(host) as peer:
        peer.writer.transport.pause_reading()  # type: ignore[attr-defined]
        await until(lambda: heard(host, Linked))
        host.ask(Do([Send(x, Ball(0, bytes(90_000))) for x in host.machine.peers for _ in range(300)]))
        await until(lambda: heard(host, Lost))
        assert host.counters["drop", "queue"] == 1


@in_loops
async def test_a_stranger_who_says_nothing_is_closed() -> None:
    host = make_host(limits=replace(QUICK, handshake_timeout_s=0.2))
    async with running(host), raw_tls(host) as peer:
        assert host.half_open == 1
        assert len(await peer.reader.readexactly(32)) == 32
        await until(lambda: host.half_open == 0)
        assert host.counters["drop", "timeout"] == 1
        assert not heard(host, Linked)


@in_loops
async def test_a_stranger_who_speaks_no_tls_is_closed() -> None:
    host = make_host()
    async with running(host):
        _, writer = await asyncio.open_connection(*(host.address or "").split(":"))
        writer.write(b"GET / HTTP/1.1\r\n\r\n" * 10)
        await until(lambda: host.counters["drop", "tls"] == 1)
        assert host.half_open == 0
        writer.transport.abort()


@in_loops
async def test_half_open_connections_are_bounded() -> None:
    host = make_host(limits=replace(QUICK, max_half_open_per_ip=3, handshake_timeout_s=0.5))
    async with running(host):
        address, port = (host.address or "").split(":")
        strangers = [await asyncio.open_connection(address, int(port)) for _ in range(5)]
        await until(lambda: host.turned_away == 2)
        assert host.half_open == 3
        await until(lambda: host.half_open == 0)
        for _, writer in strangers:
            writer.transport.abort()
        a = make_host()
        async with running(a):
            await link(a, host)


@in_loops
async def test_half_open_connections_are_bounded_in_total() -> None:
    host = make_host(limits=replace(QUICK, max_half_open=2))
    async with running(host):
        address, port = (host.address or "").split(":")
        strangers = [await asyncio.open_connection(address, int(port)) for _ in range(3)]
        await until(lambda: host.turned_away == 1)
        for _, writer in strangers:
            writer.transport.abort()
        await until(lambda: host.half_open == 0)


@in_loops
async def test_a_wire_that_fails_costs_the_link_alone() -> None:
    a, b = make_host(), make_host()
    async with running(a, b):
        await link(a, b)
        b._wire._decoder = None  # type: ignore[assignment]
        a.ask(Throw(Ball(1)))
        await until(lambda: heard(b, Lost))
        assert b.counters["error", "AttributeError"] == 1


@in_loops
async def test_a_taken_port_is_told() -> None:
    a = make_host()
    async with running(a):
        b = make_host(listen=a.address)
        with pytest.raises(NetworkError, match="taken by another program; stop it, or listen on another port"):
            await b.start()
        await b.stop()


@in_loops
async def test_the_port_is_free_after_stop_and_after_a_failed_boot() -> None:
    a = make_host()
    await a.start()
    address = a.address
    await a.stop()
    await a.stop()

    def boot(place: Any) -> Any:
        raise UsageError("no such machine")

    broken = LiveHost(boot, node_key=NodeKey.generate(), network_id=NETWORK, disk=None, listen=address)  # type: ignore[arg-type]
    with pytest.raises(UsageError):
        await broken.start()
    b = make_host(listen=address)
    async with running(b):
        assert b.address == address


@pytest.mark.parametrize(
    "address", ["", "host", "host:", ":80", "host:65536", "::1:80", "a b:80", "host:-1", "h" * 300 + ":1"]
)
def test_bad_addresses_are_refused(address: str) -> None:
    with pytest.raises(UsageError, match="host"):
        asyncio.run(make_host(listen=address).start())


@in_loops
async def test_foreign_interfaces_are_told() -> None:
    with pytest.raises(NetworkError, match="not an address of this machine"):
        await make_host(listen="192.0.2.1:0").start()  # RFC 5737: an address that nobody has


@in_loops
async def test_a_machine_that_fails_on_a_message_drops_its_sender_and_goes_on() -> None:
    a, b = make_host(), make_host()
    async with running(a, b):
        await link(a, b)
        b.machine._on_ball = lambda peer, ball: 1 // 0
        a.ask(Throw(Ball(1)))
        await until(lambda: heard(a, Lost) and heard(b, Lost))
        assert b.counters["error", "ZeroDivisionError"] == 1
        assert b.counters["drop", "error"] == 1
        await link(a, b)


@in_loops
async def test_garbage_after_the_handshake_never_stops_a_host() -> None:
    import random

    dice = random.Random(5)
    host = make_host(max_size_bytes=200)
    async with running(host):
        for _ in range(30):
            async with raw_peer(host) as peer:
                lost = len(heard(host, Lost))
                peer.writer.write(frame(dice.randbytes(dice.randrange(1, 200))) + dice.randbytes(300))
                await until(lambda lost=lost: len(heard(host, Lost)) > lost)
        assert not heard(host, Received)
        host.ask("alive")
        await until(lambda: "alive" in heard(host, str))
