"""Which blocks are kept together with all before them: only those can be connected.

Blocks come from many peers in any order. One whose parent is not complete waits for it; one whose copy turns out to be
damaged takes what follows it back into waiting.
"""

from __future__ import annotations

from horoi.ledger.consensus.nakamoto.tree import HeaderTree, Known


class CompleteBlocks:
    """The complete blocks, and the heaviest of them: ``best``."""

    def __init__(self, root: Known) -> None:
        self.best = root
        self._blocks: dict[bytes, Known] = {root.name: root}
        self._waiting: dict[bytes, dict[bytes, Known]] = {}
        """Kept blocks whose parent is not complete, by parent."""

    def __contains__(self, name: bytes) -> bool:
        return name in self._blocks

    def add(self, known: Known) -> None:
        """A block is kept; with it, all that waited for it become complete, if its own parent is."""
        if known.parent is None or known.name in self._blocks:
            return
        if known.parent.name not in self._blocks:
            self._waiting.setdefault(known.parent.name, {})[known.name] = known
            return
        ready = [known]
        while ready:
            block = ready.pop()
            self._blocks[block.name] = block
            if block.work > self.best.work:
                self.best = block
            ready.extend(self._waiting.pop(block.name, {}).values())

    def lose(self, known: Known) -> None:
        """A complete block is damaged: it, and what follows, is not complete until it is fetched again."""
        lost = {known.name: None}
        for other in sorted(self._blocks.values(), key=lambda k: k.height):
            if other.name in lost or (other.parent is not None and other.parent.name in lost):
                lost[other.name] = None
        for name in lost:
            block = self._blocks.pop(name)
            if name != known.name and block.parent is not None:
                self._waiting.setdefault(block.parent.name, {})[name] = block
        self._choose_best()

    def forget_unknown(self, tree: HeaderTree) -> None:
        """Forget what the header tree has forgotten: should it come back, it is fetched again."""
        for name in [name for name in self._blocks if name not in tree]:
            del self._blocks[name]
        for parent in list(self._waiting):
            kept = {name: known for name, known in self._waiting[parent].items() if name in tree}
            if kept:
                self._waiting[parent] = kept
            else:
                del self._waiting[parent]
        self._choose_best()

    def _choose_best(self) -> None:
        self.best = max(self._blocks.values(), key=lambda k: (k.work, -k.order))
