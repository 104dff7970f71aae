"""Chain synchronisation: information forwarding in networks, for blocks.

Headers come first, because they are small and their work can be checked without their content: so a node knows which chain
is heaviest before it fetches a single block, and an endless stream of worthless headers is cut off early. Blocks are then
fetched from all peers that have them, in a window, and a peer that stalls is replaced.

Invariants: a block is asked of one peer at a time; a block's signatures are all verified before it is kept; what is kept is
in a ``Save`` before anyone is told of it.
"""

from __future__ import annotations

from typing import Any

import msgspec

from horoi.base.codec import encode
from horoi.base.errors import DecodeError, HoroiError, RuleError, StorageError
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
from horoi.node.chain import Chain, FlushState, KnownTransaction, Staged
from horoi.node.events import Misbehaved, PeerHeight, PeerReady, PeerUseful, SubmitBlock, TipChanged, WaitAgain
from horoi.node.sync.messages import (
    MAX_BLOCKS_PER_REQUEST,
    MAX_HEADERS,
    BlockData,
    GetBlocks,
    GetHeaders,
    Headers,
    NoBlocks,
    sync_wire,
)
from horoi.node.verify import VerifySignatures, in_chunks

TICK_S = 1.0
FLUSH_EVERY_S = 60.0  # a guess: a second's work a minute, at the most
HEADERS_TIMEOUT_S = 20.0  # a guess: 2,000 headers are 300 kB, half a minute on a slow line
BLOCK_TIMEOUT_S = 20.0  # a guess; a full block of 8 MB on 10 Mbit/s takes 7 s
ASK_AGAIN_S = 30.0  # an announcement may be lost with its link: ask some peer now and then
WINDOW_BLOCKS = 256  # blocks fetched ahead of the tip: at 1 MB each, 256 MB on disk, none of it in memory
MAX_STAGED = 8  # blocks whose signatures are being verified: bounds memory
MAX_STAGED_SIZE_BYTES = 64_000_000
MAX_LIGHT_HEADERS = 10_000  # headers of a peer's chain with less work than ours: 5 batches, then it is worthless
MAX_ANNOUNCED = 8  # headers in an announcement; after a longer reorganisation peers ask
GETHEADERS_PER_S = 5.0  # a peer that asks more often is answered no more until it slows down; a guess
GETHEADERS_BURST = 50.0
MAX_WANTED_BLOCKS = (
    4 * MAX_BLOCKS_PER_REQUEST
)  # that a peer may wait for at once; an honest one has a quarter in flight
SERVE_BYTES_PER_S = 16e6  # as transactions (relay/links.py): above what a core can connect, and a bound on what we send
SERVE_BURST_BYTES = 8e6  # what a world queues for a peer without complaint
SERVE_AGAIN_S = 0.1
IN_FLIGHT_SIZE_BYTES = 4_000_000  # asked of one peer at once, by the mean size of late: half of what a world queues
SCRUB_BYTES_PER_TICK = 1_000_000  # a gigabyte in 17 minutes, for 3 ms of hashing per second
SCRUB_EVERY_S = 3600.0  # from the end of a pass over the whole log to the next; a guess


class PeerState(msgspec.Struct, gc=False):
    """What is known of a peer's chain, and what it owes us."""

    best: Known | None = None
    asked_headers_at: float | None = None
    light_headers: int = 0
    in_flight: int = 0
    tokens: float = GETHEADERS_BURST
    tokens_at: float = 0.0
    lacking: dict[bytes, None] = msgspec.field(default_factory=dict)
    """Blocks that it said it does not have. Bounded by the window."""
    wanted: dict[bytes, None] = msgspec.field(default_factory=dict)
    """Blocks that it asked for and did not get yet. Bounded by MAX_WANTED_BLOCKS."""
    serve_tokens: float = SERVE_BURST_BYTES
    serve_tokens_at: float = 0.0


