"""Assets and documents as people name them, for commands that only read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from horoi.base.errors import NotFoundError, UsageError

if TYPE_CHECKING:
    from horoi.client import Client

COIN_NAME = "coin"
COIN_ID = "0" * 64
HASH_LETTERS = 64


def asset_id(client: Client, text: str) -> str:
    """The id of an asset: as given, of ``coin``, or of a name that only one asset has. NotFoundError or UsageError."""
    if text == COIN_NAME:
        return COIN_ID
    if is_hash(text):
        return text
    named = client.assets(name=text, limit=4).assets
    if not named:
        raise NotFoundError(f"no asset is called {text!r}; define it, wait until that is confirmed, or give its id")
    if len(named) > 1:
        ids = ", ".join(found.id for found in named[:3])
        raise UsageError(f"several assets are called {text!r}: give the id of the one you mean, as in {ids}")
    return named[0].id


def is_hash(text: str) -> bool:
    """Whether it is 32 bytes in lowercase hexadecimal."""
    return len(text) == HASH_LETTERS and all(letter in "0123456789abcdef" for letter in text)
