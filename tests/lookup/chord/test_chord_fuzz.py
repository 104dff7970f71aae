"""Whatever a peer sends, in whatever order: no exception, and no growth beyond the bounds."""

from __future__ import annotations

import random
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Meta
from tests.lookup.chord.chord_ring import contacts_of

from horoi.base.errors import DecodeError
from horoi.lookup.chord import messages
from horoi.lookup.chord.codec import chord_wire
from horoi.lookup.chord.config import ChordConfig
from horoi.lookup.chord.converged import settle
from horoi.lookup.chord.machine import Chord
from horoi.lookup.vocabulary import Contact, FindProviders, Get, Join, Leave, Lookup, Provide, Put, Route
from horoi.machine.contract import Asked, Fired, Received, Send

WIRE = chord_wire()
PEERS = 8
NEAR = [contact for address in range(PEERS) for contact in contacts_of(address)]
IDS = st.one_of(st.sampled_from([c.id for c in NEAR]), st.integers(0, (1 << 160) - 1))
ADDRESSES = st.one_of(
    st.integers(0, PEERS + 2), st.tuples(st.sampled_from(["10.0.0.1", "2001:db8::1"]), st.integers(1, 65535))
)
CONTACTS = st.one_of(st.sampled_from(NEAR), st.builds(Contact, IDS, ADDRESSES))


def of_hint(hint: Any) -> st.SearchStrategy[Any]:
    """Values of a field's type, small and often near the bounds."""
    if get_origin(hint) is Annotated:
        inner, *metas = get_args(hint)
        meta = metas[0]
        if meta.extra == {"wire": "id"}:
            return IDS
        if meta.extra == {"wire": "address"}:
            return ADDRESSES
        return bounded(inner, meta)
    if hint is Contact:
        return CONTACTS
    if hint is bool:
        return st.booleans()
    if type(None) in get_args(hint):
        return st.none() | of_hint(get_args(hint)[0])
    if hasattr(hint, "__struct_fields__"):
        return of_struct(hint)
    raise TypeError(hint)


def bounded(inner: Any, meta: Meta) -> st.SearchStrategy[Any]:
    if inner is int:
        return st.integers(int(meta.ge or 0), int(meta.le or 0)) | st.integers(int(meta.ge or 0), int(meta.ge or 0) + 3)
    if inner is float:
        return st.floats(0, 1e7)
    if inner is bytes:
        return st.binary(max_size=min(meta.max_length or 0, 40))
    if inner is str:
        return st.text(max_size=20)
    return st.lists(of_hint(get_args(inner)[0]), max_size=min(meta.max_length or 0, 5)).map(tuple)


def of_struct(kind: Any) -> st.SearchStrategy[Any]:
    hints = get_type_hints(kind, include_extras=True)
    return st.builds(kind, *[of_hint(hints[name]) for name in kind.__struct_fields__])


MESSAGES = st.one_of([of_struct(kind) for kind in messages.MESSAGES])


@given(message=MESSAGES)
@settings(deadline=None, max_examples=300)
def test_every_message_travels(message: Any) -> None:
    assert WIRE.decode(WIRE.encode(message)) == message


@given(data=st.binary(max_size=200))
@settings(deadline=None, max_examples=300)
def test_bytes_that_are_no_message_are_a_decode_error(data: bytes) -> None:
    try:
        WIRE.decode(data)
    except DecodeError:
        return


@given(message=MESSAGES, cut=st.integers(0, 50), flip=st.integers(0, 10_000))
@settings(deadline=None, max_examples=300)
def test_damaged_messages_are_a_decode_error_or_another_message(message: Any, cut: int, flip: int) -> None:
    data = bytearray(WIRE.encode(message))
    data[flip % len(data)] ^= 1 << flip % 8
    try:
        WIRE.decode(bytes(data[: len(data) - cut]))
    except DecodeError:
        return


REQUESTS = st.one_of(
    st.builds(Lookup, st.integers(0, 9), IDS),
    st.builds(Route, st.integers(0, 9), IDS, st.binary(max_size=10)),
    st.builds(Put, st.integers(0, 9), IDS, st.binary(max_size=10)),
    st.builds(Get, st.integers(0, 9), IDS),
    st.builds(Provide, st.integers(0, 9), IDS),
    st.builds(FindProviders, st.integers(0, 9), IDS),
    st.just(Leave()),
    st.builds(Join, st.lists(ADDRESSES, max_size=2).map(tuple)),
)
TIMERS = st.sampled_from(
    ["rpc", "stabilise", "fix finger", "republish", "replicate", "rejoin", "provide", "unheard of"]
)
STEPS = st.one_of(
    st.tuples(st.just("say"), ADDRESSES, MESSAGES),
    st.tuples(st.just("answer"), st.integers(0, 100), MESSAGES),
    st.tuples(st.just("ask"), st.none(), REQUESTS),
    st.tuples(st.just("fire"), st.none(), TIMERS),
)


@given(steps=st.lists(STEPS, max_size=60), joined=st.booleans())
@settings(deadline=None, max_examples=150)
def test_no_conversation_makes_a_peer_fail_or_grow(steps: list[Any], joined: bool) -> None:
    config = ChordConfig(successors=4)
    peers = [Chord(contacts_of(address), config, random.Random(address)) for address in range(PEERS)]
    settle(peers, joined=joined)
    machine, now = peers[0], 0.0
    asked: list[Any] = []
    for verb, who, what in steps:
        now += 0.3
        if verb == "say":
            actions = machine.handle(Received(who, what), now)
        elif verb == "ask":
            actions = machine.handle(Asked(what), now)
        elif verb == "fire":
            actions = machine.handle(Fired(what), now)
        else:
            actions = reply_to(machine, asked, who, what, now)
        for action in actions:
            if isinstance(action, Send):
                WIRE.encode(action.message)  # what is sent fits the wire
                asked.append(action)
    node = machine.nodes[0]
    assert len(node.successors) <= 4
    assert len(node.fingers.entries) <= 160
    assert len(machine.pending) <= 1024


def reply_to(machine: Chord, asked: list[Any], which: int, message: Any, now: float) -> list[Any]:
    """Answer a question of the machine with the right nonce from the right address, and anything inside."""
    questions = [send for send in asked if hasattr(send.message, "to")]
    if not questions or not hasattr(message, "nonce"):
        return []
    question = questions[which % len(questions)]
    fields = {name: getattr(message, name) for name in message.__struct_fields__}
    fields["nonce"] = question.message.nonce
    return machine.handle(Received(question.peer, type(message)(**fields)), now)
