"""Both disks keep the promises of ``horoi.machine.disk``: any sequence of operations, checked against plain dicts."""

from __future__ import annotations

import contextlib
import random
import tempfile
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from horoi.base.errors import StorageError
from horoi.machine.disk import Disk
from horoi.world.live.disk import LiveDisk
from horoi.world.sim.disk import SimDisk

NAMES = st.sampled_from(["a", "b.log"])
KEYS = st.binary(max_size=2)
DATA = st.binary(max_size=30)

operations = st.lists(
    st.one_of(
        st.tuples(st.just("append"), NAMES, DATA),
        st.tuples(st.just("truncate"), NAMES, st.integers(0, 100)),
        st.tuples(st.just("sync"), NAMES),
        st.tuples(st.just("reopen"), NAMES),
        st.tuples(st.just("replace"), NAMES, DATA),
        st.tuples(st.just("remove"), NAMES),
        st.tuples(st.just("write"), st.dictionaries(KEYS, st.none() | DATA, max_size=5), st.booleans()),
        st.tuples(st.just("items"), KEYS, st.none() | KEYS),
        st.tuples(st.just("reopen store")),
        st.tuples(st.just("remove store")),
    ),
    max_size=25,
)


@contextlib.contextmanager
def sim_disk() -> Iterator[SimDisk]:
    yield SimDisk(random.Random(1))


@contextlib.contextmanager
def live_disk() -> Iterator[LiveDisk]:
    with tempfile.TemporaryDirectory() as folder, LiveDisk(folder) as disk:
        yield disk


class Model:
    """What a disk should hold, in plain dicts; ``step`` does one operation to both and compares."""

    def __init__(self, disk: Disk) -> None:
        self.disk = disk
        self.files: dict[str, bytes] = {}
        self.handles: dict[str, Any] = {}
        self.rows: dict[bytes, bytes] = {}
        self.store = disk.store("state")

    def file(self, name: str) -> Any:
        if name not in self.handles:
            self.handles[name] = self.disk.open(name)
            self.files.setdefault(name, b"")
        return self.handles[name]

    def step(self, verb: str, *rest: Any) -> None:
        getattr(self, verb.replace(" ", "_"))(*rest)
        for name, content in self.files.items():
            file = self.file(name)
            assert file.size_bytes == len(content)
            assert file.read(0, len(content) + 9) == content
            assert file.read(len(content) // 2, 5) == content[len(content) // 2 :][:5]
        assert self.disk.names() == sorted([*self.files, "state"])

    def append(self, name: str, data: bytes) -> None:
        self.file(name).append(data)
        self.files[name] += data

    def truncate(self, name: str, size_bytes: int) -> None:
        file = self.file(name)
        if size_bytes > len(self.files[name]):
            with pytest.raises(ValueError, match="only cuts"):
                file.truncate(size_bytes)
            return
        file.truncate(size_bytes)
        self.files[name] = self.files[name][:size_bytes]

    def sync(self, name: str) -> None:
        self.file(name).sync()

    def reopen(self, name: str) -> None:
        self.file(name).close()
        del self.handles[name]
        self.file(name)

    def replace(self, name: str, data: bytes) -> None:
        self.disk.replace(name, data)
        self.files[name] = data
        self.handles.pop(name, None)

    def remove(self, name: str) -> None:
        self.disk.remove(name)
        self.files.pop(name, None)
        self.handles.pop(name, None)

    def write(self, changes: dict[bytes, bytes | None], sync: bool) -> None:
        self.store.write(changes, sync=sync)
        for key, value in changes.items():
            self.rows.pop(key, None)
            if value is not None:
                self.rows[key] = value
            assert self.store.get(key) == value

    def items(self, start: bytes, stop: bytes | None) -> None:
        expected = sorted((k, v) for k, v in self.rows.items() if start <= k and (stop is None or k < stop))
        assert list(self.store.items(start, stop)) == expected
        assert list(self.store.items_down(start, stop)) == expected[::-1]

    def reopen_store(self) -> None:
        with pytest.raises(StorageError, match="open"):
            self.disk.store("state")
        self.store.close()
        with pytest.raises(StorageError, match="closed"):
            self.store.get(b"")
        self.store = self.disk.store("state")
        assert dict(self.store.items()) == self.rows

    def remove_store(self) -> None:
        with pytest.raises(StorageError, match="close it"):
            self.disk.remove("state")
        self.store.close()
        self.disk.remove("state")
        self.rows.clear()
        self.store = self.disk.store("state")


@pytest.mark.parametrize(("make", "examples"), [(sim_disk, 300), (live_disk, 25)], ids=["sim", "live"])
def test_any_sequence_of_operations_gives_what_plain_dicts_give(make: Any, examples: int) -> None:
    @settings(max_examples=examples, deadline=None)
    @given(operations)
    def check(steps: list[tuple[Any, ...]]) -> None:
        with make() as disk:
            model = Model(disk)
            for step in steps:
                model.step(*step)

    check()


@pytest.mark.parametrize("make", [sim_disk, live_disk], ids=["sim", "live"])
def test_a_store_pages_through_many_keys_in_order(make: Any) -> None:
    rows = {b"%05d" % n: b"%d" % n for n in range(2_500)}
    with make() as disk:
        store = disk.store("state")
        store.write(rows, sync=True)
        assert list(store.items()) == sorted(rows.items())
        assert [k for k, _ in store.items(b"00999", b"02001")] == sorted(rows)[999:2001]


@pytest.mark.parametrize("make", [sim_disk, live_disk], ids=["sim", "live"])
@pytest.mark.parametrize("name", ["", "../x", "a/b", "A", "lock", "x.new", ".x", "x" * 65, "x\n"])
def test_a_name_that_could_leave_the_folder_or_fold_is_refused(make: Any, name: str) -> None:
    with make() as disk:
        for use in (disk.open, disk.store, disk.remove, lambda n: disk.replace(n, b"")):
            with pytest.raises(StorageError, match="name"):
                use(name)


@pytest.mark.parametrize("make", [sim_disk, live_disk], ids=["sim", "live"])
def test_files_and_stores_share_their_names(make: Any) -> None:
    with make() as disk:
        disk.open("file")
        disk.store("store")
        with pytest.raises(StorageError, match="is a file"):
            disk.store("file")
        with pytest.raises(StorageError, match="is a store"):
            disk.open("store")
        with pytest.raises(StorageError, match="is a store"):
            disk.replace("store", b"")
