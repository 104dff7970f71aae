"""How fast the live world moves messages, beside bare asyncio TLS: two processes over loopback (docs/decisions/transport.md).

    python tests/world/live/bench_transport.py            # everything, on asyncio's loop and on uvloop
    python tests/world/live/bench_transport.py host-64k   # one row

Each row is the median of several runs; the receiver counts from the first message to the last.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "src"))

from horoi.machine import Action, Asked, Dial, Event, Linked, Received, Send, Tell
from horoi.machine.host import Hosted
from horoi.machine.wire import Message, Wire
from horoi.world.live.channel import dialer_context, listener_context
from horoi.world.live.disk import LiveDisk
from horoi.world.live.frames import FrameBuffer, frame
from horoi.world.live.host import LiveHost
from horoi.world.live.node_key import NodeKey
from horoi.world.live.run import loop_factory

SHAPES = {"64k": (65_536, 20_000), "300": (300, 300_000)}
WINDOW_BYTES = (
    8 * 1024 * 1024
)  # as a swarm or a sync keeps in flight; smaller ones measure the processes waking each other
RUNS = 3
KEY = NodeKey(bytes(31) + b"\x01")


class Piece(Message, frozen=True, tag="p"):
    data: bytes


class Ack(Message, frozen=True, tag="a"):
    count: int


class Source:
    """Sends ``total`` pieces to whom it is linked, with a window."""

    def __init__(self, size: int, total: int) -> None:
        self.piece = Piece(bytes(size - 6))
        self.left = total
        self.room = max(8, WINDOW_BYTES // size)

    def handle(self, event: Event, now: float) -> list[Action]:
        if isinstance(event, Asked) and isinstance(event.request, Linked):
            return self.fill(event.request.peer)
        if isinstance(event, Received):
            self.room += event.message.count
            return self.fill(event.peer)
        return []

    def fill(self, peer: Any) -> list[Action]:
        count = min(self.room, self.left)
        self.left -= count
        self.room -= count
        return [Send(peer, Piece(self.piece.data)) for _ in range(count)]


class Sink:
    """Counts, acknowledges every sixteenth of the window, and tells when all are there."""

    def __init__(self, size: int, total: int) -> None:
        self.every = max(4, WINDOW_BYTES // size // 16)
        self.total = total
        self.count = 0
        self.began = 0.0

    def handle(self, event: Event, now: float) -> list[Action]:
        if not isinstance(event, Received):
            return []
        self.count += 1
        if self.count == 1:
            self.began = now
        if self.count == self.total:
            return [Tell(now - self.began)]
        return [Send(event.peer, Ack(self.every))] if self.count % self.every == 0 else []


def host_of(machine: Any, folder: str, key: NodeKey, listen: str | None) -> LiveHost:
    wire = Wire([Piece, Ack], max_size_bytes=1 << 20)
    disk = LiveDisk(Path(folder))
    return LiveHost(lambda place: Hosted(machine, wire), node_key=key, network_id=bytes(32), disk=disk, listen=listen)


async def host_receive(size: int, total: int) -> float:
    with tempfile.TemporaryDirectory() as folder:
        host = host_of(Sink(size, total), folder, KEY, "127.0.0.1:0")
        done: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        host.on_notice(done.set_result, float)
        await host.start()
        print((host.address or "").split(":")[1], flush=True)
        elapsed_s = await done
        await host.stop()
        return elapsed_s


async def host_send(port: int, size: int, total: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        host = host_of(Source(size, total), folder, NodeKey.generate(), None)
        await host.start()
        host._dial(Dial(f"127.0.0.1:{port}"))
        while not host.peers():
            await asyncio.sleep(0.001)
        while host.peers():
            await asyncio.sleep(0.02)
        await host.stop()


async def streams_receive(size: int, total: int) -> float:
    done: asyncio.Future[float] = asyncio.get_running_loop().create_future()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        began = 0.0
        for n in range(total):
            (length,) = struct.unpack(">I", await reader.readexactly(4))
            await reader.readexactly(length)
            began = began if n else time.monotonic()
        done.set_result(time.monotonic() - began)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=listener_context(KEY))
    print(server.sockets[0].getsockname()[1], flush=True)
    return await done


async def streams_send(port: int, size: int, total: int) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=dialer_context(), server_hostname="")
    framed = frame(bytes(size))
    for _ in range(total):
        writer.write(framed)
        await writer.drain()
    await writer.wait_closed()


class Counter(asyncio.Protocol):
    """Bare frames on a bare protocol, one call per read."""

    def __init__(self, total: int, done: asyncio.Future[float]) -> None:
        self.buffer = FrameBuffer(1 << 20)
        self.total, self.done = total, done
        self.count = 0
        self.began = 0.0

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        if not self.count:
            self.began = time.monotonic()
        self.count += len(self.buffer.feed(data))
        if self.count == self.total and not self.done.done():
            self.done.set_result(time.monotonic() - self.began)
            self.transport.close()


class BufferedCounter(asyncio.BufferedProtocol):
    """The same over a buffer of our own: the library reads straight into it."""

    def __init__(self, total: int, done: asyncio.Future[float]) -> None:
        self.inner = Counter(total, done)
        self.memory = bytearray(256 * 1024)
        self.view = memoryview(self.memory)

    def connection_made(self, transport: Any) -> None:
        self.inner.transport = transport

    def get_buffer(self, sizehint: int) -> memoryview:
        return self.view

    def buffer_updated(self, nbytes: int) -> None:
        self.inner.data_received(bytes(self.view[:nbytes]))


class Pump(asyncio.Protocol):
    """Writes whenever the transport wants more, 256 KiB at once as the host does."""

    def __init__(self, size: int, total: int) -> None:
        self.framed = frame(bytes(size))
        self.left = total
        self.at_once = max(1, 256 * 1024 // size)
        self.closed = asyncio.get_running_loop().create_future()
        self.is_paused = False

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self.go_on()

    def go_on(self) -> None:
        while self.left and not self.is_paused:
            count = min(self.at_once, self.left)
            self.left -= count
            self.transport.write(b"".join([self.framed] * count))

    def pause_writing(self) -> None:
        self.is_paused = True

    def resume_writing(self) -> None:
        self.is_paused = False
        self.go_on()

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed.set_result(None)


async def protocol_receive(size: int, total: int, kind: Any = Counter) -> float:
    loop = asyncio.get_running_loop()
    done: asyncio.Future[float] = loop.create_future()
    server = await loop.create_server(lambda: kind(total, done), "127.0.0.1", 0, ssl=listener_context(KEY))
    print(server.sockets[0].getsockname()[1], flush=True)
    return await done


async def buffered_receive(size: int, total: int) -> float:
    return await protocol_receive(size, total, BufferedCounter)


async def protocol_send(port: int, size: int, total: int) -> None:
    _, pump = await asyncio.get_running_loop().create_connection(
        lambda: Pump(size, total), "127.0.0.1", port, ssl=dialer_context(), server_hostname=""
    )
    await pump.closed


WAYS: dict[str, tuple[Any, Any]] = {
    "streams": (streams_receive, streams_send),
    "protocol": (protocol_receive, protocol_send),
    "buffered": (buffered_receive, protocol_send),
    "host": (host_receive, host_send),
}


def child(loop_kind: str, role: str, way: str, shape: str, port: str) -> None:
    size, total = SHAPES[shape]
    receive, send = WAYS[way]
    began_s = time.process_time()
    with asyncio.Runner(loop_factory=loop_factory() if loop_kind == "uvloop" else None) as runner:
        if role == "receive":
            elapsed_s = runner.run(receive(size, total))
            print(json.dumps([elapsed_s, time.process_time() - began_s]), flush=True)
        else:
            runner.run(send(int(port), size, total))
            print(json.dumps(time.process_time() - began_s), flush=True)


def measure(loop_kind: str, way: str, shape: str) -> tuple[float, float]:
    """Seconds from the first message to the last, and processor seconds of the busier process."""
    command = [sys.executable, __file__, "--child", loop_kind]
    receiver = subprocess.Popen([*command, "receive", way, shape, "0"], stdout=subprocess.PIPE, text=True)
    assert receiver.stdout
    port = receiver.stdout.readline().strip()
    sender = subprocess.run([*command, "send", way, shape, port], stdout=subprocess.PIPE, check=True)
    elapsed_s, cpu_s = json.loads(receiver.stdout.readline())
    receiver.wait(30)
    return elapsed_s, max(cpu_s, json.loads(sender.stdout))


def main(only: list[str]) -> None:
    print(f"medians of {RUNS}; the last two columns are per processor second of the busier process")
    loops = ["asyncio", "uvloop"] if loop_factory() else ["asyncio"]
    names = [(way, shape) for shape in SHAPES for way in WAYS if not only or f"{way}-{shape}" in only]
    found: dict[tuple[str, str, str], list[tuple[float, float]]] = {}
    for _ in range(RUNS):  # interleaved, so that a neighbour's load falls on all alike
        for loop_kind in loops:
            for way, shape in names:
                found.setdefault((loop_kind, way, shape), []).append(measure(loop_kind, way, shape))
    for (loop_kind, way, shape), results in found.items():
        size, total = SHAPES[shape]
        elapsed_s, cpu_s = (statistics.median(column) for column in zip(*results, strict=True))
        rates = [f"{total / s:10,.0f} messages/s {total * size / s / 1e6:6.0f} MB/s" for s in (elapsed_s, cpu_s)]
        print(f"{loop_kind:8} {way:9} {shape:4} {'  |'.join(rates)}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        child(*sys.argv[2:])
    else:
        main(sys.argv[1:])
