"""Playing a story: each scene becomes one signed transaction.

The stage manager says what every company's node shall say; each signs with its own key. Where several must agree, one of them
offers and the others accept, node to node, as companies on different machines do. What was played is noted in a file after each
scene, so a second start goes on where the first one stopped.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from horoi.base.codec import Codec, encode
from horoi.base.errors import HoroiError, InsufficientError, NetworkError, NotFoundError, RuleError
from horoi.base.files import SHARED, replace_file
from horoi.cli.troupe.processes import NodeProcess, Troupe
from horoi.ledger.conditions import keys_named
from horoi.ledger.transaction import (
    MAX_TRANSACTION_SIZE_BYTES,
    Output,
    Transaction,
    asset_id,
    transaction_codec,
    transaction_id,
)
from horoi.node.story import Cast, Scene, Story, scenes
from horoi.node.wallet import partial as signing
from horoi.node.wallet.partial import PartialTransaction
from horoi.node.wallet.pools import Spendable
from horoi.web.model.offers import OfferView

PLAYED_FILE = "played.json"
SCENE_TIMEOUT_S = 120.0
POLL_S = 0.1
AGREEMENT_TIMEOUT_S = 120.0

_output_codec: Codec[Output] = Codec(Output, max_size_bytes=MAX_TRANSACTION_SIZE_BYTES)


class Played(msgspec.Struct):
    """What was played so far."""

    transactions: list[str] = []
    """Encoded, in hexadecimal, one per scene."""
    assets: dict[str, str] = {}
    reclaims: list[tuple[str, str, str, int]] = []


class Stage:
    """A story on its way through the nodes.

    ``patient``: each scene waits until every node has the one before in a block, as people would see it. Otherwise the scenes
    that set the stage build on transactions that still wait, and a step only waits for its own node.
    """

    def __init__(
        self, troupe: Troupe, on_scene: Callable[[str], None] = lambda name: None, *, patient: bool = True
    ) -> None:
        self.troupe = troupe
        self.patient = patient
        self.story: Story = troupe.story
        self.on_scene = on_scene
        self.path = troupe.folder / PLAYED_FILE
        self.played = _load(self.path)
        self.network = bytes.fromhex(str(troupe.nodes[0].facts["network"]))
        self.cast = Cast(
            {node.company: node.key.public for node in troupe.nodes},
            {name: bytes.fromhex(asset) for name, asset in self.played.assets.items()},
            {(asset, owner, taker): until for asset, owner, taker, until in self.played.reclaims},
        )
        self._by_key = {node.key.public: node for node in troupe.nodes}

    def play(self) -> None:
        """Play what was not played yet. Raises NetworkError if the network does not take a scene in time."""
        self._resubmit()
        for number, scene in enumerate(scenes(self.story)):
            if number >= len(self.played.transactions):
                self.on_scene(scene.name)
                self._play(scene)
        deadline = time.monotonic() + SCENE_TIMEOUT_S
        for name in self.transaction_ids():
            self._wait_confirmed(name, deadline)

    def transaction_ids(self) -> list[bytes]:
        """Ids of all that was played."""
        played = (transaction_codec.decode(bytes.fromhex(text)) for text in self.played.transactions)
        return [transaction_id(self.network, transaction.body) for transaction in played]

    def _resubmit(self) -> None:
        """What an earlier run submitted and no node kept is handed in again."""
        if not self.played.transactions:
            return
        node = self.troupe.nodes[0]
        for name, text in zip(self.transaction_ids(), self.played.transactions, strict=True):
            try:
                node.client.transaction(name.hex())
            except NotFoundError:
                node.client.submit(bytes.fromhex(text))

    def _play(self, scene: Scene) -> None:
        node = next(node for node in self.troupe.nodes if node.company == scene.by)
        deadline = time.monotonic() + SCENE_TIMEOUT_S
        while True:
            try:
                cast = self.cast._replace(reclaims=dict(self.cast.reclaims))  # a refused scene changes nothing
                partial = self._build(scene, node, cast)
                transaction = self._sign(scene, partial, deadline)
                break
            except (RuleError, InsufficientError) as error:
                # What this scene needs may still be on its way to this node.
                if time.monotonic() > deadline:
                    raise NetworkError(f"scene {scene.name!r} was refused by {node.title}: {error}") from None
                time.sleep(POLL_S)
        self.cast = cast
        self.played.transactions.append(encode(transaction).hex())
        for number, asset in enumerate(scene.defines):
            self.cast.assets[asset] = asset_id(partial.id, number)
        self._note()
        if self.patient:
            self._wait_confirmed(partial.id, deadline)
        elif not scene.is_setting:  # steps stand on the board in the order of the story
            node.client.wait_confirmed(partial.id.hex(), timeout_s=max(1.0, deadline - time.monotonic()))

    def _build(self, scene: Scene, node: NodeProcess, cast: Cast) -> PartialTransaction:
        spendables, height = self._spendables(node)
        body = scene.build(cast, spendables, height + 1, int(time.time() * 1000))
        return PartialTransaction(self.network, body)

    def _sign(self, scene: Scene, partial: PartialTransaction, deadline: float) -> Transaction:
        """The transaction that all have signed, handed in. RuleError if the network does not take it (yet)."""
        asked = [self._by_key[key] for key in signing.keys_asked(partial) if key in self._by_key]
        asked.sort(key=lambda node: node.company != scene.by)
        if len(asked) > 1:
            return self._offer(scene, partial, asked, deadline)
        transaction = signing.finalize(signing.sign(partial, asked[0].key))
        asked[0].client.submit(transaction)
        return transaction

    def _offer(
        self, scene: Scene, partial: PartialTransaction, asked: list[NodeProcess], deadline: float
    ) -> Transaction:
        """One of those who give something offers it, and the others accept, each at its own node."""
        givers = {key for spent in partial.body.inputs for key in keys_named(spent.content.owner)}
        proposer = next(node for node in asked if node.key.public in givers)
        offer = proposer.client.offer_partial(json.loads(signing.to_json(partial)), note=scene.name)
        for node in asked:
            if node is not proposer:
                self._await_offer(node, offer.id, deadline)
                node.client.accept_offer(offer.id)
        return self._await_taken(proposer, offer, deadline)

    def _await_offer(self, node: NodeProcess, offer_id: str, deadline: float) -> None:
        """Until an offer came to a node."""
        while True:
            try:
                node.client.offer(offer_id)
                return
            except NotFoundError:
                if time.monotonic() > deadline:
                    raise NetworkError(f"offer {offer_id} did not come to {node.title}") from None
                time.sleep(POLL_S)

    def _await_taken(self, node: NodeProcess, offer: OfferView, deadline: float) -> Transaction:
        """The transaction of an offer, once a node has all signatures and its mempool took it. RuleError if it never can."""
        while True:
            try:
                return transaction_codec.decode(bytes.fromhex(node.client.transaction(offer.transaction).hex))
            except NotFoundError:
                seen = node.client.offer(offer.id)
                if seen.state == "spent":
                    raise RuleError("spend.unknown", f"what offer {offer.id} would spend is spent otherwise") from None
                if time.monotonic() > deadline:
                    why = seen.problem or f"it is {seen.state}"
                    raise NetworkError(f"offer {offer.id} did not come about at {node.title}: {why}") from None
                time.sleep(POLL_S)

    def _spendables(self, node: NodeProcess) -> tuple[list[Spendable], int]:
        """Unspent outputs of all companies, as this node sees them, and its height."""
        found: dict[tuple[str, int], Spendable] = {}
        height = 0
        for key in self.cast.keys.values():
            unconfirmed = not self.patient
            for view in (
                node.client.holdings(key=key.hex(), unconfirmed=unconfirmed),
                node.client.rights(key=key.hex(), unconfirmed=unconfirmed),
            ):
                height = view.height
                for row in view.outputs:
                    content = _output_codec.decode(bytes.fromhex(row.output.content))
                    spendable = Spendable(bytes.fromhex(row.source), row.index, content, row.height or 0, row.is_reward)
                    if row.spent_by is None:
                        found[row.source, row.index] = spendable
        return list(found.values()), height

    def _wait_confirmed(self, name: bytes, deadline: float) -> None:
        """Until every node has it: the next scene may be another company's."""
        for node in self.troupe.nodes:
            left_s = max(1.0, deadline - time.monotonic())
            node.client.wait_confirmed(name.hex(), timeout_s=left_s)
        self.troupe.check()

    def _note(self) -> None:
        self.played.assets = {name: asset.hex() for name, asset in self.cast.assets.items()}
        self.played.reclaims = [(*name, until) for name, until in self.cast.reclaims.items()]
        replace_file(self.path, msgspec.json.encode(self.played), SHARED)


