"""Whole nodes in one universe: documents attached here are downloaded there, checkpoints are co-signed, proofs carry them."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest
from tests.node.sim_nodes import BLOCK_S, Net

from horoi.base.hashing import sha256
from horoi.ledger.checkpoint import read_verifier_key
from horoi.ledger.proof.verify import verify
from horoi.node.documents.messages import CHUNK_SIZE_BYTES, FetchDocument, KeepDocument
from horoi.node.node import Node
from horoi.node.proving import Prover
from horoi.node.witness.machine import DEPTH, EVERY
from horoi.node.witness.promise import Promise, begin
from horoi.world.live.node_key import NodeKey

DOCUMENT = Random(4).randbytes(3 * CHUNK_SIZE_BYTES + 5)
NAME = sha256(DOCUMENT)


class Witnesses(Net):
    """Nodes that sign checkpoints."""

    def _remember(self, name: str) -> Callable[[Node], None]:
        remember = super()._remember(name)

        def remember_and_sign(node: Node) -> None:
            remember(node)
            key = NodeKey(sha256(name.encode()))
            begin(node.disk, key.public)
            node.witness.promise = Promise(node.disk)
            node.witness.sign_with(key)

        return remember_and_sign


@pytest.mark.parametrize("nodes", [2, 3])
def test_a_document_goes_from_node_to_node_and_survives_a_crash(nodes: int) -> None:
    with Net(5, nodes) as net:
        net.run(5)
        net.universe.ask(net.names[0], KeepDocument(DOCUMENT))
        net.run(1)
        for name in net.names[1:]:
            net.universe.ask(name, FetchDocument(NAME))
        net.run(30)
        assert all(net.nodes[name].documents.store.read(NAME) == DOCUMENT for name in net.names)
        net.universe.crash(net.names[-1])
        net.universe.restart(net.names[-1])
        net.run(1)
        assert net.nodes[net.names[-1]].documents.store.read(NAME) == DOCUMENT


def test_nodes_co_sign_what_they_all_see_and_a_proof_carries_it() -> None:
    with Witnesses(6, 3) as net:
        item = None
        while item is None:
            net.run(BLOCK_S)
            item = net.transfer(net.names[0])
        height = EVERY + DEPTH + 4
        assert net.universe.run_until(lambda: net.nodes[net.names[0]].chain.tip.height >= height, 60 * BLOCK_S)
        net.run(60)
        node = net.nodes[net.names[0]]
        best = node.witness.best()
        assert best is not None
        assert len(best.keys) == 3
        assert node.index is not None
        place = node.index.transaction_place(item)
        assert place is not None
        if place.height >= best.note.checkpoint.size:
            net.run((place.height + EVERY + DEPTH + 4) * BLOCK_S)
            best = node.witness.best()
            assert best is not None
        proof = Prover(node.chain, node.index, node.witness.log, best).transaction(item)
        verdict = verify(proof, node.chain.genesis, [read_verifier_key(key) for key in best.keys])
        assert verdict.anchored is not None
        assert len(verdict.anchored.chosen) == len(best.keys)
