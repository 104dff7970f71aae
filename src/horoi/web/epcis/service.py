"""The event store behind a thread of its own, and what happens to a capture after it was received.

Checking is done by whoever received the document. Then, in this order: the events are kept (one transaction of the store);
the batch's root is posted, signed by the node's key; events that move what the ledger knows become transactions or offers;
whoever subscribed is told. A step that fails does not undo those before it: a root that could not be posted is posted with
the next.
"""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from time import time
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from horoi.base.errors import HoroiError
from horoi.epcis.check import Hashed, Report
from horoi.epcis.context import namespaces_of
from horoi.epcis.times import parse_ms
from horoi.node.epcis.anchor import anchor, words
from horoi.node.epcis.indexed import indexed_facts
from horoi.node.epcis.masters import master_data_of
from horoi.node.epcis.store import EventStore, New
from horoi.web.epcis.moving import UNKNOWN, look_up, move, movements_of
from horoi.web.model.wallet import Say
from horoi.web.offering import act_or_offer

if TYPE_CHECKING:
    from horoi.web.access import NodeAccess

P = ParamSpec("P")
T = TypeVar("T")

FOLDER = "epcis"
STOP_TIMEOUT_S = 5.0  # for captures under way when the node stops; a guess
WAIT_S = 30.0  # for one of those to end; well below what the API waits for an answer
MAX_RUNNING = 16  # captures under way: each holds its document in memory; a guess
MAX_MOVED_AT_ONCE = 1_000  # events of one capture that are brought to the ledger; a guess, some seconds
MAX_POSTED_AT_ONCE = 50  # roots in one transaction: well below what it takes of posts

_log = logging.getLogger("horoi.web.epcis")


