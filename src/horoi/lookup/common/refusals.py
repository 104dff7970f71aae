"""Why a request of the application is not begun at all; the same in every overlay."""

from __future__ import annotations

from typing import TypeAlias

from horoi.lookup.vocabulary import (
    BAD_KEY,
    BUSY,
    MAX_LOOKUPS,
    MAX_PAYLOAD_BYTES,
    MAX_VALUE_BYTES,
    NOT_JOINED,
    TOO_LARGE,
    FindProviders,
    Get,
    Lookup,
    Provide,
    Put,
    Route,
)

KeyRequest: TypeAlias = Lookup | Route | Put | Get | Provide | FindProviders
"""The requests that are about a key."""


def refusal(request: KeyRequest, *, is_joined: bool, bits: int, under_way: int) -> str:
    """One of the vocabulary's words for why a request fails, or nothing. ``under_way``: the application's lookups."""
    if not is_joined:
        return NOT_JOINED
    if not 0 <= request.key < 1 << bits:
        return BAD_KEY
    if isinstance(request, Put) and len(request.value) > MAX_VALUE_BYTES:
        return TOO_LARGE
    if isinstance(request, Route) and len(request.payload) > MAX_PAYLOAD_BYTES:
        return TOO_LARGE
    return BUSY if under_way >= MAX_LOOKUPS else ""
