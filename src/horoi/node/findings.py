"""What a check of a node may find, and what to do about it, in English: each under a code with named values.

Whoever shows it in another language has the code and the values (the explorer's dictionary; a test holds the two together).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple, TypeAlias

Verdict: TypeAlias = Literal["ok", "warn", "fail"]
Value: TypeAlias = str | int | float


class Check(NamedTuple):
    """One finding. ``advice`` is empty where nothing is to be done; ``code`` where it is said in English alone."""

    name: str
    verdict: Verdict
    found: str
    advice: str = ""
    code: str = ""
    values: Mapping[str, Value] = {}


class Finding(NamedTuple):
    """Templates."""

    verdict: Verdict
    found: str
    advice: str = ""


FINDINGS: Mapping[str, Finding] = {
    "version": Finding("ok", "{version}"),
    "python-old": Finding("fail", "{version}", "install Python 3.11 or newer"),
    "no-tls13": Finding("fail", "{version}", "it has no TLS 1.3, which links between nodes need: update it"),
    "not-installed": Finding("fail", "not installed", "install Horoi again, with its dependencies"),
    "broken": Finding("fail", "{error}", "install it again: it does not work here"),
    "folder": Finding("ok", "{folder}"),
    "folder-open": Finding("warn", "{folder}: others of this machine may enter", "chmod 700 {folder}"),
    "not-written": Finding("fail", "{error}", "check who owns the folder, its mode, and the disk"),
    "sync": Finding("ok", "a sync took {took_ms:.1f} ms"),
    "sync-slow": Finding("warn", "a sync took {took_ms:.0f} ms", "every block waits for that: use a faster disk"),
    "space": Finding("ok", "{free_gb:.1f} GB free"),
    "space-low": Finding("warn", "{free_gb:.1f} GB free", "free some space soon"),
    "space-none": Finding("fail", "{free_gb:.1f} GB free", "free some space: a node that cannot write stops"),
    "newest-block": Finding("ok", "the newest block is {age_s:,.0f} s old"),
    "newest-block-late": Finding(
        "warn",
        "the newest block is {age_s:,.0f} s old, one is due every {interval_s:g} s",
        "nobody mines (horoi mine RATE), no peer is linked, or the clock is ahead",
    ),
    "newest-block-early": Finding(
        "fail", "the newest block is {ahead_s:,.0f} s in the future", "this machine's clock is behind: set it"
    ),
    "linked": Finding("ok", "{peers} linked"),
    "none-linked": Finding("warn", "none linked", "name one: horoi peers --dial HOST:PORT; is its port open to here?"),
    "same-tip": Finding("ok", "{same} of {peers} at this node's tip"),
    "lagging": Finding("warn", "{lagging} of {peers} lag behind", "their operators should look"),
    "differing": Finding(
        "warn",
        "{ahead} ahead, {different} at another block of the same work",
        "the next blocks decide; if it lasts, compare horoi status of both",
    ),
    "at-tip": Finding("ok", "at the tip, {height}"),
    "fetching": Finding("warn", "at {height} of {best}", "it is fetching: wait"),
    "blocks-kept": Finding("ok", "{kept} kept"),
    "blocks-damaged": Finding(
        "warn", "{damaged} damaged in the log", "they are fetched again from peers; check the disk"
    ),
    "indexed": Finding("ok", "at block {height}, {transactions} transactions"),
    "index-behind": Finding("warn", "{behind} blocks behind the chain", "it catches up by itself: wait"),
    "no-index": Finding("warn", "none is kept", "the explorer's pages need it: start a node that keeps one"),
    "witness": Finding("ok", "co-signs checkpoints, the last of {headers} headers"),
    "witness-silent": Finding("warn", "co-signs no checkpoints", "horoi checkpoint show says why"),
    "no-faults": Finding("ok", "none since the start"),
    "faults": Finding("fail", "{faults}", "faults of this program: its log has them, please report them"),
    "refused-blocks": Finding("warn", "{refused} broke a rule", "some peer sends them; horoi peers shows points"),
}


def finding(name: str, code: str, **values: Value) -> Check:
    """What the check of this name found."""
    verdict, found, advice = FINDINGS[code]
    return Check(name, verdict, found.format(**values), advice.format(**values), code, values)
