"""A document is known to the ledger by its SHA-256 alone."""

from __future__ import annotations

from pathlib import Path

from horoi.base.errors import UsageError
from horoi.cli.lookup import is_hash

CHUNK_SIZE_BYTES = 1 << 20


def document_hash(text: str) -> str:
    """The SHA-256, in hexadecimal, of the file at ``text``; or ``text`` itself if it is one. UsageError."""
    if is_hash(text) and not Path(text).exists():
        return text
    import hashlib

    digest = hashlib.sha256()
    try:
        with Path(text).open("rb") as file:
            while chunk := file.read(CHUNK_SIZE_BYTES):
                digest.update(chunk)
    except OSError as error:
        raise UsageError(f"document {text[:200]}: cannot be read: {error.strerror or error}") from None
    return digest.hexdigest()
