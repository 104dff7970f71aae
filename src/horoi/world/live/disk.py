"""A folder of a real file system behind the promises of ``horoi.machine.disk`` (POSIX).

What a file system keeps after a power loss is less than one thinks (Pillai et al., "All File Systems Are Not Created
Equal", OSDI 2014): a new file's name needs a sync of its folder, a rename may become durable before the content it names.
And a failed fsync must not be tried again: the kernel marks the lost pages clean, so that the second call succeeds over
missing data (Rebello et al., "Can Applications Recover from fsync Failures?", USENIX ATC 2020). So a file whose sync
failed refuses every further change until it is opened anew and checked.

One process owns the folder, by an advisory lock that the kernel releases when the process dies.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import shutil
from pathlib import Path
from types import TracebackType

from horoi.base.errors import StorageError
from horoi.world.live.store import LiveStore
from horoi.world.names import RESERVED_NAME, RESERVED_SUFFIX, check_name

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_FORBIDDEN = (errno.EACCES, errno.EPERM, errno.EROFS)


class LiveDisk:
    """One node's folder, made if absent (mode 700: keys may lie beside the blocks).

    Raises StorageError if another process has it, or if it cannot be made or written.
    """

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder)
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise storage_error(self.folder, "make this folder", error) from error
        self._files: list[LiveFile] = []
        self._stores: dict[str, LiveStore] = {}
        self._lock = _take_lock(self.folder)
        self._remove_leftovers()

    def open(self, name: str) -> LiveFile:
        """The file of this name, created (durably) if absent."""
        check_name(name)
        path = self.folder / name
        if path.is_dir():
            raise StorageError(f"{path}: is a store, not a file; choose another name")
        is_new = not path.exists()
        try:
            file = LiveFile(path)
        except OSError as error:
            raise storage_error(path, "open", error) from error
        if is_new:
            self._sync_folder()
        self._files = [f for f in self._files if not f.is_closed]
        self._files.append(file)
        return file

    def store(self, name: str) -> LiveStore:
        """The store of this name, created (durably) if absent. Raises StorageError if it is open already."""
        check_name(name)
        path = self.folder / name
        if path.exists() and not path.is_dir():
            raise StorageError(f"{path}: is a file, not a store; choose another name")
        if name in self._stores and not self._stores[name].is_closed:
            raise StorageError(f"{path}: this store is open already; close it first")
        store = LiveStore(path)
        self._sync_folder()
        self._stores[name] = store
        return store

    def names(self) -> list[str]:
        """Names of files and stores, ascending."""
        return sorted(n for n in os.listdir(self.folder) if n != RESERVED_NAME and not n.endswith(RESERVED_SUFFIX))

    def remove(self, name: str) -> None:
        """Remove a file or a closed store, durably; absent is fine."""
        check_name(name)
        path = self.folder / name
        if name in self._stores and not self._stores[name].is_closed:
            raise StorageError(f"{path}: this store is open; close it before removing it")
        try:
            if path.is_dir():  # its name goes first, at once; a half-removed store is never opened
                doomed = path.with_name(name + RESERVED_SUFFIX)
                path.rename(doomed)
                self._sync_folder()
                shutil.rmtree(doomed)
            else:
                path.unlink(missing_ok=True)
        except OSError as error:
            raise storage_error(path, "remove", error) from error
        self._sync_folder()

    def replace(self, name: str, data: bytes) -> None:
        """Make ``data`` the whole content of a small file, atomically and durably.

        Written beside, synced, renamed over: POSIX rename is atomic, and the folder's sync makes it durable.
        """
        check_name(name)
        path = self.folder / name
        if path.is_dir():
            raise StorageError(f"{path}: is a store, not a file; choose another name")
        beside = path.with_name(name + RESERVED_SUFFIX)
        try:
            beside.unlink(missing_ok=True)
            with contextlib.closing(LiveFile(beside)) as file:
                file.append(data)
                file.sync()
            os.replace(beside, path)
        except OSError as error:
            raise storage_error(path, f"replace by {len(data)} bytes", error) from error
        self._sync_folder()

    def close(self) -> None:
        """Close what is still open and let the folder go."""
        for file in self._files:
            file.close()
        for store in self._stores.values():
            store.close()
        self._files.clear()
        self._stores.clear()
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def __enter__(self) -> LiveDisk:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _sync_folder(self) -> None:
        try:
            descriptor = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise storage_error(self.folder, "sync this folder", error) from error

    def _remove_leftovers(self) -> None:
        """Throw away what a former life was still writing or removing when it died."""
        for path in sorted(self.folder.glob(f"*{RESERVED_SUFFIX}")):
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)


class LiveFile:
    """An open file (``horoi.machine.disk.File``), for one thread at a time."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.is_closed = False
        self._broken: str | None = None
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)

    @property
    def size_bytes(self) -> int:
        self._check()
        return os.fstat(self._descriptor).st_size

    def read(self, offset: int, size_bytes: int) -> bytes:
        self._check()
        if offset < 0 or size_bytes < 0:
            raise ValueError(f"{self.path}: read of {size_bytes} bytes at {offset}; neither may be negative")
        try:
            data = os.pread(self._descriptor, size_bytes, offset)
            while 0 < len(data) < size_bytes:  # Linux reads at most 2 GiB at once, and a signal may cut a read short
                more = os.pread(self._descriptor, size_bytes - len(data), offset + len(data))
                if not more:
                    break
                data += more
        except OSError as error:
            raise storage_error(self.path, f"read {size_bytes} bytes at {offset}", error) from error
        return data

    def append(self, data: bytes) -> None:
        self._check_writable()
        size_before = os.fstat(self._descriptor).st_size
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]
        except OSError as error:
            with contextlib.suppress(OSError):  # a device or a dying disk may refuse; the caller was promised nothing
                os.ftruncate(self._descriptor, size_before)
            raise storage_error(self.path, f"append {len(data)} bytes", error) from error

    def truncate(self, size_bytes: int) -> None:
        self._check_writable()
        size_now = os.fstat(self._descriptor).st_size
        if not 0 <= size_bytes <= size_now:
            raise ValueError(f"{self.path}: truncate to {size_bytes} of {size_now} bytes; it only cuts")
        try:
            os.ftruncate(self._descriptor, size_bytes)
        except OSError as error:
            raise storage_error(self.path, f"cut to {size_bytes} bytes", error) from error

    def sync(self) -> None:
        self._check_writable()
        try:
            if hasattr(fcntl, "F_FULLFSYNC"):  # macOS: fsync leaves data in the drive's cache (man 2 fsync there)
                fcntl.fcntl(self._descriptor, fcntl.F_FULLFSYNC)
            else:
                os.fsync(self._descriptor)
        except OSError as error:
            self._broken = f"an earlier sync failed ({error.strerror})"
            raise storage_error(self.path, "sync", error) from error

    def close(self) -> None:
        if not self.is_closed:
            self.is_closed = True
            os.close(self._descriptor)

    def _check(self) -> None:
        if self.is_closed:
            raise StorageError(f"{self.path}: this file is closed; open it again")

    def _check_writable(self) -> None:
        self._check()
        if self._broken is not None:
            raise StorageError(
                f"{self.path}: {self._broken}, so what it holds is unknown; check the disk and start again"
            )


def storage_error(path: Path, doing: str, error: OSError) -> StorageError:
    """Say in one sentence what the system refused and what to do about it."""
    if error.errno in _FULL:
        return StorageError(f"{path}: the disk is full (could not {doing}); free some space and start again")
    if error.errno in _FORBIDDEN:
        return StorageError(f"{path}: not permitted (could not {doing}); check who owns it and its mode")
    return StorageError(f"{path}: could not {doing}: {error.strerror or error}; check the disk")


def _take_lock(folder: Path) -> int:
    """Lock the folder for this process; return the lock's descriptor."""
    path = folder / RESERVED_NAME
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise storage_error(path, "open", error) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, b"%d\n" % os.getpid(), 0)
    except BlockingIOError:
        owner = os.pread(descriptor, 20, 0).strip().decode(errors="replace")
        os.close(descriptor)
        who = f"process {owner}" if owner.isdigit() else "another process"
        raise StorageError(f"{folder}: in use by {who}; stop it, or choose another folder") from None
    except OSError as error:
        os.close(descriptor)
        raise storage_error(path, "lock", error) from error
    return descriptor
