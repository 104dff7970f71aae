"""One experiment: a network of peers of one overlay, lookups in it, and what they cost.

The order is: peers come (by real joins, or settled), upkeep is measured while nobody asks, peers fail or churn begins, lookups
are asked one after the other without waiting, and answered.
"""

from __future__ import annotations

import gc
import random
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import fields
from importlib import import_module
from time import perf_counter, process_time
from typing import Any

from horoi.base.errors import UsageError
from horoi.lab.lookup.measure import Outcomes, key_counts, key_load, peak_mb, resident_mb
from horoi.lab.lookup.network import LATENCIES, LookupNetwork, pick_liars
from horoi.lab.lookup.overlay import Make, Settings

OVERLAYS = {
    "can": "horoi.lab.lookup.overlays.can:CanOverlay",
    "chord": "horoi.lab.lookup.overlays.chord:ChordOverlay",
    "kademlia": "horoi.lab.lookup.overlays.kademlia:KademliaOverlay",
    "pastry": "horoi.lab.lookup.overlays.pastry:PastryOverlay",
    "tapestry": "horoi.lab.lookup.overlays.tapestry:TapestryOverlay",
}
"""Adapters by name, "module:class"."""

JOINED_PEERS = 128  # networks up to this size begin by real joins, larger ones settled
UPKEEP_PEERS = (
    5000  # virtual nodes counted; larger ones stand still: their upkeep alone would take longer than the lookups
)
QUIET_S = 60.0  # how long upkeep is measured: every period a dozen times
LOOKUP_GAP_S = 0.1
"""Between two lookups in a network that stands still: about ten are under way. A thousand at once find the same in twice the
processor time: what they touch among 10^5 peers does not stay in its cache."""
UPKEEP_GAP_S = 0.001  # where tables are repaired meanwhile, so that lookups and not upkeep fill the time; a guess
NEWCOMER_GAP_S = 0.1  # how often a network in which nobody is up is looked at again; a guess
DEADLINE_S = 120.0  # a lookup that is not answered by then is none; longer than any machine tries
CHURN_WARM_UP_S = 120.0  # the network forgets that it was settled; a guess: more than one median session of 84 s
KEYS_PER_PEER = 50  # ToN 2003, section VI.B: 10^4 nodes, 5 * 10^5 keys
MAX_KEYS = 1_000_000  # placed to measure load, a guess: a few seconds
SAMPLED_PEERS = 1000  # whose tables are counted

Progress = Callable[[int, int], None]


def run(*, progress: Progress | None = None, details: bool = False, **options: Any) -> dict[str, Any]:
    """Run one experiment and return its figures, ready for JSON. Options are the fields of ``Settings``.

    With ``details`` the figures that fill a picture come too (``DETAILS``). Raises UsageError for an option that is unknown or
    cannot be meant.
    """
    settings = settings_of(options)
    figures = _run(settings, progress)
    return {name: figures[name] for name in (*FIELDS, *(DETAILS if details else ()))}


def settings_of(options: Mapping[str, Any]) -> Settings:
    """Options as settings. Raises UsageError for one that is unknown or cannot be meant."""
    names = [field.name for field in fields(Settings)]
    for name in options:
        if name not in names:
            raise UsageError(f"lookup takes {', '.join(names)}, but no {name}")
    settings = Settings(**options)
    check(settings)
    return settings


