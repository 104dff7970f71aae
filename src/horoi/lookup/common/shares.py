"""Fair shares of a store that is full: room is made at the expense of whoever has most of it.

A store that refuses everybody once it is full is one flood away from being useless, and one that forgets the oldest lets a
flood wash everything out. As in fair queueing (McKenney 1990: where buffers are full, the longest queue loses; Suter et al.
1998 call it longest queue drop), nobody is bounded while there is room; when there is none, the network group that has most
gives way, and of it the host that has most, with what it put first. A newcomer counts with what it brings: who has most
already is refused. So of a store shared by g groups, a group that has less than 1/g of it never loses anything, whatever the
others do.

Who has how much is counted from the moment when the store is full; until then a put costs nothing more. From then on it costs
the same whatever the size of the store.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter, OrderedDict
from collections.abc import Hashable, Iterable
from typing import Generic, TypeVar

from horoi.base.sources import Source

LOOK_AGAIN_S = 5.0  # a full store looks for what has expired at most so often, since that reads all of it. A guess

Name = TypeVar("Name", bound=Hashable)


class Tally(Generic[Name]):
    """How much each name has. Counts change by one, so who has most is always known."""

    __slots__ = ("_counts", "_names", "most")

    def __init__(self) -> None:
        self.most = 0
        self._counts: dict[Name, int] = {}
        self._names: dict[int, OrderedDict[Name, None]] = {}  # by count

    def __getitem__(self, name: Name) -> int:
        return self._counts.get(name, 0)

    def add(self, name: Name) -> None:
        """One more."""
        count = self[name] + 1
        self._leave(name, count - 1)
        self._enter(name, count)
        self.most = max(self.most, count)

    def drop(self, name: Name) -> None:
        """One less."""
        count = self[name] - 1
        self._leave(name, count + 1)
        if count:
            self._enter(name, count)
        else:
            del self._counts[name]
        if self.most not in self._names:
            self.most = count

    def largest(self) -> Name:
        """Who has most; there must be somebody."""
        return next(iter(self._names[self.most]))

    def _enter(self, name: Name, count: int) -> None:
        self._counts[name] = count
        self._names.setdefault(count, OrderedDict())[name] = None

    def _leave(self, name: Name, count: int) -> None:
        names = self._names.get(count)
        if names is not None:
            del names[name]
            if not names:
                del self._names[count]


class Shares(Generic[Name]):
    """What each host and each network group has of a store. A thing is known by a name, and counted for one source."""

    __slots__ = ("_groups", "_hosts", "_things")

    def __init__(self, held: Iterable[tuple[Name, Source]]) -> None:
        self._groups: Tally[Hashable] = Tally()
        self._hosts: dict[Hashable, Tally[Hashable]] = {}  # by group
        self._things: dict[Source, OrderedDict[Name, None]] = {}  # of a host, the oldest first
        for name, source in held:
            self.add(name, source)

    def add(self, name: Name, source: Source) -> None:
        """This source has one more thing."""
        self._groups.add(source.group)
        self._hosts.setdefault(source.group, Tally()).add(source.host)
        self._things.setdefault(source, OrderedDict())[name] = None

    def drop(self, name: Name, source: Source) -> None:
        """A thing of this source is gone."""
        things, hosts = self._things[source], self._hosts[source.group]
        del things[name]
        if not things:
            del self._things[source]
        self._groups.drop(source.group)
        hosts.drop(source.host)
        if not hosts.most:
            del self._hosts[source.group]

    def has_less(self, one: Source, other: Source) -> bool:
        """Whether one source is further from losing anything than another."""
        if one.group != other.group:
            return self._groups[one.group] < self._groups[other.group]
        hosts = self._hosts.get(one.group)
        return hosts is not None and hosts[one.host] < hosts[other.host]

    def loser(self, newcomer: Source) -> Name | None:
        """What gives way to one more thing of this source; None if nobody has more than it would have."""
        groups = self._groups
        is_own = groups[newcomer.group] + 1 >= groups.most
        group = newcomer.group if is_own else groups.largest()
        hosts = self._hosts.get(group)
        if hosts is None or (is_own and hosts[newcomer.host] + 1 >= hosts.most):
            return None
        return next(iter(self._things[Source(hosts.largest(), group)]))


class SharedStore(ABC, Generic[Name]):
    """A store of things that others bring, shared fairly when it is full."""

    __slots__ = ("_limit", "_look_again_s", "_shares")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._look_again_s = 0.0
        self._shares: Shares[Name] | None = None  # while it is full, and until half of it is free

    @abstractmethod
    def _size(self) -> int:
        """How many things are kept."""

    @abstractmethod
    def _held(self) -> Iterable[tuple[Name, Source]]:
        """All things with whom they count for, the oldest first."""

    @abstractmethod
    def _forget(self, name: Name) -> None:
        """Let go of a thing (and say so to ``_gone``)."""

    @abstractmethod
    def expire(self, now: float) -> int:
        """Forget what has expired."""

    def _makes_room(self, source: Source, now: float) -> bool:
        """Whether one more thing of this source can be kept: something else gives way where that is fair."""
        if self._size() < self._limit:
            return True
        if now >= self._look_again_s:
            self._look_again_s = now + LOOK_AGAIN_S
            self.expire(now)
            if self._size() < self._limit:
                return True
        if self._shares is None:
            self._shares = Shares(self._held())
        loser = self._shares.loser(source)
        if loser is None:
            return False
        self._forget(loser)
        return True

    def _came(self, name: Name, source: Source) -> None:
        if self._shares is not None:
            self._shares.add(name, source)

    def _gone(self, name: Name, source: Source) -> None:
        if self._shares is not None:
            self._shares.drop(name, source)
            if 2 * self._size() < self._limit:
                self._shares = None

    def _counts_for(self, before: Source, again: Source) -> Source:
        """Whom a thing counts for that another source brings again: whoever has less, so that nobody can take over what
        others brought and then lose it."""
        return again if self._shares is not None and self._shares.has_less(again, before) else before


def crowding(held: Iterable[tuple[Name, Source]], newcomer: Source) -> Name | None:
    """Of the few words on one key, the first one of the network group that has most of them, the newcomer's counted; the first
    of all where it is the newcomer's own that has most, and nothing else. None if there are none."""
    words = list(held)
    groups = Counter(source.group for _, source in words)
    groups[newcomer.group] += 1
    most = max(groups.values())
    crowded = newcomer.group if groups[newcomer.group] == most else max(groups, key=groups.__getitem__)
    return next((name for name, source in words if source.group == crowded), words[0][0] if words else None)
