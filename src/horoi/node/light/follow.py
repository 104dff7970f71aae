"""Asks several nodes for headers and follows the heaviest chain: one honest node among them suffices.

A source is anything that gives headers from a height on (a node's API). It is believed in nothing: every header is checked, a
chain with less work is refused after so many headers, and one that leaves below what is settled is followed apart and takes
the place only if it ends with more work.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from horoi.base.errors import HoroiError, RuleError
from horoi.ledger.block import Header, block_hash
from horoi.machine.disk import Disk
from horoi.node.light.chain import MAX_LIGHT_HEADERS, SETTLED, BelowSettled, LightChain

BATCH = 2_000  # headers asked for at once (sync/messages.py)


class Source(Protocol):
    """Gives headers of its chain."""

    def header_records(self, start: int, count: int) -> Sequence[Header]: ...


class Followed(NamedTuple):
    """What came of asking a source: the height it showed, or why it was refused."""

    name: str
    height: int | None
    refused: str | None


def follow(chain: LightChain, source: Source, name: str, disk: Disk, now_ms: int) -> Followed:
    """Bring the chain up to what a source shows, if that is the heaviest."""
    try:
        height = _follow(chain, source, _fork(chain, source), now_ms)
    except BelowSettled:
        return _follow_apart(chain, source, name, disk, now_ms)
    except HoroiError as error:
        return Followed(name, None, str(error))
    return Followed(name, height, None)


def _fork(chain: LightChain, source: Source) -> int:
    """The height of a header that both have, looked for backwards in doubling steps. BelowSettled if there is none here."""
    height, step, root = chain.tip.height, 1, chain.tree.root.height
    while height > root:
        shown = source.header_records(height, 1)
        if shown and block_hash(shown[0]) in chain.tree:
            return height
        height, step = max(root, height - step), step * 2
    shown = source.header_records(root, 1) if root else ()
    if root and not (shown and block_hash(shown[0]) == chain.tree.root.name):
        raise BelowSettled
    return root


def _follow(chain: LightChain, source: Source, height: int, now_ms: int) -> int:
    """Take everything above ``height``; the height that the source reached."""
    light = 0
    while True:
        headers = source.header_records(height + 1, BATCH)
        if not headers:
            return height
        _check_heights(headers, height + 1)
        known = chain.offer(headers, now_ms)
        light = light + len(headers) if known.name != chain.tip.name else 0
        if light > MAX_LIGHT_HEADERS:
            raise RuleError("light.work", f"{light} headers with less work than the chain that is followed: refused")
        chain.keep()
        height = known.height
        if len(headers) < BATCH:
            return height


def _check_heights(headers: Sequence[Header], first: int) -> None:
    """They are those that were asked for, or a source that says the same again would be asked for ever."""
    if len(headers) > BATCH:
        raise RuleError("light.answer", f"{len(headers)} headers, {BATCH} were asked for: refused")
    for number, header in enumerate(headers):
        if header.height != first + number:
            raise RuleError("light.answer", f"header {header.height} where {first + number} was asked for: refused")


def _follow_apart(chain: LightChain, source: Source, name: str, disk: Disk, now_ms: int) -> Followed:
    """A chain that leaves more than SETTLED blocks below the tip: judged whole, from the genesis on."""
    rival = LightChain(chain.genesis, disk, rival=True)
    try:
        height = _follow(rival, source, 0, now_ms)
        if rival.tip.work <= chain.tip.work:
            why = f"its chain leaves this one over {SETTLED} blocks below the tip and has less work: refused"
            return Followed(name, height, why)
        chain.replace_by(rival)
        return Followed(name, height, None)
    except HoroiError as error:
        return Followed(name, None, str(error))
    finally:
        rival.close()
