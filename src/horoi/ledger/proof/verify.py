"""A proof, link by link: from what was recorded to the work on top of it, and to whom the reader believes.

    form -> network -> headers -> record in its block -> signatures -> claim -> bits -> checkpoint

The first link that does not hold ends it, by name. What holds is said as *proven*; what no byte can show as *assumed*.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from horoi.ledger.block import Header
from horoi.ledger.checkpoint import VerifierKey
from horoi.ledger.genesis import Genesis, network_id
from horoi.ledger.proof.anchor import Anchored, check_anchor
from horoi.ledger.proof.content import Item, check_record
from horoi.ledger.proof.form import Claim, Proof, ProofError
from horoi.ledger.proof.run import Run, read_runs, run_with
from horoi.ledger.proof.state import check_unspent
from horoi.ledger.transaction import Output, asset_id


class Verdict(NamedTuple):
    """What a proof showed. All of it was checked; ``assumed`` says what could not be."""

    network: bytes
    claim: Claim
    items: tuple[Item, ...]
    """The records, that of the claim first."""
    unspent: tuple[tuple[int, int, Output], ...]
    """(record, output index, content) of what was unspent as of ``unspent_height``."""
    unspent_height: int | None
    blocks: tuple[tuple[int, bytes], ...]
    """(height, name) of every block that the proof is about: who follows the chain compares them with its own."""
    tip: Header
    tip_name: bytes
    blocks_on_top: int
    """Of the claim's block, in its own run of headers."""
    work_on_top: int
    """Hashes that a liar would have to do for that block and those on top, on average."""
    work_on_state: int
    """The same for the block that the bits are of; 0 without bits."""
    is_whole: bool
    """Every header from the first block on is there and was checked against the genesis."""
    anchored: Anchored | None
    links: tuple[tuple[str, str], ...]
    """(link, what was found): the links that hold, in order."""
    proven: tuple[str, ...]
    assumed: tuple[str, ...]


def verify(proof: Proof, genesis: Genesis | None = None, witnesses: Sequence[VerifierKey] = ()) -> Verdict:
    """Check a proof; ProofError names the broken link.

    ``genesis``: of the network that the reader means. ``witnesses``: all of them must have signed the proof's checkpoint.
    """
    network = bytes.fromhex(proof.network)
    if genesis is not None and network_id(genesis) != network:
        raise ProofError("other network", f"the proof is of network {proof.network}, not of the genesis given")
    runs = read_runs(proof.headers, network, genesis)
    if runs[-1].names[-1].hex() != proof.tip:
        raise ProofError("tip", f"the last header is {runs[-1].names[-1].hex()}, the proof says {proof.tip}")
    items = tuple(check_record(part, network, runs) for part in proof.records)
    _check_claim(proof, items)
    if proof.unspent is not None:
        check_unspent(proof.unspent, proof.records, items, runs)
    _check_needed(proof, runs)
    needed = _heights(proof)
    if witnesses and proof.checkpoint is None:
        raise ProofError(f"cosignature of {witnesses[0].name}", "the proof carries no checkpoint")
    anchored = check_anchor(proof.checkpoint, network, runs, needed, witnesses) if proof.checkpoint else None
    return _verdict(proof, network, genesis, runs, items, anchored)


def _check_claim(proof: Proof, items: Sequence[Item]) -> None:
    claim, item = proof.claim, items[0]
    body = item.transaction.body if item.transaction is not None else None
    if len({item.id for item in items}) != len(items):
        raise ProofError("form", "a record is given twice")
    if claim.kind in ("transaction", "post", "holding") and item.id.hex() != claim.id:
        raise ProofError("claim", f"it is of {claim.id}, the record is {item.id.hex()}")
    if claim.kind == "transaction":
        _claim_that(claim.number == 0, "a transaction has no number")
    elif claim.kind == "post":
        _claim_that(body is not None and claim.number < len(body.posts), f"there is no post {claim.number}")
    elif claim.kind == "document":
        posts = body.posts if body is not None else ()
        named = [n for n, post in enumerate(posts) if post.document is not None and post.document.hex() == claim.id]
        _claim_that(named[:1] == [claim.number], f"post {claim.number} is not the first that names document {claim.id}")
    elif claim.kind == "asset":
        made = claim.number < (len(body.definitions) if body is not None else 0)
        _claim_that(made and asset_id(item.id, claim.number).hex() == claim.id, f"asset {claim.id} is not defined here")
    if claim.kind not in ("asset", "holding"):
        _claim_that(len(items) == 1 and proof.unspent is None, f"a proof of a {claim.kind} has one record and no bits")
    else:
        _check_holdings(proof, items)


def _check_holdings(proof: Proof, items: Sequence[Item]) -> None:
    """What is said to be unspent is what the claim is about."""
    claim = proof.claim
    outputs = proof.unspent.outputs if proof.unspent is not None else ()
    for output in outputs:
        if output.record < len(items) and output.index < len(items[output.record].outputs):
            content = items[output.record].outputs[output.index]
            mine = claim.kind == "holding" or content.asset.hex() == claim.id
            _claim_that(mine, f"output {output.index} of record {output.record} is of another asset")
    if claim.kind == "holding":
        one = [(output.record, output.index) for output in outputs] == [(0, claim.number)]
        _claim_that(one and len(items) == 1, "a proof of a holding has its one output and the bit of it")
    needed = {0, *(output.record for output in outputs)}
    _claim_that(len(needed) == len(items), "a record is given that nothing needs")


