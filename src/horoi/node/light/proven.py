"""A proof held against the chain that a light client follows."""

from __future__ import annotations

from horoi.ledger.proof.form import Proof, ProofError
from horoi.ledger.proof.verify import verify
from horoi.node.light.chain import LightChain


def check_followed(chain: LightChain, proof: Proof) -> int:
    """Verify a proof and that all its blocks are on this chain; how many blocks follow the claim's. ProofError names the link."""
    verdict = verify(proof, chain.genesis)
    for height, name in verdict.blocks:
        own = chain.name_at(height)
        if own is None:
            raise ProofError(
                "followed chain", f"it ends at {chain.store.count}, before block {height}: ask again later"
            )
        if own != name:
            raise ProofError("followed chain", f"its block {height} is {own.hex()}, the proof's is {name.hex()}")
    return chain.store.count - verdict.items[0].height
