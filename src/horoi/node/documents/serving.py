"""What a peer gets of the documents here: chunks as fast as its share of bytes allows."""

from __future__ import annotations

from horoi.machine.contract import Action, Arm, Peer, Send
from horoi.node.documents.messages import Chunk, GetChunk, Has, NoChunk
from horoi.node.documents.store import DocumentStore
from horoi.node.token_bucket import TokenBucket

QUESTIONS_PER_S = 10.0  # "who has"; a guess
QUESTIONS_BURST = 100.0
SERVE_BYTES_PER_S = 8e6  # half of what blocks get (sync/serving.py): they come first
SERVE_BURST_BYTES = 2e6
SERVE_AGAIN_S = 0.1
MAX_WANTED = 16  # chunks that a peer may wait for; four times what an honest one has in flight


class Serving:
    """One peer's share."""

    def __init__(self, store: DocumentStore, peer: Peer, now: float) -> None:
        self._store = store
        self._peer = peer
        self._wanted: dict[tuple[bytes, int], None] = {}
        self._bytes = TokenBucket(SERVE_BYTES_PER_S, SERVE_BURST_BYTES, now)
        self._questions = TokenBucket(QUESTIONS_PER_S, QUESTIONS_BURST, now)

    def who_has(self, name: bytes, now: float) -> list[Action]:
        """The peer asks whether a document is here. Silence is no."""
        if not self._questions.take(now) or not self._store.has(name):
            return []
        return [Send(self._peer, Has(name, self._store.kept[name]))]

    def want(self, message: GetChunk, now: float) -> list[Action]:
        """The peer asks for a chunk."""
        if len(self._wanted) >= MAX_WANTED or not self._store.has(message.hash):
            return [Send(self._peer, NoChunk(message.hash, message.number))]
        self._wanted[message.hash, message.number] = None
        return self.serve(now)

    def serve(self, now: float) -> list[Action]:
        """Send what the peer wants, as far as its share allows; the rest when ("serve", peer) fires."""
        self._bytes.refill(now)
        actions: list[Action] = []
        while self._wanted and self._bytes.tokens > 0:
            name, number = next(iter(self._wanted))
            del self._wanted[name, number]
            data = self._store.chunk(name, number)
            if data is None:
                actions.append(Send(self._peer, NoChunk(name, number)))
                continue
            self._bytes.overdraw(len(data))
            actions.append(Send(self._peer, Chunk(name, number, data)))
        if self._wanted:
            actions.append(Arm(("serve", self._peer), SERVE_AGAIN_S))
        return actions
