"""Small files: whole or not at all, whatever stops the writer, and for whom they are."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from horoi.base.files import PRIVATE, SHARED, replace_file

DYING = """
import os, pathlib, sys
from horoi.base import files
setattr(os, sys.argv[2], lambda *_, **__: os._exit(9))
files.replace_file(pathlib.Path(sys.argv[1]), b"new", files.PRIVATE)
"""


def test_the_content_is_replaced_and_nothing_is_left_beside(tmp_path: Path) -> None:
    path = tmp_path / "file"
    for data in (b"one", b"another", b""):
        replace_file(path, data, PRIVATE)
        assert path.read_bytes() == data
        assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("mode", [PRIVATE, SHARED])
def test_the_mode_is_the_one_asked_for_whatever_the_old_file_had(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "file"
    path.touch(mode=0o640)
    umask = os.umask(0o022)
    try:
        replace_file(path, b"x", mode)
    finally:
        os.umask(umask)
    assert stat.S_IMODE(path.stat().st_mode) == mode & ~0o022


@pytest.mark.parametrize("step", ["fdopen", "fsync", "replace"])
def test_a_writer_that_is_killed_leaves_the_old_content_and_the_next_one_is_not_in_its_way(
    tmp_path: Path, step: str
) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    assert subprocess.run([sys.executable, "-c", DYING, str(path), step], check=False).returncode == 9
    assert path.read_bytes() == b"old"
    replace_file(path, b"next", PRIVATE)
    assert path.read_bytes() == b"next"
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


def test_a_disk_that_refuses_leaves_the_old_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def full(handle: int) -> None:
        raise OSError(28, "no space left")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="no space"):
        replace_file(path, b"new", PRIVATE)
    assert path.read_bytes() == b"old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]
