"""Signature verification as a job: heavy, pure, and the same for relay and sync."""

from __future__ import annotations

import msgspec

from horoi.base.keys import verify
from horoi.ledger.rules import SignatureTriple

CHUNK = 250  # signatures per job: two threads gain 1.7 to 2.0 in chunks of about this size (shared anchors)
MODELLED_VERIFY_PER_S = 33_000  # coincurve, one core (shared anchors)


class VerifySignatures(msgspec.Struct, frozen=True, gc=False):
    """Verify these; the result is the positions of all that are not valid, in order. ``tag`` is for the asker."""

    triples: tuple[SignatureTriple, ...]
    tag: tuple[str, int]

    @property
    def modelled_s(self) -> float:
        return len(self.triples) / MODELLED_VERIFY_PER_S

    def run(self) -> tuple[int, ...]:
        return tuple(
            position
            for position, (key, digest, signature) in enumerate(self.triples)
            if not verify(key, digest, signature)
        )


def in_chunks(triples: tuple[SignatureTriple, ...], name: str, first_number: int) -> list[VerifySignatures]:
    """Jobs of at most CHUNK signatures each, tagged (name, first_number), (name, first_number + 1), ..."""
    return [
        VerifySignatures(triples[start : start + CHUNK], (name, first_number + number))
        for number, start in enumerate(range(0, len(triples), CHUNK))
    ]
