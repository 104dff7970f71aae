"""Whatever comes, ``handle`` does not raise, and nothing grows without bound."""

from __future__ import annotations

from random import Random
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from pastry_net import WIRE, Net, config_of, contact_of

from horoi.base.errors import DecodeError
from horoi.lookup.pastry.machine import Pastry
from horoi.lookup.pastry.messages import JOIN, MESSAGES, ROUTE, FetchedProviders, Forward, Known
from horoi.lookup.vocabulary import REQUESTS, Contact, Join
from horoi.machine.contract import Asked, Finished, Fired, Lost, Received, Send

ids = st.one_of(st.integers(0, 2**128 - 1), st.sampled_from([contact_of(number).id for number in range(20)]))
addresses = st.integers(0, 19)
contacts = st.one_of(st.builds(Contact, ids, addresses), st.sampled_from([contact_of(number) for number in range(20)]))
FIELDS: dict[str, Any] = {
    "contacts": st.lists(contacts, max_size=16).map(tuple),  # no more than Hello may carry: a row of 2^b
    "replicas": st.lists(contacts, max_size=4).map(tuple),
    "providers": st.lists(contacts, max_size=20).map(tuple),
    "path": st.lists(contacts, max_size=20).map(tuple),
    "contact": st.one_of(st.none(), contacts),
    "origin": contacts,
    "owner": contacts,
    "provider": contacts,
    "id": ids,
    "key": ids,
    "sender": ids,
    "permit": st.binary(max_size=8),
    "value": st.binary(max_size=1000),
    "payload": st.binary(max_size=1000),
    "ttl_s": st.floats(0, 1e9),
    "is_wide": st.booleans(),
    "is_routing": st.booleans(),
    "purpose": st.integers(0, 2),
    "digit": st.integers(0, 15),
    "row": st.integers(0, 255),
    "hops": st.integers(0, 24),
    "timeouts": st.integers(0, 1000),
    "copies": st.integers(0, 32),
    "limit": st.integers(0, 20),
    "nonce": st.integers(0, 2**63 - 1),
    "step": st.integers(0, 2**63 - 1),
}
messages = st.one_of(
    [st.builds(kind, **{field: FIELDS[field] for field in kind.__struct_fields__}) for kind in MESSAGES]
)


@settings(deadline=None, max_examples=200)
@given(messages)
def test_every_message_survives_its_wire(message: Any) -> None:
    try:
        data = WIRE.encode(message)
    except ValueError:
        return  # longer than a datagram
    assert WIRE.decode(data) == message


@settings(deadline=None, max_examples=300)
@given(st.binary(max_size=200))
def test_bytes_that_are_no_message_are_refused(data: bytes) -> None:
    try:
        WIRE.decode(data)
    except DecodeError:
        return


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(addresses, messages, st.floats(0, 3)), max_size=60), st.integers(0, 3))
def test_handle_never_raises(script: list[tuple[int, Any, float]], seed: int) -> None:
    machine = Pastry(contact_of(0), config_of(), Random(seed))
    machine.handle(Asked(Join((1, 2)) if seed % 2 else Join()), 0.0)
    now = 0.0
    waiting: list[tuple[int, Any]] = []
    for source, message, wait_s in script:
        now += wait_s
        actions = machine.handle(Received(source, message), now)
        waiting += [(action.peer, action.message) for action in actions if isinstance(action, Send)]
        if waiting and wait_s > 1:  # a liar that knows the nonces it was sent
            peer, asked = waiting.pop()
            nonce = getattr(asked, "nonce", getattr(asked, "step", 0))
            for field in ("nonce", "step"):
                if field in message.__struct_fields__:
                    machine.handle(Received(peer, msgspec.structs.replace(message, **{field: nonce})), now)
        for timer in ("rpc", "tick", "gossip", "copy", "copies", "settled", "listen", "join again", "provide"):
            if wait_s > 2:
                machine.handle(Fired(timer), now)
    machine.handle(Lost(3), now)
    machine.handle(Finished(None, None), now)
    assert len(machine.pending) <= 1024


def test_requests_of_all_kinds_are_answered_before_a_join_and_out_of_range() -> None:
    machine = Pastry(contact_of(0), config_of(), Random(1))
    for kind in REQUESTS:
        fields = {"token": 1, "key": 2**128, "value": b"", "payload": b"", "bootstrap": ()}
        request = kind(**{name: fields[name] for name in kind.__struct_fields__ if name in fields})
        machine.handle(Asked(request), 0.0)
        machine.handle(Asked(request), 0.0)


def test_what_strangers_send_does_not_grow_the_state() -> None:
    net = Net(41)
    net.grow(5, settle_s=5.0)
    machine = net.machine(0)
    dice = Random(1)
    for n in range(3000):
        strange = 1000 + n
        message = dice.choice(MESSAGES[:2] + MESSAGES[8:9])
        fields = {"nonce": n, "id": contact_of(strange).id, "permit": b"", "contacts": (), "is_routing": True}
        made = message(**{name: fields[name] for name in message.__struct_fields__})
        machine.handle(Received(strange, made), 1000.0)
    assert len(machine.acquainted) <= 512
    assert len(machine.probing) <= 128
    assert len(machine.pending) <= 1024
    machine.handle(Fired("rpc"), 2000.0)
    machine.handle(Fired("rpc"), 3000.0)
    assert not machine.probing


def test_the_largest_answers_fit_a_datagram_even_with_ipv6() -> None:
    peer = Contact(2**128 - 1, ("2001:db8:85a3:8d3:1319:8a2e:370:7348", 65535))
    most = 2**63 - 1
    for message in (
        Known(most, (peer,) * 32),
        FetchedProviders(most, (peer,) * 20),
        Forward(most, most, peer.id, JOIN, peer, peer.id, 24, 1000, True, (peer,) * 24, b""),
        Forward(most, most, peer.id, ROUTE, peer, peer.id, 24, 1000, True, (), bytes(1000)),
    ):
        assert WIRE.decode(WIRE.encode(message)) == message
