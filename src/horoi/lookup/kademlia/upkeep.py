"""Join and leave; refresh, republish, announce again; and the id that follows from the address that others see."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Any

from horoi.lookup.kademlia.config import KademliaConfig
from horoi.lookup.kademlia.core import Core
from horoi.lookup.kademlia.messages import FindNode, Item, Reply
from horoi.lookup.kademlia.node_ids import is_local, is_node_id_of, node_id
from horoi.lookup.kademlia.requests import Moved
from horoi.lookup.kademlia.swarm_tasks import ProvideTask
from horoi.lookup.kademlia.table import ContactBook, RoutingTable
from horoi.lookup.kademlia.tasks import Task
from horoi.lookup.kademlia.write_tasks import PutTask
from horoi.lookup.vocabulary import (
    JOIN,
    MAX_BOOTSTRAPS,
    PROVIDER_TTL_S,
    UNREACHABLE,
    Address,
    Contact,
    Failed,
    Joined,
    Left,
)
from horoi.machine.contract import Arm, Tell

TICK = "tick"
"""The timer of upkeep."""

LEAVING = "leaving"
LEAVE_S = 10.0  # how long handing over may take: a guess
MAX_PROVIDING = 10_000  # things that one peer provides: a guess
ANNOUNCE_S = PROVIDER_TTL_S / 2  # vocabulary: Mainline announces every 15 minutes or so
ANNOUNCES_PER_TICK = 20  # a guess: so many lookups at once
VOTES = 10  # peers whose word on this peer's address is kept: a guess
VOTES_NEEDED = 5
UNSPECIFIED = ("0.0.0.0", "::")
MAX_DEPTH_BITS = (
    32  # of buckets that are refreshed: ids at random fill log2 N, these are 4 * 10**9 peers. Deeper ones are made up
)


class JoinAsked:
    """A join that waits for bootstrap peers."""

    __slots__ = ("has_begun", "rpcs", "timeouts", "waiting")

    def __init__(self) -> None:
        self.waiting = self.rpcs = self.timeouts = 0
        self.has_begun = False
        """Whether one of them has answered: the others only lend their contacts."""


class SelfTask(Task):
    """The lookup of the own id by which a peer joins: all that are near it learn of it."""

    __slots__ = ()


class RefreshTask(Task):
    """A lookup of a random id in a bucket's range."""

    __slots__ = ()


