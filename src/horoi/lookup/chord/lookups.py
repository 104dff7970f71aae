"""Iterative lookup: who owns this key? The asker walks, and each step asks one node for the next (ToN 2003, figure 5).

    n.find_successor(id):
        if id in (n, successor]: return successor
        n' = closest_preceding_node(id); return n'.find_successor(id)

What is added to the paper's walk, so that it survives peers that are dead or lie:

- Each answer has a few alternatives, so a dead next hop costs a timeout and not the lookup.
- A next hop must make progress: lie between the one who named it and the key (or, as an owner, behind the key).
- The owner is asked itself, and shows its predecessor: it owns the key if the predecessor is before it, or is dead. A
  predecessor between key and owner is a better owner, and asked next. So **the last step, to the owner, is counted**.
- An owner that is implausibly far behind the key (``ChordConfig.doubt``) is kept as a last resort, its witness not heard
  again, and the walk goes on from other candidates.
- If everyone whom a node named before the key is dead, it is asked whom it knows before those; if every owner that it named
  is dead, whom it knows behind those. So an answer can be short, and the whole table still be used.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

import msgspec

from horoi.base.ids import in_half_open, in_open
from horoi.lookup.chord.core import ATTEMPTS, Core
from horoi.lookup.chord.messages import MAX_HOPS, FindSuccessor, NextHop
from horoi.lookup.chord.node import Node
from horoi.lookup.chord.places import Place, merge
from horoi.lookup.common.peer import RPC
from horoi.lookup.vocabulary import EXHAUSTED, UNREACHABLE, Contact
from horoi.machine.contract import Send

PATIENCE = 24  # requests to find somebody nearer than a doubtful owner, a guess: two more walks

Done = Callable[["Walk", float], None]


class Walk:
    """One iterative lookup. ``owners`` is empty until it is ``done``, and after it has failed (``why``)."""

    __slots__ = (
        "_asked",
        "_candidates",
        "_claims",
        "_core",
        "_done",
        "_doubted",
        "_doubts",
        "_has_looked_again",
        "_has_moved",
        "_last_resort",
        "_mask",
        "_named",
        "_nearest",
        "_node",
        "_now",
        "_patience",
        "_point",
        "_reserve",
        "_retreat",
        "_search",
        "_witness",
        "hops",
        "key",
        "owners",
        "path",
        "replies",
        "rpcs",
        "timeouts",
        "why",
    )

    def __init__(self, core: Core, node: Node, key: int, done: Done) -> None:
        self._core = core
        self._node = node
        self._mask = node.mask
        self._done = done
        self.key = key
        self._search = key  # moves up when all claimed owners of the key are dead
        self._asked: dict[Contact, bool] = {}  # False: it did not answer
        self._candidates: list[Place] = []  # before the key
        self._claims: list[Place] = []  # at the key or behind it: named as owners
        self._doubted: list[Place] = []  # named as owners, too far behind the key to be believed
        self._doubts = True
        self._patience = MAX_HOPS  # how many requests until what was doubted is taken
        self._has_moved = False
        self._has_looked_again = False
        self._now = 0.0
        self._named: dict[Contact, None] = {}  # all who were in _claims
        self._nearest = self._mask + 1  # how far before the key the nearest one is who answered
        self._reserve: tuple[int, Contact, tuple[Contact, ...]] | None = None  # (hops, who, owners that it knows)
        self._retreat: tuple[int, Contact, int] | None = (
            None  # (hops, the nearest who answered, the last that it named)
        )
        self._point: int | None = None  # what to ask for next, if not the key
        self._witness: tuple[int, Contact] | None = None  # who named the owners in _claims
        self._last_resort: tuple[int, int, tuple[Contact, ...]] | None = None
        self.hops = 0
        self.rpcs = 0
        self.replies = 0
        self.timeouts = 0
        self.path: list[Contact] = []
        self.owners: tuple[Contact, ...] = ()
        self.why = ""

    def begin(self, now: float, *, claim: Contact | None = None) -> None:
        """Take the first step from the asker's own tables. ``claim`` is asked first: the owner at the last time."""
        node = self._node
        hop = node.next_hop(self.key, all_successors=self._core.config.successors_in_lookups)
        if hop.is_owner:
            self.owners = (node.contact, *hop.behind)
            self._done(self, now)
            return
        if claim is not None:
            self._claims.append(((claim.id - self.key) & self._mask, 1, claim))
            self._named[claim] = None
        self._take(node.contact, 1, hop.closer, hop.behind, now)
        self.step(now)

    def begin_through(self, contacts: Sequence[Contact], now: float) -> None:
        """Take the first step through these, whatever the asker's own tables say: how a newcomer or a lost node begins."""
        self._candidates = merge([], [((self.key - contact.id) & self._mask, 1, contact) for contact in contacts])
        self.step(now)

    def step(self, now: float) -> None:
        """Ask the next one, or end."""
        self._now = now
        if self.rpcs >= MAX_HOPS:
            self._give_up(EXHAUSTED, now)
            return
        hops, contact = self._choose()
        if contact is None:
            self._give_up(UNREACHABLE, now)
            return
        if contact == self._node.contact:  # everyone between the key and this node is dead
            self._end(contact, hops, tuple(self._node.successors), now)
            return
        self._asked[contact] = True
        key = self._search if self._point is None else self._point
        self._point = None
        self._ask(_Step(self, contact, hops, key, ATTEMPTS if contact in self._named else 1), now)

    def _ask(self, step: _Step, now: float) -> None:
        self.rpcs += 1
        core, contact = self._core, step.contact
        pending = core.pending
        if pending.full:
            self._on_failure(contact, now)
            return
        nonce = pending.open(contact, step, now)
        core.out.append(Send(contact.address, FindSuccessor(nonce, contact.id, step.key)))
        wake_s = pending.wake_s(now)
        if wake_s is not None:
            core.arm(RPC, wake_s)

    def _choose(self) -> tuple[int, Contact | None]:
        """Whom to ask next, and at how many hops.

        Named owners first, the nearest; then who is before the key, nearer than anyone who answered; when the nearest who
        answered knows nobody alive in between, the owners that it knows behind the key; then whoever is left.
        """
        chosen = self._next_claim()
        if chosen is None:
            chosen = self._pop(self._candidates, self._nearest)
        if chosen is None:
            chosen = self._step_back()
        if chosen is None and self._reserve is not None:
            (hops, source, behind), self._reserve = self._reserve, None
            self._claim(source, hops, behind, self._now)
            chosen = self._next_claim()
        if chosen is None:
            chosen = self._pop(self._candidates)
        if chosen is None:
            chosen = self._look_again()
        is_patient = self.rpcs < self._patience
        if self._last_resort is not None and not is_patient:
            return 0, None
        if self._last_resort is None and self._doubted and (chosen is None or not is_patient):
            self._claims, self._doubted, self._doubts = self._doubted, [], False
            chosen = self._pop(self._claims)
        return chosen or (0, None)

    def _next_claim(self) -> tuple[int, Contact] | None:
        chosen = self._pop(self._claims)
        while chosen is None and self._has_moved:
            self._has_moved = False
            chosen = self._more_of_witness()
        return chosen

    def _pop(self, places: list[Place], below: int | None = None) -> tuple[int, Contact] | None:
        """The nearest of the places that was not asked yet; with ``below``, only if it is nearer than that."""
        while places:
            place = places[-1]
            if below is not None and place[0] >= below:
                return None
            places.pop()
            if place[2] not in self._asked:
                return place[1], place[2]
        return None

    def _step_back(self) -> tuple[int, Contact] | None:
        """All that the nearest answerer named are dead: whom does it know before the last of them?"""
        while self._retreat is not None:
            (hops, source, point), self._retreat = self._retreat, None
            if source != self._node.contact:
                self._point = point
                return hops, source
            hop = self._node.next_hop(point, all_successors=True)
            if hop.closer:
                self._take(source, 1, hop.closer, (), self._now)
            chosen = self._pop(self._candidates, self._nearest)
            if chosen is not None:
                return chosen
        return None

    def _look_again(self) -> tuple[int, Contact] | None:
        """Everyone named so far is dead: who else is in the asker's own tables? Once."""
        if self._has_looked_again:
            return None
        self._has_looked_again = True
        hop = self._node.next_hop(self._search, all_successors=True)
        if hop.is_owner:
            return None
        self._nearest = self._mask + 1
        self._take(self._node.contact, 1, hop.closer, hop.behind, self._now)
        return self._next_claim() or self._pop(self._candidates, self._nearest) or self._step_back()

    def _more_of_witness(self) -> tuple[int, Contact] | None:
        """All owners that somebody named are dead: the same one knows those behind them."""
        if self._witness is None:
            return None
        hops, witness = self._witness
        if witness != self._node.contact:
            return hops - 1, witness
        hop = self._node.next_hop(self._search, all_successors=True)
        if hop.is_owner:
            return None
        self._claim(witness, 1, hop.behind, self._now)
        return self._pop(self._claims)

    def _on_failure(self, contact: Contact, now: float) -> None:
        self.timeouts += 1
        self._asked[contact] = False
        if contact in self._named:
            self._core.bury(contact, now)
        else:
            self._core.suspect(contact, now)
        if not self._claims and contact in self._named:
            self._move_behind(contact)
        self.step(now)

    def _on_reply(self, contact: Contact, hops: int, reply: NextHop, now: float) -> None:
        self.replies += 1
        self.path.append(contact)
        is_claimed = contact in self._named  # as an owner of the key, by somebody
        if (is_claimed or reply.is_owner) and self._settles(contact, reply, now):
            if self._is_doubtful(contact):
                self._keep_as_last_resort(contact, hops, reply)
            else:
                self._end(contact, hops, reply.behind, now)
                return
        else:
            if is_claimed:
                self._take_predecessor(contact, hops, reply, now)
            self._take(contact, hops + 1, reply.closer, reply.behind, now)
        self.step(now)

    def _settles(self, contact: Contact, reply: NextHop, now: float) -> bool:
        """Whether the one who answered owns the key: it says so and shows why, or others do and everyone before it is dead."""
        predecessor = reply.predecessor
        if reply.is_owner:
            return predecessor is None or in_half_open(self._search, predecessor.id, contact.id)
        return predecessor is None or self._is_dead(predecessor, now)

    def _take_predecessor(self, contact: Contact, hops: int, reply: NextHop, now: float) -> None:
        """Somebody joined between the key and the owner that was named: ask it."""
        better = reply.predecessor
        if better is None or better in self._named or self._is_dead(better, now):
            return
        if not in_open(better.id, (self._search - 1) & self._mask, contact.id):
            return
        self._named[better] = None
        for place in (better, contact):  # if the better one is dead, this one owns the key: then it is asked again
            self._asked.pop(place, None)
        self._claims = merge(
            self._claims,
            [
                ((better.id - self._search) & self._mask, hops + 1, better),
                ((contact.id - self._search) & self._mask, hops, contact),
            ],
        )

    def _take(
        self, source: Contact, hops: int, closer: tuple[Contact, ...], behind: tuple[Contact, ...], now: float
    ) -> None:
        """Note whom ``source`` named, if that makes progress towards the key."""
        search, mask = self._search, self._mask
        left = (search - source.id) & mask
        named: list[Place] = []
        core, asked, own_id = self._core, self._asked, self._node.id
        trusts_all = core.trusts_all
        for contact in closer:
            distance = (search - contact.id) & mask
            if not 0 < distance < left or contact.id == own_id or contact in asked:
                continue
            if trusts_all or core.is_believed(contact, now):
                named.append((distance, hops, contact))
        if left <= self._nearest:
            if left < self._nearest or self._reserve is None:
                self._reserve = (hops, source, behind) if behind else None
            self._nearest = left
            # Once the search has moved behind owners that are dead, everyone before the key has been tried.
            self._retreat = (hops - 1, source, closer[-1].id) if closer and self._search == self.key else None
        if named:
            self._candidates = merge(self._candidates, named)

    def _claim(self, source: Contact, hops: int, behind: tuple[Contact, ...], now: float) -> None:
        """``source`` names the owner: one of these, the first that lives."""
        search, mask = self._search, self._mask
        around = mask + 1 - ((search - source.id) & mask)  # behind the key and not yet past the source again
        named = [contact for contact in behind if (contact.id - search) & mask < around]
        alive = [contact for contact in named if not self._is_dead(contact, now)]
        if named and not alive:
            self._witness = (hops, source)
            self._move_behind(named[-1])
        elif alive and self._is_doubtful(alive[0]):
            self._begin_to_doubt()
            self._doubted = merge(self._doubted, [((contact.id - search) & mask, hops, contact) for contact in alive])
        elif alive:
            self._witness = (hops, source)
            self._claims = merge(self._claims, [((contact.id - search) & mask, hops, contact) for contact in alive])
            self._named.update((contact, None) for contact in alive)

    def _move_behind(self, contact: Contact) -> None:
        """The last of the owners that were named is dead: the owner is the first behind it."""
        self._search = (contact.id + 1) & self._mask
        self._has_moved = True
        self._nearest = self._mask + 1
        self._reserve = self._retreat = None

    def _is_dead(self, contact: Contact, now: float) -> bool:
        return self._asked.get(contact) is False or not self._core.is_believed(contact, now)

    def _is_doubtful(self, owner: Contact) -> bool:
        return self._doubts and self._node.is_far((owner.id - self._search) & self._mask, self._core.config.doubt)

    def _keep_as_last_resort(self, contact: Contact, hops: int, reply: NextHop) -> None:
        self._begin_to_doubt()
        behind = (contact.id - self.key) & self._mask
        if self._last_resort is None or behind < (self._last_resort[2][0].id - self.key) & self._mask:
            self._last_resort = (behind, hops, (contact, *reply.behind))
        self._witness = None

    def _begin_to_doubt(self) -> None:
        self._patience = min(self._patience, self.rpcs + PATIENCE)

    def _end(self, owner: Contact, hops: int, successors: tuple[Contact, ...], now: float) -> None:
        self.hops = hops
        self.owners = (owner, *(known for known in successors if known != owner))
        self._done(self, now)

    def _give_up(self, why: str, now: float) -> None:
        if self._last_resort is not None:
            _, self.hops, self.owners = self._last_resort
        else:
            self.hops = len(self.path)
            self.why = why
        self._done(self, now)


class _Step(msgspec.Struct):
    """One request of a walk (a ``Context``): who was asked what, and how often it may be asked again."""

    expected: ClassVar[tuple[type, ...]] = (NextHop,)

    walk: Walk
    contact: Contact
    hops: int
    key: int
    attempts: int

    def on_reply(self, reply: NextHop, now: float) -> None:
        self.walk._on_reply(self.contact, self.hops, reply, now)

    def on_failure(self, now: float) -> None:
        self.attempts -= 1
        if self.attempts > 0:
            self.walk._ask(self, now)
        else:
            self.walk._on_failure(self.contact, now)
