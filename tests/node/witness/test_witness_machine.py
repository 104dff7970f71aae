"""Witnesses: they sign what they all see, wait for what they do not see yet, and never contradict themselves."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.node.chains import give, grow, mine, new_chain, small_genesis

from horoi.base.codec import encode
from horoi.ledger.checkpoint import MAX_COSIGNATURES, Checkpoint, Cosignature, is_valid, signed_message, witness_key
from horoi.machine.contract import Action, Asked, Fired, Lost, Received, Save, Send
from horoi.machine.host import Started
from horoi.node.chain import Chain
from horoi.node.events import PeerReady
from horoi.node.small_files import write_sealed
from horoi.node.witness.machine import DEPTH, EVERY, KEPT, Witness
from horoi.node.witness.messages import AskCosign, Cosigned
from horoi.node.witness.promise import PROMISE_FILE, Promise, PromiseRecord, begin
from horoi.world.live.node_key import NodeKey
from horoi.world.sim.disk import SimDisk

OWN, OTHER = NodeKey(bytes([1]) * 32), NodeKey(bytes([2]) * 32)
FIRST = EVERY + DEPTH - 1
"""The height at which the first checkpoint is made."""


def new_disk(key: NodeKey = OWN) -> SimDisk:
    """Of a node whose key was made just now."""
    disk = SimDisk(Random(3))
    begin(disk, key.public)
    return disk


def witness(chain: Chain, disk: SimDisk | None = None, key: NodeKey | None = OWN) -> Witness:
    made = Witness(chain, Promise(disk or new_disk(key or OWN)), key)
    made.handle(Asked(Started()), 0.0)
    made.handle(Asked(PeerReady(OTHER.node_id, False, 0, 2)), 0.0)
    return made


def step(machine: Witness, chain: Chain, blocks: int, now: float = 5.0) -> list[Action]:
    """So many blocks, one at a time."""
    actions: list[Action] = []
    for _ in range(blocks):
        change = give(chain, mine(chain))
        assert change is not None
        actions += machine.handle(Asked(change), now)
    return actions


def sent(actions: list[Action], kind: type) -> list[Any]:
    return [action.message for action in actions if isinstance(action, Send) and isinstance(action.message, kind)]


def test_a_deep_checkpoint_is_made_and_asked_for() -> None:
    chain = new_chain()
    machine = witness(chain)
    assert sent(step(machine, chain, FIRST - 1), AskCosign) == []
    assert machine.best() is None
    (ask,) = sent(step(machine, chain, 1), AskCosign)
    assert (ask.size, ask.root) == (EVERY, machine.log.root(EVERY))
    best = machine.best()
    assert best is not None
    made = best.note.by(witness_key(OWN.public))
    assert made is not None
    assert is_valid(best.note.checkpoint, made)


def test_a_peer_of_the_same_chain_signs_and_is_counted() -> None:
    ours, theirs = new_chain(), new_chain()
    asking, answering = witness(ours), witness(theirs, key=OTHER)
    answering.handle(Asked(PeerReady(OWN.node_id, True, 0, 2)), 0.0)
    asks = []
    for _ in range(FIRST):
        block = mine(ours)
        for chain, machine in ((ours, asking), (theirs, answering)):
            change = give(chain, block)
            asks += sent(machine.handle(Asked(change), 6.0), AskCosign) if machine is asking else []
    (answer,) = sent(answering.handle(Received(OWN.node_id, asks[0]), 7.0), Cosigned)
    asking.handle(Received(OTHER.node_id, answer), 8.0)
    best = asking.best()
    assert best is not None
    assert len(best.keys) == 2


def test_who_dials_with_many_keys_keeps_no_chosen_witness_out() -> None:
    chain = new_chain()
    grow(chain, FIRST - 1)
    machine = witness(chain)
    (ask,) = sent(step(machine, chain, 1), AskCosign)
    checkpoint = Checkpoint(chain.network, ask.size, ask.root)

    def cosign(key: NodeKey, *, outbound: bool) -> None:
        machine.handle(Asked(PeerReady(key.node_id, outbound, 0, 2)), 1.0)
        signature = key.sign(signed_message(checkpoint, 7))
        machine.handle(Received(key.node_id, Cosigned(ask.size, ask.root, key.public, 7, signature)), 2.0)

    for number in range(3, 40):
        cosign(NodeKey(bytes([number]) * 32), outbound=False)
    chosen = NodeKey(bytes([99]) * 32)
    cosign(chosen, outbound=True)
    cosign(NodeKey(bytes([98]) * 32), outbound=False)
    best = machine.best()
    assert best is not None
    assert len(best.keys) == MAX_COSIGNATURES
    assert best.note.by(witness_key(chosen.public)) is not None
    assert best.note.by(witness_key(OWN.public)) is not None


def test_who_asks_too_early_is_answered_later() -> None:
    chain = new_chain()
    grow(chain, FIRST - 1)
    machine = witness(chain)
    ask = AskCosign(EVERY, machine.log.root(EVERY))
    assert sent(machine.handle(Received(OTHER.node_id, ask), 1.0), Cosigned) == []
    actions = step(machine, chain, 1)
    (answer,) = sent(actions, Cosigned)
    assert is_valid(
        Checkpoint(chain.network, EVERY, ask.root),
        Cosignature(witness_key(answer.public), answer.time_s, answer.signature),
    )


def test_the_promise_is_durable_before_a_signature_leaves() -> None:
    chain = new_chain()
    grow(chain, FIRST)
    machine = Witness(chain, Promise(new_disk()), OWN)
    machine.handle(Asked(PeerReady(OTHER.node_id, False, 0, 2)), 0.0)
    actions = machine.handle(Received(OTHER.node_id, AskCosign(EVERY, machine.log.root(EVERY))), 1.0)
    assert [type(action) for action in actions] == [Save, Send]


@pytest.mark.parametrize("size", [EVERY, EVERY + 1, 10 * EVERY])
def test_another_root_is_not_signed(size: int) -> None:
    chain = new_chain()
    grow(chain, FIRST)
    machine = witness(chain)
    assert sent(machine.handle(Received(OTHER.node_id, AskCosign(size, bytes(32))), 1.0), Cosigned) == []


def test_a_witness_whose_chain_left_what_it_signed_signs_no_more() -> None:
    disk = SimDisk(Random(3))
    write_sealed(disk, *PromiseRecord(OWN.public, EVERY, bytes([9]) * 32).file())
    chain = new_chain(small_genesis("other"))
    grow(chain, FIRST)
    machine = witness(chain, disk)
    ask = AskCosign(EVERY, machine.log.root(EVERY))
    assert sent(machine.handle(Received(OTHER.node_id, ask), 1.0), Cosigned) == []
    assert machine.promise.broken is not None
    assert machine.best() is None


def test_a_promise_ahead_of_the_chain_waits_for_it() -> None:
    """A node that lost its blocks and fetches them again is not in conflict."""
    disk = SimDisk(Random(3))
    write_sealed(disk, *PromiseRecord(OWN.public, 10 * EVERY, bytes([9]) * 32).file())
    chain = new_chain()
    grow(chain, FIRST)
    machine = witness(chain, disk)
    assert machine.best() is None
    assert machine.promise.broken is None


def test_a_damaged_promise_is_no_licence() -> None:
    disk = SimDisk(Random(3))
    disk.replace(PROMISE_FILE, b"damaged!!")
    chain = new_chain()
    grow(chain, FIRST)
    machine = witness(chain, disk)
    assert machine.best() is None
    assert "damaged" in str(machine.promise.broken)


def test_a_key_without_its_promise_signs_nothing() -> None:
    """Whoever deletes the file must not make a witness forget what it signed; nor whoever changes keys to and fro."""
    chain = new_chain()
    grow(chain, FIRST)
    ask = AskCosign(EVERY, witness(chain).log.root(EVERY))
    for disk, why in ((SimDisk(Random(3)), "no file 'witness'"), (new_disk(OTHER), "another key")):
        machine = witness(chain, disk, OWN)
        assert machine.handle(Received(OTHER.node_id, ask), 1.0) == []
        assert machine.best() is None
        assert why in str(machine.promise.broken)
        assert "move node-key away" in str(machine.promise.broken)


def test_a_promise_from_before_it_named_its_key_is_kept() -> None:
    chain = new_chain()
    grow(chain, FIRST)
    disk = SimDisk(Random(3))
    write_sealed(disk, PROMISE_FILE, encode((EVERY, witness(chain).log.root(EVERY))))
    machine = witness(chain, disk)
    assert machine.promise.kept == PromiseRecord(OWN.public, EVERY, machine.log.root(EVERY))
    assert machine.best() is not None


def test_a_smaller_checkpoint_than_the_last_is_not_signed() -> None:
    chain = new_chain()
    grow(chain, FIRST + EVERY)
    machine = witness(chain)
    ask = AskCosign(EVERY, machine.log.root(EVERY))
    assert sent(machine.handle(Received(OTHER.node_id, ask), 1.0), Cosigned) == []


def test_a_peer_speaks_for_its_own_key_alone() -> None:
    chain = new_chain()
    machine = witness(chain)
    step(machine, chain, FIRST)
    checkpoint = machine.gathering[-1].checkpoint
    forged = NodeKey(bytes([5]) * 32)
    for key, signature in ((forged, forged.sign(signed_message(checkpoint, 9))), (OTHER, bytes(64))):
        message = Cosigned(checkpoint.size, checkpoint.root, key.public, 9, signature)
        machine.handle(Received(OTHER.node_id, message), 9.0)
    best = machine.best()
    assert best is not None
    assert len(best.keys) == 1


def test_after_a_reorganisation_only_checkpoints_of_the_chain_remain() -> None:
    chain, longer = new_chain(), new_chain()
    machine = witness(chain, key=None)
    step(machine, chain, FIRST)
    assert machine.gathering
    old = machine.gathering[-1].checkpoint
    left = 0
    for number in range(FIRST + 3):
        block = mine(longer, time_ms=longer.tip.header.time_ms + 59_000 + number)
        give(longer, block)
        change = give(chain, block)
        if change is not None:
            left += len(change.disconnected)
            machine.handle(Asked(change), 50.0)
    assert left
    assert all(one.checkpoint.root == machine.log.root(one.checkpoint.size) for one in machine.gathering)
    assert old not in [one.checkpoint for one in machine.gathering]


messages = st.one_of(
    st.builds(AskCosign, st.integers(1, 2**32), st.binary(min_size=32, max_size=32)),
    st.builds(
        Cosigned,
        st.integers(1, 2**32),
        st.binary(min_size=32, max_size=32),
        st.binary(min_size=32, max_size=32),
        st.integers(0, 2**63 - 1),
        st.binary(min_size=64, max_size=64),
    ),
)
CHAIN = new_chain()


@given(st.lists(st.tuples(st.sampled_from([OTHER.node_id, b"x" * 32]), messages | st.none()), max_size=30))
@settings(deadline=None)
def test_no_message_makes_it_raise_or_grow(events: list[tuple[bytes, Any]]) -> None:
    if CHAIN.tip.height == 0:
        grow(CHAIN, FIRST + EVERY)
    machine = witness(CHAIN)
    for number, (peer, message) in enumerate(events):
        machine.handle(Lost(peer) if message is None else Received(peer, message), float(number))
    machine.handle(Fired("ask"), 1_000.0)
    assert len(machine.gathering) <= KEPT
    assert all(len(one.signed) <= 2 for one in machine.gathering)
