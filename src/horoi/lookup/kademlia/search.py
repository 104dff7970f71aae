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
from collections.abc import Callable, Iterable, Sequence

import msgspec

from horoi.lookup.vocabulary import Contact

MAX_QUERIES_FACTOR = 12  # times k: what liars can make a lookup cost; an honest one asks k and a few. A guess
KEEP_FACTOR = 4  # times k: candidates kept beyond the k nearest, in case those fail. A guess

_ASKED, _ASKED_AGAIN, _ANSWERED, _FAILED = range(4)


class Candidate(msgspec.Struct, gc=False):
    """A peer that a search has asked. ``source`` is who named it; None: this peer knew it."""

    contact: Contact
    source: Candidate | None
    state: int = _ASKED

    @property
    def hops(self) -> int:
        """How many steps led to it, the one to itself counted."""
        return len(way_to(self))


class Path:
    """One lookup among those of a search, or the only one. Distances are XOR with the target."""

    __slots__ = (
        "_again",
        "_alpha",
        "_asked",
        "_claimed",
        "_distances",
        "_heard",
        "_k",
        "_later",
        "_named",
        "_named_by",
        "_since_progress",
        "_target",
        "_unasked",
        "_width",
        "waiting",
    )

    def __init__(self, target: int, own_id: int, k: int, alpha: int, first: int, claimed: dict[int, Path]) -> None:
        self._target = target
        self._k = k
        self._alpha = alpha
        self._width = first  # requests at once; alpha from the first failure, or answer that names nobody nearer
        self._later: Callable[[], Iterable[Contact]] | None = None
        self._claimed = claimed
        """Who was asked by which path, by distance: no two paths ask the same peer."""
        self._heard = {own_id ^ target}  # all that were ever named, also those too far to be kept; nobody asks itself
        self._named: dict[int, Contact] = {}  # by distance, as all that follow
        self._named_by: dict[int, Candidate] = {}
        self._asked: dict[int, Candidate] = {}
        self._distances: list[int] = []  # of candidates that have not failed, ascending
        self._unasked: list[int] = []  # those of them that were only heard of, ascending
        self._again: list[int] = []  # those that failed once
        self._since_progress = 0
        self.waiting = 0
        """Requests under way."""

    def add(self, contacts: Iterable[Contact], source: Candidate | None) -> bool:
        """Hear of contacts. True if one is nearer than all before."""
        heard, target = self._heard, self._target
        news = {distance: contact for contact in contacts if (distance := contact.id ^ target) not in heard}
        if not news:
            return False
        heard.update(news)
        self._named.update(news)
        if source is not None:
            self._named_by.update(dict.fromkeys(news, source))
        distances, unasked = self._distances, self._unasked
        nearest = distances[0] if distances else None
        distances += news
        distances.sort()
        unasked += news
        unasked.sort()
        while len(distances) > KEEP_FACTOR * self._k and unasked and unasked[-1] == distances[-1]:
            distance = unasked.pop()
            del distances[-1], self._named[distance]
            self._named_by.pop(distance, None)
        return nearest is None or distances[0] < nearest

    def add_later(self, later: Callable[[], Iterable[Contact]]) -> None:
        """Hear of these when the first that were asked have answered or failed, unless the search is over by then."""
        self._later = later

    def next(self) -> list[Contact]:
        """Whom to ask now: so many that alpha are under way, or all of the k nearest where nothing nearer comes."""
        if self._later is not None and self._asked and not self.waiting:
            self.add(self._later(), None)
            self._later = None
        k = self._k
        room = (k if self._since_progress >= self._alpha else self._width) - self.waiting
        chosen: list[Contact] = []
        distances, unasked = self._distances, self._unasked
        while room > 0 and unasked and (len(distances) < k or unasked[0] <= distances[k - 1]):
            distance = unasked.pop(0)
            if self._claimed.setdefault(distance, self) is not self:
                distances.remove(distance)
                continue
            contact = self._named[distance]
            self._asked[distance] = Candidate(contact, self._named_by.get(distance))
            chosen.append(contact)
            room -= 1
        if not chosen and not self.waiting and self._again:
            chosen = self._ask_again()
        self.waiting += len(chosen)
        return chosen

    def _ask_again(self) -> list[Contact]:
        """Those that failed once and would be nearer than all that answered."""
        nearest = self._distances[0] if self._distances else None
        again = [distance for distance in self._again if nearest is None or distance < nearest][: self._alpha]
        self._again = []
        for distance in again:
            self._asked[distance].state = _ASKED_AGAIN
            insort(self._distances, distance)
        return [self._asked[distance].contact for distance in again]

    def on_reply(self, distance: int, contacts: Sequence[Contact]) -> None:
        candidate = self._asked.get(distance)
        if candidate is None or candidate.state not in (_ASKED, _ASKED_AGAIN):
            return
        self.waiting -= 1
        candidate.state = _ANSWERED
        if self.add(contacts, candidate):
            self._since_progress = 0
        else:
            self._since_progress += 1
            self._width = self._alpha

    def on_failure(self, distance: int) -> None:
        candidate = self._asked.get(distance)
        if candidate is None or candidate.state not in (_ASKED, _ASKED_AGAIN):
            return
        self.waiting -= 1
        self._width = self._alpha
        self._since_progress += 1
        if candidate.state == _ASKED:
            self._again.append(distance)
        candidate.state = _FAILED
        self._distances.remove(distance)

    def hops_to(self, distance: int) -> int:
        candidate = self._asked.get(distance)
        return candidate.hops if candidate is not None and candidate.state == _ANSWERED else 0

    def answered(self) -> list[Candidate]:
        """The nearest k that answered, nearest first."""
        asked = self._asked
        found = [asked[distance] for distance in self._distances[: 2 * self._k] if distance in asked]
        return [candidate for candidate in found if candidate.state == _ANSWERED][: self._k]


