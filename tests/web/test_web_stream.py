"""The live stream: what is told, to whom, and what happens to a client that does not read."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest
from tests.web.test_web_transactions import said
from tests.web.web_api import Api, running_api, validate
from tests.web.web_node import ALICE as ALICE_PAIR
from tests.web.web_node import BOB as BOB_PAIR
from tests.web.web_node import TOKEN, InlineHost, make_access

from horoi.base.codec import encode
from horoi.base.errors import UsageError
from horoi.node.events import ConflictFound
from horoi.web.access import BusyError, NodeAccess
from horoi.web.guard import ApiLimits
from horoi.web.live import Live
from horoi.web.model.node import EVENT_KINDS, EventKind
from horoi.web.openapi import EVENTS
from horoi.web.stream import Hub, Streaming, read_kinds

SCHEMAS = dict(
    zip(
        ("block", "transaction", "transaction-removed", "conflict", "post", "movement", "agreement", "peer", "offer"),
        (kind.__name__ for kind in EVENTS),
        strict=True,
    )
)
SCHEMAS |= {"block-removed": "BlockEvent", "peer-lost": "PeerEvent", "waiting": "BoardLine"}
SCHEMAS |= {"offer-changed": "OfferEvent"}


ALICE, BOB = ALICE_PAIR.public.hex(), BOB_PAIR.public.hex()
OFFER = {
    "steps": [
        {"verb": "transfer", "asset": "coin", "amount": "5", "to": BOB, "owner": ALICE},
        {"verb": "transfer", "asset": "coin", "amount": "7", "to": ALICE, "owner": BOB},
    ]
}


def read(data: bytes) -> list[tuple[str, Any]]:
    """Events in the bytes of a stream, each held against the document."""
    events = []
    for piece in data.decode().split("\n\n"):
        if piece.startswith("event: "):
            head, body = piece.split("\n")
            kind, value = head.removeprefix("event: "), msgspec.json.decode(body.removeprefix("data: "))
            validate(value, {"$ref": f"#/components/schemas/{SCHEMAS[kind]}"})
            events.append((kind, value))
    return events


def hub_of(access: NodeAccess, limits: ApiLimits | None = None) -> Hub:
    access.live = Live(access, limits or ApiLimits())
    return access.live.hub


def test_every_kind_of_event_is_told(api: Api) -> None:
    async def story() -> list[tuple[str, Any]]:
        hub = api.access.live.hub
        subscriber = hub.subscribe(EVENT_KINDS)
        post = said(api, "hello")
        await api.client.post("/v1/transactions", json=[encode(post).hex()])
        api.host.mine()
        api.host.link(bytes([9]) * 32)
        hub._tick()
        api.host.lose(bytes([9]) * 32)
        hub._tick()
        api.host.tell(ConflictFound(bytes(32), bytes([1]) * 32))
        made = await api.client.post("/v1/offers", json=OFFER, headers={"Authorization": f"Bearer {TOKEN}"})
        await api.client.post(f"/v1/offers/{made.json()['id']}/withdraw", json={}, headers=made.request.headers)
        data = await subscriber.take()
        hub.unsubscribe(subscriber)
        return read(data)

    events = api.runner.run(story())
    kinds = [kind for kind, _ in events]
    assert kinds.count("transaction") == kinds.count("transaction-removed") == kinds.count("post") == 1
    assert sorted(set(kinds)) == sorted(set(EVENT_KINDS) - {"block-removed"})
    told = dict(events)
    assert told["block"]["height"] == 1
    assert told["block"]["transactions"] == told["block"]["lines"] == 1
    assert told["waiting"]["words"] == told["movement"]["words"] == "alice: hello"
    assert (told["waiting"]["confirmations"], told["movement"]["confirmations"]) == (0, 1)
    assert told["agreement"] == {**told["agreement"], "agreed": False, "peers": 0, "height": 1}
    assert told["post"]["post"]["text"] == "hello"
    assert told["transaction-removed"]["why"] == "confirmed"
    assert told["peer"]["peer"] == told["peer-lost"]["peer"] == (bytes([9]) * 32).hex()
    assert told["conflict"]["by"] == "01" * 32
    assert told["offer"]["id"] == told["offer-changed"]["id"]
    assert told["offer-changed"]["state"] == "withdrawn"


def test_a_filter_keeps_the_rest_away() -> None:
    async def story() -> list[tuple[str, Any]]:
        access, host = make_access()
        hub = hub_of(access)
        blocks = hub.subscribe(("block",))
        host.mine(2)
        return read(await blocks.take())

    assert [kind for kind, _ in asyncio.run(story())] == ["block", "block"]


def test_nobody_is_listened_to_while_nobody_listens() -> None:
    async def story() -> tuple[int, int, int]:
        access, host = make_access()
        hub = hub_of(access)
        before = host.listeners
        subscriber = hub.subscribe(EVENT_KINDS)
        during = host.listeners
        hub.unsubscribe(subscriber)
        return before, during, host.listeners

    before, during, after = asyncio.run(story())
    assert during == before + 1
    assert after == before


def test_streams_are_bounded() -> None:
    async def story() -> None:
        access, _ = make_access()
        hub = hub_of(access, ApiLimits(max_streams=2))
        first = hub.subscribe(EVENT_KINDS)
        hub.subscribe(EVENT_KINDS)
        with pytest.raises(BusyError):
            hub.subscribe(EVENT_KINDS)
        hub.unsubscribe(first)
        hub.subscribe(EVENT_KINDS)
        hub.close()

    asyncio.run(story())


def test_a_client_that_does_not_read_is_dropped_and_the_others_are_not() -> None:
    async def story(host: InlineHost, hub: Hub) -> tuple[int, list[tuple[str, Any]]]:
        blocked = asyncio.Event()

        async def stuck(message: Any) -> None:
            if message["type"] == "http.response.body":
                blocked.set()
                await asyncio.Event().wait()

        async def silent() -> Any:
            await asyncio.Event().wait()

        behind = asyncio.ensure_future(Streaming(hub, hub.subscribe(("block",)))({}, silent, stuck))
        reader = hub.subscribe(("block",))
        await blocked.wait()
        seen = []
        for _ in range(6):
            host.mine()
            seen += read(await reader.take())
        await asyncio.wait_for(behind, 5)
        return hub.dropped, seen

    async def run() -> tuple[int, list[tuple[str, Any]]]:
        access, host = make_access()
        return await story(host, hub_of(access, ApiLimits(max_stream_events=4)))

    dropped, seen = asyncio.run(run())
    assert dropped == 1
    assert len(seen) == 6


def test_a_stream_ends_when_its_client_leaves_and_beats_meanwhile() -> None:
    async def story() -> tuple[list[Any], int]:
        access, _ = make_access()
        hub = hub_of(access, ApiLimits(heartbeat_s=0.01))
        sent: list[Any] = []
        beats = asyncio.Event()

        async def send(message: Any) -> None:
            sent.append(message)
            if len(sent) > 4:
                beats.set()

        async def receive() -> Any:
            await beats.wait()
            return {"type": "http.disconnect"}

        await asyncio.wait_for(Streaming(hub, hub.subscribe(("block",)))({}, receive, send), 5)
        return sent, len(hub.subscribers)

    sent, left = asyncio.run(story())
    assert sent[0]["status"] == 200
    assert (b"content-type", b"text/event-stream; charset=utf-8") in sent[0]["headers"]
    assert sent[2]["body"].startswith(b": ")
    assert left == 0


def test_filters_are_read_strictly() -> None:
    assert read_kinds(None) == EVENT_KINDS
    wanted: tuple[EventKind, ...] = ("post", "block")
    assert read_kinds("post, block") == wanted
    for text in ("", "blocks", "post,,block"):
        with pytest.raises(UsageError, match="no events are called"):
            read_kinds(text)
    with running_api() as api:
        api.get("/v1/events", 400, types="nothing")


def test_a_block_full_of_posts_cuts_nobody_off(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("horoi.web.stream.MAX_BLOCK_LINES", 2)

    async def story() -> list[tuple[str, Any]]:
        hub = api.access.live.hub
        subscriber = hub.subscribe(("post", "block"))
        for number in range(3):
            await api.client.post("/v1/transactions", json=[encode(said(api, f"post {number}")).hex()])
        api.host.mine()
        data = await subscriber.take()
        hub.unsubscribe(subscriber)
        return read(data)

    events = api.runner.run(story())
    assert [kind for kind, _ in events] == ["block", "post", "post"]
    assert events[0][1]["transactions"] == 3
