"""The node's token: whoever shows it may act as the node's owner. 32 random bytes in a file that only its owner reads."""

from __future__ import annotations

import os
import re
import secrets
from pathlib import Path

from horoi.base.errors import KeyFileError

FILE_NAME = "api-token"
TOKEN_SIZE_BYTES = 32

_FORM = re.compile(r"[0-9a-f]{64}")


def read_or_make_token(folder: Path) -> str:
    """The token of the node in ``folder``, in hexadecimal; made (mode 0600) if there is none. Raises KeyFileError."""
    path = folder / FILE_NAME
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return read_token(folder)
    except OSError as error:
        raise KeyFileError(f"token file {path}: cannot be written: {error}") from None
    token = secrets.token_hex(TOKEN_SIZE_BYTES)
    with os.fdopen(opened, "w", encoding="ascii") as file:
        file.write(token + "\n")
        file.flush()
        os.fsync(file.fileno())
    return token


def read_token(folder: Path) -> str:
    """The token of the node in ``folder``; KeyFileError if it is not there or not one."""
    path = folder / FILE_NAME
    try:
        text = path.read_text(encoding="ascii")[:200].strip()
    except (OSError, UnicodeDecodeError) as error:
        raise KeyFileError(f"token file {path}: cannot be read: {error}") from None
    if not _FORM.fullmatch(text):
        raise KeyFileError(f"token file {path}: not a token; delete it, and the node makes a new one when it starts")
    return text