def check(settings: Settings) -> None:
    """Refuse what cannot be meant."""
    if settings.overlay not in OVERLAYS:
        raise UsageError(f"overlay must be one of {', '.join(OVERLAYS)}, not {settings.overlay!r}")
    if settings.latency not in LATENCIES:
        raise UsageError(f"latency must be one of {', '.join(LATENCIES)}, not {settings.latency!r}")
    if settings.start not in (None, "joins", "converged"):
        raise UsageError(f"start must be joins or converged, not {settings.start!r}")
    for name in ("fail", "loss", "adversaries"):
        if not 0 <= getattr(settings, name) < 1:
            raise UsageError(f"{name} is a share, at least 0 and less than 1, not {getattr(settings, name)}")
    whole = ("peers", "lookups", "virtual", "dimensions", "digit_bits", "leaf_set", "k", "alpha")
    for name in whole:
        if getattr(settings, name) < 1:
            raise UsageError(f"{name} must be at least 1, not {getattr(settings, name)}")
    if settings.successors is not None and not 1 <= settings.successors <= 32:
        raise UsageError(f"successors must lie between 1 and 32, not {settings.successors}")
    if not settings.pace > 0:
        raise UsageError(f"pace must be more than 0, not {settings.pace}")
    if settings.disjoint is not None and not 1 <= settings.disjoint <= min(8, settings.k):
        raise UsageError(f"disjoint must lie between 1 and {min(8, settings.k)} (8, or k), not {settings.disjoint}")
    if settings.median_session_s is not None and not settings.median_session_s > 0:
        raise UsageError(f"median session must be more than 0 s, not {settings.median_session_s}")
    if settings.median_session_s is not None and settings.minutes * 60 <= CHURN_WARM_UP_S:
        raise UsageError(f"with churn, minutes must be more than {CHURN_WARM_UP_S / 60:g}, not {settings.minutes}")
    if round(settings.fail * settings.peers) >= settings.peers:
        raise UsageError(
            f"fail {settings.fail:g} leaves none of {settings.peers} peers to ask: lower it, or use more peers"
        )
    if round(settings.adversaries * settings.peers) >= settings.peers:
        raise UsageError(
            f"adversaries {settings.adversaries:g} makes all of {settings.peers} peers lie: lower it, or use more"
        )
    try:
        make_overlay(settings.overlay)(settings, random.Random(0))
    except ValueError as error:  # the room itself says what its knobs may be
        raise UsageError(f"{settings.overlay}: {error}") from None


def make_overlay(name: str) -> Make:
    """The adapter class of an overlay."""
    module, _, attribute = OVERLAYS[name].partition(":")
    make: Make = getattr(import_module(module), attribute)
    return make


def _run(settings: Settings, progress: Progress | None) -> dict[str, Any]:
    began = perf_counter()
    dice = random.Random(f"lookup/{settings.seed}/overlay")
    overlay = make_overlay(settings.overlay)(settings, dice)
    has_churn = settings.median_session_s is not None
    upkeep = has_churn or (not settings.fail and settings.peers * settings.virtual <= UPKEEP_PEERS)
    network = LookupNetwork(settings, overlay, upkeep=upkeep, count_bytes=upkeep)
    network.liars = pick_liars(settings.peers, settings.adversaries, random.Random(f"lookup/{settings.seed}/liars"))

    gc.collect()
    was_collecting = gc.isenabled()
    gc.disable()  # nothing of a network is garbage while it is built; a collection would walk all of it, again and again
    try:
        before_mb = resident_mb()
        _begin(network, settings)
        per_peer = (resident_mb() - before_mb) * 1e6 / settings.peers
        figures = _measure(network, settings, progress)
    finally:
        network.close()
        if was_collecting:
            gc.enable()
    figures["bytes_per_peer"] = max(0.0, per_peer)
    figures["seconds"] = perf_counter() - began
    figures["rss_mb"] = peak_mb()
    return figures


FIELDS = (
    "peers",
    "hops_mean",
    "hops_p50",
    "hops_p99",
    "hops_histogram",
    "messages_per_lookup",
    "rpcs_per_lookup",
    "timeouts_per_lookup",
    "completed",
    "correct",
    "stretch_p50",
    "maintenance_bytes_per_s_per_peer",
    "keys_max_over_mean",
    "keys_p99_over_mean",
    "state_entries_mean",
    "bytes_per_peer",
    "events_per_s",
    "seconds",
    "rss_mb",
    "digest",
)
"""What a result has, in this order."""

DETAILS = ("keys_histogram", "stretch_percentiles")
"""What it has besides, if details are asked for: pairs of a number of keys and how many peers own so many; and the stretch that
0, 1, ... 100 % of the right lookups do not exceed."""


