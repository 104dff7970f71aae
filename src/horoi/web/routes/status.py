"""The node at a glance, its genesis, its miner, its health."""

from __future__ import annotations

from time import time

import msgspec
from starlette.responses import Response

from horoi.ledger.conditions import Condition
from horoi.ledger.consensus.nakamoto.tree import expected_target
from horoi.ledger.genesis import to_json
from horoi.node.mining.machine import SetMining
from horoi.node.wallet.text import condition_from_json, condition_to_json
from horoi.web.access import NodeAccess
from horoi.web.endpoint import JSON
from horoi.web.model.base import NoQuery
from horoi.web.model.node import Health, MiningForm, MiningView, NetworkView, PoolView, StatusView
from horoi.web.views import difficulty, time_text


def status(access: NodeAccess, _: NoQuery, __: None) -> StatusView:
    """The node at a glance: network, tip, work, peers, mempool, digest of the state, mining."""
    node = access.node
    chain, tip = node.chain, node.chain.tip
    target = expected_target(chain.genesis.consensus, tip)
    marker = node.index.marker if node.index is not None else None
    return StatusView(
        version=access.version,
        network=network(access),
        height=tip.height,
        tip=tip.name.hex(),
        tip_time_ms=tip.header.time_ms,
        tip_time=time_text(tip.header.time_ms),
        work=str(tip.work),
        target=f"{target:08x}",
        difficulty=str(difficulty(target)),
        median_time_ms=tip.median_time_ms,
        synced=node.sync.synced,
        headers_height=chain.tree.best.height,
        peers=sum(peer.ready for peer in node.peers.peers()),
        mempool=PoolView(count=len(node.mempool), size_bytes=node.mempool.size_bytes),
        state_digest=chain.ledger.digest(chain.tip.name).hex(),
        outputs=str(chain.ledger.bits.count),
        transactions=marker.transactions if marker else None,
        posts=marker.posts if marker else None,
        mining=mining(access, NoQuery(), None),
        node_id=access.node_id.hex(),
        listen=access.host.address,
        key=access.default_key.address if access.default_key else None,
        started_ms=access.started_ms,
        uptime_s=max(0.0, time() - access.started_ms / 1000),
    )


def network(access: NodeAccess) -> NetworkView:
    """What the genesis fixes."""
    chain = access.node.chain
    genesis, consensus = chain.genesis, chain.genesis.consensus
    return NetworkView(
        id=chain.network.hex(),
        name=genesis.name,
        created_ms=genesis.created_ms,
        consensus="nakamoto",
        interval_ms=consensus.interval_ms,
        half_life_ms=consensus.half_life_ms,
        future_limit=consensus.future_limit,
        maturity=consensus.maturity,
        reward_initial=str(consensus.reward.initial),
        reward_halving_blocks=consensus.reward.halving_blocks,
        fee_floor=str(genesis.fee_floor),
        max_block_size_bytes=genesis.max_block_size_bytes,
        open_issuing=not genesis.issuers,
    )


def genesis(access: NodeAccess, _: NoQuery, __: None) -> Response:
    """The genesis file, as a new node of this network needs it."""
    return Response(to_json(access.node.chain.genesis), media_type=JSON)


def mining(access: NodeAccess, _: NoQuery, __: None) -> MiningView:
    """What the node's own miner does."""
    miner = access.node.miner
    return MiningView(
        hash_rate=miner.hash_rate,
        owner=condition_to_json(miner.owner) if miner.owner is not None else None,
        attempts=str(miner.attempts),
        blocks_found=miner.blocks_found,
    )


def set_mining(access: NodeAccess, _: NoQuery, form: MiningForm) -> MiningView:
    """Mine at this rate from now on; 0 stops."""
    owner: Condition | None = access.node.miner.owner
    if form.owner is not None:
        owner = condition_from_json(form.owner)
    elif owner is None:
        owner = access.own_condition()
    access.host.ask(SetMining(form.hash_rate, owner))
    wanted = condition_to_json(owner)
    return msgspec.structs.replace(mining(access, NoQuery(), None), hash_rate=form.hash_rate, owner=wanted)


def health(_: NodeAccess, __: NoQuery, ___: None) -> Health:
    """Whether the node's loop turns."""
    return Health(ok=True)
