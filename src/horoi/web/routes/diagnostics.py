"""What the node finds when it looks at itself: ``horoi doctor`` from the inside."""

from __future__ import annotations

from collections.abc import Iterator
from time import time

from horoi.node.checkup import Check, block_times, permissions, space, versions, writing
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
        checks=[CheckView(name=c.name, verdict=c.verdict, found=c.found, advice=c.advice) for c in checks],
        worst=max((check.verdict for check in checks), key=order.index),
    )


def _disk(access: NodeAccess) -> Iterator[Check]:
    folder = access.folder
    if folder is not None:
        yield from (permissions(folder), writing(folder), space(folder))


def _peers(access: NodeAccess) -> Iterator[Check]:
    seen = agreement(access)
    if seen.peers == 0:
        yield Check("peers", "warn", "none linked", "name one: horoi peers --dial HOST:PORT; is its port open to here?")
        return
    yield Check("peers", "ok", f"{seen.peers} linked")
    if seen.ahead or seen.different:
        found = f"{seen.ahead} ahead, {seen.different} at another block of the same work"
        yield Check("agreement", "warn", found, "the next blocks decide; if it lasts, compare horoi status of both")
    elif seen.lagging:
        yield Check("agreement", "warn", f"{seen.lagging} of {seen.peers} lag behind", "their operators should look")
    else:
        yield Check("agreement", "ok", f"{seen.same_tip} of {seen.peers} at this node's tip")


def _chain(access: NodeAccess, now: float) -> Iterator[Check]:
    node, chain = access.node, access.node.chain
    if node.sync.synced:
        yield Check("chain", "ok", f"at the tip, {chain.tip.height}")
    else:
        found = f"at {chain.tip.height} of {chain.tree.best.height}"
        yield Check("chain", "warn", found, "it is fetching: wait")
    consensus = chain.genesis.consensus
    interval_s = consensus.interval_ms / 1000
    yield block_times(now - chain.tip.header.time_ms / 1000, interval_s, consensus.future_limit * interval_s)
    if chain.kept.damaged:
        found = f"{len(chain.kept.damaged)} damaged in the log"
        yield Check("blocks", "warn", found, "they are fetched again from peers; check the disk")
    else:
        yield Check("blocks", "ok", f"{len(chain.kept.places)} kept")
    yield _index(access)


def _index(access: NodeAccess) -> Check:
    index, tip = access.node.index, access.node.chain.tip
    if index is None:
        return Check("index", "warn", "none is kept", "the explorer's pages need it: start a node that keeps one")
    behind = tip.height - index.marker.height
    if behind > MAX_BEHIND_BLOCKS:
        return Check("index", "warn", f"{behind} blocks behind the chain", "it catches up by itself: wait")
    return Check("index", "ok", f"at block {index.marker.height}, {index.marker.transactions} transactions")


def _faults(access: NodeAccess) -> Iterator[Check]:
    errors = {which: count for (what, which), count in access.host.counters.items() if what == "error"}
    if errors:
        found = ", ".join(f"{count} {which}" for which, count in sorted(errors.items())[:5])
        yield Check("faults", "fail", found, "faults of this program: its log has them, please report them")
    else:
        yield Check("faults", "ok", "none since the start")
    invalid = access.node.sync.invalid_blocks
    if invalid:
        yield Check(
            "refused blocks", "warn", f"{invalid} broke a rule", "some peer sends them; horoi peers shows points"
        )