class InFlight(msgspec.Struct, gc=False):
    """A block that was asked of a peer."""

    peer: Peer
    deadline: float


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
        self.in_flight: dict[bytes, InFlight] = {}
        self.verifying: dict[bytes, Verifying] = {}
        self.invalid_blocks = 0
        self._job_block: dict[int, bytes] = {}
        self._next_job = 0
        self._known_transaction = known_transaction
        self._asked_all_at: float | None = None
        self._flushed_at: float | None = None
        self._scrub_at = 0.0
        self._mean_block_size_bytes = 0.0

    @property
    def synced(self) -> bool:
        """True when no heavier chain of headers is known than the connected one."""
        return self.chain.tree.best.work <= self.chain.tip.work

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
            self.peers[request.peer] = PeerState(tokens_at=now, serve_tokens_at=now)
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
            return self._serve_headers(peer, state, message.locator, now)
        if isinstance(message, GetBlocks):
            return self._want_blocks(peer, state, message.names, now)
        assert isinstance(message, NoBlocks)
        return self._no_blocks(peer, state, message.names, now)

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
        if state.best is None or known.work >= state.best.work or known.height <= state.best.height:
            state.best = known
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

    def _serve_headers(self, peer: Peer, state: PeerState, locator: tuple[bytes, ...], now: float) -> list[Action]:
        state.tokens = min(GETHEADERS_BURST, state.tokens + (now - state.tokens_at) * GETHEADERS_PER_S)
        state.tokens_at = now
        if state.tokens < 1:
            return [Tell(Misbehaved(peer, 1, "asks for headers too often"))]
        state.tokens -= 1
        for name in locator:
            known = self.chain.tree.by_name.get(name)
            if known is not None and self.chain.is_active(known):
                following = self.chain.active[known.height + 1 : known.height + 1 + MAX_HEADERS]
                return [Send(peer, Headers(tuple(k.header for k in following)))]
        return [Tell(Misbehaved(peer, 100, "a locator without our genesis"))]

    def _want_blocks(self, peer: Peer, state: PeerState, names: tuple[bytes, ...], now: float) -> list[Action]:
        refused = []
        for name in names:
            if name in state.wanted or len(state.wanted) < MAX_WANTED_BLOCKS:
                state.wanted[name] = None
            else:
                refused.append(name)
        actions = self._serve_blocks(peer, state, now)
        if refused:
            actions += [
                Send(peer, NoBlocks(tuple(refused))),
                Tell(Misbehaved(peer, 5, f"waits for {MAX_WANTED_BLOCKS} blocks and asks for more")),
            ]
        return actions

    def _serve_blocks(self, peer: Peer, state: PeerState, now: float) -> list[Action]:
        """Send what the peer wants, as far as its share of bytes allows; the rest follows."""
        gained = (now - state.serve_tokens_at) * SERVE_BYTES_PER_S
        state.serve_tokens = min(SERVE_BURST_BYTES, state.serve_tokens + gained)
        state.serve_tokens_at = now
        actions: list[Action] = []
        absent = []
        while state.wanted and state.serve_tokens > 0:
            name = next(iter(state.wanted))
            del state.wanted[name]
            try:
                raw = self.chain.read_block(name)
            except StorageError:
                absent.append(name)  # not kept, or damaged: never serve what does not check
                continue
            state.serve_tokens -= len(raw)
            actions.append(Send(peer, BlockData(name, raw)))
        parts = [absent[at : at + MAX_BLOCKS_PER_REQUEST] for at in range(0, len(absent), MAX_BLOCKS_PER_REQUEST)]
        actions.extend(Send(peer, NoBlocks(tuple(part))) for part in parts)
        if state.wanted:
            actions.append(Arm(("serve", peer), SERVE_AGAIN_S))
        return actions

    def _serve_again(self, timer: Any, now: float) -> list[Action]:
        _, peer = timer
        state = self.peers.get(peer)
        return [] if state is None else self._serve_blocks(peer, state, now)

    def _no_blocks(self, peer: Peer, state: PeerState, names: tuple[bytes, ...], now: float) -> list[Action]:
        for name in names:
            flight = self.in_flight.get(name)
            if flight is not None and flight.peer == peer:
                self._landed(name)
                state.lacking[name] = None
                if len(state.lacking) > WINDOW_BLOCKS:
                    del state.lacking[next(iter(state.lacking))]
        return self._fetch(now)

    # ---- fetching blocks ------------------------------------------------------------------------

    def _fetch(self, now: float) -> list[Action]:
        """Ask for missing blocks: each of one peer that has it, the least busy first."""
        if len(self.verifying) >= MAX_STAGED or not self.peers:
            return []
        staged_size_bytes = sum(len(v.staged.raw) for v in self.verifying.values())
        if staged_size_bytes > MAX_STAGED_SIZE_BYTES:
            return []
        room = len(self.peers) * MAX_BLOCKS_PER_REQUEST - len(self.in_flight)
        if room <= 0 or (self.synced and not self.chain.damaged):
            return []
        wanted: dict[Peer, list[bytes]] = {}
        most = room + len(self.in_flight) + len(self.verifying)
        tips = [state.best for state in self.peers.values() if state.best is not None]
        for known in self.chain.missing(most, WINDOW_BLOCKS, tips):
            if known.name in self.in_flight or known.name in self.verifying:
                continue
            peer = self._choose_peer(known)
            if peer is None:
                continue
            wanted.setdefault(peer, []).append(known.name)
            self.peers[peer].in_flight += 1
            self.in_flight[known.name] = InFlight(peer, now + BLOCK_TIMEOUT_S)
        return [Send(peer, GetBlocks(tuple(names))) for peer, names in wanted.items()]

    def _choose_peer(self, known: Known) -> Peer | None:
        best: Peer | None = None
        fewest = MAX_BLOCKS_PER_REQUEST
        if self._mean_block_size_bytes:
            fewest = max(1, min(fewest, int(IN_FLIGHT_SIZE_BYTES / self._mean_block_size_bytes)))
        for peer, state in self.peers.items():
            if state.in_flight < fewest and known.name not in state.lacking and _on_chain(known, state.best):
                best, fewest = peer, state.in_flight
        return best

    def _landed(self, name: bytes) -> InFlight | None:
        flight = self.in_flight.pop(name, None)
        if flight is not None and flight.peer in self.peers:
            self.peers[flight.peer].in_flight -= 1
        return flight

    def _block(self, peer: Peer, message: BlockData, now: float) -> list[Action]:
        name = message.name
        flight = self.in_flight.get(name)
        if flight is None or flight.peer != peer:
            return [Tell(Misbehaved(peer, 5, f"block {name.hex()} was not asked for"))]
        self._landed(name)
        try:
            staged = self.chain.stage(message.raw, int(now * 1000), self._known_transaction)
            if staged.known.name != name:
                raise RuleError("block.name", f"{staged.known.name.hex()} came under the name {name.hex()}")
        except (RuleError, DecodeError) as error:
            self.invalid_blocks += 1
            return [Tell(Misbehaved(peer, 100, f"invalid block: {error}")), *self._fetch(now)]
        self._mean_block_size_bytes += (len(message.raw) - self._mean_block_size_bytes) / 8  # of the last eight or so
        return [*self._verify(staged, peer, now), *self._fetch(now)]

    # ---- verification and connection ------------------------------------------------------------

    def _verify(self, staged: Staged, source: Peer | None, now: float) -> list[Action]:
        name = staged.known.name
        if name in self.verifying or (self.chain.has(name) and name not in self.chain.damaged):
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
            rule = self.chain.tree.invalid.get(state.best.name) if state.best is not None else None
            if rule is not None:
                state.best = None
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
            if not (state.best is not None and _on_chain(change.tip, state.best)):
                actions.append(Send(peer, Headers(headers)))
        return actions

    # ---- time -----------------------------------------------------------------------------------

    def _tick(self, now: float) -> list[Action]:
        actions: list[Action] = [Arm("tick", TICK_S)]
        for name, flight in list(self.in_flight.items()):
            if flight.deadline < now:
                self._landed(name)
                if flight.peer in self.peers:
                    self.peers[flight.peer].lacking[name] = None
                actions.append(
                    Tell(Misbehaved(flight.peer, 20, f"block {name.hex()} did not come in {BLOCK_TIMEOUT_S} s"))
                )
        for peer, state in list(self.peers.items()):
            if state.asked_headers_at is not None and state.asked_headers_at + HEADERS_TIMEOUT_S < now:
                state.asked_headers_at = None
                actions.append(Tell(Misbehaved(peer, 20, f"headers did not come in {HEADERS_TIMEOUT_S} s")))
        if self._asked_all_at is None:
            self._asked_all_at = now
        if self._asked_all_at + ASK_AGAIN_S < now:
            self._asked_all_at = now
            for peer, state in self.peers.items():
                state.lacking.clear()
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
        for name in [name for name, flight in self.in_flight.items() if flight.peer == peer]:
            del self.in_flight[name]
        return self._fetch(now)


def _on_chain(known: Known, tip: Known | None) -> bool:
    """True if ``known`` is ``tip`` or one of its ancestors."""
    while tip is not None and tip.height > known.height:
        tip = tip.parent
    return tip is known
