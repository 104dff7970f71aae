"""The node's token: whoever shows it may act as the node's owner. 32 random bytes in a file that only its owner reads.

It is there whole or not at all, whenever the node is killed. An empty file (of a copy that was cut short, say) is no token that
anybody could hold: it is made anew.
"""

from __future__ import annotations

import re
import secrets
from pathlib import Path

from horoi.base.errors import KeyFileError
from horoi.base.files import PRIVATE, replace_file

FILE_NAME = "api-token"
TOKEN_SIZE_BYTES = 32

_FORM = re.compile(r"[0-9a-f]{64}")


def read_or_make_token(folder: Path) -> str:
    """The token of the node in ``folder``, in hexadecimal; made (mode 0600) if there is none. Raises KeyFileError."""
    path = folder / FILE_NAME
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if path.exists() and path.stat().st_size > 0:
            return read_token(folder)
        token = secrets.token_hex(TOKEN_SIZE_BYTES)
        replace_file(path, f"{token}\n".encode(), PRIVATE)
        return token
    except OSError as error:
        raise KeyFileError(f"token file {path}: cannot be written: {error}") from None


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
