"""Members by group, with the largest group at hand: who makes room where many come at once, found without looking at everybody.

Invariant: ``_of_size[n]`` names exactly the groups of n members, and ``_largest`` is the largest such n. A group grows or shrinks
by one at a time, so the largest size does too.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Generic, TypeVar

T = TypeVar("T")


class Groups(Generic[T]):
    """Members by the name of their group and their own."""

    def __init__(self) -> None:
        self._members: dict[str, dict[bytes, T]] = {}
        self._of_size: dict[int, dict[str, None]] = {}
        self._largest = 0

    def of(self, group: str) -> Collection[T]:
        """The members of a group, in the order in which they came."""
        return self._members[group].values() if group in self._members else ()

    def largest(self) -> Collection[T]:
        """The members of the largest group; of several, of the one that has been so large for longest."""
        return self.of(next(iter(self._of_size[self._largest]))) if self._largest else ()

    def add(self, group: str, name: bytes, member: T) -> None:
        """Take in a member that is not there."""
        members = self._members.setdefault(group, {})
        members[name] = member
        self._resize(group, len(members) - 1, len(members))

    def remove(self, group: str, name: bytes) -> None:
        """Take out a member that is there."""
        members = self._members[group]
        del members[name]
        if not members:
            del self._members[group]
        self._resize(group, len(members) + 1, len(members))

    def _resize(self, group: str, before: int, after: int) -> None:
        if before:
            del self._of_size[before][group]
            if not self._of_size[before]:
                del self._of_size[before]
        if after:
            self._of_size.setdefault(after, {})[group] = None
        if after > self._largest or self._largest not in self._of_size:
            self._largest = after
