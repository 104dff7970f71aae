"""Reads a genesis file, with errors that name it."""

from __future__ import annotations

from pathlib import Path

from horoi.base.errors import UsageError
from horoi.ledger.genesis import MAX_GENESIS_SIZE_BYTES, Genesis, from_json

MAX_FILE_SIZE_BYTES = 4 * MAX_GENESIS_SIZE_BYTES  # JSON writes bytes in hexadecimal, with names and spaces


def read_genesis(path: Path) -> Genesis:
    """The genesis file at ``path``; UsageError with what is wrong with it."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE_SIZE_BYTES + 1)
    except OSError as error:
        raise UsageError(f"genesis file {path}: cannot be read: {error.strerror or error}") from None
    if len(data) > MAX_FILE_SIZE_BYTES:
        raise UsageError(f"genesis file {path}: over {MAX_FILE_SIZE_BYTES} bytes, so not one")
    try:
        return from_json(data)
    except UsageError as error:
        raise UsageError(f"genesis file {path}: {error}") from None
