"""The checkpoint that a proof carries: every run of headers is on the one chain that the witnesses signed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from horoi.base.errors import DecodeError
from horoi.ledger import checkpoint as notes
from horoi.ledger.checkpoint import Cosignature, VerifierKey
from horoi.ledger.header_log import header_leaf
from horoi.ledger.merkle import verify_inclusion
from horoi.ledger.proof.form import Anchor, ProofError
from horoi.ledger.proof.run import Run


class Anchored(NamedTuple):
    """What a checkpoint shows: so many headers, signed by these, of whom the reader chose some."""

    size: int
    signed: tuple[Cosignature, ...]
    chosen: tuple[Cosignature, ...]


def check_anchor(
    anchor: Anchor,
    network: bytes,
    runs: Sequence[Run],
    needed: Sequence[int],
    witnesses: Sequence[VerifierKey],
) -> Anchored:
    """Check every signature and the place of every run; ProofError names what does not hold.

    ``needed``: the heights of the blocks that the proof is about. A path to a header vouches for it and what is below it.
    """
    try:
        note = notes.read_note(anchor.note)
        keys = [notes.read_verifier_key(text) for text in anchor.keys]
    except DecodeError as error:
        raise ProofError("checkpoint", str(error)) from None
    if note.checkpoint.network != network:
        raise ProofError("checkpoint", "it is of another network")
    signed = _check_signatures(note, keys)
    _check_rungs(anchor, note.checkpoint, runs, needed)
    chosen = []
    for witness in witnesses:
        found = [made for made in signed if made.key == witness]
        if not found:
            raise ProofError(f"cosignature of {witness.name}", "this witness did not sign the checkpoint")
        chosen += found
    return Anchored(note.checkpoint.size, tuple(signed), tuple(chosen))


def _check_signatures(note: notes.Note, keys: Sequence[VerifierKey]) -> list[Cosignature]:
    if len(keys) != len(note.signatures) or len({key.public for key in keys}) != len(keys):
        raise ProofError("checkpoint", f"{len(keys)} different keys for {len(note.signatures)} signatures")
    signed = []
    for key, (name, key_id, time_s, signature) in zip(keys, note.signatures, strict=True):
        made = Cosignature(key, time_s, signature)
        if (name, key_id) != (key.name, key.key_id) or not notes.is_valid(note.checkpoint, made):
            raise ProofError(f"cosignature of {key.name}", "is not valid over the checkpoint")
        signed.append(made)
    return signed


def _check_rungs(anchor: Anchor, checkpoint: notes.Checkpoint, runs: Sequence[Run], needed: Sequence[int]) -> None:
    """One header of every run, in order, is in the log; what is below it in its run is linked to it."""
    if len(anchor.rungs) != len(runs):
        raise ProofError("checkpoint", f"{len(anchor.rungs)} paths for {len(runs)} runs of headers")
    for rung, run in zip(anchor.rungs, runs, strict=True):
        header = run.at(rung.height)
        path = [bytes.fromhex(step) for step in rung.path]
        if header is None or not verify_inclusion(
            header_leaf(header), rung.height, checkpoint.size, path, checkpoint.root
        ):
            raise ProofError("path to the checkpoint", f"header {rung.height} is not shown to be under its root")
        above = [height for height in needed if rung.height < height <= run.last]
        if above:
            raise ProofError(
                "path to the checkpoint", f"it vouches for header {rung.height}, not for {above[0]} above it"
            )
