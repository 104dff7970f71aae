"""The operator's names of others: petnames (M. Stiegler, "An Introduction to Petname Systems", 2005).

A name that means something to people, is unique and is given by nobody in charge cannot be had at once (Zooko's triangle), so
every node keeps its own book, in a small JSON file that people may write by hand: address to name.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec

from horoi.base.address import address_of, public_key_of
from horoi.base.errors import HoroiError, RuleError, StorageError, UsageError
from horoi.base.files import SHARED, replace_file
from horoi.ledger.rules import check_text
from horoi.ledger.transaction import MAX_NAME_CHARACTERS

NAMES_FILE = "names.json"
MAX_NAMES = 10_000  # a guess, of the companies that one deals with
MAX_FILE_SIZE_BYTES = 4_000_000


class NameBook:
    """Names by public key. With a ``path`` it is read from there, and written whenever it changes."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path
        self._names: dict[bytes, str] = {}
        if path is not None and path.exists():
            self._names = _read(path)

    def __iter__(self) -> Iterator[tuple[bytes, str]]:
        """Keys and names, in order of name."""
        return iter(sorted(self._names.items(), key=lambda row: (row[1], row[0])))

    def get(self, key: bytes) -> str | None:
        """How the operator calls a key."""
        return self._names.get(key)

    def keys_of(self, name: str) -> list[bytes]:
        """The keys that the operator calls so, whatever the case."""
        wanted = name.casefold()
        return [key for key, other in self if other.casefold() == wanted]

    def set(self, key: bytes, name: str) -> None:
        """Call a key so from now on; an empty name forgets it. Raises UsageError or StorageError."""
        name = name.strip()
        names = {other: called for other, called in self._names.items() if other != key}
        if name:
            check_name(name)
            names[key] = name
        if len(names) > MAX_NAMES:
            raise UsageError(
                f"{MAX_NAMES} names are kept, the limit; forget some first", code="names-full", most=MAX_NAMES
            )
        if self.path is not None:
            write_names(self.path, names)
        self._names = names


def check_name(name: str) -> None:
    """Raise UsageError unless ``name`` can be shown in a line."""
    if not 0 < len(name) <= MAX_NAME_CHARACTERS:
        raise UsageError(
            f"a name of {len(name)} characters: it has 1 to {MAX_NAME_CHARACTERS}",
            code="name-length",
            most=MAX_NAME_CHARACTERS,
        )
    try:
        check_text(name)
    except RuleError as error:
        raise UsageError(f"this name cannot be shown: {error.detail}", code="name-text") from None


def write_names(path: Path, names: dict[bytes, str]) -> None:
    """Make this the book. Raises StorageError."""
    rows = {address_of(key): name for key, name in sorted(names.items(), key=lambda row: (row[1], row[0]))}
    try:
        replace_file(path, msgspec.json.format(msgspec.json.encode(rows), indent=2) + b"\n", SHARED)
    except OSError as error:
        raise StorageError(f"{path}: cannot be written: {error.strerror or error}") from None


def _read(path: Path) -> dict[bytes, str]:
    try:
        if path.stat().st_size > MAX_FILE_SIZE_BYTES:
            raise UsageError(f"{path}: over {MAX_FILE_SIZE_BYTES} bytes")
        rows = msgspec.json.decode(path.read_bytes(), type=dict[str, str])
    except OSError as error:
        raise StorageError(f"{path}: cannot be read: {error.strerror or error}") from None
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(f'{path}: {error}; it says {{"horoi1...": "a name", ...}}') from None
    names = {}
    for address, name in rows.items():
        try:
            check_name(name)
            names[public_key_of(address)] = name
        except HoroiError as error:
            raise UsageError(f"{path}: {address[:100]!r}: {error}") from None
    if len(names) > MAX_NAMES:
        raise UsageError(f"{path}: {len(names)} names, the limit is {MAX_NAMES}")
    return names
