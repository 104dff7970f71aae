"""Chain synchronisation: information forwarding in networks, for blocks.

Headers come first, because they are small and their work can be checked without their content: so a node knows which chain
is heaviest before it fetches a single block, and an endless stream of worthless headers is cut off early. Blocks are then
fetched from all peers that have them, in a window, and a peer that stalls is replaced (``fetching.py``). Peers are served
within bounds (``serving.py``).

Invariants: a block is asked of one peer at a time; a block's signatures are all verified before it is kept; what is kept is
in a ``Save`` before anyone is told of it.
"""

from __future__ import annotations

from typing import Any

import msgspec

from horoi.base.codec import encode
from horoi.base.errors import DecodeError, HoroiError, RuleError
from horoi.ledger.consensus.nakamoto.tree import Known
from horoi.machine.contract import (
    Action,
    Arm,
    Asked,
    Event,
    Finished,
    Fired,
    Lost,
    Peer,
    Received,
    Run,
    Save,
    Send,
    Tell,
)
from horoi.machine.host import Started
from horoi.node.chain import Chain
from horoi.node.events import Misbehaved, PeerHeight, PeerReady, PeerUseful, SubmitBlock, TipChanged, WaitAgain
from horoi.node.records import FlushState
from horoi.node.staging import KnownTransaction, Staged
from horoi.node.sync.fetching import BLOCK_TIMEOUT_S, Fetching, Source
from horoi.node.sync.messages import MAX_HEADERS, BlockData, GetBlocks, GetHeaders, Headers, NoBlocks, sync_wire
from horoi.node.sync.serving import Serving
from horoi.node.verify import VerifySignatures, in_chunks

TICK_S = 1.0
FLUSH_EVERY_S = 60.0  # a guess: a second's work a minute, at the most
HEADERS_TIMEOUT_S = 20.0  # a guess: 2,000 headers are 300 kB, half a minute on a slow line
ASK_AGAIN_S = 30.0  # an announcement may be lost with its link: ask some peer now and then
MAX_LIGHT_HEADERS = 10_000  # headers of a peer's chain with less work than ours: 5 batches, then it is worthless
MAX_ANNOUNCED = 8  # headers in an announcement; after a longer reorganisation peers ask
SCRUB_BYTES_PER_TICK = 1_000_000  # a gigabyte in 17 minutes, for 3 ms of hashing per second
SCRUB_EVERY_S = 3600.0  # from the end of a pass over the whole log to the next; a guess


class PeerState(msgspec.Struct, gc=False):
    """The conversation with one peer."""

    source: Source
    serving: Serving
    asked_headers_at: float | None = None
    light_headers: int = 0
    told: Known | None = None
    """The tip that we told it of last."""


class Verifying(msgspec.Struct, gc=False):
    """A staged block, whose signature jobs are out."""

    staged: Staged
    source: Peer | None
    jobs_left: int
    valid: bool = True
    failed: bool = False
    """A job failed for reasons of our own (a full queue, say): nobody is to blame."""


