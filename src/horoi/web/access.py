"""What the handlers need of a node: its parts to read, requests to ask, and the keys that it may sign with.

Everything runs in the thread of the node's event loop. Reading is direct; changing goes through the host, as a request.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import Counter, OrderedDict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from time import time
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from horoi import __version__
from horoi.base.address import address_of
from horoi.base.errors import ForbiddenError, HoroiError, NetworkError, NotFoundError
from horoi.base.keys import KeyPair
from horoi.ledger.block import Block
from horoi.ledger.conditions import Key
from horoi.ledger.consensus.nakamoto.tree import Known
from horoi.ledger.transaction import Transaction
from horoi.node.events import Submit, SubmitResult, Submitted
from horoi.node.findings import Check
from horoi.node.index.index import Index
from horoi.node.names import NameBook
from horoi.node.node import Node

if TYPE_CHECKING:
    from horoi.web.epcis.service import EventService
    from horoi.web.live import Live

MAX_IN_FLIGHT = 50_000  # transactions that were submitted and not answered: a guess, some seconds of verification
SUBMIT_TIMEOUT_S = 60.0  # a guess: ten times what MAX_IN_FLIGHT takes on two cores


class BusyError(HoroiError):
    """The node has more to do than it keeps: ask again in a moment."""

    exit_code = NetworkError.exit_code


class LinkInfo(Protocol):
    """What is read of a link: ``horoi.world.live.host.PeerInfo`` is one."""

    @property
    def peer(self) -> bytes: ...
    @property
    def bytes_in(self) -> int: ...
    @property
    def bytes_out(self) -> int: ...
    @property
    def queue_bytes(self) -> int: ...


class Host(Protocol):
    """What is used of the world: ``horoi.world.live.host.LiveHost`` is one."""

    address: str | None
    counters: Counter[tuple[str, str]]
    sent: Counter[type]
    received: Counter[type]
    ended_bytes_in: int
    ended_bytes_out: int

    def now(self) -> float: ...
    def ask(self, request: Any) -> None: ...
    def on_notice(self, callback: Callable[[Any], None], *kinds: type) -> Callable[[], None]: ...
    def peers(self) -> Sequence[LinkInfo]: ...


class NamedKey(NamedTuple):
    """A key that the node can sign with."""

    name: str
    pair: KeyPair

    @property
    def address(self) -> str:
        return address_of(self.pair.public)


class NodeAccess:
    """A running node as the API sees it. ``keys``: those that are unlocked, the default first; ``node_id``: 32 bytes.

    ``close`` it when the node stops.
    """

    live: Live
    """Streams and counters; ``create_app`` sets it."""
    events: EventService | None = None
    """EPCIS events that were captured here; ``create_app`` sets it."""

    def __init__(
        self,
        node: Node,
        host: Host,
        *,
        node_id: bytes,
        keys: Mapping[str, KeyPair] | None = None,
        book: NameBook | None = None,
        folder: Path | None = None,
    ) -> None:
        self.node = node
        self.host = host
        self.node_id = node_id
        self.keys = [NamedKey(name, pair) for name, pair in (keys or {}).items()]
        self.book = book or NameBook()
        """The operator's names of others."""
        self.folder = folder
        """Where the node lives; None in a test."""
        self.version = __version__
        self.started_ms = int(time() * 1000)
        self.document_turn = asyncio.Lock()
        """Held from looking for room until a document is kept, so that two do not take the same room."""
        self.wallet_turn = asyncio.Lock()
        """Held from choosing inputs to the mempool's answer, so that two actions do not choose the same."""
        self.blocks: OrderedDict[bytes, Block] = OrderedDict()
        """The blocks decoded last (reading.py)."""
        self.side_blocks: tuple[tuple[int, bytes], list[Known]] | None = None
        """What trees.py found last, and for which tip."""
        self.last_checkup: tuple[float, list[Check]] | None = None
        """When the program and the disk were checked, and what was found (routes/diagnostics.py)."""
        self._waiting: dict[int, asyncio.Future[tuple[SubmitResult, ...]]] = {}
        self._next_token = secrets.randbits(60)  # others submit too, with numbers of their own: start far from theirs
        self._in_flight = 0
        self._leave = host.on_notice(self._answered, Submitted)

    def close(self) -> None:
        """Stop listening."""
        self._leave()
        if self.events is not None:
            self.events.close()

    # ---- keys -------------------------------------------------------------------------------------------------

    @property
    def default_key(self) -> NamedKey | None:
        """The key that stands where a request names nobody."""
        return self.keys[0] if self.keys else None

    def own_condition(self) -> Key:
        """The default key as a condition; ForbiddenError if the node has none."""
        if not self.keys:
            raise ForbiddenError(
                "this node has no unlocked key: make one, or name the owner in the request", code="no-key"
            )
        return Key(self.keys[0].pair.public)

    def keys_named(self, names: str | None) -> list[NamedKey]:
        """The keys of these names (separated by commas; None: all); NotFoundError if one is not here."""
        if names is None:
            return self.keys
        chosen = []
        for name in names.split(","):
            found = [key for key in self.keys if key.name == name.strip()]
            if not found:
                raise NotFoundError(
                    f"no unlocked key {name.strip()!r}; unlocked are {[key.name for key in self.keys]}",
                    code="no-key-named",
                    name=name.strip(),
                )
            chosen += found
        return chosen

    # ---- the node's parts -------------------------------------------------------------------------------------

    @property
    def index(self) -> Index:
        """The index; NotFoundError if this node keeps none."""
        if self.node.index is None:
            raise NotFoundError(
                "this node keeps no index, which answers this; start it with one, or ask another node", code="no-index"
            )
        return self.node.index

    async def submit(self, transactions: Sequence[Transaction]) -> tuple[SubmitResult, ...]:
        """Hand transactions to the mempool; return what became of each. Raises BusyError or NetworkError."""
        if self._in_flight + len(transactions) > MAX_IN_FLIGHT:
            raise BusyError(
                f"{self._in_flight} transactions are being verified, the limit is {MAX_IN_FLIGHT}: send later",
                code="busy",
            )
        token = self._next_token
        self._next_token += 1
        answer: asyncio.Future[tuple[SubmitResult, ...]] = asyncio.get_running_loop().create_future()
        self._waiting[token] = answer
        self._in_flight += len(transactions)
        try:
            self.host.ask(Submit(token, tuple(transactions)))
            return await asyncio.wait_for(answer, SUBMIT_TIMEOUT_S)
        except TimeoutError:
            raise NetworkError(
                f"the node did not answer within {SUBMIT_TIMEOUT_S:g} s; ask for the transactions later",
                code="no-answer",
            ) from None
        finally:
            self._in_flight -= len(transactions)
            del self._waiting[token]

    def _answered(self, notice: Submitted) -> None:
        answer = self._waiting.get(notice.token)
        if answer is not None and not answer.done():
            answer.set_result(notice.results)
