"""What the work on a stopped node's folder has in common: audit, export, import, rebuild."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from horoi.base.errors import StorageError, UsageError
from horoi.ledger.genesis import Genesis, from_json

GENESIS_FILE = "genesis.json"
FAR_FUTURE_MS = 2**53  # what was accepted is judged, not what the clock says now

Progress = Callable[[str, float], None]
"""Told what is being done, and which part of it is behind us: 0 to 1."""


def quiet(what: str, part: float) -> None:
    """Tell nobody."""


def read_genesis(folder: Path) -> Genesis:
    """The genesis of a node's folder. Raises StorageError or UsageError with what to do."""
    path = folder / GENESIS_FILE
    try:
        return from_json(path.read_bytes())
    except FileNotFoundError:
        raise StorageError(f"{folder} is not a node's folder: it has no {GENESIS_FILE}; name one with --dir") from None
    except OSError as error:
        raise StorageError(f"cannot read {path}: {error.strerror}") from None
    except UsageError as error:
        raise StorageError(f"genesis.file: {path} is damaged ({error}); copy it from another node") from None
