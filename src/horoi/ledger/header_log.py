"""The log of headers that checkpoints are of: its tree (RFC 9162) over the encoded headers of one chain, at any size.

The roots over whole groups of GROUP headers are kept, so that a root or a path at any size costs the hashing of about one
group and of one hash per group; a chain of a year (525,600 headers at one a minute) is 2,053 groups.
"""

from __future__ import annotations

from collections.abc import Callable

from horoi.base.codec import encode
from horoi.ledger.block import Header
from horoi.ledger.merkle import inclusion_path, leaf_hash, root_of_leaf_hashes

GROUP = 256  # a power of two, so that a whole group is a subtree; a guess between memory and hashing


def header_leaf(header: Header) -> bytes:
    """The leaf hash of a header."""
    return leaf_hash(encode(header))


class HeaderLog:
    """Reads headers by height through ``header_at`` and keeps group roots until ``forget`` says that they changed."""

    def __init__(self, header_at: Callable[[int], Header]) -> None:
        self._header_at = header_at
        self._groups: list[bytes] = []

    def forget(self, height: int) -> None:
        """The chain changed from this height on."""
        del self._groups[height // GROUP :]

    def root(self, size: int) -> bytes:
        """The root over the first ``size`` headers, which must exist."""
        return root_of_leaf_hashes(self._tops(size))

    def path(self, height: int, size: int) -> list[bytes]:
        """The inclusion path of the header at ``height`` among the first ``size``."""
        group, start = height // GROUP, height // GROUP * GROUP
        within = inclusion_path(self._leaves(start, min(start + GROUP, size)), height - start)
        return within + inclusion_path(self._tops(size), group)

    def _tops(self, size: int) -> list[bytes]:
        """The roots of all groups, the last perhaps not whole: the level of the tree at which they stand."""
        whole = size // GROUP
        while len(self._groups) < whole:
            start = len(self._groups) * GROUP
            self._groups.append(root_of_leaf_hashes(self._leaves(start, start + GROUP)))
        tops = self._groups[:whole]
        if size % GROUP:
            tops.append(root_of_leaf_hashes(self._leaves(whole * GROUP, size)))
        return tops

    def _leaves(self, start: int, stop: int) -> list[bytes]:
        return [header_leaf(self._header_at(height)) for height in range(start, stop)]
