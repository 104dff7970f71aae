"""A node's folder is opened: the marker, the places of blocks, and what the log has beyond them, taken in parent first."""

from __future__ import annotations

from collections.abc import Iterator

from horoi.base.errors import DecodeError, RuleError, StorageError
from horoi.ledger.bitfield import BitField
from horoi.ledger.block import Header, block_codec
from horoi.ledger.consensus.nakamoto.tree import HeaderTree
from horoi.node.complete import CompleteBlocks
from horoi.node.keeping import KeptBlocks
from horoi.node.records import MARKER_KEY, PLACES, Marker, Place, marker_codec, place_codec
from horoi.node.storage.cache import CachedStore
from horoi.node.storage.log import BLOCK, UNDO, Damage, Location
from horoi.node.storage.segment import HEAD_SIZE_BYTES


def read_marker(state: CachedStore) -> Marker | None:
    """The marker of an earlier life; None in a new folder, and where the state was removed to be made anew."""
    raw = state.get(MARKER_KEY)
    return marker_codec.decode(raw) if raw is not None else None


def read_bits(state: CachedStore, marker: Marker) -> BitField:
    """Which outputs are unspent at the marker. Raises StorageError if the store is damaged."""
    chunks = [value for _, value in state.items(b"b", b"c")]
    try:
        return BitField(chunks, marker.outputs)
    except ValueError as error:
        raise StorageError(f"the state store is damaged ({error}); run 'horoi ledger rebuild'") from None


def read_places(state: CachedStore) -> Iterator[Place]:
    """The blocks that were kept when the state was flushed, by height. Raises StorageError if the store is damaged."""
    for _, value in state.items(*PLACES):
        try:
            yield place_codec.decode(value)
        except DecodeError as error:
            raise StorageError(f"the state store is damaged ({error}); run 'horoi ledger rebuild'") from None


class Returning:
    """Takes in the blocks of an earlier life.

    One whose parent is not kept (it is damaged, say) waits: it counts once its parent is fetched again.
    """

    def __init__(self, tree: HeaderTree, kept: KeptBlocks, complete: CompleteBlocks) -> None:
        self._tree = tree
        self._kept = kept
        self._complete = complete
        self._parentless: dict[bytes, list[tuple[Header, Place]]] = {}
        """By parent."""
        self._parentless_undo: dict[bytes, Location] = {}

    def read_log(self, start: Location | None) -> None:
        """Take in the records of the log from ``start`` on.

        What is damaged there is not kept and will be fetched. It may be no decay: of several records that were being
        written when the power failed, a later one may be whole and an earlier one torn.
        """
        log = self._kept.log
        lost = []
        for record in log.scan(start):
            if isinstance(record, Damage):
                lost.append(record.location)
            elif record.kind == BLOCK:
                header = block_codec.decode(record.payload).header
                self.take(header, Place(header, record.location, None))
            elif record.kind == UNDO:
                self._take_undo(record.name, record.location)
        for stretch in lost:
            if stretch.offset >= HEAD_SIZE_BYTES:  # a damaged head is another matter: ``horoi ledger audit`` names it
                log.give_up(stretch)

    def take(self, header: Header, place: Place) -> None:
        """Take in a kept block, and those that waited for it."""
        ready = [(header, place)]
        while ready:
            header, place = ready.pop()
            if header.parent not in self._tree:
                self._parentless.setdefault(header.parent, []).append((header, place))
                continue
            try:
                known = self._tree.restore(header)
            except RuleError:
                continue  # it follows a block that broke a rule
            self._kept.put(known.name, place)
            undo = self._parentless_undo.pop(known.name, None)
            if undo is not None:
                self._take_undo(known.name, undo)
            self._complete.add(known)
            ready.extend(self._parentless.pop(known.name, []))

    def take_children(self, name: bytes) -> None:
        """This block is kept again: take in those that waited for it."""
        for header, place in self._parentless.pop(name, []):
            self.take(header, place)

    def _take_undo(self, name: bytes, location: Location) -> None:
        if name in self._kept.places:
            self._kept.put_undo(name, location)
        else:
            self._parentless_undo[name] = location
