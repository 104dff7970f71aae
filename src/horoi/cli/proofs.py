"""What a proof showed, as data and for people."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

import click

from horoi.base.address import address_of
from horoi.base.errors import UsageError
from horoi.ledger.checkpoint import VerifierKey
from horoi.ledger.genesis import Genesis
from horoi.ledger.proof.content import Item
from horoi.ledger.proof.form import MAX_PROOF_SIZE_BYTES, Proof, ProofError
from horoi.ledger.proof.verify import Verdict, verify
from horoi.ledger.transaction import Holding, Output, asset_id
from horoi.node.wallet.explain import AssetName, Names, explain
from horoi.node.wallet.text import condition_to_json, format_time


def read_proof_file(file: Path) -> bytes:
    """The bytes of a file, no more than a proof has. UsageError."""
    try:
        with file.open("rb") as opened:
            return opened.read(MAX_PROOF_SIZE_BYTES + 1)
    except OSError as error:
        raise UsageError(f"{file}: cannot be read: {error.strerror or error}") from None


def check_asked(proof: Proof, kind: str, identifier: str, number: int) -> None:
    """A node may answer with a proof that holds, of something else. ProofError names that too."""
    claim = proof.claim
    is_numbered = kind in ("post", "holding")  # of a document and an asset the number says where they stand
    if (claim.kind, claim.id) != (kind, identifier) or (is_numbered and claim.number != number):
        raise ProofError(
            "answer",
            f"the node was asked for {kind} {identifier} ({number}) and proves {claim.kind} {claim.id} ({claim.number}): "
            "ask another",
        )


def verdict_of(proof: Proof, genesis: Genesis | None, witnesses: Sequence[VerifierKey]) -> dict[str, Any]:
    """Verify, and say everything that was found as JSON data. ProofError names the broken link."""
    began = perf_counter()
    verdict = verify(proof, genesis, witnesses)
    took_ms = (perf_counter() - began) * 1000
    item, names = verdict.items[0], _names(verdict)
    return {
        "ok": True,
        "network": verdict.network.hex(),
        "claim": {"kind": verdict.claim.kind, "id": verdict.claim.id, "number": verdict.claim.number},
        "block": {
            "height": item.height,
            "hash": item.block.hex(),
            "time_ms": item.time_ms,
            "time": format_time(item.time_ms),
        },
        "words": explain(item.transaction.body, names) if item.transaction is not None else ["the reward of a block"],
        "signers": [{"key": key.hex(), "address": address_of(key)} for key in item.signers],
        "records": [_record(one) for one in verdict.items],
        "unspent": _unspent(verdict, names),
        "tip": {"height": verdict.tip.height, "hash": verdict.tip_name.hex()},
        "blocks_on_top": verdict.blocks_on_top,
        "work_on_top": str(verdict.work_on_top),
        "whole": verdict.is_whole,
        "checkpoint": _checkpoint(verdict),
        "links": [{"name": name, "found": found} for name, found in verdict.links],
        "proven": list(verdict.proven),
        "assumed": list(verdict.assumed),
        "took_ms": round(took_ms, 3),
    }


def _names(verdict: Verdict) -> Names:
    """Assets that are defined in the proof itself have a name here; others are shown by their ids."""
    assets = {}
    for item in verdict.items:
        for number, d in enumerate(item.transaction.body.definitions if item.transaction is not None else ()):
            assets[asset_id(item.id, number)] = AssetName(d.name, d.unit, d.decimals)
    return Names({}, assets)


def _record(item: Item) -> dict[str, Any]:
    return {
        "id": item.id.hex(),
        "height": item.height,
        "block": item.block.hex(),
        "kind": "transaction" if item.transaction is not None else "reward",
        "signers": [key.hex() for key in item.signers],
    }


def _unspent(verdict: Verdict, names: Names) -> dict[str, Any] | None:
    if verdict.unspent_height is None:
        return None
    outputs = [
        {"id": verdict.items[record].id.hex(), "index": index, **_output(content, names)}
        for record, index, content in verdict.unspent
    ]
    return {"height": verdict.unspent_height, "work": str(verdict.work_on_state), "outputs": outputs}


def _output(content: Output, names: Names) -> dict[str, Any]:
    is_holding = isinstance(content, Holding)
    quantity = content.quantity if isinstance(content, Holding) else content.limit
    custodian = content.custodian if isinstance(content, Holding) else None
    return {
        "kind": "holding" if is_holding else "right",
        "asset": content.asset.hex(),
        "quantity": str(quantity),
        "words": names.amount(content.asset, quantity),
        "owner": condition_to_json(content.owner),
        "custodian": condition_to_json(custodian) if custodian is not None else None,
    }


def _checkpoint(verdict: Verdict) -> dict[str, Any] | None:
    if verdict.anchored is None:
        return None
    signed = [{"name": made.key.name, "key": str(made.key), "time_s": made.time_s} for made in verdict.anchored.signed]
    return {"size": verdict.anchored.size, "cosigners": signed, "chosen": [str(m.key) for m in verdict.anchored.chosen]}


def render_verdict(data: dict[str, Any]) -> None:
    """Print what a proof showed."""
    from horoi.cli.render import fields, plain, who

    block = data["block"]
    for words in data["words"]:
        click.echo(plain(words))
    fields(
        {
            "recorded": f"in block {block['height']}, {block['time']}",
            "signed by": ", ".join(signer["address"] for signer in data["signers"]) or "nobody",
            "work on top": f"{data['blocks_on_top']} blocks, {data['work_on_top']} hashes with its own",
        }
    )
    if data["unspent"] is not None:
        click.echo(f"unspent after block {data['unspent']['height']}:")
        for output in data["unspent"]["outputs"]:
            kind = "right to " if output["kind"] == "right" else ""
            click.echo(f"  {kind}{plain(output['words'])}, owner {who(output['owner'])}")
    click.echo("every link holds:")
    for link in data["links"]:
        click.echo(f"  {link['name']}: {plain(link['found'])}")
    click.echo("assumed:")
    for said in data["assumed"]:
        click.echo(f"  {plain(said)}")
