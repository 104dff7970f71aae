"""The live disk on a real file system: locks, full disks, failed syncs, and a process that is killed."""

from __future__ import annotations

import contextlib
import errno
import os
import resource
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from horoi.base.errors import StorageError
from horoi.world.live import disk as live
from horoi.world.live.disk import LiveDisk

WRITER = """
import sys
from horoi.world.live.disk import LiveDisk
disk = LiveDisk(sys.argv[1])
file, store = disk.open("log"), disk.store("state")
n = 0
while True:
    file.append(b"%08d" % n)
    file.sync()
    store.write({b"count": b"%d" % n, b"k%d" % n: b"v"}, sync=True)
    print(n, flush=True)
    n += 1
"""


def start_writer(folder: Path) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(folder)], stdout=subprocess.PIPE, text=True, env=environment
    )


def test_a_killed_process_leaves_everything_it_synced_and_no_lock(tmp_path: Path) -> None:
    writer = start_writer(tmp_path)
    assert writer.stdout is not None
    with writer:
        for _ in range(30):
            last = int(writer.stdout.readline())
        with pytest.raises(StorageError, match=f"process {writer.pid}"):
            LiveDisk(tmp_path)
        writer.send_signal(signal.SIGKILL)
    with LiveDisk(tmp_path) as disk:
        file, store = disk.open("log"), disk.store("state")
        count = int(store.get(b"count") or b"-1")
        assert count >= last
        assert file.read(0, 8 * (last + 1)) == b"".join(b"%08d" % n for n in range(last + 1))
        assert all(store.get(b"k%d" % n) == b"v" for n in range(count + 1))


def test_a_folder_belongs_to_one_disk_at_a_time(tmp_path: Path) -> None:
    with (
        LiveDisk(tmp_path / "node"),
        pytest.raises(StorageError, match=f"node: in use by process {os.getpid()}; stop it"),
    ):
        LiveDisk(tmp_path / "node")
    with LiveDisk(tmp_path / "node") as disk:
        assert disk.names() == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk_is_one_clear_sentence(tmp_path: Path) -> None:
    (tmp_path / "log").symlink_to("/dev/full")
    message = r"log: the disk is full \(could not append 5 bytes\); free some space"
    with LiveDisk(tmp_path) as disk, pytest.raises(StorageError, match=message):
        disk.open("log").append(b"block")


def test_an_append_that_does_not_fit_is_taken_back(tmp_path: Path) -> None:
    with LiveDisk(tmp_path) as disk:
        file = disk.open("log")
        file.append(b"x" * 3_000)
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (4_096, hard))  # the kernel writes the part that fits, then refuses
        try:
            with pytest.raises(StorageError, match="disk is full"):
                file.append(b"y" * 3_000)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert file.size_bytes == 3_000
        file.append(b"z")
        assert file.read(2_999, 9) == b"xz"


def test_a_failed_sync_is_not_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(descriptor: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    with LiveDisk(tmp_path) as disk:
        file = disk.open("log")
        file.append(b"x")
        with monkeypatch.context() as patch:
            patch.setattr(live.os, "fsync", fail)
            with pytest.raises(StorageError, match="could not sync"):
                file.sync()
        for use in (file.sync, lambda: file.append(b"y"), lambda: file.truncate(0)):
            with pytest.raises(StorageError, match="earlier sync failed"):
                use()
        assert file.read(0, 9) == b"x"


def test_a_new_name_and_a_rename_sync_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[bool] = []
    real = os.fsync

    def watch(descriptor: int) -> None:
        synced.append(stat.S_ISDIR(os.fstat(descriptor).st_mode))
        real(descriptor)

    with LiveDisk(tmp_path) as disk:
        monkeypatch.setattr(live.os, "fsync", watch)
        disk.open("log")
        assert synced == [True]
        disk.open("log")
        assert synced == [True]
        disk.replace("note", b"x")
        assert synced == [True, False, True]
        disk.remove("note")
        assert synced == [True, False, True, True]


def test_leftovers_of_a_former_life_are_removed(tmp_path: Path) -> None:
    (tmp_path / "note.new").write_bytes(b"half")
    (tmp_path / "state.new").mkdir()
    with LiveDisk(tmp_path) as disk:
        assert disk.names() == []
    assert sorted(p.name for p in tmp_path.iterdir()) == ["lock"]


def test_a_path_that_cannot_be_a_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StorageError, match="could not make this folder"):
        LiveDisk(tmp_path / "file")


def test_a_damaged_store_says_that_it_can_be_rebuilt(tmp_path: Path) -> None:
    with LiveDisk(tmp_path) as disk:
        disk.store("state").write({b"k": b"v"}, sync=True)
    for path in (tmp_path / "state").glob("MANIFEST-*"):
        path.write_bytes(b"not a manifest" * 10)
    with LiveDisk(tmp_path) as disk:
        with pytest.raises(StorageError, match="damaged"):
            disk.store("state")
        disk.remove("state")
        assert disk.store("state").get(b"k") is None


def test_a_store_that_lacks_a_file_is_said_to_be_damaged_and_what_to_do(tmp_path: Path) -> None:
    with contextlib.closing(LiveDisk(tmp_path)) as disk:
        store = disk.store("state")
        store.write({b"a": b"b"}, sync=True)
        store.close()
        for manifest in (tmp_path / "state").glob("MANIFEST*"):
            manifest.unlink()
        with pytest.raises(StorageError, match=r"damaged .* move it away and start again"):
            disk.store("state")