def _load(path: Path) -> Played:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Played)
    except FileNotFoundError:
        return Played()


def agree(troupe: Troupe) -> None:
    """Stop mining and wait until all nodes have the same tip: a moment that can be looked at."""
    for node in troupe.nodes:
        node.client.set_mining(0)
    deadline = time.monotonic() + AGREEMENT_TIMEOUT_S
    while len({node.client.status().tip for node in troupe.nodes}) > 1:
        troupe.check()
        if time.monotonic() > deadline:
            # Two chains of equal work: one more block decides.
            raise NetworkError(f"the nodes did not agree on one tip within {AGREEMENT_TIMEOUT_S:g} s")
        time.sleep(POLL_S)


def holdings_by_company(troupe: Troupe) -> dict[str, dict[str, dict[str, int]]]:
    """What each company owns and holds, by asset name, in the asset's smallest unit; seen by its own node."""
    result: dict[str, dict[str, dict[str, int]]] = {}
    for node in troupe.nodes:
        sums = node.client.holdings(key=node.key.public.hex(), limit=10_000).sums
        result[node.title] = {
            row.owned.name or row.owned.asset: {"owned": int(row.owned.quantity), "held": int(row.held.quantity)}
            for row in sums
        }
    return result


def summary(troupe: Troupe, seconds: float) -> dict[str, Any]:
    """What ``horoi up --once --json`` prints."""
    statuses = [node.client.status() for node in troupe.nodes]
    posts = [entry.post.text for entry in troupe.nodes[0].client.all_posts()]
    return {
        "story": troupe.story.title,
        "nodes": len(troupe.nodes),
        "height": statuses[0].height,
        "tips": [status.tip for status in statuses],
        "state_digests": [status.state_digest for status in statuses],
        "holdings": holdings_by_company(troupe),
        "posts": posts,
        "seconds": round(seconds, 2),
    }


__all__ = ["HoroiError", "Stage", "agree", "holdings_by_company", "summary"]
