"""Mainline against peers that nobody here wrote: what one stores another gets, in every direction."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
from collections.abc import Awaitable
from pathlib import Path
from typing import Any

import pytest
from dht_foreign import (
    PATIENCE_S,
    AriaPeer,
    LibtorrentPeer,
    Network,
    NpmPeer,
    ask,
    free_port,
    install_npm,
    loopback_dht,
    require_programs,
    start_horoi,
    until,
)
from tests.loopback import needs_ipv6

from horoi.lookup.kademlia import bencode
from horoi.lookup.kademlia.messages import Signed
from horoi.lookup.kademlia.requests import Announce, FoundItem, GetSigned, PingPeer, Ponged, PutSigned, Scrape, Scraped
from horoi.lookup.kademlia.signing import immutable_target, public_key_of, sign
from horoi.lookup.vocabulary import FindProviders, Get, Providers, Put, Stored, Value
from horoi.world.live.datagram import DatagramHost

pytestmark = [pytest.mark.foreign, pytest.mark.real]

SECRETS = [bytes([number]) * 32 for number in range(1, 4)]
SALT = b"horoi"


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Path:
    require_programs()
    return install_npm(tmp_path_factory.mktemp("npm"))


class Horoi:
    """The same verbs as the foreign peers."""

    kind = "horoi"

    def __init__(self, host: DatagramHost) -> None:
        self._host = host

    async def put(self, value: bytes) -> str:
        encoded = bencode.encode(value)
        key = immutable_target(encoded)
        assert isinstance(await ask(self._host, Put(object(), key, encoded)), Stored)
        return f"{key:040x}"

    async def get(self, key: str) -> bytes | None:
        number = int(key, 16)
        found = await ask(self._host, Get(object(), number))
        return bencode.decode(found.value) if isinstance(found, Value) else None

    async def put_signed(self, secret: bytes, salt: bytes, value: bytes, seq: int) -> None:
        encoded = bencode.encode(value)
        signed = Signed(public_key_of(secret), seq, sign(secret, encoded, seq, salt), salt)
        assert isinstance(await ask(self._host, PutSigned(object(), encoded, signed)), Stored)

    async def get_signed(self, public_key: bytes, salt: bytes) -> bytes | None:
        found = await ask(self._host, GetSigned(object(), public_key, salt))
        return bencode.decode(found.item.value) if isinstance(found, FoundItem) else None

    async def announce(self, key: str, port: int) -> None:
        assert isinstance(await ask(self._host, Announce(object(), int(key, 16), port)), Stored)

    async def find(self, key: str) -> set[str]:
        found = await ask(self._host, FindProviders(object(), int(key, 16)))
        assert isinstance(found, Providers)
        return {"{}:{}".format(*peer.address) for peer in found.providers}


Peer = Horoi | LibtorrentPeer | NpmPeer


def one_of_each(network: Network, which: int) -> list[Peer]:
    return [Horoi(network.horoi[which]), network.libtorrent[which], network.npm[which]]


def addresses(host: DatagramHost) -> set[str]:
    return {contact.address[0] for contact in host.machine.table}


async def all_have_met(network: Network) -> None:
    """Each peer of Horoi knows peers of each kind, and each of npm's, which say whom they know, knows one of Horoi's."""
    for host in network.horoi:
        for foreign in (network.libtorrent, network.npm):
            theirs = {peer.address[0] for peer in foreign}
            await until(lambda host=host, theirs=theirs: addresses(host) & theirs, "meeting each kind")
    own = {host.address for host in network.horoi}
    for peer in network.npm:
        await eventually(lambda peer=peer: peer.nodes(), lambda nodes: own & nodes)


async def eventually(ask: Any, is_right: Any) -> Any:
    """Ask until the answer is right: a foreign peer's put tells nobody when it is done."""
    found: list[Any] = [None]

    async def once() -> bool:
        try:
            found[0] = await ask()
        except Exception as error:
            found[0] = error
        return bool(is_right(found[0]))

    deadline = asyncio.get_running_loop().time() + PATIENCE_S
    while not await once():
        assert asyncio.get_running_loop().time() < deadline, f"the last answer was {found[0]!r}"
        await asyncio.sleep(0.2)
    return found[0]


def play(coroutine: Awaitable[None]) -> None:
    asyncio.run(asyncio.wait_for(coroutine, 240))


@pytest.mark.slow
def test_what_one_stores_another_gets(driver: Path) -> None:
    async def scenario() -> None:
        async with loopback_dht(driver) as network:
            await all_have_met(network)
            for number, writer in enumerate(one_of_each(network, 0)):
                value = f"immutable, by {writer.kind}".encode()
                key = await writer.put(value)
                assert key == hashlib.sha1(bencode.encode(value), usedforsecurity=False).hexdigest()
                secret = SECRETS[number]
                signed = f"signed, by {writer.kind}".encode()
                await writer.put_signed(secret, SALT, signed, 1)
                for reader in [*one_of_each(network, 1), *one_of_each(network, 2)]:
                    assert await eventually(lambda r=reader, k=key: r.get(k), lambda v, value=value: v == value)
                    assert await eventually(
                        lambda r=reader, s=secret: r.get_signed(public_key_of(s), SALT),
                        lambda v, signed=signed: v == signed,
                    )

    play(scenario())


