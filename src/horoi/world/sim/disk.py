"""A disk in memory that keeps its promises and nothing more (the promises are in ``horoi.machine.disk``).

A crash is the adversary of storage code: what was not synced may be gone, cut short or garbled (Pillai et al., "All File
Systems Are Not Created Equal", OSDI 2014, table 1: appends that survive with garbage, or in part). This disk does the worst
that its promises allow, from one sequence of dice, so that a failure is replayed by its seed.

- a file keeps what was synced and any prefix of what came after; the last bytes of that prefix may be anything;
- a store keeps what was synced and any prefix of the writes after, each whole or not at all;
- creating, replacing and removing are durable at once, as on the live disk, which syncs the folder.
"""

from __future__ import annotations

import random
from bisect import bisect_left
from collections.abc import Iterator, Mapping

from horoi.base.errors import StorageError
from horoi.world.names import check_name


class Crashed(BaseException):
    """The machine lost its power in the middle of an operation.

    Not an Exception, so that no handler in the code under test can catch it and go on living.
    """


class SimDisk:
    """One node's folder in a simulated world.

    The same object serves all lives of its node: after ``crash`` it holds what survived, and files and stores that the
    former life had open raise Crashed if they are touched.
    """

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice
        self._files: dict[str, _Content] = {}
        self._stores: dict[str, _Table] = {}
        self._open_stores: dict[str, SimStore] = {}
        self._capacity_bytes: int | None = None
        self._operations_left: int | None = None
        self._down = False
        self.life = 0
        self.operations = 0
        """Mutating operations so far, for choosing where to crash."""

    def open(self, name: str) -> SimFile:
        """The file of this name, created (durably) if absent."""
        self.check_alive(self.life)
        check_name(name)
        if name in self._stores:
            raise StorageError(f"{name}: is a store, not a file; choose another name")
        return SimFile(self, name, self._files.setdefault(name, _Content()))

    def store(self, name: str) -> SimStore:
        """The store of this name, created (durably) if absent. Raises StorageError if it is open already."""
        self.check_alive(self.life)
        check_name(name)
        if name in self._files:
            raise StorageError(f"{name}: is a file, not a store; choose another name")
        if name in self._open_stores:
            raise StorageError(f"{name}: this store is open already; close it first")
        store = SimStore(self, name, self._stores.setdefault(name, _Table()))
        self._open_stores[name] = store
        return store

    def names(self) -> list[str]:
        """Names of files and stores, ascending."""
        self.check_alive(self.life)
        return sorted([*self._files, *self._stores])

    def remove(self, name: str) -> None:
        """Remove a file or a closed store, durably; absent is fine."""
        check_name(name)
        if name in self._open_stores:
            raise StorageError(f"{name}: this store is open; close it before removing it")
        late = self.begin(self.life)
        self._files.pop(name, None)
        self._stores.pop(name, None)
        self.end(late)

    def replace(self, name: str, data: bytes) -> None:
        """Make ``data`` the whole content of a small file, atomically and durably."""
        check_name(name)
        if name in self._stores:
            raise StorageError(f"{name}: is a store, not a file; choose another name")
        late = self.begin(self.life)
        self.check_room(name, len(data))
        self._files[name] = _Content(data)
        self.end(late)

    # Faults

    def crash(self) -> None:
        """Lose the power and come back: everything unsynced is at the mercy of the dice; open handles are dead."""
        for name in sorted(self._files):
            self._files[name].crash(self._dice)
        for name in sorted(self._stores):
            self._stores[name].crash(self._dice)
        self._open_stores.clear()
        self._operations_left = None
        self._down = False
        self.life += 1

    def arm_crash(self, after_operations: int) -> None:
        """Raise Crashed in the n-th mutating operation from now (1: the next), before or after it had effect.

        Mutating are append, truncate, sync, write, replace and remove. From then on every use raises Crashed, until
        ``crash`` settles what survived.
        """
        if after_operations < 1:
            raise ValueError(f"arm_crash: {after_operations} operations; 1 is the next one")
        self._operations_left = after_operations

    def flip(self, name: str, offset: int, bit: int = 0) -> None:
        """Damage one bit of a file, as a decaying disk does. Raises IndexError outside the file."""
        content = self._files[name].data
        if not 0 <= offset < len(content) or not 0 <= bit < 8:
            raise IndexError(f"flip {name}: bit {bit} of byte {offset} is outside its {len(content)} bytes")
        content[offset] ^= 1 << bit

    def fill(self, capacity_bytes: int | None) -> None:
        """Let the disk hold this many bytes in all (files, keys and values); None: no limit."""
        self._capacity_bytes = capacity_bytes

    @property
    def used_bytes(self) -> int:
        """Bytes of all files, keys and values."""
        return sum(len(c.data) for c in self._files.values()) + sum(t.size_bytes for t in self._stores.values())

    # For the handles

    def check_alive(self, life: int) -> None:
        """Raise Crashed if the power is off or the handle belongs to a former life."""
        if self._down:
            raise Crashed("the disk lost its power; call crash() and start the next life")
        if life != self.life:
            raise Crashed("this file or store was opened before the last crash; open it again")

    def begin(self, life: int) -> bool:
        """Count a mutating operation; raise Crashed if it dies before its effect, return True if it dies after."""
        self.check_alive(life)
        self.operations += 1
        if self._operations_left is None:
            return False
        self._operations_left -= 1
        if self._operations_left > 0:
            return False
        if self._dice.random() < 0.5:
            return True
        self._down = True
        raise Crashed(f"lost power before operation {self.operations}")

    def end(self, late: bool) -> None:
        """Finish what ``begin`` began. Halfway is here too: what is not synced yet may be cut anywhere by ``crash``."""
        if late:
            self._down = True
            raise Crashed(f"lost power during operation {self.operations}")

    def room_bytes(self) -> int | None:
        """Bytes still free; None: no limit."""
        return None if self._capacity_bytes is None else max(0, self._capacity_bytes - self.used_bytes)

    def check_room(self, name: str, size_bytes: int) -> None:
        """Raise StorageError unless this much more fits."""
        room_bytes = self.room_bytes()
        if room_bytes is not None and size_bytes > room_bytes:
            raise StorageError(
                f"{name}: the disk is full ({size_bytes} bytes wanted, {room_bytes} free); free some space"
            )

    def partial_append(self, size_bytes: int) -> int:
        """How much of an append that does not fit is written all the same."""
        return self._dice.randint(0, min(size_bytes, self.room_bytes() or 0))

    def forget(self, store: SimStore, name: str) -> None:
        """Note that this store was closed."""
        if self._open_stores.get(name) is store:
            del self._open_stores[name]