def _claim_that(holds: bool, otherwise: str) -> None:
    if not holds:
        raise ProofError("claim", otherwise)


def _check_needed(proof: Proof, runs: Sequence[Run]) -> None:
    """Nothing stands there that no link needs: what is not checked could be anything."""
    shown = {output.record for output in proof.unspent.outputs} if proof.unspent is not None else set()
    for number, record in enumerate(proof.records):
        if record.before is not None and number not in shown:
            raise ProofError("form", f"record {number} says how many bits were before it, and nothing needs that")
    heights = _heights(proof)
    for run in runs:
        if not any(run.first <= height <= run.last for height in heights):
            raise ProofError("form", f"the headers from {run.first} to {run.last} belong to nothing")


def _heights(proof: Proof) -> list[int]:
    """The blocks that the proof is about."""
    state = [proof.unspent.height] if proof.unspent is not None else []
    return [*(record.height for record in proof.records), *state]


def _verdict(
    proof: Proof,
    network: bytes,
    genesis: Genesis | None,
    runs: Sequence[Run],
    items: tuple[Item, ...],
    anchored: Anchored | None,
) -> Verdict:
    own = run_with(runs, items[0].height, "header of the record")
    part = proof.unspent
    state_work = run_with(runs, part.height, "header of the state").work_from(part.height) if part is not None else 0
    is_whole = genesis is not None and len(runs) == 1 and own.is_whole
    unspent = tuple(
        (output.record, output.index, items[output.record].outputs[output.index])
        for output in (part.outputs if part is not None else ())
    )
    verdict = Verdict(
        network=network,
        claim=proof.claim,
        items=items,
        unspent=unspent,
        unspent_height=part.height if part is not None else None,
        blocks=tuple((height, run_with(runs, height, "header").name_at(height)) for height in _heights(proof)),
        tip=runs[-1].headers[-1],
        tip_name=runs[-1].names[-1],
        blocks_on_top=own.last - items[0].height,
        work_on_top=own.work_from(items[0].height),
        work_on_state=state_work,
        is_whole=is_whole,
        anchored=anchored,
        links=(),
        proven=(),
        assumed=(),
    )
    return verdict._replace(
        links=_links(verdict, runs, genesis), proven=_proven(verdict), assumed=_assumed(verdict, runs, genesis)
    )


def _links(v: Verdict, runs: Sequence[Run], genesis: Genesis | None) -> tuple[tuple[str, str], ...]:
    count = sum(len(run.headers) for run in runs)
    signatures = sum(len(item.signers) for item in v.items)
    links = [
        ("form", "version 1, in its one form"),
        ("network", f"{v.network.hex()}, " + ("as the genesis given" if genesis is not None else "as the proof says")),
        ("headers", f"{count} in {len(runs)} run(s), each linked to the one before and its puzzle solved"),
        ("merkle path", f"{len(v.items)} record(s), each under its block's content root"),
        ("signatures", f"{signatures} valid, from everybody who had to agree"),
        ("claim", f"{v.claim.kind} {v.claim.id}"),
    ]
    if v.unspent_height is not None:
        links.append(("bits", f"{len(v.unspent)} output(s) unspent after block {v.unspent_height}"))
    if v.anchored is not None:
        links.append(("checkpoint", f"the first {v.anchored.size} headers, signed by {len(v.anchored.signed)}"))
    return tuple(links)


def _proven(v: Verdict) -> tuple[str, ...]:
    item = v.items[0]
    proven = [
        f"block {item.height} ({item.block.hex()}) records {item.id.hex()}",
        f"{v.blocks_on_top} block(s) follow it here; block and followers took {v.work_on_top} hashes on average",
    ]
    proven += [f"{key.hex()} signed it" for key in item.signers]
    if v.unspent_height is not None:
        proven.append(
            f"{len(v.unspent)} output(s) were unspent after block {v.unspent_height}, "
            f"whose header and followers took {v.work_on_state} hashes"
        )
    if v.is_whole:
        proven.append("every header from the first block to the tip keeps the rules of the genesis, ASERT included")
    if v.anchored is not None:
        proven += [
            f"{made.key.name} signed the chain of the first {v.anchored.size} headers at {made.time_s}"
            for made in v.anchored.signed
        ]
    return tuple(proven)


def _assumed(v: Verdict, runs: Sequence[Run], genesis: Genesis | None) -> tuple[str, ...]:
    assumed = []
    if genesis is None:
        assumed.append(f"that {v.network.hex()} is the network that you mean (give its genesis to have that checked)")
    if v.anchored is not None and v.anchored.chosen:
        names = ", ".join(made.key.name for made in v.anchored.chosen)
        assumed.append(f"that one of the witnesses you chose is honest: {names}")
    elif v.is_whole:
        assumed.append(f"that no other chain from this genesis took more than {v.work_on_top} hashes since that block")
    else:
        assumed.append(f"that nobody spent {v.work_on_top} hashes to deceive you with headers off the main chain")
        if len(runs) > 1:
            assumed.append(f"that the {len(runs)} runs of headers are of one chain: no witness that you chose says so")
    if any(item.transaction is not None and item.transaction.body.inputs for item in v.items):
        assumed.append("that what it spends was there to be spent, as it says: whoever mined its block checked that")
    assumed.append("that times are what miners wrote: a header's time may be off by what the genesis allows")
    return tuple(assumed)
