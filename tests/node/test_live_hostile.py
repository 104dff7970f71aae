"""Two real nodes over TLS, and strangers who speak garbage, too much, too slowly or not at all: the two go on."""

from __future__ import annotations

import asyncio
import random
import ssl
from collections.abc import Callable
from contextlib import suppress

import pytest
from tests.node.live_nodes import OWNER, quick_genesis
from tests.world.live.live_pingpong import running, until

from horoi.base.codec import encode
from horoi.ledger.conditions import Key
from horoi.ledger.genesis import Genesis, network_id
from horoi.node.node import Node, NodeConfig, boot_node
from horoi.node.peers.messages import PROTOCOL_VERSION, Hello
from horoi.world.live.channel import DialerHandshake, dialer_context, key_of_certificate
from horoi.world.live.frames import LENGTH_SIZE_BYTES, FrameBuffer, frame
from horoi.world.live.host import LiveHost
from horoi.world.live.limits import Limits
from horoi.world.live.node_key import NodeKey
from horoi.world.sim.disk import SimDisk

QUICK = Limits(
    handshake_timeout_s=1.0, ping_every_s=0.5, silence_timeout_s=2.0, frame_timeout_s=1.0, linger_s=0.2, max_half_open=8
)


def make_node(genesis: Genesis, lives: list[Node], *connect: str) -> LiveHost:
    config = NodeConfig(genesis=genesis, connect=connect, hash_rate=1_500, reward_to=Key(OWNER.public))
    return LiveHost(
        boot_node(config, lives.append),
        node_key=NodeKey.generate(),
        network_id=network_id(genesis),
        disk=SimDisk(random.Random(len(lives))),
        listen="127.0.0.1:0",
        limits=QUICK,
    )


class Stranger:
    """A raw TLS connection that has proven a key, and says whatever a test wants."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @classmethod
    async def dial(cls, host: LiveHost, *, prove: bool = True) -> Stranger:
        address, port = (host.address or "").split(":")
        reader, writer = await asyncio.open_connection(address, int(port), ssl=dialer_context(), server_hostname="")
        if prove:
            tls: ssl.SSLObject = writer.get_extra_info("ssl_object")
            listener = key_of_certificate(tls.getpeercert(binary_form=True))
            handshake = DialerHandshake(NodeKey.generate(), host.network_id, listener)
            answer = handshake.receive(await reader.readexactly(32))
            assert answer is not None
            writer.write(answer)
            buffer = FrameBuffer(1 << 20)
            payloads: list[bytes] = []
            while not payloads:
                payloads = buffer.feed(await reader.read(1 << 16))
            handshake.check_verdict(payloads[0])
        return cls(reader, writer)

    def say(self, data: bytes) -> None:
        with suppress(OSError):
            self.writer.write(data)

    async def is_closed(self, limit_s: float = 10.0) -> bool:
        """Read what comes until the other end closes."""

        async def drain() -> None:
            with suppress(OSError):
                while await self.reader.read(1 << 16):
                    pass

        try:
            await asyncio.wait_for(drain(), limit_s)
        except TimeoutError:
            return False
        finally:
            self.writer.transport.abort()
        return True


def greeting(host: LiveHost) -> bytes:
    hello = Hello(PROTOCOL_VERSION, host.network_id, b"stranger", 0, "", 0, "stranger")
    return frame(encode(hello))


async def trickle(stranger: Stranger) -> None:
    """A frame whose bytes come one at a time."""
    stranger.say((1_000).to_bytes(LENGTH_SIZE_BYTES, "big"))
    for _ in range(100):
        stranger.say(b"x")
        await asyncio.sleep(0.05)
        if stranger.writer.is_closing():
            return


ATTACKS: dict[str, tuple[str, Callable[[LiveHost], bytes]]] = {
    "oversized frame": ("frame", lambda host: (host.max_frame_bytes + 1).to_bytes(LENGTH_SIZE_BYTES, "big")),
    "empty frame": ("frame", lambda host: bytes(LENGTH_SIZE_BYTES)),
    "garbage message": ("decode", lambda host: frame(b"\xff" * 50)),
    "unknown message": ("decode", lambda host: frame(b"\x92\xa4what\x01")),
    "silence": ("silence", lambda host: b""),
    "silence after hello": ("silence", greeting),
}


async def attack_all(victim: LiveHost) -> None:
    """Every attack at once, and those before the handshake."""
    strangers = {what: await Stranger.dial(victim) for what in ATTACKS}
    for what, stranger in strangers.items():
        stranger.say(ATTACKS[what][1](victim))
    slow = await Stranger.dial(victim)
    trickling = asyncio.ensure_future(trickle(slow))
    mute = [await Stranger.dial(victim, prove=False) for _ in range(3)]
    liar = await Stranger.dial(victim, prove=False)
    liar.say(random.Random(1).randbytes(96))
    for what, stranger in strangers.items():
        assert await stranger.is_closed(), what
    assert await slow.is_closed()
    await trickling
    for stranger in (*mute, liar):
        assert await stranger.is_closed()
    dropped = victim.counters
    for category, least in (("frame", 2), ("decode", 2), ("silence", 2), ("slow", 1), ("timeout", 3), ("handshake", 1)):
        assert dropped["drop", category] >= least, (category, dropped)


async def play() -> None:
    genesis = quick_genesis(2, 1)
    lives: list[Node] = []
    first = make_node(genesis, lives)
    async with running(first):
        second = make_node(genesis, lives, first.address or "")
        async with running(second):
            await until(lambda: len(first.peers()) == 1 and all(n.peers.peers()[0].ready for n in lives))
            height = lives[0].chain.tip.height
            await attack_all(first)
            assert [peer.peer for peer in first.peers()] == [second.key.node_id], "the honest link stands, and only it"
            await until(lambda: all(node.chain.tip.height > height + 1 for node in lives), 30)
            await until(lambda: len({node.chain.tip.name for node in lives}) == 1, 30)
            assert first.half_open == 0


@pytest.mark.real
def test_strangers_cost_two_honest_nodes_nothing() -> None:
    asyncio.run(asyncio.wait_for(play(), 90))