class Upkeep(Core):
    """What a peer does unasked."""

    __slots__ = ("_announced", "_looked", "_to_refresh", "_votes", "providing")

    def __init__(self, contact: Contact, config: KademliaConfig, dice: Random, book: ContactBook | None) -> None:
        super().__init__(contact, config, dice, book)
        self.providing: dict[int, tuple[int, bool]] = {}
        """Things that this peer has, with port and whether it is a seed."""
        self._announced: dict[int, float] = {}
        self._looked: dict[int, float] | None = None
        self._to_refresh: list[int] | None = None
        self._votes: dict[str, str] | None = None

    # Join and leave

    def join(self, bootstrap: tuple[Address, ...], now: float) -> None:
        """Enter through any of these addresses; a peer with a table resumes with that."""
        if self.joined:
            self.do(Tell(Joined(self.contact)))
            return
        if not bootstrap:
            self._is_joined(now)
            return
        self.serves = True
        asked = JoinAsked()
        for address in bootstrap[:MAX_BOOTSTRAPS]:
            if address != self.contact.address and self.ask(Contact(0, address), self._find_self, asked, now):
                asked.waiting += 1
                asked.rpcs += 1
        if not asked.waiting:
            self.serves = False
            self.do(Tell(Failed(JOIN, UNREACHABLE)))

    def _find_self(self, tid: bytes) -> FindNode:
        return FindNode(tid, self.table.id, self.config.read_only, self.table.id, self.want, self.padding)

    def bootstrap_answered(self, asked: JoinAsked, contact: Contact, reply: Reply, now: float) -> None:
        """A peer through which this one joins is there."""
        asked.waiting -= 1
        self.heard(contact, now)
        if contact.id == self.table.id:
            self.bootstrap_failed(asked, now, gave_up=0)
            return
        if asked.has_begun or self.joined:
            return
        asked.has_begun = True
        task = SelfTask(self, JOIN, self.table.id, silent=True)
        task.search.add_seeds([contact, *self.believable(reply.contacts)])
        self.begin(task, now)

    def bootstrap_failed(self, asked: JoinAsked, now: float, *, gave_up: int = 1) -> None:
        """A peer through which this one wants to join is not there."""
        asked.waiting -= gave_up
        asked.timeouts += gave_up
        if not (asked.waiting or asked.has_begun or self.joined):
            self.serves = False
            self.do(Tell(Failed(JOIN, UNREACHABLE, 0, asked.rpcs, asked.rpcs - asked.timeouts, asked.timeouts)))

    def _is_joined(self, now: float) -> None:
        self.joined = self.serves = True
        self.leaving = False
        self.do(Tell(Joined(self.contact)))
        if self.config.upkeep:
            self.do(Arm(TICK, self._tick_s() * self.dice.random()))

    def task_ended(self, task: Task, now: float) -> None:
        kind = type(task)
        if kind is SelfTask and not self.joined:
            self._is_joined(now)
            if self.config.upkeep:
                self._refresh_beyond_nearest(now)
        elif kind is RefreshTask:
            self._refresh_next(now)
        if self.leaving and not self.tasks:
            self._has_left()

    def leave(self, now: float) -> None:
        """Bring what is kept here to those who are nearest without this peer, then be silent."""
        if not self.joined or self.leaving:
            if not self.joined:
                self.do(Tell(Left()))
            return
        self.providing.clear()
        self.leaving = True
        self.do(Arm(LEAVING, LEAVE_S))
        kept = list(self.server.items.items(now)) if self.server.has_items and not self.config.mainline else []
        for key, item in kept:
            copy = Item(item.item.value, item.item.signed, item.expires_s - now)
            self.begin(PutTask(self, None, key, copy, copy=True), now)
        if not self.tasks:
            self._has_left()

    def _has_left(self) -> None:
        if not self.leaving:
            return
        self.leaving = False
        self.joined = self.serves = False
        self.do(Arm(LEAVING, None))
        self.do(Arm(TICK, None))
        self.do(Tell(Left()))

    # Refresh

    def _refresh_beyond_nearest(self, now: float) -> None:
        """After joining, a peer "refreshes all k-buckets further away than its closest neighbor" (section 2.3)."""
        table = self.table
        nearest = table.closest(table.id, 1)
        last = min(table.bucket_of(nearest[0].id), self._max_depth()) if nearest else 0
        self._to_refresh = [bucket for bucket in range(last) if len(table.bucket(bucket)) < self.config.k]
        self._refresh_next(now)

    def _refresh_next(self, now: float) -> None:
        """One bucket after the other."""
        while self._to_refresh:
            left, self._to_refresh = self._to_refresh, None  # a lookup that ends at once finds nothing to go on with
            bucket, under_way = left.pop(), self.tasks
            if self.joined and self.table.has_room(bucket):
                self._refresh(bucket, now)
            self._to_refresh = left
            if self.tasks > under_way:
                return
        self._to_refresh = None

    def _refresh(self, bucket: int, now: float) -> None:
        first, after = self.table.range_of(bucket)
        if self._looked is None:
            self._looked = {}
        self._looked[bucket] = now
        target = self.table.id ^ self.dice.randrange(first, max(after, first + 1))
        self.begin(RefreshTask(self, None, target, k=self.config.refresh_k, silent=True), now)

    def _tick_s(self) -> float:
        """Between two moments of upkeep: each bucket has its turn within ``refresh_s``."""
        return self.config.refresh_s / max(1, self._depth())

    def _depth(self) -> int:
        """How many buckets are looked after. Where ids are taken on trust, a peer that names some right beside this one makes a
        table of as many buckets as an id has bits: each was refreshed, a lookup each, which was a storm."""
        return min(self.table.depth, self._max_depth())

    def _max_depth(self) -> int:
        b = self.config.digit_bits
        return MAX_DEPTH_BITS // b * ((1 << b) - 1)

    def upkeep_is_due(self, timer: object, now: float) -> None:
        """A timer of upkeep ran out."""
        if timer == LEAVING:
            self._has_left()
            return
        if timer != TICK or not self.joined:
            return
        self.do(Arm(TICK, self._tick_s() * (0.75 + self.dice.random() / 2)))  # spread, so that peers never beat as one
        self.server.expire(now)
        self._refresh_oldest(now)
        self._announce_again(now)
        self._republish(now)

    def _refresh_oldest(self, now: float) -> None:
        looked = self._looked or {}
        depth = self._depth()
        if not depth:
            return
        bucket = min(range(depth), key=lambda number: looked.get(number, 0.0))
        if now - looked.get(bucket, now - self.config.refresh_s) >= self.config.refresh_s * 0.9:
            self._refresh(bucket, now)

    # What others keep for this peer, and this peer for others

    def can_provide(self, key: int) -> bool:
        """Whether there is room to remember one more thing to announce."""
        return key in self.providing or len(self.providing) < MAX_PROVIDING

    def provide(self, key: int, port: int, *, seed: bool) -> None:
        """Announce a thing until ``Unprovide``."""
        self.providing[key] = (port, seed)
        self._announced.pop(key, None)

    def _announce_again(self, now: float) -> None:
        begun = 0
        for key, (port, seed) in self.providing.items():
            if now - self._announced.setdefault(key, now) >= ANNOUNCE_S and begun < ANNOUNCES_PER_TICK:
                begun += 1
                self._announced[key] = now
                self.begin(ProvideTask(self, None, key, port=port, seed=seed, silent=True), now)
        for key in [key for key in self._announced if key not in self.providing]:
            del self._announced[key]

    def _republish(self, now: float) -> None:
        """Bring pairs to the peers that are nearest by now, unless somebody did within the hour (section 2.5)."""
        period_s = self.config.republish_s
        if not self.server.has_items or period_s is None:
            return
        due = [(key, kept) for key, kept in self.server.items.items(now) if now - kept.put_s >= period_s]
        for key, kept in due[:ANNOUNCES_PER_TICK]:
            copy = Item(kept.item.value, kept.item.signed, kept.expires_s - now)
            self.begin(PutTask(self, None, key, copy, copy=True), now)

    # Who this peer is

    def told_address(self, voter: Address, seen: Address, now: float) -> None:
        """A peer says where it sees this one (BEP 42): when most of the last ones agree on an address that the id does not
        follow from, take one that does."""
        if is_local(seen[0]) or is_node_id_of(self.table.id, seen):
            return
        own = self.contact.address[0]
        if own not in UNSPECIFIED and (":" in own) != (":" in seen[0]):
            return  # an id follows from one address, and a port of both families has two
        if self._votes is None:
            self._votes = {}
        self._votes.pop(voter[0], None)
        self._votes[voter[0]] = seen[0]
        if len(self._votes) > VOTES:
            del self._votes[next(iter(self._votes))]
        (ip, votes), *_ = Counter(self._votes.values()).most_common(1)
        if votes >= VOTES_NEEDED and 2 * votes > len(self._votes):
            self._move((ip, seen[1]), now)

    def _move(self, address: Any, now: float) -> None:
        """Take an id that follows from this address, with the contacts of the old one."""
        self._votes = None
        config = self.config
        known = list(self.table)
        self.contact = Contact(node_id(address[0], self.dice), address)
        self.table = RoutingTable(self.contact.id, config.bits, config.k, digit_bits=config.digit_bits)
        for contact in known:
            self.table.seen(contact)
        self.server.move(self.table)
        self.do(Tell(Moved(self.contact)))
        if self.joined:
            self.begin(SelfTask(self, JOIN, self.table.id, silent=True), now)
