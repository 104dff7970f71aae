"""What the parts of a peer share: its tables, requests under way, and how tasks go on when answers come or do not."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any, NamedTuple

from horoi.lookup.common.pending import Pending
from horoi.lookup.common.pending import Request as Open
from horoi.lookup.kademlia.config import KademliaConfig
from horoi.lookup.kademlia.held_tokens import HeldTokens
from horoi.lookup.kademlia.messages import TID_BYTES, AnyQuery, Item, Ping, Refusal, Reply
from horoi.lookup.kademlia.server import Server, padding_for
from horoi.lookup.kademlia.table import ContactBook, RoutingTable
from horoi.lookup.kademlia.tasks import CALLS, DONE, SEARCH, Task
from horoi.lookup.kademlia.write_tasks import PutTask
from horoi.lookup.vocabulary import Address, Contact, Delivered
from horoi.machine.contract import Action, Arm, Send, Tell

RPC = "rpc"
"""The timer of requests under way."""

MAX_VERIFYING = 32  # strangers pinged at once: a guess; the next must ask again
MAX_EXTRA = 4  # second questions of a task to peers with large values
OUTAGE_S = 30.0  # nobody answered for so long: the fault is here, and contacts are not to blame. A guess
MAX_HANDED_OVER = 2000  # items looked through for a newcomer: a guess


class Verifying(NamedTuple):
    """A ping to find out whether somebody is there."""

    contact: Contact


class Calling(NamedTuple):
    """A call in the second stage of a task."""

    task: Task


class Core:
    """State and the ways of a peer, without what it is asked for (see ``machine``)."""

    __slots__ = (
        "_actions",
        "_heard_s",
        "_held_tokens",
        "_holds_tokens",
        "_pending",
        "_tasks",
        "_tested",
        "_verifying",
        "config",
        "contact",
        "dice",
        "joined",
        "leaving",
        "padding",
        "server",
        "serves",
        "table",
        "want",
    )

    def __init__(self, contact: Contact, config: KademliaConfig, dice: Random, book: ContactBook | None) -> None:
        if not 0 <= contact.id < 1 << config.bits:
            raise ValueError(f"an id has {config.bits} bits, this one {contact.id.bit_length()}")
        self.contact = contact
        self.config = config
        self.dice = dice
        self.table = RoutingTable(
            contact.id, config.bits, config.k, digit_bits=config.digit_bits, book=book, caches=config.upkeep
        )
        self.server = Server(config, self.table, dice)
        self.joined = False
        self.leaving = False
        self.serves = False
        """Whether queries are answered: from the moment when this peer begins to join, since others ping who asks them."""
        self.want = 0
        """Address families to ask for (BEP 32); 0: the one that is used to ask."""
        self.padding = _padding(config.k) if not config.mainline else b""
        self._held_tokens: HeldTokens | None = None
        self._holds_tokens = config.upkeep and not config.mainline
        self._pending: Pending | None = None
        self._tasks = 0
        self._verifying: dict[Address, None] | None = None
        self._tested: dict[int, float] | None = None
        self._heard_s = 0.0
        self._actions: list[Action] = []

    @property
    def is_keeper(self) -> bool:
        """Whether this peer counts among those who keep what is near it."""
        return not (self.config.read_only or self.leaving)

    @property
    def pending(self) -> Pending:
        if self._pending is None:
            self._pending = Pending(self.dice)
        return self._pending

    @property
    def held_tokens(self) -> HeldTokens:
        """Tokens that came with earlier answers (own wire)."""
        if self._held_tokens is None:
            self._held_tokens = HeldTokens()
        return self._held_tokens

    def do(self, action: Action) -> None:
        """Add to what the machine answers."""
        self._actions.append(action)

    def take_actions(self, now: float) -> list[Action]:
        """What was done since the last time, with the timer of requests."""
        actions = self._actions
        self._actions = []
        if self._pending is not None:
            wake_s = self._pending.wake_s(now)
            if wake_s is not None:
                actions.append(Arm(RPC, wake_s))
        return actions

    # Requests

    def ask(self, contact: Contact, make: Callable[[bytes], AnyQuery], context: Any, now: float) -> bool:
        """Send a query. False if too many are under way."""
        pending = self.pending
        if pending.full:
            return False
        tid = pending.open(contact, context, now).to_bytes(TID_BYTES, "big")
        self._actions.append(Send(contact.address, make(tid)))
        return True

    def close(self, message: Reply | Refusal, address: Address, now: float) -> Open | None:
        """The request that this answers; None if nobody there was asked that."""
        if len(message.tid) != TID_BYTES or self._pending is None:
            return None
        return self._pending.close(int.from_bytes(message.tid, "big"), address, now)

    def ping(self, tid: bytes) -> AnyQuery:
        return Ping(tid, self.table.id, self.config.read_only)

    def deliver(self, key: int, payload: bytes) -> None:
        """A payload whose owner is this peer itself."""
        self.do(Tell(Delivered(key, payload, self.contact, 0)))

    # Tasks

    def begin(self, task: Task, now: float) -> None:
        """Start a task."""
        self._tasks += 1
        self.pump(task, now)

    @property
    def tasks(self) -> int:
        """How many tasks are under way."""
        return self._tasks

    def pump(self, task: Task, now: float) -> None:
        """Let a task go on as far as it can."""
        if task.stage == SEARCH:
            self._search(task, now)
        if task.stage == CALLS and not task.waiting:
            task.stage = DONE
            self._tasks -= 1
            if not task.tells_at_once:
                self._tell(task, now)
            self.task_ended(task, now)

    def _tell(self, task: Task, now: float) -> None:
        notice = task.notice(now)
        if not task.silent:
            self.do(Tell(notice))

    def _search(self, task: Task, now: float) -> None:
        search = task.search
        while task.extra:
            contact, make = task.extra.pop()
            if task.rpcs < MAX_EXTRA:
                self._call(task, contact, make, now)
        if not task.satisfied:
            if search.waiting == 0 or not self.pending.full:
                for contact in search.next():
                    if not self.ask(contact, task.query_for(contact, now), task, now):
                        search.on_failure(contact)
            if search.waiting or task.waiting:
                return
        task.stage = CALLS
        if task.tells_at_once:
            self._tell(task, now)
        for contact, make in task.calls(now):
            self._call(task, contact, make, now)

    def _call(self, task: Task, contact: Contact, make: Callable[[bytes], AnyQuery], now: float) -> None:
        if self.ask(contact, make, Calling(task), now):
            task.waiting += 1
            task.rpcs += 1

    def task_ended(self, task: Task, now: float) -> None:
        """For upkeep, which does one thing after the other."""

    # What comes back

    def answered(self, request: Open, reply: Reply, now: float) -> None:
        """A reply to a task or a ping."""
        contact = request.contact
        context = request.context
        assert contact is not None
        if reply.sender != contact.id:
            self.unanswered(request, now)  # somebody else lives there now, or a liar named it
            return
        self.heard(contact, now)
        if reply.token and self._holds_tokens:
            self.held_tokens.keep(contact.address, reply.token, now)
        if type(context) is Calling:
            self._called(context.task, contact, reply, now)
        elif type(context) is Verifying:
            self._stop_verifying(contact)
        else:
            task: Task = context
            if task.stage == SEARCH:
                task.take(contact, reply, now)
                task.search.on_reply(contact, self.believable(reply.contacts))
                self.pump(task, now)

    def _called(self, task: Task, contact: Contact, reply: Reply, now: float) -> None:
        task.waiting -= 1
        task.acks += 1
        if task.stage == SEARCH:
            task.take(contact, reply, now)
        self.pump(task, now)

    def believable(self, contacts: tuple[Contact, ...] | None) -> tuple[Contact, ...]:
        """The contacts of an answer whose ids are theirs; no more than an honest peer names."""
        is_bound = self.config.is_bound
        contacts = (contacts or ())[: 2 * self.config.k]
        if is_bound is None:
            return contacts
        return tuple(contact for contact in contacts if is_bound(contact))

    def unanswered(self, request: Open, now: float) -> None:
        """A request ran out, or was answered by somebody else."""
        contact = request.contact
        context = request.context
        assert contact is not None
        if now - self._heard_s < OUTAGE_S or len(self.table) == 1:
            waiting = self.table.failure(contact, self.config.max_failures)
            if waiting is not None:
                self.verify(waiting, now)
        if type(context) is Calling:
            context.task.waiting -= 1
            context.task.timeouts += 1
            self.pump(context.task, now)
        elif type(context) is Verifying:
            self._stop_verifying(contact)
        elif context.stage == SEARCH:
            context.search.on_failure(contact)
            self.pump(context, now)

    # Who is there

    def heard(self, contact: Contact, now: float) -> None:
        """A contact has answered: the only proof that it is there."""
        self._heard_s = now
        is_bound = self.config.is_bound
        if is_bound is not None and not is_bound(contact):
            return
        if self.table.seen(contact) and self.server.has_items:
            self.hand_over_to(contact, now)

    def meet(self, contact: Contact, now: float) -> None:
        """Somebody asks. That is no proof, since addresses can be forged: a stranger whom the table could use is pinged."""
        is_wanted = self.table.asked_by(contact)
        if is_wanted is None:
            return
        if not is_wanted:
            if self.config.upkeep:
                self.table.wait(contact)
                self._test(self.table.bucket_of(contact.id), now)
            return
        is_bound = self.config.is_bound
        if is_bound is not None and not is_bound(contact):
            return
        if self.config.verify:
            self.verify(contact, now)
        else:
            self.heard(contact, now)

    def verify(self, contact: Contact, now: float) -> None:
        """Ping a contact that may enter the table."""
        if self._verifying is None:
            self._verifying = {}
        if contact.address in self._verifying or len(self._verifying) >= MAX_VERIFYING:
            return
        if self.ask(contact, self.ping, Verifying(contact), now):
            self._verifying[contact.address] = None

    def _stop_verifying(self, contact: Contact) -> None:
        if self._verifying is not None:
            self._verifying.pop(contact.address, None)

    def _test(self, bucket: int, now: float) -> None:
        """Test before evict (section 2.2): ping the contact of a full bucket that was silent longest."""
        if self._tested is None:
            self._tested = {}
        if now - self._tested.get(bucket, -self.config.test_s) < self.config.test_s:
            return
        self._tested[bucket] = now
        oldest = self.table.least_recently_seen(bucket)
        if oldest is not None:
            self.verify(oldest, now)

    def hand_over_to(self, newcomer: Contact, now: float) -> None:
        """ "When a node learns of a new node which is closer to some of its pairs, it replicates them to it" (section 2.5);
        of those who keep a pair, only the nearest does so."""
        if not self.joined or self.config.republish_s is None:
            return
        near: list[tuple[int, Item]] = []
        for count, (key, kept) in enumerate(self.server.items.items(now)):
            if count >= MAX_HANDED_OVER:
                break
            others = [c for c in self.table.closest(key, self.config.copies + 1) if c != newcomer]
            own = self.table.id ^ key
            is_near = len(others) < self.config.copies or newcomer.id ^ key < max(c.id ^ key for c in others)
            if is_near and all(own < c.id ^ key for c in others):
                near.append((key, Item(kept.item.value, kept.item.signed, kept.expires_s - now)))
        for key, item in near:
            self.begin(PutTask(self, None, key, item, copy=True), now)


def _padding(k: int) -> bytes:
    """One object for all peers of a process."""
    found = _PADDINGS.get(k)
    if found is None:
        found = _PADDINGS[k] = padding_for(k)
    return found


_PADDINGS: dict[int, bytes] = {}
