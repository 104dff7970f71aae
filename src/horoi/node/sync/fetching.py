"""Which missing block is asked of whom: a window above the tip, spread over all peers that have it, the least busy first.

A block is asked of one peer at a time. Who does not deliver in time is not asked for it again until everybody is asked anew.
"""

from __future__ import annotations

import msgspec

from horoi.ledger.consensus.nakamoto.tree import Known
from horoi.machine.contract import Action, Peer, Send
from horoi.node.chain import Chain
from horoi.node.sync.messages import MAX_BLOCKS_PER_REQUEST, GetBlocks

BLOCK_TIMEOUT_S = 20.0  # a guess; a full block of 8 MB on 10 Mbit/s takes 7 s
WINDOW_BLOCKS = 256  # blocks fetched ahead of the tip: at 1 MB each, 256 MB on disk, none of it in memory
MAX_STAGED = 8  # blocks whose signatures are being verified: bounds memory
MAX_STAGED_SIZE_BYTES = 64_000_000
IN_FLIGHT_SIZE_BYTES = 4_000_000  # asked of one peer at once, by the mean size of late: half of what a world queues


class Source(msgspec.Struct, gc=False):
    """What a peer has, and what it owes us."""

    best: Known | None = None
    """The tip of its chain, as far as its headers tell."""
    in_flight: int = 0
    lacking: dict[bytes, None] = msgspec.field(default_factory=dict)
    """Blocks that it said it does not have, or did not deliver. Bounded by the window."""

    def has(self, known: Known) -> bool:
        """True if the block is on its chain."""
        at = self.best
        while at is not None and at.height > known.height:
            at = at.parent
        return at is known


class InFlight(msgspec.Struct, gc=False):
    """A block that was asked of a peer."""

    peer: Peer
    deadline: float


class Fetching:
    """All peers as sources, and all blocks in flight."""

    def __init__(self, chain: Chain) -> None:
        self.in_flight: dict[bytes, InFlight] = {}
        self.mean_block_size_bytes = 0.0
        self._chain = chain
        self._sources: dict[Peer, Source] = {}

    def join(self, peer: Peer) -> Source:
        """A peer is there."""
        self._sources[peer] = Source()
        return self._sources[peer]

    def leave(self, peer: Peer) -> None:
        """A peer is gone, and with it what it was to deliver."""
        del self._sources[peer]
        for name in [name for name, flight in self.in_flight.items() if flight.peer == peer]:
            del self.in_flight[name]

    def ask(self, staged: dict[bytes, int], now: float) -> list[Action]:
        """Ask for missing blocks. ``staged``: size in bytes of the blocks whose signatures are being verified."""
        if len(staged) >= MAX_STAGED or sum(staged.values()) > MAX_STAGED_SIZE_BYTES:
            return []
        room = len(self._sources) * MAX_BLOCKS_PER_REQUEST - len(self.in_flight)
        if room <= 0 or (self._chain.is_heaviest and not self._chain.kept.damaged):
            return []
        wanted: dict[Peer, list[bytes]] = {}
        most = room + len(self.in_flight) + len(staged)
        tips = [source.best for source in self._sources.values() if source.best is not None]
        for known in self._chain.missing(most, WINDOW_BLOCKS, tips):
            if known.name in self.in_flight or known.name in staged:
                continue
            peer = self._choose(known)
            if peer is None:
                continue
            wanted.setdefault(peer, []).append(known.name)
            self._sources[peer].in_flight += 1
            self.in_flight[known.name] = InFlight(peer, now + BLOCK_TIMEOUT_S)
        return [Send(peer, GetBlocks(tuple(names))) for peer, names in wanted.items()]

    def _choose(self, known: Known) -> Peer | None:
        best: Peer | None = None
        fewest = MAX_BLOCKS_PER_REQUEST
        if self.mean_block_size_bytes:
            fewest = max(1, min(fewest, int(IN_FLIGHT_SIZE_BYTES / self.mean_block_size_bytes)))
        for peer, source in self._sources.items():
            if source.in_flight < fewest and known.name not in source.lacking and source.has(known):
                best, fewest = peer, source.in_flight
        return best

    def landed(self, peer: Peer, name: bytes) -> bool:
        """The peer answered for this block; False if it was not asked of it."""
        flight = self.in_flight.get(name)
        if flight is None or flight.peer != peer:
            return False
        del self.in_flight[name]
        self._sources[peer].in_flight -= 1
        return True

    def lacks(self, peer: Peer, name: bytes) -> None:
        """The peer says that it does not have a block."""
        if not self.landed(peer, name):
            return
        lacking = self._sources[peer].lacking
        lacking[name] = None
        if len(lacking) > WINDOW_BLOCKS:
            del lacking[next(iter(lacking))]

    def note_size(self, size_bytes: int) -> None:
        """A good block of this size came."""
        self.mean_block_size_bytes += (size_bytes - self.mean_block_size_bytes) / 8  # of the last eight or so

    def overdue(self, now: float) -> list[tuple[Peer, bytes]]:
        """The blocks that did not come in time, each with who was to deliver it; they are free to be asked of others."""
        late = [(flight.peer, name) for name, flight in self.in_flight.items() if flight.deadline < now]
        for peer, name in late:
            self.lacks(peer, name)
        return late
