"""The node lookup (paper, section 2.3): find the k peers nearest to a target by asking ever nearer ones, alpha at a time.

"The lookup initiator starts by picking alpha nodes from its closest non-empty k-bucket"; what they name is asked in turn. Once
a round brings nothing nearer than the nearest seen, all of the k nearest that were not asked yet are. "The lookup terminates
when the initiator has queried and gotten responses from the k closest nodes it has seen." Who does not answer is left out; but
who would be nearest of all is asked once more in the end, since one lost datagram must not hide a key's owner.

With ``disjoint`` d > 1 there are d lookups at once which never ask the same peer (S/Kademlia, Baumgart and Mies 2007, section
4.4): a liar can lead one path astray, and to hide the target it must sit on all of them.

A search is no machine: it says whom to ask (``next``), and is told what came of it (``on_reply``, ``on_failure``).
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable, Sequence

from horoi.lookup.vocabulary import Contact

MAX_QUERIES_FACTOR = 12  # times k: what liars can make a lookup cost; an honest one asks k and a few. A guess
KEEP_FACTOR = 4  # times k: candidates kept beyond the k nearest, in case those fail. A guess

_HEARD, _ASKED, _ASKED_AGAIN, _ANSWERED, _FAILED = range(5)


class Candidate:
    """A peer that a search has heard of."""

    __slots__ = ("contact", "hops", "source", "state")

    def __init__(self, contact: Contact, source: Candidate | None) -> None:
        self.contact = contact
        self.source = source
        """Who named it; None: this peer knew it."""
        self.hops: int = source.hops + 1 if source is not None else 1
        self.state = _HEARD


class Path:
    """One lookup among those of a search, or the only one. Distances are XOR with the target."""

    __slots__ = ("_again", "_alpha", "_claimed", "_distances", "_k", "_seen", "_since_progress", "_target", "_waiting")

    def __init__(self, target: int, k: int, alpha: int, claimed: dict[int, Path]) -> None:
        self._target = target
        self._k = k
        self._alpha = alpha
        self._claimed = claimed
        """Who was asked by which path, by distance: no two paths ask the same peer."""
        self._seen: dict[int, Candidate] = {}
        self._distances: list[int] = []  # of candidates that have not failed, ascending
        self._again: list[int] = []  # those that failed once
        self._waiting = 0
        self._since_progress = 0

    def add(self, contacts: Iterable[Contact], source: Candidate | None) -> bool:
        """Hear of contacts. True if one is nearer than all before."""
        distances, seen, target = self._distances, self._seen, self._target
        nearest = distances[0] if distances else None
        most = KEEP_FACTOR * self._k
        for contact in contacts:
            distance = contact.id ^ target
            if distance in seen:
                continue
            if len(distances) >= most:
                if distance > distances[-1]:
                    continue
                if seen[distances[-1]].state == _HEARD:
                    del seen[distances.pop()]
            seen[distance] = Candidate(contact, source)
            insort(distances, distance)
        return bool(distances) and (nearest is None or distances[0] < nearest)

    def next(self) -> list[Contact]:
        """Whom to ask now: so many that alpha are under way, or all of the k nearest where nothing nearer comes."""
        allowed = self._k if self._since_progress >= self._alpha else self._alpha
        room = allowed - self._waiting
        if room <= 0:
            return []
        chosen: list[Contact] = []
        counted = 0
        for distance in self._distances:
            owner = self._claimed.get(distance)
            if owner is not None and owner is not self:
                continue
            candidate = self._seen[distance]
            if candidate.state == _HEARD:
                candidate.state = _ASKED
                self._claimed[distance] = self
                chosen.append(candidate.contact)
                if len(chosen) == room:
                    break
            counted += 1
            if counted == self._k:
                break
        if not chosen and not self._waiting and self._again:
            chosen = self._ask_again()
        self._waiting += len(chosen)
        return chosen

    def _ask_again(self) -> list[Contact]:
        """Those that failed once and would be nearer than all that answered."""
        nearest = self._distances[0] if self._distances else None
        again = [distance for distance in self._again if nearest is None or distance < nearest]
        self._again = []
        for distance in again[: self._alpha]:
            self._seen[distance].state = _ASKED_AGAIN
            insort(self._distances, distance)
        return [self._seen[distance].contact for distance in again[: self._alpha]]

    def on_reply(self, distance: int, contacts: Sequence[Contact]) -> None:
        candidate = self._seen.get(distance)
        if candidate is None or candidate.state not in (_ASKED, _ASKED_AGAIN):
            return
        self._waiting -= 1
        candidate.state = _ANSWERED
        if self.add(contacts, candidate):
            self._since_progress = 0
        else:
            self._since_progress += 1

    def on_failure(self, distance: int) -> None:
        candidate = self._seen.get(distance)
        if candidate is None or candidate.state not in (_ASKED, _ASKED_AGAIN):
            return
        self._waiting -= 1
        self._since_progress += 1
        if candidate.state == _ASKED:
            self._again.append(distance)
        candidate.state = _FAILED
        self._distances.remove(distance)

    @property
    def waiting(self) -> int:
        """Requests under way."""
        return self._waiting

    def answered(self) -> list[Candidate]:
        """Those that answered, nearest first."""
        seen = self._seen
        return [seen[distance] for distance in self._distances if seen[distance].state == _ANSWERED]


class Search:
    """A lookup for ``target`` that starts from ``seeds``. Contacts with the id ``own_id`` are never asked.

    >>> search = Search(0, [Contact(5, "a"), Contact(9, "b")], own_id=1, k=2, alpha=1)
    >>> search.next(), search.next()
    ([Contact(id=5, address='a')], [])
    >>> search.on_reply(Contact(5, "a"), [Contact(3, "c")])
    >>> search.next()
    [Contact(id=3, address='c')]
    """

    __slots__ = ("_claimed", "_k", "_limit", "_own", "_paths", "replies", "rpcs", "target", "timeouts")

    def __init__(
        self, target: int, seeds: Iterable[Contact], *, own_id: int, k: int, alpha: int, disjoint: int = 1
    ) -> None:
        self.target = target
        self._own = own_id
        self._k = k
        self._limit = MAX_QUERIES_FACTOR * k * disjoint
        self._claimed: dict[int, Path] = {}
        self._paths = [Path(target, k, alpha, self._claimed) for _ in range(disjoint)]
        self.rpcs = self.replies = self.timeouts = 0
        self.add_seeds(seeds)

    def add_seeds(self, seeds: Iterable[Contact]) -> None:
        """Contacts to begin with, dealt out to the paths."""
        target, own_id = self.target, self._own
        nearest_first = sorted((seed for seed in seeds if seed.id != own_id), key=lambda seed: seed.id ^ target)
        for number, path in enumerate(self._paths):
            path.add(nearest_first[number :: len(self._paths)], None)

    def next(self) -> list[Contact]:
        """Whom to ask now; they count as asked."""
        if self.rpcs >= self._limit:
            return []
        if len(self._paths) == 1:
            chosen = self._paths[0].next()
        else:
            chosen = [contact for path in self._paths for contact in path.next()]
        self.rpcs += len(chosen)
        return chosen

    def on_reply(self, contact: Contact, contacts: Sequence[Contact]) -> None:
        """A peer that was asked answered, and named these contacts."""
        self.replies += 1
        distance = contact.id ^ self.target
        path = self._claimed.get(distance)
        if path is not None:
            own = self._own
            path.on_reply(distance, [named for named in contacts if named.id != own])

    def on_failure(self, contact: Contact) -> None:
        """A peer that was asked did not answer in time, or answered as somebody else."""
        self.timeouts += 1
        distance = contact.id ^ self.target
        path = self._claimed.get(distance)
        if path is not None:
            path.on_failure(distance)

    @property
    def waiting(self) -> int:
        """Requests under way. The search is over when there are none after ``next``."""
        return sum(path.waiting for path in self._paths)

    def closest(self) -> list[Contact]:
        """The at most k nearest peers that answered, nearest first."""
        return [candidate.contact for candidate in self.candidates()]

    def candidates(self) -> list[Candidate]:
        """The same with how they were found."""
        found = [candidate for path in self._paths for candidate in path.answered()]
        if len(self._paths) > 1:
            found.sort(key=lambda candidate: candidate.contact.id ^ self.target)
        return found[: self._k]


def way_to(candidate: Candidate) -> tuple[Contact, ...]:
    """Who was asked on the way that led to a candidate, itself last."""
    way: list[Contact] = []
    step: Candidate | None = candidate
    while step is not None:
        way.append(step.contact)
        step = step.source
    return tuple(reversed(way))
