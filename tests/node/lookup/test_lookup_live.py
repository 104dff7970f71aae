"""The five overlays on real sockets, between nodes' peers: they put, provide, find; one is killed; strangers are not heard."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest
from lookup_peers import Peer, overlay_of, until

from horoi.base.ids import key_of
from horoi.lookup.vocabulary import Failed, Get, Lookup, Provide, Put, Stored, Value
from horoi.node.lookup.overlays import OVERLAYS
from horoi.node.lookup.requests import Doors, FindHolders, Holders

pytestmark = pytest.mark.real

PEERS = 5
VALUES = 4
DOCUMENT = b"\xab" * 32


async def holders_of(peer: Peer, key: int, token: int) -> Any:
    return await peer.ask(FindHolders(("find", token), key))


async def play(overlay: str) -> None:
    async with overlay_of(overlay, PEERS) as peers:
        assert len({peer.ring for peer in peers}) == 1
        await until(lambda: is_settled(peers), "a ring that a failure does not break")
        bits = OVERLAYS[overlay].bits
        key, value_keys = key_of(DOCUMENT, bits), [key_of(bytes([number]), bits) for number in range(VALUES)]
        assert isinstance(await peers[2].ask(Provide(("t", 1), key)), Stored)
        for value_key in value_keys:
            assert isinstance(await peers[1].ask(Put(("put", value_key), value_key, b"value")), Stored)
        for number, peer in enumerate(peers):
            found = await holders_of(peer, key, number)
            assert isinstance(found, Holders), found
            assert [(at.address, at.node_id) for at in found.holders] == [("127.0.0.1:7702", peers[2].key.node_id)]
            value = await peer.ask(Get(("get", number), value_keys[0]))
            assert isinstance(value, Value), value
            assert value.value == b"value"
        await play_on_without_one(peers, key, value_keys)


def is_settled(peers: list[Peer]) -> bool:
    """Chord promises to survive failures once successor lists are filled, some rounds of stabilisation after the last join."""
    rings = [node for peer in peers for node in getattr(peer.host.machine.inner, "nodes", ())]
    return all(node.predecessor is not None and len(node.successors) >= len(peers) - 1 for node in rings)


async def play_on_without_one(peers: list[Peer], key: int, value_keys: list[int]) -> None:
    """The owner of a value, or else the first, is killed (nothing is said); the others go on.

    Of one value all copies may have been with it (Tapestry's roots fall where they fall); of two that is very unlikely.
    """
    found = await peers[4].ask(Lookup(("owner", 0), value_keys[0]))
    owner = found.owners[0].address
    victim = next((peer for peer in peers if peer.address == owner and peer.number not in (2, 3)), peers[0])
    await victim.host.stop()
    await peers[2].ask(Provide(("again", 0), key))  # as its machine does by itself every quarter of an hour
    asker = peers[3]
    for number in range(1000):
        again = await holders_of(asker, key, 100 + number)
        if isinstance(again, Holders) and again.holders:
            break
        assert isinstance(again, Failed | Holders)
        await asyncio.sleep(0.1)
    assert again.holders[0].node_id == peers[2].key.node_id
    kept: dict[int, bytes] = {}
    for number in range(1000):
        for value_key in value_keys:
            value = await asker.ask(Get(("get again", value_key, number), value_key))
            if isinstance(value, Value):
                kept[value_key] = value.value
        if len(kept) >= VALUES - 1:
            break
        await asyncio.sleep(0.1)
    assert list(kept.values()).count(b"value") >= VALUES - 1


def test_every_overlay_forms_finds_and_survives() -> None:
    """All five at once, because each mostly waits."""

    async def go() -> None:
        ends = await asyncio.gather(*map(play, OVERLAYS), return_exceptions=True)
        failed = {overlay: end for overlay, end in zip(OVERLAYS, ends, strict=True) if end is not None}
        if failed:
            raise ExceptionGroup(
                f"failed: {', '.join(failed)}", [end for end in failed.values() if isinstance(end, Exception)]
            )

    asyncio.run(asyncio.wait_for(go(), 300))


def test_peers_learn_from_each_other_where_they_are() -> None:
    """Bound to all addresses of the machine, a peer does not know its own: the others say."""

    async def go() -> None:
        a, b = Peer("chord", 0, "0.0.0.0:0"), Peer("chord", 1, "0.0.0.0:0")
        try:
            await a.start(())
            await b.start((("127.0.0.1", a.address[1]),))
            assert (await a.entered()).address == ("127.0.0.1", a.address[1])
            assert (await b.entered()).address == ("127.0.0.1", b.address[1])
            key = key_of(DOCUMENT)
            await a.ask(Provide("t", key))
            found = await holders_of(b, key, 1)
            assert [at.node_id for at in found.holders] == [a.key.node_id]
        finally:
            await a.host.stop()
            await b.host.stop()

    asyncio.run(go())


def test_no_overlay_answers_who_did_not_prove_itself() -> None:
    """Plain messages of the overlay, from a socket without a session: nothing comes back, and no machine hears of it."""

    async def go() -> None:
        async with overlay_of("chord", 2) as peers:
            wire = OVERLAYS["chord"].wire()
            heard = sum(peers[0].host.received.values())
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
                stranger.bind(("127.0.0.1", 0))
                stranger.setblocking(False)
                for message in OVERLAYS["chord"].room().messages[:1]:
                    for nonce in range(50):
                        stranger.sendto(wire.encode(message(nonce)), peers[0].address)
                sessions = peers[0].host.sessions
                await until(lambda: sum(sessions.counters.values()) >= 50, "throwing them away")
                with pytest.raises(BlockingIOError):
                    stranger.recv(2048)
            assert len(sessions) <= 2
            assert sum(peers[0].host.received.values()) - heard < 50

    asyncio.run(go())


def test_two_founded_apart_become_one() -> None:
    async def go() -> None:
        a, b = Peer("kademlia", 0), Peer("kademlia", 1)
        try:
            await a.start(())
            await b.start(())
            await a.entered()
            await b.entered()
            assert a.ring != b.ring
            a.host.ask(Doors((b.address,)))
            b.host.ask(Doors((a.address,)))
            await until(lambda: a.ring and a.ring == b.ring, "one ring")
        finally:
            await a.host.stop()
            await b.host.stop()

    asyncio.run(go())
