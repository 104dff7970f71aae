"""All headers known, as a tree under the genesis, and which chain is the truth: the one with the most work.

Deciding which ledger is the truth (distributed consensus, Nakamoto 2008 section 5): nodes hold the chain with the most
*work* to be correct, not the one with the most blocks; between equals, the one they saw first.

Rules of a header, each with its stable name:

    header.orphan    the parent is known
    header.invalid   neither it nor its parent is a block that broke a rule
    header.parent    the height is one more than the parent's
    header.time      later than the median of the last 11 (BIP 113)
    header.target    exactly what ASERT asks
    puzzle.unsolved  the hash solves the puzzle
    header.future    not further in the future than the genesis allows

A header in the future is refused, not remembered as wrong: it may be right later.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from horoi.base.errors import RuleError
from horoi.ledger.block import Block, Header, block_hash
from horoi.ledger.consensus.nakamoto import asert, puzzle
from horoi.ledger.genesis import Genesis, Nakamoto

MEDIAN_SPAN = 11  # BIP 113
MAX_SIDE_HEADERS = 20_000  # a guess: 2 weeks of blocks at one a minute; beyond it the lightest branches are forgotten


class Known:
    """A header in the tree."""

    __slots__ = ("anchor_time_ms", "header", "median_time_ms", "name", "order", "parent", "work")

    def __init__(self, header: Header, name: bytes, parent: Known | None, order: int) -> None:
        self.header = header
        self.name = name
        self.parent = parent
        self.order = order
        """Which came first: smaller is earlier."""
        own_work = puzzle.work(puzzle.expand(header.target)) if parent else 0
        self.work: int = (parent.work if parent else 0) + own_work
        """Expected hashes from the genesis to here."""
        times = sorted([header.time_ms, *(k.header.time_ms for k in _ancestors(parent, MEDIAN_SPAN - 1))])
        self.median_time_ms = times[len(times) // 2]
        """Median time past as of this block (BIP 113)."""
        self.anchor_time_ms: int = parent.anchor_time_ms if parent and parent.parent else header.time_ms
        """Time of block 1 of this chain, which ASERT counts from."""

    @property
    def height(self) -> int:
        return self.header.height

    def __repr__(self) -> str:
        return f"Known(height={self.height}, name={self.name.hex()[:12]}, work={self.work})"


def resumed(headers: Sequence[Header], work: int, anchor_time_ms: int) -> Known:
    """The last of ``headers`` as a tree's root, as it was known in an earlier life: with the work up to it and the time of block
    1. Before it stand up to MEDIAN_SPAN - 1 of its ancestors, from which medians are taken."""
    known: Known | None = None
    for header in headers:
        known = Known(header, block_hash(header), known, 0)
    assert known is not None
    known.work = work
    known.anchor_time_ms = anchor_time_ms
    return known


def _ancestors(start: Known | None, most: int) -> Iterator[Known]:
    while start is not None and most > 0:
        yield start
        start, most = start.parent, most - 1


def expected_target(consensus: Nakamoto, parent: Known) -> int:
    """The compact target that a child of ``parent`` must have."""
    return asert.next_target(consensus, parent.header.time_ms - parent.anchor_time_ms, parent.height)


def check_header(consensus: Nakamoto, header: Header, name: bytes, parent: Known, now_ms: int) -> None:
    """Raise RuleError unless ``header`` may follow ``parent`` for a node whose clock says ``now_ms``."""
    if header.parent != parent.name or header.height != parent.height + 1:
        raise RuleError("header.parent", f"height {header.height} does not follow {parent.height}")
    if header.time_ms <= parent.median_time_ms:
        raise RuleError("header.time", f"{header.time_ms} ms is not after the median time past {parent.median_time_ms}")
    wanted = expected_target(consensus, parent)
    if header.target != wanted:
        raise RuleError("header.target", f"{header.target:08x}, at height {header.height} it is {wanted:08x}")
    puzzle.check_puzzle(header, name)
    limit_ms = now_ms + consensus.future_limit * consensus.interval_ms
    if header.time_ms > limit_ms:
        raise RuleError(
            "header.future", f"{header.time_ms} ms is {header.time_ms - limit_ms} ms over the limit: check clocks"
        )


class HeaderTree:
    """Headers by hash; knows the heaviest chain that nobody found a fault in."""

    def __init__(self, genesis: Genesis, genesis_block: Block, root: Known | None = None) -> None:
        """``root``: where the tree begins if not at the genesis (``resumed``): then nothing below it is remembered."""
        self.consensus = genesis.consensus
        if root is None:
            root = Known(genesis_block.header, block_hash(genesis_block.header), None, 0)
        self.root = root
        self.by_name: dict[bytes, Known] = {root.name: root}
        self.best = root
        """The tip of the heaviest chain of headers without a known fault; the first seen on ties."""
        self.held = root
        """The block that the state is the state after, set by who keeps the state: never forgotten."""
        self.invalid: dict[bytes, str] = {}
        """Blocks whose content broke a rule, with the rule's name. Bounded with the side headers."""
        self._order = 0
        self._crowded = MAX_SIDE_HEADERS
        """Side headers beyond which branches are forgotten."""

    def __contains__(self, name: bytes) -> bool:
        return name in self.by_name

    def add(self, header: Header, now_ms: int) -> Known:
        """Check and remember a header; return what is known of it. Known already is fine. Raises RuleError."""
        name = block_hash(header)
        known = self.by_name.get(name)
        if known is not None:
            return known
        if header.parent in self.invalid or name in self.invalid:
            raise RuleError("header.invalid", f"block {name.hex()} is, or follows, a block that broke a rule")
        parent = self.by_name.get(header.parent)
        if parent is None:
            raise RuleError("header.orphan", f"the parent {header.parent.hex()} of block {name.hex()} is not known")
        check_header(self.consensus, header, name, parent, now_ms)
        return self._insert(header, name, parent)

    def restore(self, header: Header) -> Known:
        """``add`` for a header that this node checked in an earlier life: no clock is asked."""
        return self.add(header, header.time_ms)

    def _insert(self, header: Header, name: bytes, parent: Known) -> Known:
        self._order += 1
        known = Known(header, name, parent, self._order)
        self.by_name[name] = known
        if known.work > self.best.work:
            self.best = known
        if len(self.by_name) - (self.best.height - self.root.height) - 1 > self._crowded:
            self._forget_lightest_branches(known)
        return known

    def mark_invalid(self, known: Known, rule: str) -> None:
        """Forget a block whose content broke a rule, and all that follows it; choose the heaviest of the rest."""
        condemned = {known.name: None}
        above = [other for other in self.by_name.values() if other.height > known.height]
        for other in sorted(above, key=lambda k: k.height):
            if other.parent is not None and other.parent.name in condemned:
                condemned[other.name] = None
        for name in condemned:
            self.by_name.pop(name, None)  # a branch may have been forgotten, or condemned, before
            self.invalid[name] = rule
        while len(self.invalid) > MAX_SIDE_HEADERS:
            del self.invalid[next(iter(self.invalid))]
        self.best = max(self.by_name.values(), key=lambda k: (k.work, -k.order))

    def _forget_lightest_branches(self, newest: Known) -> None:
        """Drop side branches, the lightest tips first, until half of the room is free.

        Two branches stay however long they are. That of ``newest``: while a longer history is being read, its first headers
        are the lightest of all, and a node that forgot them could never change to it; so who feeds the tree must know that a
        branch is worth it. And that of ``held``: it is left block by block.
        """
        kept = dict.fromkeys([k.name for k in self.chain(self.best)] + [k.name for k in self.chain(newest)])
        kept.update(dict.fromkeys(k.name for k in self.chain(self.held)))
        parents = {k.parent.name: None for k in self.by_name.values() if k.parent is not None}
        tips = [k for k in self.by_name.values() if k.name not in parents]
        room = self.best.height - self.root.height + 1 + MAX_SIDE_HEADERS // 2
        for tip in sorted(tips, key=lambda k: (-k.work, k.order)):
            branch = [k.name for k in self._until(tip, kept)]
            if len(kept) + len(branch) > room:
                break
            kept.update(dict.fromkeys(branch))
        self.by_name = {name: known for name, known in self.by_name.items() if name in kept}
        side = len(self.by_name) - (self.best.height - self.root.height) - 1
        self._crowded = max(MAX_SIDE_HEADERS, side + MAX_SIDE_HEADERS // 2)

    def _until(self, tip: Known, known_names: dict[bytes, None]) -> Iterator[Known]:
        at: Known | None = tip
        while at is not None and at.name not in known_names:
            yield at
            at = at.parent

    def chain(self, tip: Known) -> Iterator[Known]:
        """From ``tip`` down to the genesis."""
        at: Known | None = tip
        while at is not None:
            yield at
            at = at.parent

    def fork(self, a: Known, b: Known) -> Known:
        """The last block that two chains have in common."""
        while a is not b:
            if a.height >= b.height and a.parent is not None:
                a = a.parent
            else:
                assert b.parent is not None
                b = b.parent
        return a

    def locator(self, tip: Known) -> list[bytes]:
        """Names from ``tip`` down, dense at first, then at doubling distances: enough to find any fork in log steps."""
        names = []
        at: Known | None = tip
        step = 1
        while at is not None:
            names.append(at.name)
            step = step * 2 if len(names) > 10 else 1
            below = list(_ancestors(at.parent, step))
            at = below[-1] if below else None
        return names