class SimFile:
    """An open file of a SimDisk (``horoi.machine.disk.File``)."""

    def __init__(self, disk: SimDisk, name: str, content: _Content) -> None:
        self._disk = disk
        self._life = disk.life
        self._name = name
        self._content = content

    @property
    def size_bytes(self) -> int:
        self._disk.check_alive(self._life)
        return len(self._content.data)

    def read(self, offset: int, size_bytes: int) -> bytes:
        self._disk.check_alive(self._life)
        if offset < 0 or size_bytes < 0:
            raise ValueError(f"{self._name}: read of {size_bytes} bytes at {offset}; neither may be negative")
        return bytes(self._content.data[offset : offset + size_bytes])

    def append(self, data: bytes) -> None:
        late = self._disk.begin(self._life)
        try:
            self._disk.check_room(self._name, len(data))
        except StorageError:
            self._content.append(data[: self._disk.partial_append(len(data))])
            raise
        self._content.append(data)
        self._disk.end(late)

    def truncate(self, size_bytes: int) -> None:
        if not 0 <= size_bytes <= len(self._content.data):
            raise ValueError(f"{self._name}: truncate to {size_bytes} of {len(self._content.data)} bytes; it only cuts")
        late = self._disk.begin(self._life)
        self._content.truncate(size_bytes)
        self._disk.end(late)

    def sync(self) -> None:
        late = self._disk.begin(self._life)
        self._content.undo.clear()
        self._disk.end(late)

    def close(self) -> None:
        """Closing promises nothing: what was not synced may still be lost."""


