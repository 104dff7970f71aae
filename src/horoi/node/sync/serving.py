"""What a peer gets of the chain: headers as often as is decent, blocks as fast as its share of bytes allows."""

from __future__ import annotations

from horoi.base.errors import StorageError
from horoi.machine.contract import Action, Arm, Peer, Send, Tell
from horoi.node.chain import Chain
from horoi.node.events import Misbehaved
from horoi.node.sync.messages import MAX_BLOCKS_PER_REQUEST, MAX_HEADERS, BlockData, Headers, NoBlocks
from horoi.node.token_bucket import TokenBucket

GETHEADERS_PER_S = 5.0  # a peer that asks more often is answered no more until it slows down; a guess
GETHEADERS_BURST = 50.0
MAX_WANTED_BLOCKS = (
    4 * MAX_BLOCKS_PER_REQUEST
)  # that a peer may wait for at once; an honest one has a quarter in flight
SERVE_BYTES_PER_S = 16e6  # as transactions (relay/links.py): above what a core can connect, and a bound on what we send
SERVE_BURST_BYTES = 8e6  # what a world queues for a peer without complaint
SERVE_AGAIN_S = 0.1


class Serving:
    """One peer's share."""

    def __init__(self, chain: Chain, peer: Peer, now: float) -> None:
        self.wanted: dict[bytes, None] = {}
        """Blocks that it asked for and did not get yet. Bounded by MAX_WANTED_BLOCKS."""
        self.share = TokenBucket(SERVE_BYTES_PER_S, SERVE_BURST_BYTES, now)
        """Bytes of blocks."""
        self._requests = TokenBucket(GETHEADERS_PER_S, GETHEADERS_BURST, now)
        self._chain = chain
        self._peer = peer

    def headers(self, locator: tuple[bytes, ...], now: float) -> list[Action]:
        """The headers after the first name of the locator that is on our chain."""
        if not self._requests.take(now):
            return [Tell(Misbehaved(self._peer, 1, "asks for headers too often"))]
        chain = self._chain
        for name in locator:
            known = chain.tree.by_name.get(name)
            if known is not None and chain.is_active(known):
                following = chain.active[known.height + 1 : known.height + 1 + MAX_HEADERS]
                return [Send(self._peer, Headers(tuple(k.header for k in following)))]
        return [Tell(Misbehaved(self._peer, 100, "a locator without our genesis"))]

    def want(self, names: tuple[bytes, ...], now: float) -> list[Action]:
        """The peer asks for these blocks."""
        refused = []
        for name in names:
            if name in self.wanted or len(self.wanted) < MAX_WANTED_BLOCKS:
                self.wanted[name] = None
            else:
                refused.append(name)
        actions = self.blocks(now)
        if refused:
            actions += [
                Send(self._peer, NoBlocks(tuple(refused))),
                Tell(Misbehaved(self._peer, 5, f"waits for {MAX_WANTED_BLOCKS} blocks and asks for more")),
            ]
        return actions

    def blocks(self, now: float) -> list[Action]:
        """Send what the peer wants, as far as its share of bytes allows; the rest follows when ("serve", peer) fires."""
        self.share.refill(now)
        actions: list[Action] = []
        absent = []
        while self.wanted and self.share.tokens > 0:
            name = next(iter(self.wanted))
            del self.wanted[name]
            try:
                raw = self._chain.read_block(name)
            except StorageError:
                absent.append(name)  # not kept, or damaged: never serve what does not check
                continue
            self.share.overdraw(len(raw))
            actions.append(Send(self._peer, BlockData(name, raw)))
        parts = [absent[at : at + MAX_BLOCKS_PER_REQUEST] for at in range(0, len(absent), MAX_BLOCKS_PER_REQUEST)]
        actions.extend(Send(self._peer, NoBlocks(tuple(part))) for part in parts)
        if self.wanted:
            actions.append(Arm(("serve", self._peer), SERVE_AGAIN_S))
        return actions
