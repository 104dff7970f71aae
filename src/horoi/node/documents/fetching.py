"""One document on its way here: who has it, which chunk is asked of whom, and whom to blame.

First all sources that name the size that most of them name work together. A hash names the whole alone, so if what they gave
is not it, nobody knows who lied: then one source after the other gives all of it, and who gives something else is found out.
Nobody answers for a chunk of another: what one source gave alone goes when it leaves, and blame falls on who gave everything.
"""

from __future__ import annotations

from collections import Counter

from horoi.machine.contract import Action, Peer, Send
from horoi.node.documents.messages import GetChunk
from horoi.node.documents.store import chunk_size, chunks_of

MAX_SOURCES = 8  # a guess: more do not make it faster
WINDOW = 4  # chunks in flight per source; a guess: half a megabyte
CHUNK_TIMEOUT_S = 20.0  # a guess: half a megabyte in that time is 200 kbit/s


class Fetch:
    """The sources and chunks of one document."""

    def __init__(self, name: bytes, token: int, now: float) -> None:
        self.name = name
        self.token = token
        """Of the lookup for providers."""
        self.since = now
        self.began_at = now
        """When the round began."""
        self.rounds = 0
        """How often peers and the overlay were asked."""
        self.sources: dict[Peer, int] = {}
        """The size that each names. Bounded by MAX_SOURCES."""
        self.size_bytes: int | None = None
        """What is being fetched; None before a source is found."""
        self.chunks: dict[int, bytes] = {}
        """What came. Bounded by the size of a document."""
        self.givers: dict[int, Peer] = {}
        """Who gave each chunk of it."""
        self.alone = False
        """One source at a time, since together they lied."""
        self.liars: dict[Peer, None] = {}
        """Who alone gave something else: not asked again. Bounded: each was a source, and lost points for it."""
        self.idle: dict[Peer, None] = {}
        """Who gave nothing in this round: believed again in the next one, or one peer could keep a fetch alive for ever."""
        self.called: dict[str, None] = {}
        """Addresses of providers that are visited for this."""
        self.wanted: list[int] = []
        self.asked: dict[int, tuple[Peer, float]] = {}

    def begin_round(self, now: float) -> None:
        """All are asked once more who has it."""
        self.rounds += 1
        self.began_at = now
        self.idle.clear()

    def join(self, peer: Peer, size_bytes: int) -> None:
        """A peer says that it has the document. Its first word stands."""
        is_known = peer in self.sources or peer in self.liars or peer in self.idle
        if not is_known and len(self.sources) < MAX_SOURCES:
            self.sources[peer] = size_bytes

    def leave(self, peer: Peer) -> None:
        """A peer is gone: what it was asked for is asked of others; and what it gave, if one is to give all."""
        self.sources.pop(peer, None)
        lost = [number for number, (source, _) in self.asked.items() if source == peer]
        for number in lost:
            del self.asked[number]
        if self.alone:
            given = [number for number, giver in self.givers.items() if giver == peer]
            for number in given:
                del self.chunks[number], self.givers[number]
            lost += given
        self.wanted = sorted([*self.wanted, *lost])

    def give_up(self, peer: Peer) -> None:
        """A peer gives nothing: it is no source in this round."""
        if peer in self.sources:
            self.idle[peer] = None  # bounded: a peer that was a source, until the next round
        self.leave(peer)

    def agreed_size(self) -> int | None:
        """The size that most sources name; the first such on ties."""
        counts = Counter(self.sources.values())
        return max(counts, key=lambda size: counts[size]) if counts else None

    def workers(self) -> list[Peer]:
        """The sources that are asked now."""
        able = [peer for peer, size in self.sources.items() if size == self.size_bytes]
        return able[:1] if self.alone else able

    def ask(self, now: float) -> list[Action]:
        """Ask every worker for as many chunks as fit into its window."""
        actions: list[Action] = []
        for peer in self.workers():
            free = WINDOW - sum(source == peer for source, _ in self.asked.values())
            for number in self.wanted[:free]:
                self.asked[number] = (peer, now)
                actions.append(Send(peer, GetChunk(self.name, number)))
            del self.wanted[:free]
        return actions

    def refused(self, peer: Peer, number: int) -> None:
        """A source has not what it was asked for."""
        if self.asked.get(number, (None,))[0] == peer:
            self.give_up(peer)

    def begin(self) -> None:
        """Settle on the size that most sources name, if there are any; what came of that size stays."""
        size_bytes = self.agreed_size()
        if size_bytes is None:
            return
        if size_bytes != self.size_bytes:
            self.chunks, self.givers = {}, {}
        self.size_bytes = size_bytes
        self.asked = {}
        self.wanted = [number for number in range(chunks_of(size_bytes)) if number not in self.chunks]

    def landed(self, peer: Peer, number: int, data: bytes) -> bool | None:
        """Take a chunk: None if it was not asked of this peer, False if it has a wrong size."""
        if self.asked.get(number, (None,))[0] != peer:
            return None
        del self.asked[number]
        assert self.size_bytes is not None
        if len(data) != chunk_size(self.size_bytes, number):
            self.wanted = sorted([*self.wanted, number])
            self.give_up(peer)
            return False
        self.chunks[number] = data
        self.givers[number] = peer
        return True

    @property
    def have_bytes(self) -> int:
        """How much came."""
        return sum(map(len, self.chunks.values()))

    @property
    def data(self) -> bytes:
        """All of it, once it is complete."""
        return b"".join(self.chunks[number] for number in sorted(self.chunks))

    def stalled(self, now: float) -> list[Peer]:
        """Sources that let a chunk wait for too long."""
        late = (peer for peer, since in self.asked.values() if now - since > CHUNK_TIMEOUT_S)
        return list(dict.fromkeys(late))

    def start_again(self) -> list[Peer]:
        """What came was not the document. Who is to blame, if that is known: then it is no source any more."""
        givers = list(dict.fromkeys(self.givers.values()))
        if not self.chunks:
            blamed = self.workers()  # a document of no bytes has one hash: all who named that size lied
        else:
            blamed = givers if len(givers) == 1 else []
        for peer in blamed:
            self.sources.pop(peer, None)
            self.liars[peer] = None
        self.alone = True
        self.size_bytes = None
        self.begin()
        return blamed

    @property
    def is_complete(self) -> bool:
        return self.size_bytes is not None and not self.wanted and not self.asked
