"""What the node finds when it looks at itself: ``horoi doctor`` from the inside."""

from __future__ import annotations

from collections.abc import Iterator
from time import time

from horoi.node.checkup import block_times, permissions, space, versions, writing
from horoi.node.findings import Check, finding
from horoi.node.witness.machine import Witness
from horoi.web.access import NodeAccess
from horoi.web.agreement import agreement
from horoi.web.model.base import NoQuery
from horoi.web.model.network import CheckView, Diagnostics

EVERY_S = 5.0  # a check of the disk writes and syncs: whoever asks more often gets the last answer
MAX_BEHIND_BLOCKS = 2  # that an index may be behind without a word; a guess


def diagnostics(access: NodeAccess, _: NoQuery, __: None) -> Diagnostics:
    """The checks of `horoi doctor`, as the node itself sees them: program, disk, peers, chain, clock, index, faults."""
    now = time()
    if access.last_checkup is None or not 0 <= now - access.last_checkup[0] < EVERY_S:
        access.last_checkup = (now, [*versions(), *_disk(access)])
    checks = [*access.last_checkup[1], *_peers(access), *_chain(access, now), *_faults(access)]
    order = ("ok", "warn", "fail")
    return Diagnostics(
        checks=[CheckView(**{**check._asdict(), "values": dict(check.values)}) for check in checks],
        worst=max((check.verdict for check in checks), key=order.index),
    )


def _disk(access: NodeAccess) -> Iterator[Check]:
    folder = access.folder
    if folder is not None:
        yield from (permissions(folder), writing(folder), space(folder))


def _peers(access: NodeAccess) -> Iterator[Check]:
    seen = agreement(access)
    if seen.peers == 0:
        yield finding("peers", "none-linked")
        return
    yield finding("peers", "linked", peers=seen.peers)
    if seen.ahead or seen.different:
        yield finding("agreement", "differing", ahead=seen.ahead, different=seen.different)
    elif seen.lagging:
        yield finding("agreement", "lagging", lagging=seen.lagging, peers=seen.peers)
    else:
        yield finding("agreement", "same-tip", same=seen.same_tip, peers=seen.peers)


def _chain(access: NodeAccess, now: float) -> Iterator[Check]:
    node, chain = access.node, access.node.chain
    if node.sync.synced:
        yield finding("chain", "at-tip", height=chain.tip.height)
    else:
        yield finding("chain", "fetching", height=chain.tip.height, best=chain.tree.best.height)
    consensus = chain.genesis.consensus
    interval_s = consensus.interval_ms / 1000
    yield block_times(now - chain.tip.header.time_ms / 1000, interval_s, consensus.future_limit * interval_s)
    if chain.kept.damaged:
        yield finding("blocks", "blocks-damaged", damaged=len(chain.kept.damaged))
    else:
        yield finding("blocks", "blocks-kept", kept=len(chain.kept.places))
    yield _index(access)
    yield from _witness(node.witness)


def _witness(witness: Witness) -> Iterator[Check]:
    kept = witness.promise.kept
    if witness.promise.broken is not None:
        yield finding("witness", "witness-silent")
    elif kept is not None:
        yield finding("witness", "witness", headers=kept.size)


def _index(access: NodeAccess) -> Check:
    index, tip = access.node.index, access.node.chain.tip
    if index is None:
        return finding("index", "no-index")
    behind = tip.height - index.marker.height
    if behind > MAX_BEHIND_BLOCKS:
        return finding("index", "index-behind", behind=behind)
    return finding("index", "indexed", height=index.marker.height, transactions=index.marker.transactions)


def _faults(access: NodeAccess) -> Iterator[Check]:
    errors = {which: count for (what, which), count in access.host.counters.items() if what == "error"}
    if errors:
        yield finding("faults", "faults", faults=", ".join(f"{n} {which}" for which, n in sorted(errors.items())[:5]))
    else:
        yield finding("faults", "no-faults")
    invalid = access.node.sync.invalid_blocks
    if invalid:
        yield finding("refused blocks", "refused-blocks", refused=invalid)
