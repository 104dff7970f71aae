"""What a running node says to its operator, on stderr: one line per thing that happened, and no more lines than one can read.

Blocks of a chain that is being fetched come in thousands: of those there is a line every few seconds.
"""

from __future__ import annotations

import logging
import sys
import time
from typing import Any

from horoi.node.events import (
    AddressesHeard,
    ConflictFound,
    ConnectedBlock,
    ConnectFailed,
    PeerBanned,
    PeerReady,
    TipChanged,
)
from horoi.node.node import Node
from horoi.world.live.host import LiveHost

PROGRESS_EVERY_S = 2.0  # between lines while the chain is being fetched
REPEAT_AFTER_S = 60.0  # the same complaint about the same address is not said again before
MAX_REMEMBERED = 1_000  # complaints; a guess

_log = logging.getLogger("horoi.node")


def set_up(*, verbose: bool, quiet: bool) -> None:
    """Log to stderr: "2026-01-02 12:00:01  what happened". Links and libraries only with ``verbose``."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Lines())
    logging.raiseExceptions = False  # a line that cannot be written (a full disk) is no reason to write more
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.DEBUG if verbose else logging.WARNING)
    logging.getLogger("asyncio").setLevel(logging.WARNING)
    own = logging.WARNING if quiet else logging.INFO
    _log.setLevel(logging.DEBUG if verbose else own)


class _Lines(logging.Formatter):
    """Time, the word "warning" or "error" where it is one, the message."""

    def format(self, record: logging.LogRecord) -> str:
        stamp = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(record.created))
        level = f"{record.levelname.lower()}: " if record.levelno >= logging.WARNING else ""
        text = f"{stamp}  {level}{record.getMessage()}"
        if record.exc_info and logging.getLogger().level <= logging.DEBUG:
            text += "\n" + self.formatException(record.exc_info)
        return text


class Journal:
    """Listens to a host's notices from its making until ``close``."""

    def __init__(self, host: LiveHost, node: Node) -> None:
        self._node = node
        self._said_at: dict[tuple[str, str], float] = {}
        self._fetched = 0
        self._progress_at = 0.0
        self._found = node.miner.blocks_found
        self._handlers: dict[type, Any] = {
            TipChanged: self._tip_changed,
            PeerReady: self._peer_ready,
            PeerBanned: self._peer_banned,
            ConnectFailed: self._connect_failed,
            ConflictFound: self._conflict_found,
            AddressesHeard: self._addresses_heard,
        }
        self._leave = host.on_notice(self._hear, *self._handlers)

    def close(self) -> None:
        """Stop listening."""
        self._leave()

    def started(self, api: str, listen: str | None, node_id: bytes) -> None:
        """The node serves."""
        chain = self._node.chain
        _log.info("network %s (%s)", chain.genesis.name, chain.network.hex()[:16])
        _log.info("node %s takes peers at %s, serves its API at %s", node_id.hex()[:16], listen or "no port", api)
        _log.info("height %d, tip %s", chain.tip.height, _short(chain.tip.name))
        if self._node.witness.promise.broken is not None:
            _log.warning("as a witness: %s", self._node.witness.promise.broken)
        if self._node.miner.hash_rate > 0:
            _log.info("mining at up to %g hashes per second", self._node.miner.hash_rate)

    def stopping(self) -> None:
        """The operator wants it to stop."""
        _log.info("stopping")

    def stopped(self) -> None:
        """Everything is on disk."""
        _log.info("stopped at height %d; everything is on disk", self._node.chain.tip.height)

    def _hear(self, notice: Any) -> None:
        self._handlers[type(notice)](notice)

    def _tip_changed(self, change: TipChanged) -> None:
        if change.disconnected:
            _log.warning(
                "reorganisation: %d block(s) taken back, %d connected, height %d, tip %s",
                len(change.disconnected),
                len(change.connected),
                change.tip.height,
                _short(change.tip.name),
            )
            return
        if len(change.connected) == 1 and self._node.sync.synced:
            self._fetched = 0
            self._block(change.connected[0])
            return
        self._fetched += len(change.connected)
        now = time.monotonic()
        if now - self._progress_at >= PROGRESS_EVERY_S or self._node.sync.synced:
            best = self._node.chain.tree.best.height
            _log.info("height %d of %d, %d block(s) fetched", change.tip.height, best, self._fetched)
            self._progress_at, self._fetched = now, 0

    def _block(self, block: ConnectedBlock) -> None:
        mined, self._found = self._node.miner.blocks_found > self._found, self._node.miner.blocks_found
        posts = sum(len(item.transaction.body.posts) for item in block.prepared)
        _log.info(
            "height %d, tip %s: %s%s%s",
            block.known.height,
            _short(block.known.name),
            _count(len(block.prepared), "transaction"),
            f", {_count(posts, 'post')}" if posts else "",
            ", mined here" if mined else "",
        )

    def _peer_ready(self, notice: PeerReady) -> None:
        way = "to" if notice.outbound else "from"
        _log.info("linked %s peer %s at height %d", way, _short(notice.peer), notice.height)

    def _peer_banned(self, notice: PeerBanned) -> None:
        _log.warning("peer %s banned for %g s: %s", notice.address, notice.for_s, notice.why)

    def _connect_failed(self, notice: ConnectFailed) -> None:
        now = time.monotonic()
        complaint = (notice.address, notice.reason)
        if now - self._said_at.get(complaint, -REPEAT_AFTER_S) < REPEAT_AFTER_S:
            return
        if len(self._said_at) >= MAX_REMEMBERED:
            self._said_at.clear()
        self._said_at[complaint] = now
        _log.warning("peer %s is not reached (%s); tried again", notice.address, notice.reason)

    def _addresses_heard(self, notice: AddressesHeard) -> None:
        _log.debug("the DHT named %s: %s", _count(len(notice.addresses), "node"), ", ".join(notice.addresses))

    def _conflict_found(self, notice: ConflictFound) -> None:
        _log.warning("transaction %s can never confirm: %s spent the same", _short(notice.id), _short(notice.by))


def _short(name: Any) -> str:
    return bytes(name).hex()[:16]


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
