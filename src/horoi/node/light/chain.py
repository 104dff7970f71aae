"""The heaviest chain of headers among those that were offered, by the same tree of headers as a full node's.

What lies ``SETTLED`` deep is on disk alone, so memory does not grow with the chain: the tree begins there. A chain that leaves
below that point is judged apart, whole, and takes the place if it has more work (follow.py).
"""

from __future__ import annotations

from collections.abc import Sequence

from horoi.base.codec import Codec, Record, encode
from horoi.base.errors import DecodeError, RuleError, StorageError
from horoi.ledger.block import Header, block_hash, genesis_block
from horoi.ledger.conditions import Hash
from horoi.ledger.consensus.nakamoto.tree import MEDIAN_SPAN, HeaderTree, Known, resumed
from horoi.ledger.genesis import Genesis, network_id
from horoi.machine.disk import Disk
from horoi.node.light.store import HeaderStore
from horoi.node.small_files import read_sealed, write_sealed

SETTLED = 2_000  # headers kept in memory; a guess: a day and a half at one a minute, 1 MB
SETTLE_EVERY = 2_000  # more of them before the tree begins anew
MAX_LIGHT_HEADERS = 10_000  # of one source, with less work than the chain here: as in sync/machine.py
HEADERS_FILE = "light-headers"
STATE_FILE = "light-state"


class LightState(Record, frozen=True):
    """Where the tree begins: a header that is settled, with what is known of the chain up to it."""

    network: Hash
    height: int
    name: Hash
    work: bytes
    """Big-endian: it outgrows 64 bits."""
    anchor_time_ms: int


_codec: Codec[LightState] = Codec(LightState, max_size_bytes=200)


class BelowSettled(Exception):
    """The chain offered leaves this one below what is settled."""


class LightChain:
    """The chain, over a disk. ``rival`` is a second one, to be compared with the first."""

    def __init__(self, genesis: Genesis, disk: Disk, *, rival: bool = False) -> None:
        self.genesis = genesis
        self.network = network_id(genesis)
        self._disk = disk
        self._suffix = "-rival" if rival else ""
        self._first = genesis_block(genesis)
        self.store = HeaderStore(disk, HEADERS_FILE + self._suffix)
        if rival:
            self.store.truncate(0)
        self.tree = self._open(None if rival else self._read_state())

    @property
    def tip(self) -> Known:
        """The last header of the heaviest chain."""
        return self.tree.best

    def _read_state(self) -> LightState | None:
        data = read_sealed(self._disk, STATE_FILE)
        try:
            state = _codec.decode(data) if data is not None else None
        except DecodeError:
            return None
        if state is not None and state.network != self.network:
            raise StorageError("this folder follows another network: choose another --dir")
        return state if state is not None and state.height <= self.store.count else None

    def _open(self, state: LightState | None) -> HeaderTree:
        """The tree of what is written down. What a crash garbled at the end, or is damaged, is cut off and fetched again."""
        tree = HeaderTree(self.genesis, self._first, self._root_of(state) if state is not None else None)
        start = tree.root.height + 1
        try:
            for header in self.store.read(start, self.store.count) if start <= self.store.count else ():
                tree.restore(header)
        except RuleError:
            self.store.truncate(tree.best.height)
        return tree

    def _root_of(self, state: LightState) -> Known | None:
        """The settled header with its ancestors; None if the file says another: then everything is read again."""
        if state.height == 0:
            return None
        headers = list(self.store.read(max(1, state.height - MEDIAN_SPAN + 1), state.height))
        if headers[0].height == 1:
            headers.insert(0, self._first.header)
        if block_hash(headers[-1]) != state.name:
            return None
        return resumed(headers, int.from_bytes(state.work, "big"), state.anchor_time_ms)

    # ---- growing --------------------------------------------------------------------------------------------

    def offer(self, headers: Sequence[Header], now_ms: int) -> Known:
        """Check headers that somebody offers; the last of them as it is known now. RuleError names what is wrong.

        BelowSettled if the first of them follows nothing that the tree remembers.
        """
        known: Known | None = None
        for header in headers:
            if header.parent not in self.tree and header.height <= self.tree.root.height:
                raise BelowSettled
            known = self.tree.add(header, now_ms)
        assert known is not None
        return known

    def keep(self) -> None:
        """Write the heaviest chain down; begin the tree anew if it has grown long."""
        new: list[Header] = []
        at: Known = self.tip
        while at.height > self.tree.root.height and not self._is_written(at):
            new.append(at.header)
            assert at.parent is not None
            at = at.parent
        self.store.truncate(at.height)
        self.store.append(new[::-1])
        if self.tip.height - self.tree.root.height > SETTLED + SETTLE_EVERY:
            self._settle()

    def _is_written(self, known: Known) -> bool:
        return known.height <= self.store.count and self.name_at(known.height) == known.name

    def _settle(self) -> None:
        at: Known = self.tip
        while at.height > self.tip.height - SETTLED and at.parent is not None:
            at = at.parent
        work = at.work.to_bytes(max(1, (at.work.bit_length() + 7) // 8), "big")
        state = LightState(self.network, at.height, at.name, work, at.anchor_time_ms)
        if not self._suffix:
            write_sealed(self._disk, STATE_FILE, encode(state))
        self.tree = self._open(state)

    def replace_by(self, rival: LightChain) -> None:
        """Take the chain of a rival that has more work."""
        self.store.truncate(0)
        for first in range(1, rival.store.count + 1, SETTLED):
            self.store.append(list(rival.store.read(first, min(rival.store.count, first + SETTLED - 1))))
        root = rival.tree.root
        work = root.work.to_bytes(max(1, (root.work.bit_length() + 7) // 8), "big")
        state = LightState(self.network, root.height, root.name, work, root.anchor_time_ms)
        write_sealed(self._disk, STATE_FILE, encode(state))
        self.tree = self._open(state)

    # ---- reading --------------------------------------------------------------------------------------------

    def header_at(self, height: int) -> Header | None:
        """The header of this height on the chain that is written down."""
        if height == 0:
            return self._first.header
        return next(self.store.read(height, height)) if height <= self.store.count else None

    def name_at(self, height: int) -> bytes | None:
        """The name of the block of this height."""
        header = self.header_at(height)
        return block_hash(header) if header is not None else None

    def check_all(self) -> Known:
        """Read the whole file and check every header from the genesis on; StorageError names what is wrong."""
        tree = HeaderTree(self.genesis, self._first)
        try:
            for header in self.store.read(1, self.store.count) if self.store.count else ():
                tree.restore(header)
        except RuleError as error:
            raise StorageError(
                f"the file of headers is damaged after {tree.best.height} ({error}): remove {HEADERS_FILE} and "
                f"{STATE_FILE} from the folder, the headers are fetched again"
            ) from None
        return tree.best

    def close(self) -> None:
        self.store.close()