class Sync:
    """The machine. Owns the chain: nobody else moves the tip."""

    hears = (Started, PeerReady, SubmitBlock)

    def __init__(self, chain: Chain, known_transaction: KnownTransaction) -> None:
        self.chain = chain
        self.wire = sync_wire(chain.genesis.max_block_size_bytes)
        self.peers: dict[Peer, PeerState] = {}
        self.fetching = Fetching(chain)
        self.verifying: dict[bytes, Verifying] = {}
        self.invalid_blocks = 0
        self._job_block: dict[int, bytes] = {}
        self._next_job = 0
        self._known_transaction = known_transaction
        self._asked_all_at: float | None = None
        self._flushed_at: float | None = None
        self._scrub_at = 0.0

    @property
    def synced(self) -> bool:
        """True when no heavier chain of headers is known than the connected one."""
        return self.chain.is_heaviest

    def handle(self, event: Event, now: float) -> list[Action]:
        if isinstance(event, Received):
            return self._received(event.peer, event.message, now)
        if isinstance(event, Finished):
            return self._verified(event.job, event.result, now)
        if isinstance(event, Fired):
            return self._tick(now) if event.timer == "tick" else self._serve_again(event.timer, now)
        if isinstance(event, Lost):
            return self._lost(event.peer, now)
        assert isinstance(event, Asked)
        return self._asked(event.request, now)

    # ---- requests -------------------------------------------------------------------------------

    def _asked(self, request: Any, now: float) -> list[Action]:
        if isinstance(request, Started):
            actions = self._tell_tip(self.chain.recover())
            stale = self.chain.stale_transactions()
            if stale:  # they waited in a pool that a crash may have taken away
                actions.append(Tell(WaitAgain(stale)))
            return [*actions, Arm("tick", TICK_S)]
        if isinstance(request, PeerReady):
            actions = self._lost(request.peer, now)  # a world may let a new link take the place of an old one
            self.peers[request.peer] = PeerState(
                self.fetching.join(request.peer), Serving(self.chain, request.peer, now)
            )
            return [*actions, *self._ask_headers(request.peer, now)]
        assert isinstance(request, SubmitBlock)
        try:
            staged = self.chain.stage(encode(request.block), int(now * 1000), self._known_transaction)
        except HoroiError:
            self.invalid_blocks += 1
            return []
        return self._verify(staged, None, now)

    # ---- messages -------------------------------------------------------------------------------

    def _received(self, peer: Peer, message: Any, now: float) -> list[Action]:
        state = self.peers.get(peer)
        if state is None:
            return []  # not past the handshake
        if isinstance(message, Headers):
            return self._headers(peer, state, message.headers, now)
        if isinstance(message, BlockData):
            return self._block(peer, message, now)
        if isinstance(message, GetHeaders):
            return state.serving.headers(message.locator, now)
        if isinstance(message, GetBlocks):
            return state.serving.want(message.names, now)
        assert isinstance(message, NoBlocks)
        for name in message.names:
            self.fetching.lacks(peer, name)
        return self._fetch(now)

    def _headers(self, peer: Peer, state: PeerState, headers: tuple[Any, ...], now: float) -> list[Action]:
        solicited = state.asked_headers_at is not None
        state.asked_headers_at = None
        known: Known | None = None
        bad: list[Action] = []
        for header in headers:
            if known is not None and header.parent != known.name:
                return [Tell(Misbehaved(peer, 100, "headers that do not follow each other"))]
            try:
                known = self.chain.tree.add(header, int(now * 1000))
            except RuleError as error:
                bad = self._bad_header(peer, error, solicited, now)
                break
        if known is None:
            return [*bad, *self._fetch(now)]
        news: list[Action] = []
        best = state.source.best
        if best is None or known.work >= best.work or known.height <= best.height:
            state.source.best = known
            news.append(Tell(PeerHeight(peer, known.height)))
        if known.work < self.chain.tip.work:
            state.light_headers += len(headers)
            if state.light_headers > MAX_LIGHT_HEADERS:
                return [Tell(Misbehaved(peer, 100, f"{state.light_headers} headers with less work than our chain"))]
        else:
            state.light_headers = 0
        more = self._ask_headers(peer, now, known) if len(headers) == MAX_HEADERS and not bad else []
        return [*news, *bad, *more, *self._fetch(now)]

    def _bad_header(self, peer: Peer, error: RuleError, solicited: bool, now: float) -> list[Action]:
        if error.rule == "header.orphan":
            return self._ask_headers(peer, now) if not solicited else []
        if error.rule == "header.future":
            return []  # perhaps our clock: doctor compares clocks; the header is asked for again later
        return [Tell(Misbehaved(peer, 100, f"invalid header: {error}"))]

    def _ask_headers(self, peer: Peer, now: float, after: Known | None = None) -> list[Action]:
        state = self.peers[peer]
        if state.asked_headers_at is not None:
            return []
        state.asked_headers_at = now
        locator = self.chain.tree.locator(after or self.chain.tree.best)
        return [Send(peer, GetHeaders(tuple(locator)))]

    def _serve_again(self, timer: Any, now: float) -> list[Action]:
        _, peer = timer
        state = self.peers.get(peer)
        return [] if state is None else state.serving.blocks(now)

    def _fetch(self, now: float) -> list[Action]:
        return self.fetching.ask({name: len(block.staged.raw) for name, block in self.verifying.items()}, now)

    def _block(self, peer: Peer, message: BlockData, now: float) -> list[Action]:
        name = message.name
        if not self.fetching.landed(peer, name):
            return [Tell(Misbehaved(peer, 5, f"block {name.hex()} was not asked for"))]
        try:
            staged = self.chain.stage(message.raw, int(now * 1000), self._known_transaction)
            if staged.known.name != name:
                raise RuleError("block.name", f"{staged.known.name.hex()} came under the name {name.hex()}")
        except (RuleError, DecodeError) as error:
            self.invalid_blocks += 1
            return [Tell(Misbehaved(peer, 100, f"invalid block: {error}")), *self._fetch(now)]
        self.fetching.note_size(len(message.raw))
        return [*self._verify(staged, peer, now), *self._fetch(now)]

    # ---- verification and connection ------------------------------------------------------------

    def _verify(self, staged: Staged, source: Peer | None, now: float) -> list[Action]:
        name = staged.known.name
        if name in self.verifying or not self.chain.lacks(name):
            return []
        jobs = in_chunks(staged.triples, "block", self._next_job)
        if not jobs:
            return self._keep(staged, source, now)
        self.verifying[name] = Verifying(staged, source, len(jobs))
        for job in jobs:
            self._job_block[job.tag[1]] = name
        self._next_job += len(jobs)
        return [Run(job) for job in jobs]

    def _verified(self, job: VerifySignatures, result: Any, now: float) -> list[Action]:
        name = self._job_block.pop(job.tag[1])
        waiting = self.verifying[name]
        waiting.jobs_left -= 1
        waiting.failed = waiting.failed or not isinstance(result, tuple)
        waiting.valid = waiting.valid and result == ()
        if waiting.jobs_left:
            return []
        del self.verifying[name]
        if waiting.valid:
            return self._keep(waiting.staged, waiting.source, now)
        if waiting.failed:
            return []  # it is asked for again with the next tick
        self.invalid_blocks += 1
        blame = [Tell(Misbehaved(waiting.source, 100, "a block with an invalid signature"))] if waiting.source else []
        return [*blame, *self._fetch(now)]

    def _keep(self, staged: Staged, source: Peer | None, now: float) -> list[Action]:
        """Keep the block, move the tip, and only then tell anyone."""
        self.chain.keep(staged)
        change = self.chain.advance(staged)
        useful: list[Action] = [Tell(PeerUseful(source))] if change is not None and source is not None else []
        return [*self._tell_tip(change), *self._blame_for_invalid(), *useful, *self._fetch(now)]

    def _blame_for_invalid(self) -> list[Action]:
        """Who claims a chain with a block that broke a rule has not checked what it passes on, or made it."""
        actions: list[Action] = []
        for peer, state in self.peers.items():
            rule = self.chain.tree.invalid.get(state.source.best.name) if state.source.best is not None else None
            if rule is not None:
                state.source.best = None
                self.invalid_blocks += 1
                actions.append(Tell(Misbehaved(peer, 100, f"its chain has a block that breaks {rule}")))
        return actions

    def _tell_tip(self, change: TipChanged | None) -> list[Action]:
        record = self.chain.take_to_save()
        actions: list[Action] = [Save(record)] if record is not None else []
        if change is None:
            return actions
        actions.append(Tell(change))
        headers = tuple(block.known.header for block in change.connected[-MAX_ANNOUNCED:])
        for peer, state in self.peers.items():
            if not state.source.has(change.tip):
                actions.append(Send(peer, Headers(headers)))
                state.told = change.tip
        return actions

    def tip_of(self, peer: Peer) -> tuple[Known | None, bool]:
        """The tip of a peer's chain as far as is known, and whether it said so itself: who was told of a heavier tip and says
        nothing else stands there too, for nobody tells a peer what that peer has told it."""
        state = self.peers.get(peer)
        if state is None:
            return None, False
        said, told = state.source.best, state.told
        if told is not None and told.name in self.chain.tree and (said is None or told.work > said.work):
            return told, False
        return said, said is not None

    # ---- time -----------------------------------------------------------------------------------

    def _tick(self, now: float) -> list[Action]:
        actions: list[Action] = [Arm("tick", TICK_S)]
        for peer, name in self.fetching.overdue(now):
            actions.append(Tell(Misbehaved(peer, 20, f"block {name.hex()} did not come in {BLOCK_TIMEOUT_S} s")))
        for peer, state in list(self.peers.items()):
            if state.asked_headers_at is not None and state.asked_headers_at + HEADERS_TIMEOUT_S < now:
                state.asked_headers_at = None
                actions.append(Tell(Misbehaved(peer, 20, f"headers did not come in {HEADERS_TIMEOUT_S} s")))
        if self._asked_all_at is None:
            self._asked_all_at = now
        if self._asked_all_at + ASK_AGAIN_S < now:
            self._asked_all_at = now
            for peer, state in self.peers.items():
                state.source.lacking.clear()
                actions.extend(self._ask_headers(peer, now))
        return [*actions, *self._scrub(now), *self._flush(now), *self._fetch(now)]

    def _flush(self, now: float) -> list[Action]:
        """Write the state down now and then, so that a restart has little to connect and an idle node holds no cache."""
        if self._flushed_at is None:
            self._flushed_at = now
        if now - self._flushed_at < FLUSH_EVERY_S or not self.synced:
            return []
        self._flushed_at = now
        return [] if self.chain.is_flushed else [Save(FlushState())]

    def _scrub(self, now: float) -> list[Action]:
        """Look for damage on disk, a little at a time."""
        if now < self._scrub_at:
            return []
        if self.chain.scrub(SCRUB_BYTES_PER_TICK):
            self._scrub_at = now + SCRUB_EVERY_S
        record = self.chain.take_to_save()
        return [Save(record)] if record is not None else []

    def _lost(self, peer: Peer, now: float) -> list[Action]:
        if self.peers.pop(peer, None) is None:
            return []
        self.fetching.leave(peer)
        return self._fetch(now)