@pytest.mark.slow
def test_peers_are_announced_and_found(driver: Path) -> None:
    async def scenario() -> None:
        async with loopback_dht(driver) as network:
            await all_have_met(network)
            for number, writer in enumerate(one_of_each(network, 0)):
                key = hashlib.sha1(writer.kind.encode(), usedforsecurity=False).hexdigest()
                await writer.announce(key, 7000 + number)
                for reader in [*one_of_each(network, 1), *one_of_each(network, 2)]:
                    await eventually(
                        lambda r=reader, k=key: r.find(k),
                        lambda peers, n=number: (
                            isinstance(peers, set) and any(p.endswith(f":{7000 + n}") for p in peers)
                        ),
                    )
            scraped = await network.horoi[2].ask_for(
                Scrape("s", int(hashlib.sha1(b"horoi", usedforsecurity=False).hexdigest(), 16)),
                Scraped,
                timeout_s=PATIENCE_S,
            )
            assert scraped.seeds + scraped.peers == pytest.approx(1, abs=0.1)

    play(scenario())


@pytest.mark.slow
def test_aria2_announces_itself_and_dials_who_is_announced(driver: Path, tmp_path: Path) -> None:
    """aria2's torrent has no tracker: it finds the peer that Horoi announces in the DHT alone, and is found in it."""

    async def scenario() -> None:
        async with loopback_dht(driver, each=2) as network:
            await all_have_met(network)
            handshake: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

            async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                data = await reader.readexactly(48)
                if data.startswith(b"\x13") and not handshake.done():  # BEP 3; aria2 tries an obfuscated one first
                    handshake.set_result(data)
                writer.close()

            here = network.horoi[1].machine.contact.address[0]
            server = await asyncio.start_server(greet, here, 0)
            async with server:
                await Horoi(network.horoi[1]).announce(AriaPeer.key, server.sockets[0].getsockname()[1])
                aria = network.start_aria(tmp_path)
                pong = await eventually(
                    lambda: ask(network.horoi[1], PingPeer(object(), aria.address)),
                    lambda told: isinstance(told, Ponged),
                )
                assert pong.contact.address == aria.address
                data = await asyncio.wait_for(handshake, PATIENCE_S)
            assert data[:20] == b"\x13BitTorrent protocol"
            assert data[28:48].hex() == AriaPeer.key
            where = "{}:{}".format(*aria.address)
            await eventually(lambda: Horoi(network.horoi[1]).find(AriaPeer.key), lambda peers: where in peers)

    play(scenario())


@pytest.mark.slow
def test_half_of_them_killed(driver: Path, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with loopback_dht(driver, each=4) as network:
            aria = network.start_aria(tmp_path)
            await all_have_met(network)
            await until(lambda: aria.address[0] in addresses(network.horoi[0]), "meeting aria2")
            writers = one_of_each(network, 0)
            keys = {writer.kind: await writer.put(f"kept, by {writer.kind}".encode()) for writer in writers}
            for kind, key in keys.items():
                await eventually(
                    lambda k=key: Horoi(network.horoi[3]).get(k), lambda v, kind=kind: v == f"kept, by {kind}".encode()
                )
            for host in network.horoi[:2]:
                await host.stop()
            for peer in [*network.libtorrent[:2], *network.npm[:2], aria]:
                await peer.kill()
            for (kind, key), reader in itertools.product(keys.items(), one_of_each(network, 2)):
                assert await eventually(
                    lambda r=reader, k=key: r.get(k), lambda v, kind=kind: v == f"kept, by {kind}".encode()
                )
            key = await Horoi(network.horoi[2]).put(b"after")
            for reader in one_of_each(network, 3):
                assert await eventually(lambda r=reader, k=key: r.get(k), lambda v: v == b"after")

    play(scenario())


@needs_ipv6
def test_one_port_serves_ipv6_and_ipv4() -> None:
    """BEP 32: a peer of each family finds by one port of Horoi what the others stored, and hears its own address (BEP 42)."""

    require_programs()

    async def scenario() -> None:
        six, four = LibtorrentPeer("::1", free_port()), LibtorrentPeer("127.10.1.1", free_port())
        for peer in (six, four):
            await peer.is_up()
        host = await start_horoi("[::]", 0, (six.address, four.address))
        try:
            port = int((host.address or "").rpartition(":")[2])
            for peer, ip in ((six, "::1"), (four, "127.0.0.1")):
                peer.introduce((ip, port))
                pong = await eventually(
                    lambda p=peer: ask(host, PingPeer(object(), p.address)), lambda told: isinstance(told, Ponged)
                )
                assert pong.seen == (ip, port)
                await until(lambda p=peer: p.address[0] in addresses(host), "meeting both families")
            horoi = Horoi(host)
            for number, peer in enumerate((six, four)):
                value = f"over {peer.address[0]}".encode()
                key = await horoi.put(value)
                assert await eventually(lambda p=peer, k=key: p.get(k), lambda v, value=value: v == value)
                name = hashlib.sha1(value, usedforsecurity=False).hexdigest()
                await peer.announce(name, 7100 + number)
                await eventually(
                    lambda n=name: horoi.find(n),
                    lambda found, n=number: any(place.endswith(f":{7100 + n}") for place in found),
                )
        finally:
            await host.stop()
            for peer in (six, four):
                await peer.stop()

    play(scenario())
