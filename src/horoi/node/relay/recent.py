"""Bounded memory of ids: what was added lately is remembered, what is older is forgotten.

Two generations: when the young one is full, it becomes the old one and the old one is forgotten. So the last ``limit``
ids are always remembered, never more than twice as many are kept, and no operation but a dictionary's is needed. (A Bloom
filter is smaller, but its false positives would keep a transaction from a peer for ever.)
"""

from __future__ import annotations


class Recent:
    """Ids of late.

    >>> recent = Recent(2)
    >>> for item in (b"a", b"b", b"c", b"d", b"e"): recent.add(item)
    >>> b"a" in recent, b"d" in recent, b"e" in recent
    (False, True, True)
    """

    def __init__(self, limit: int) -> None:
        if limit < 1:
            raise ValueError(f"a memory of {limit} ids")
        self.limit = limit
        self._young: dict[bytes, None] = {}
        self._old: dict[bytes, None] = {}

    def __contains__(self, item: bytes) -> bool:
        return item in self._young or item in self._old

    def __len__(self) -> int:
        return len(self._young) + len(self._old)

    def add(self, item: bytes) -> None:
        if item in self._young:
            return
        if len(self._young) >= self.limit:
            self._old = self._young
            self._young = {}
        self._young[item] = None

    def discard(self, item: bytes) -> None:
        self._young.pop(item, None)
        self._old.pop(item, None)

    def clear(self) -> None:
        self._young = {}
        self._old = {}