class EventService:
    """Events of one node. The store opens with the first call."""

    def __init__(self, access: NodeAccess) -> None:
        self.access = access
        self.on_kept: list[Callable[[int], None]] = []
        """Called in the loop's thread with the number before the first new event."""
        self.on_start: list[Callable[[], Awaitable[None]]] = []
        self.on_stop: list[Callable[[], Awaitable[None]]] = []
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="epcis")
        self._store: EventStore | None = None
        self._tasks: dict[asyncio.Task[None], None] = {}
        self._posting = asyncio.Lock()

    async def start(self) -> None:
        """Go on with what a former run left: subscribers, and roots that were not posted."""
        for begin in self.on_start:
            await begin()
        self._spawn(self.post_roots())

    async def stop(self) -> None:
        """Finish what is under way; tell subscribers no more."""
        for end in self.on_stop:
            await end()
        if self._tasks:
            await asyncio.wait(list(self._tasks), timeout=STOP_TIMEOUT_S)

    def close(self) -> None:
        """Close the store. What is being kept is finished first."""
        self._thread.shutdown(wait=True)
        if self._store is not None:
            self._store.close()

    async def run(self, function: Callable[[EventStore], T]) -> T:
        """Do something with the store, in its thread."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, lambda: function(self._open()))

    def _open(self) -> EventStore:
        if self._store is None:
            folder = self.access.folder
            self._store = EventStore(folder / FOLDER if folder is not None else None)
        return self._store

    # ---- captures -------------------------------------------------------------------------------------------------

    async def has_room(self) -> bool:
        """Wait a while until a further capture can be taken; False if none can."""
        if len(self._tasks) >= MAX_RUNNING:
            await asyncio.wait(list(self._tasks), timeout=WAIT_S, return_when=asyncio.FIRST_COMPLETED)
        return len(self._tasks) < MAX_RUNNING

    async def begin(self, report: Report, good: Sequence[Hashed], errors: list[dict[str, Any]], behaviour: str) -> str:
        """Begin a capture of checked events; returns its id."""
        job = secrets.token_hex(16)
        await self.run(lambda store: store.begin_job(job, behaviour, now_ms()))
        self._spawn(self._finish(job, report, good, errors))
        return job

    def _spawn(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._tasks[task] = None
        task.add_done_callback(lambda done: self._tasks.pop(done, None))

    async def _finish(self, job: str, report: Report, good: Sequence[Hashed], errors: list[dict[str, Any]]) -> None:
        batch, added = None, list[int]()
        try:
            batch, added = await self.keep(report, good)
        except HoroiError as error:
            errors = [
                *errors,
                {"type": "epcisException:ImplementationException", "title": "Not kept", "detail": str(error)},
            ]
        except Exception:
            _log.exception("capture %s failed", job)
            errors = [
                *errors,
                {"type": "epcisException:ImplementationException", "title": "A server-side error occurred"},
            ]
        await self.run(lambda store: store.end_job(job, now_ms(), errors, batch))
        await self.after(added)

    async def keep(self, report: Report, good: Sequence[Hashed]) -> tuple[int | None, list[int]]:
        """Keep events; returns their batch and the numbers of those that are new."""
        new = await asyncio.to_thread(lambda: [new_event(event, report.context) for event in good])
        masters = await asyncio.to_thread(master_data_of, report.header, namespaces_of(report.context))

        def write(store: EventStore) -> tuple[int | None, list[int]]:
            if any(masters):
                store.add_master_data(*masters)
            return store.add(new, now_ms())

        return await self.run(write)

    async def after(self, added: Sequence[int]) -> None:
        """What follows once events are kept. Logs what fails."""
        if not added:
            return
        for tell in list(self.on_kept):
            tell(added[0] - 1)
        try:
            await self.post_roots()
        except Exception:
            _log.exception("a batch of events was not anchored; it will be with the next capture")
        await self._move(added)

    async def _move(self, added: Sequence[int]) -> None:
        """Do what new events mean for the ledger, one after the other, and remember what became of it."""
        stored = await self.run(lambda store: store.by_seq(added[:MAX_MOVED_AT_ONCE]))
        read = await asyncio.to_thread(lambda: movements_of([(each.seq, json.loads(each.payload)) for each in stored]))
        for seq, movement in read:
            names = await self.run(lambda store, wanted=movement: look_up(store, wanted))  # type: ignore[misc]
            try:
                done = UNKNOWN if names is None else await move(self.access, names, movement, f"EPCIS event {seq}")
            except Exception:
                _log.exception("event %d was not brought to the ledger", seq)
                continue
            await self.run(lambda store, s=seq, m=movement, o=done: store.add_movement(s, m.verb, *o))  # type: ignore[misc]

    # ---- anchoring ------------------------------------------------------------------------------------------------

    async def post_roots(self) -> None:
        """Post the roots of batches that no transaction carries yet, with the node's key; not if it has none."""
        if self.access.default_key is None:
            return
        async with self._posting:
            waiting = await self.run(lambda store: store.batches_unposted(MAX_POSTED_AT_ONCE))
            if not waiting:
                return
            says = [Say(text=words(batch.size), document=batch.root.hex()) for batch in waiting]
            try:
                done = await act_or_offer(self.access, says)
            except HoroiError as error:
                _log.warning("%d batch(es) of events wait to be anchored: %s", len(waiting), error)
                return
            for batch in waiting:
                await self.run(lambda store, number=batch.id: store.set_posted(number, bytes.fromhex(done.id)))  # type: ignore[misc]


def now_ms() -> int:
    """The time of this machine."""
    return int(time() * 1000)


def new_event(hashed: Hashed, context: Any) -> New:
    """A checked event, ready for the store."""
    anchored = anchor(hashed, context)
    event = hashed.event
    namespaces = {**namespaces_of(context), **namespaces_of(event.get("@context"))}
    event_id = event.get("eventID", hashed.hash_id)
    facts = indexed_facts(event, namespaces, event_id, anchored.digest)
    return New(anchored.digest, anchored.leaf, event_id, parse_ms(event["eventTime"]) or 0, anchored.payload, facts)