class SimStore:
    """An open store of a SimDisk (``horoi.machine.disk.Store``)."""

    def __init__(self, disk: SimDisk, name: str, table: _Table) -> None:
        self._disk = disk
        self._life = disk.life
        self._name = name
        self._table = table
        self._closed = False

    def _check(self) -> None:
        self._disk.check_alive(self._life)
        if self._closed:
            raise StorageError(f"{self._name}: this store is closed; open it again")

    def get(self, key: bytes) -> bytes | None:
        self._check()
        return self._table.rows.get(key)

    def write(self, changes: Mapping[bytes, bytes | None], *, sync: bool) -> None:
        self._check()
        late = self._disk.begin(self._life)
        self._disk.check_room(self._name, sum(len(k) + len(v) for k, v in changes.items() if v is not None))
        self._table.write(changes)
        if sync:
            self._table.undo.clear()
        self._disk.end(late)

    def items(self, start: bytes = b"", stop: bytes | None = None) -> Iterator[tuple[bytes, bytes]]:
        """Pairs as they were at the call; later writes do not show."""
        self._check()
        keys = self._table.ordered_keys()
        last = len(keys) if stop is None else bisect_left(keys, stop)
        rows = self._table.rows
        return iter([(key, rows[key]) for key in keys[bisect_left(keys, start) : last]])

    def items_down(self, start: bytes = b"", stop: bytes | None = None) -> Iterator[tuple[bytes, bytes]]:
        """The same pairs, from the last."""
        return iter(list(self.items(start, stop))[::-1])

    def close(self) -> None:
        self._closed = True
        self._disk.forget(self, self._name)


class _Content:
    """A file's bytes, and how to take back what is not synced: the size before an append, the bytes that a cut removed."""

    def __init__(self, data: bytes = b"") -> None:
        self.data = bytearray(data)
        self.undo: list[int | bytes] = []

    def append(self, data: bytes) -> None:
        if not data:
            return
        self.undo.append(len(self.data))
        self.data += data

    def truncate(self, size_bytes: int) -> None:
        if size_bytes == len(self.data):
            return
        self.undo.append(bytes(self.data[size_bytes:]))
        del self.data[size_bytes:]

    def crash(self, dice: random.Random) -> None:
        survive = dice.randint(0, len(self.undo))
        lost = b""
        while len(self.undo) > survive:
            lost = self._take_back()
        if lost:  # the first append that did not survive whole: a part of it may
            self.append(lost[: dice.randint(0, len(lost))])
        self._garble(dice)
        self.undo.clear()

    def _take_back(self) -> bytes:
        """Undo the last step; return what it had appended."""
        step = self.undo.pop()
        if isinstance(step, bytes):
            self.data += step
            return b""
        appended = bytes(self.data[step:])
        del self.data[step:]
        return appended

    def _garble(self, dice: random.Random) -> None:
        """Spoil the last bytes, never farther back than the appends since the last sync or cut."""
        unsynced = len(self.data)
        for step in reversed(self.undo):
            if isinstance(step, bytes):
                break
            unsynced = step
        torn_size = dice.randint(0, len(self.data) - unsynced)
        start = len(self.data) - torn_size
        fault = dice.random()
        if fault < 0.4:
            return  # cut clean
        if fault < 0.6:
            self.data[start:] = bytes(torn_size)  # allocated, never written: zeros
        elif fault < 0.8:
            self.data[start:] = dice.randbytes(torn_size)
        elif torn_size:
            hole = dice.randint(1, torn_size)  # a later page was written, an earlier one was not
            self.data[start : start + hole] = bytes(hole)


class _Table:
    """A store's rows, and how to take back each write that is not synced."""

    def __init__(self) -> None:
        self.rows: dict[bytes, bytes] = {}
        self.undo: list[dict[bytes, bytes | None]] = []
        self.size_bytes = 0
        self._keys: list[bytes] | None = []

    def ordered_keys(self) -> list[bytes]:
        if self._keys is None:
            self._keys = sorted(self.rows)
        return self._keys

    def write(self, changes: Mapping[bytes, bytes | None]) -> None:
        self.undo.append({key: self.rows.get(key) for key in changes})
        self._apply(changes)

    def _apply(self, changes: Mapping[bytes, bytes | None]) -> None:
        self._keys = None
        rows = self.rows
        for key, value in changes.items():
            old = rows.pop(key, None)
            if old is not None:
                self.size_bytes -= len(key) + len(old)
            if value is not None:
                rows[key] = value
                self.size_bytes += len(key) + len(value)

    def crash(self, dice: random.Random) -> None:
        survive = dice.randint(0, len(self.undo))
        while len(self.undo) > survive:
            self._apply(self.undo.pop())
        self.undo.clear()
