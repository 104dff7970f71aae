"""Damage is looked for before somebody needs what decayed: the log is read through, a little at a time.

Disks corrupt data in silence (Bairavasundaram et al., "An Analysis of Data Corruption in the Storage Stack", FAST 2008), and
a copy can only be mended while another one is still good.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from horoi.base.errors import StorageError

if TYPE_CHECKING:
    from horoi.node.chain import Chain


class Scrub:
    """One pass after the other over all that is kept."""

    def __init__(self, chain: Chain) -> None:
        self._chain = chain
        self._left: list[bytes] = []
        """Blocks whose records this pass has not looked at yet, the next one last."""

    def step(self, budget_bytes: int) -> bool:
        """Read about so many bytes of records. True when all were looked at; the next call begins anew.

        A damaged block is noted by what reads it, and fetched again; undo data is derived again, and to be saved.
        """
        kept = self._chain.kept
        if not self._left:
            self._left = list(kept.places)[::-1]
        while self._left and budget_bytes > 0:
            name = self._left.pop()
            place = kept.places.get(name)
            if place is None or name in kept.damaged:
                continue
            budget_bytes -= place.block.size_bytes
            with contextlib.suppress(StorageError):
                self._chain.read_block(name)
                if place.undo is not None and name in self._chain.tree:
                    budget_bytes -= place.undo.size_bytes
                    self._chain.read_undo(name)
        return not self._left
