"""A small chain with something of every kind on it, and proofs of that, for the tests of proofs."""

from __future__ import annotations

from functools import lru_cache
from random import Random
from typing import NamedTuple

from tests.node.chains import COMPANIES, give, grow, mine, new_chain, small_genesis, spend_grant

from horoi.base.hashing import sha256
from horoi.ledger.block import reward_id
from horoi.ledger.checkpoint import Checkpoint, Cosignature, read_note, signed_message, witness_key, write_note
from horoi.ledger.conditions import Key
from horoi.ledger.header_log import HeaderLog
from horoi.ledger.proof.form import Proof
from horoi.ledger.transaction import (
    Body,
    Definition,
    Holding,
    Input,
    Issue,
    Post,
    Signature,
    Transaction,
    Witness,
    asset_id,
    first_right,
    transaction_id,
)
from horoi.node.chain import Chain
from horoi.node.index.index import Index
from horoi.node.proving import Prover, Witnessed
from horoi.world.live.node_key import NodeKey
from horoi.world.sim.disk import SimDisk

HASHES = 256
"""A changed byte of a header passes its puzzle once in so many times; every block costs so many hashes."""

DOCUMENT = b"bill of lading"
WITNESSES = [NodeKey(bytes([n]) * 32) for n in (1, 2)]
ISSUER, BUYER = COMPANIES[0], COMPANIES[1]


class Story(NamedTuple):
    """A chain, and what was recorded on it."""

    chain: Chain
    index: Index
    log: HeaderLog
    asset: bytes
    issued: bytes
    post: bytes

    def prover(self, *, witnessed: bool = False, depth: int = 20, whole: bool = False) -> Prover:
        return Prover(
            self.chain, self.index, self.log, self.witnessed() if witnessed else None, depth=depth, whole=whole
        )

    def witnessed(self, size: int | None = None) -> Witnessed:
        size = size or self.chain.tip.height - 1
        checkpoint = Checkpoint(self.chain.network, size, self.log.root(size))
        keys = [witness_key(pair.public) for pair in WITNESSES]
        made = [
            Cosignature(key, 1_800_000_000, pair.sign(signed_message(checkpoint, 1_800_000_000)))
            for key, pair in zip(keys, WITNESSES, strict=True)
        ]
        text = write_note(checkpoint, made)
        return Witnessed(read_note(text), text, tuple(map(str, keys)))

    def proofs(self) -> dict[str, Proof]:
        """A proof of every kind."""
        plain, signed = self.prover(), self.prover(witnessed=True)
        return {
            "transaction": plain.transaction(self.issued),
            "post": plain.post(self.post, 0),
            "document": signed.document(sha256(DOCUMENT)),
            "asset": signed.asset(self.asset),
            "holding": plain.holding(self.issued, 0),
            "grant": plain.holding(reward_id(self.chain.network, 0, self.chain.genesis.grants), 7),
            "far": self.prover(witnessed=True, depth=1).holding(self.issued, 0),
            "whole": self.prover(whole=True).holding(self.issued, 0),
        }


def signed(chain: Chain, body: Body, *pairs: int) -> Transaction:
    """A body signed by these companies."""
    digest = transaction_id(chain.network, body)
    signers = sorted((COMPANIES[n] for n in pairs), key=lambda pair: pair.public)
    return Transaction(body, Witness(tuple(Signature(pair.public, pair.sign(digest)) for pair in signers)))


@lru_cache(maxsize=1)
def story() -> Story:
    """Defined, issued, posted about, spent in part, and buried under twenty blocks."""
    chain = new_chain(small_genesis("proofs", hashes=HASHES))
    index = Index(chain, SimDisk(Random(5)))
    grow(chain, 2)
    defined = signed(
        chain, Body(definitions=(Definition("crude", "bbl", 0, Key(ISSUER.public), 1_000, False, None),), since=2), 0
    )
    give(chain, mine(chain, (defined,)))
    defined_id = transaction_id(chain.network, defined.body)
    right = first_right(defined_id, 0, defined.body.definitions[0])
    asset = asset_id(defined_id, 0)
    outputs = (
        Holding(asset, 600, Key(BUYER.public), None),
        Holding(asset, 300, Key(ISSUER.public), None),
    )
    issue = signed(chain, Body(inputs=(Input(defined_id, 0, right),), outputs=outputs, issues=(Issue(0, 900),)), 0)
    give(chain, mine(chain, (spend_grant(chain, 1, COMPANIES[2]), issue, spend_grant(chain, 2, COMPANIES[3]))))
    issued = transaction_id(chain.network, issue.body)
    said = Post(Key(BUYER.public), "loaded at Thasos", asset, sha256(DOCUMENT))
    post = signed(chain, Body(posts=(said,), since=4), 1)
    sale = signed(
        chain,
        Body(inputs=(Input(issued, 1, outputs[1]),), outputs=(Holding(asset, 300, Key(BUYER.public), None),)),
        0,
    )
    give(chain, mine(chain, (post, sale)))
    grow(chain, 20)
    index.catch_up()
    log = HeaderLog(lambda height: chain.active[height].header)
    return Story(chain, index, log, asset, issued, transaction_id(chain.network, post.body))
