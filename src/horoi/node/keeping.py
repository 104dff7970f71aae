"""The blocks that are kept, and their undo data: in the log, or waiting for the world to put them there.

The log is the truth, and it may decay. What turns out to be damaged is noted; a good copy is then written in its stead, and
until it comes nobody is given the bad one.
"""

from __future__ import annotations

import contextlib

from horoi.base.codec import encode
from horoi.base.errors import StorageError
from horoi.ledger.consensus.nakamoto.tree import HeaderTree
from horoi.ledger.ledger import Undo
from horoi.node.records import Place, SaveBlocks, undo_codec
from horoi.node.storage.log import BLOCK, UNDO, BlockLog, Location


class KeptBlocks:
    """Blocks by name, each with where it lies; the first block, which every node knows, is not among them."""

    def __init__(self, log: BlockLog, tree: HeaderTree) -> None:
        self.log = log
        self.places: dict[bytes, Place] = {}
        self.damaged: dict[bytes, str] = {}
        """Blocks whose copy in the log is damaged, with the reason: to be fetched again."""
        self._tree = tree
        self._pending: dict[bytes, bytes] = {}
        """Blocks kept but not yet saved by the world."""
        self._pending_undo: dict[bytes, bytes] = {}
        self._to_save: list[tuple[int, bytes, bytes]] = []
        self._moved: dict[bytes, None] = {}
        """Blocks whose place the state store does not have yet."""
        self._repairing: dict[tuple[int, bytes], Location] = {}
        """Damaged records, by kind and block, that a good copy is to stand in for."""

    def __contains__(self, name: bytes) -> bool:
        return name in self.places or name in self._pending

    @property
    def all_saved(self) -> bool:
        """True if the log has everything."""
        return not (self._pending or self._pending_undo or self._to_save)

    # ---- taking in ------------------------------------------------------------------------------

    def keep(self, name: bytes, raw: bytes) -> None:
        """Keep a block; in the place of its damaged copy, if there is one."""
        if self.damaged.pop(name, None) is not None and name in self.places:
            self._repairing[BLOCK, name] = self.places[name].block
        self._pending[name] = raw
        self._to_save.append((BLOCK, name, raw))

    def keep_undo(self, name: bytes, undo: Undo) -> None:
        """Keep what a block removed from the state, unless the log has it: the same history has the same undo data."""
        place = self.places.get(name)
        if place is None or place.undo is None:
            self._write_undo(name, undo)

    def mend_undo(self, name: bytes, undo: Undo) -> None:
        """Keep undo data that was derived again, in the place of its damaged copy."""
        damaged = self.places[name].undo
        if damaged is not None:
            self._repairing[UNDO, name] = damaged
        self._write_undo(name, undo)

    def _write_undo(self, name: bytes, undo: Undo) -> None:
        payload = encode(undo)
        self._pending_undo[name] = payload
        self._to_save.append((UNDO, name, payload))

    def put(self, name: bytes, place: Place) -> None:
        """Note where a block lies."""
        self.places[name] = place
        self._moved[name] = None

    def put_undo(self, name: bytes, location: Location) -> None:
        """Note where the undo data of a block lies whose own place is known."""
        place = self.places[name]
        self.put(name, Place(place.header, place.block, location))

    def forget_unknown(self) -> None:
        """Forget what the header tree has forgotten: should it come back, it is fetched again."""
        for name in [name for name in self.places if name not in self._tree]:
            del self.places[name]

    # ---- reading --------------------------------------------------------------------------------

    def read(self, name: bytes) -> bytes:
        """The encoded block; raises StorageError if it is not kept, or damaged (which is then noted)."""
        raw = self._pending.get(name)
        if raw is not None:
            return raw
        place = self.places.get(name)
        if place is None:
            raise StorageError(f"block {name.hex()} is not kept here")
        try:
            return self.log.read(place.block)
        except StorageError as error:
            self.damaged[name] = str(error)
            raise

    def read_part(self, name: bytes, offset: int, size_bytes: int) -> bytes:
        """Some bytes of an encoded block, unverified; empty if the block is not kept."""
        raw = self._pending.get(name)
        if raw is not None:
            return raw[offset : offset + size_bytes]
        place = self.places.get(name)
        return self.log.read_part(place.block, offset, size_bytes) if place is not None else b""

    def read_undo(self, name: bytes) -> Undo | None:
        """The undo data as it was written; None if it is damaged or missing."""
        raw = self._pending_undo.get(name)
        place = self.places.get(name)
        if raw is None and place is not None and place.undo is not None:
            with contextlib.suppress(StorageError):
                raw = self.log.read(place.undo)
        return None if raw is None else undo_codec.decode(raw)

    # ---- saving ---------------------------------------------------------------------------------

    def take_to_save(self) -> SaveBlocks | None:
        """What the world must make durable before anything after it; None if nothing."""
        if not self._to_save:
            return None
        record = SaveBlocks(tuple(self._to_save))
        self._to_save.clear()
        return record

    def save(self, record: SaveBlocks) -> None:
        """Append to the log, or mend it, and sync."""
        for kind, name, payload in record.records:
            self._place(kind, name, self._write(kind, name, payload))
        self.log.sync()
        for kind, name, payload in record.records:
            waiting = self._pending if kind == BLOCK else self._pending_undo
            if waiting.get(name) is payload:
                del waiting[name]

    def _write(self, kind: int, name: bytes, payload: bytes) -> Location:
        broken = self._repairing.pop((kind, name), None)
        if broken is None:
            return self.log.append(kind, name, payload)
        return self.log.rewrite(broken, kind, name, payload)

    def _place(self, kind: int, name: bytes, location: Location) -> None:
        place = self.places.get(name)
        if kind == UNDO:
            if place is not None:
                self.put_undo(name, location)
            return
        known = self._tree.by_name.get(name)
        if known is not None:  # else it broke a rule meanwhile
            self.put(name, Place(known.header, location, place.undo if place else None))

    def take_moved(self) -> list[tuple[bytes, Place]]:
        """The places that changed since the last time."""
        moved = [(name, self.places[name]) for name in self._moved if name in self.places]
        self._moved.clear()
        return moved
