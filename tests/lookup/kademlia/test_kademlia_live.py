"""The own wire over real sockets: the same machine, hosted live."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest

from horoi.base.ids import key_of
from horoi.lookup.kademlia.boot import boot_kademlia
from horoi.lookup.kademlia.codec import kademlia_wire
from horoi.lookup.kademlia.config import KademliaConfig
from horoi.lookup.vocabulary import (
    Delivered,
    FindProviders,
    Found,
    Get,
    Join,
    Joined,
    Lookup,
    Provide,
    Providers,
    Put,
    Route,
    Stored,
    Value,
)
from horoi.world.live.datagram import DatagramHost

pytestmark = pytest.mark.real

CONFIG = KademliaConfig(k=8, rate_per_s=None)
PATIENCE_S = 20.0


@contextlib.asynccontextmanager
async def network(count: int) -> AsyncIterator[list[DatagramHost]]:
    wire = kademlia_wire()
    hosts: list[DatagramHost] = []
    try:
        for _ in range(count):
            host = DatagramHost(
                boot_kademlia(CONFIG),
                listen="127.0.0.1:0",
                decode=wire.decode,
                encode=wire.encode,
                disk=None,  # type: ignore[arg-type]  # a peer keeps nothing on disk
            )
            await host.start()
            through = tuple(other.machine.contact.address for other in hosts[-2:])
            hosts.append(host)
            await host.ask_for(Join(through), Joined, timeout_s=PATIENCE_S)
        yield hosts
    finally:
        for host in hosts:
            await host.stop()


async def ask(host: DatagramHost, request: Any) -> Any:
    return await host.ask_for(
        request, object, lambda told: getattr(told, "token", None) == request.token, timeout_s=PATIENCE_S
    )


def test_twenty_peers_on_loopback() -> None:
    async def scenario() -> None:
        async with network(20) as hosts:
            key = key_of(b"over sockets")
            owner = min(hosts, key=lambda host: host.machine.contact.id ^ key)
            found = await ask(hosts[3], Lookup("l", key))
            assert isinstance(found, Found)
            assert found.owners[0] == owner.machine.contact
            stored = await ask(hosts[3], Put("p", key, bytes(900)))
            assert isinstance(stored, Stored)
            assert stored.copies == 8
            for host in hosts:
                value = await ask(host, Get("g", key))
                assert isinstance(value, Value)
                assert value.value == bytes(900)
            await ask(hosts[5], Provide("pr", key))
            providers = await ask(hosts[6], FindProviders("f", key))
            assert isinstance(providers, Providers)
            assert [contact.id for contact in providers.providers] == [hosts[5].machine.contact.id]
            delivered: asyncio.Future[Delivered] = asyncio.get_running_loop().create_future()
            owner.on_notice(delivered.set_result, Delivered)
            await ask(hosts[7], Route("r", key, b"to the owner"))
            assert (await asyncio.wait_for(delivered, PATIENCE_S)).payload == b"to the owner"
            assert not any(category == "error" for host in hosts for category, _ in host.counters)

    asyncio.run(scenario())
