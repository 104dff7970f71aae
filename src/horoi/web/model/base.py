"""The words that all records of the API share."""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias

import msgspec
from msgspec import Meta

Hash: TypeAlias = Annotated[
    str, Meta(pattern="^[0-9a-f]{64}$", description="32 bytes in lowercase hexadecimal: a hash, an id or a key.")
]
HexBytes: TypeAlias = Annotated[str, Meta(pattern="^([0-9a-f]{2})*$", description="Bytes in lowercase hexadecimal.")]
Number: TypeAlias = Annotated[
    str,
    Meta(
        pattern="^(0|[1-9][0-9]*)$",
        description="A whole number as a string, because it may pass 2**53. A quantity is in the asset's smallest unit.",
    ),
]
AmountText: TypeAlias = Annotated[
    str,
    Meta(
        pattern=r"^[0-9]+(\.[0-9]+)?$",
        max_length=64,
        description="Decimal text in the asset's unit, exact: 10.5 of an asset with two decimals is 1050 of its smallest unit.",
    ),
]
TimeMs: TypeAlias = Annotated[int, Meta(ge=0, le=2**53, description="Milliseconds since 1970 (UTC).")]
TimeText: TypeAlias = Annotated[
    str | None, Meta(description="The same time in RFC 3339; null beyond the year 9999, which it cannot write.")
]
Height: TypeAlias = Annotated[int, Meta(ge=0, le=2**32 - 1, description="Number of a block; the genesis is 0.")]
ConditionForm: TypeAlias = Annotated[
    str | dict[str, Any],
    Meta(
        description="Who may act: an address, a key in hexadecimal, or an object: "
        '{"threshold": 2, "keys": [...]}, {"any": [...]}, {"all": [...]}, {"after_height": 1200}, '
        '{"after_time": "2026-12-01T00:00:00Z"}, {"preimage": HASH}.'
    ),
]
AssetText: TypeAlias = Annotated[
    str, Meta(min_length=1, max_length=64, description="An asset's id, its name if only one asset has it, or `coin`.")
]


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """Base of what the API answers. A client ignores fields that it does not know."""


class Asking(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of what the API is asked. A field that nobody knows is a mistake, and refused."""


class Problem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What went wrong (RFC 9457). ``type`` is ``urn:horoi:problem:`` and the error's family."""

    type: str
    title: str
    status: int
    detail: str
    rule: str | None = None
    """The stable name of the ledger's or the pool's rule that broke."""
    code: str | None = None
    """The stable name of the refusal, for whoever says it in another language; of a broken rule, the rule's."""
    values: dict[str, str | int] = {}
    """What the refusal is about: the places in its sentence."""


class NoQuery(Asking, frozen=True, kw_only=True):
    """No parameters."""
