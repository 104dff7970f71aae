"""Proofs that stand alone, and the checkpoint that witnesses signed."""

from __future__ import annotations

from starlette.responses import Response

from horoi.base.address import public_key_of
from horoi.base.errors import UsageError
from horoi.ledger.checkpoint import ORIGIN_PREFIX, read_verifier_key
from horoi.ledger.proof.form import MAX_PROOF_SIZE_BYTES, Proof, write
from horoi.node.proving import Prover
from horoi.web.access import NodeAccess
from horoi.web.endpoint import JSON
from horoi.web.model.base import NoQuery
from horoi.web.model.proofs import CheckpointView, Cosigner, ProofPath


def proof(access: NodeAccess, path: ProofPath, _: None) -> Response:
    """A proof that something was recorded, and of holdings that they are unspent: the file that `horoi proof verify` takes."""
    data = write(_make(access, path))
    if len(data) > MAX_PROOF_SIZE_BYTES:
        raise UsageError(
            f"the proof takes {len(data)} bytes, at most {MAX_PROOF_SIZE_BYTES} are read: ask for less depth",
            code="proof-large",
        )
    return Response(data, media_type=JSON)


def _make(access: NodeAccess, path: ProofPath) -> Proof:
    node = access.node
    witnessed = node.witness.best() if path.witnessed else None
    prover = Prover(node.chain, access.index, node.witness.log, witnessed, depth=path.depth, whole=path.whole)
    name = bytes.fromhex(path.id)
    if path.kind == "transaction":
        return prover.transaction(name)
    if path.kind == "post":
        return prover.post(name, path.number)
    if path.kind == "document":
        return prover.document(name)
    if path.kind == "asset":
        return prover.asset(name, public_key_of(path.owner) if path.owner is not None else None)
    return prover.holding(name, path.number)


def checkpoint(access: NodeAccess, _: NoQuery, __: None) -> CheckpointView:
    """The newest checkpoint of this node's chain, with the cosignatures of the nodes that agree."""
    witness = access.node.witness
    best = witness.best()
    cosigners = []
    for text in best.keys if best is not None else ():
        key = read_verifier_key(text)
        made = best.note.by(key) if best is not None else None
        assert made is not None
        cosigners.append(Cosigner(name=key.name, key=text, time_s=made.time_s))
    return CheckpointView(
        origin=ORIGIN_PREFIX + access.node.chain.network.hex(),
        size=best.note.checkpoint.size if best is not None else None,
        root=best.note.checkpoint.root.hex() if best is not None else None,
        note=best.text if best is not None else None,
        cosigners=cosigners,
        own_key=str(witness.key) if witness.key is not None else None,
        refuses=witness.promise.broken,
    )
