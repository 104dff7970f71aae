"""Where public test vectors are: beside the project, not in it. Absent: the test is skipped, or fails where CI is set."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
VECTORS = PROJECT.parent / "shared" / "vectors"


def vectors(name: str) -> Path:
    """The file or folder of this name; skips the test loudly where it is absent, fails it in CI."""
    path = VECTORS / name
    if path.exists():
        return path
    message = f"public vectors {name} are not at {path}"
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)