def _begin(network: LookupNetwork, settings: Settings) -> None:
    start = settings.start
    if start is None:
        start = "joins" if network.upkeep and settings.peers <= JOINED_PEERS else "converged"
    if start == "joins":
        if not network.upkeep:
            raise UsageError(
                f"real joins need upkeep: use at most {UPKEEP_PEERS} peers and no fail, or start converged"
            )
        network.join(settings.peers)
    else:
        network.settle(settings.peers)


def _measure(network: LookupNetwork, settings: Settings, progress: Progress | None) -> dict[str, Any]:
    universe = network.universe
    outcomes = Outcomes(network.overlay, network.truth, universe.distance_s)
    network.on_answer = outcomes.answer
    network.on_gone = outcomes.forget
    keys = [network.key() for _ in range(min(MAX_KEYS, KEYS_PER_PEER * settings.peers))]
    counts = key_counts(network.truth, settings.peers, keys)
    load = key_load(counts)
    sample = network.machines[:: max(1, len(network.machines) // SAMPLED_PEERS)]
    entries = [network.overlay.entries(machine) for machine in sample]
    del keys, sample

    upkeep_rate = 0.0
    if network.upkeep and settings.median_session_s is None:
        upkeep_rate = _quiet_rate(network)
    if settings.fail:
        network.fail(settings.fail)
    events_before, clock_before = universe.events, process_time()
    if settings.median_session_s is not None:
        upkeep_rate = _under_churn(network, outcomes, settings, progress)
    else:
        gap_s = UPKEEP_GAP_S if network.upkeep else LOOKUP_GAP_S
        _ask_all(network, outcomes, settings.lookups, gap_s, progress)
    universe.run_while(lambda: outcomes.pending > 0, DEADLINE_S)
    elapsed_s = process_time() - clock_before
    return {
        "peers": settings.peers,
        **outcomes.figures(),
        "maintenance_bytes_per_s_per_peer": upkeep_rate,
        **load,
        "state_entries_mean": sum(entries) / len(entries),
        "events_per_s": (universe.events - events_before) / elapsed_s,
        "digest": outcomes.digest(),
        "keys_histogram": sorted(Counter(counts).items()),
        "stretch_percentiles": outcomes.stretch_percentiles(),
    }


def _quiet_rate(network: LookupNetwork) -> float:
    """Bytes per second and peer while nobody asks anything."""
    before = network.bytes
    network.universe.run_for(QUIET_S)
    return (network.bytes - before) / QUIET_S / len(network.up)


def _ask_all(network: LookupNetwork, outcomes: Outcomes, lookups: int, gap_s: float, progress: Progress | None) -> None:
    """Begin all lookups, one every ``gap_s``, and let time pass until the last has begun."""
    for token in range(lookups):
        while not network.has_honest:
            _wait_for_newcomer(network)
        asker, key = network.honest_peer(), network.key()
        outcomes.ask(token, asker, key, network.universe.now)
        network.lookup(token, asker, key)
        network.universe.run_for(gap_s)
        if progress and token % 1000 == 0:
            progress(token, lookups)


def _wait_for_newcomer(network: LookupNetwork) -> None:
    """Let time pass until an honest peer is there; raise UsageError if that cannot be."""
    if not network.has_churn:
        raise UsageError("nobody who is honest is left to ask: fewer must fail or lie")
    network.universe.run_for(NEWCOMER_GAP_S)


def _under_churn(network: LookupNetwork, outcomes: Outcomes, settings: Settings, progress: Progress | None) -> float:
    """Lookups spread over the minutes. Returns bytes per second and peer without those of the lookups.

    A lookup's own messages are taken as of mean size.
    """
    assert settings.median_session_s is not None
    network.begin_churn(settings.median_session_s)
    network.universe.run_for(CHURN_WARM_UP_S)
    window_s = settings.minutes * 60 - CHURN_WARM_UP_S
    bytes_before, messages_before = network.bytes, network.messages
    _ask_all(network, outcomes, settings.lookups, window_s / settings.lookups, progress)
    sent_bytes, messages = network.bytes - bytes_before, network.messages - messages_before
    of_lookups = (outcomes.rpcs + outcomes.replies) / max(1, messages)
    return sent_bytes * (1 - of_lookups) / window_s / settings.peers