class Search:
    """A lookup for ``target`` that starts from ``seeds``. Contacts with the id ``own_id`` are never asked.

    ``first``: how many are asked at once as long as all answer and name nearer ones, alpha if None. So with 1, only one timeout
    is waited for alone. ``later``: what else is known, looked up when the first came back, for searches of one path.

    >>> search = Search(0, [Contact(5, "a"), Contact(9, "b")], own_id=1, k=2, alpha=1)
    >>> search.next(), search.next()
    ([Contact(id=5, address='a')], [])
    >>> search.on_reply(Contact(5, "a"), [Contact(3, "c")])
    >>> search.next()
    [Contact(id=3, address='c')]
    """

    __slots__ = ("_claimed", "_k", "_limit", "_paths", "replies", "rpcs", "target", "timeouts")

    def __init__(
        self,
        target: int,
        seeds: Iterable[Contact],
        *,
        own_id: int,
        k: int,
        alpha: int,
        disjoint: int = 1,
        first: int | None = None,
        later: Callable[[], Iterable[Contact]] | None = None,
    ) -> None:
        self.target = target
        self._k = k
        self._limit = MAX_QUERIES_FACTOR * k * disjoint
        self._claimed: dict[int, Path] = {}
        self._paths = [Path(target, own_id, k, alpha, first or alpha, self._claimed) for _ in range(disjoint)]
        self.rpcs = self.replies = self.timeouts = 0
        self.add_seeds(seeds)
        if later is not None:
            self._paths[0].add_later(later)

    def add_seeds(self, seeds: Iterable[Contact]) -> None:
        """Contacts to begin with, dealt out to the paths."""
        if len(self._paths) == 1:
            self._paths[0].add(seeds, None)
            return
        target = self.target
        nearest_first = sorted(seeds, key=lambda seed: seed.id ^ target)
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
            path.on_reply(distance, contacts)

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
        if len(self._paths) == 1:
            return self._paths[0].waiting
        return sum(path.waiting for path in self._paths)

    def closest(self) -> list[Contact]:
        """The at most k nearest peers that answered, nearest first."""
        return [candidate.contact for candidate in self.candidates()]

    def hops_to(self, contact: Contact) -> int:
        """How many steps led to a peer that answered; 0 if it did not."""
        distance = contact.id ^ self.target
        path = self._claimed.get(distance)
        return path.hops_to(distance) if path is not None else 0

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
