"""Conditions: who may act on a holding, without a virtual machine.

A condition is a key, k of n keys, after a height or a time, a hash preimage, or an and/or of conditions. That gives
joint approval (k of n), escrow (any of ...), goods that a vanished carrier cannot lock for ever (any of: the carrier,
or all of: after next month, the owner), and atomic exchange across ledgers (all of: the key, the preimage).

``satisfied`` is the whole semantics. Everything a peer can grow is bounded by ``check``.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated, TypeAlias, Union

from msgspec import Meta

from horoi.base.codec import Record, encode
from horoi.base.errors import RuleError
from horoi.base.hashing import sha256

MAX_DEPTH = 4  # a guess: deeper agreements were not found in any escrow or custody contract
MAX_SIZE_BYTES = 1024  # a guess: room for 16 keys and their combinations
MAX_MEMBERS = 16  # a guess: boards that approve jointly are smaller
MAX_PREIMAGE_SIZE_BYTES = 64  # a guess: twice the size of any useful secret

PublicKey: TypeAlias = Annotated[bytes, Meta(min_length=32, max_length=32)]
Hash: TypeAlias = Annotated[bytes, Meta(min_length=32, max_length=32)]


class Key(Record, frozen=True, tag=0, tag_field="kind"):
    """Satisfied by a signature of this key."""

    public: PublicKey


class Threshold(Record, frozen=True, tag=1, tag_field="kind"):
    """Satisfied by signatures of ``needed`` of these keys. Keys stand in ascending order, each once."""

    needed: Annotated[int, Meta(ge=1, le=MAX_MEMBERS)]
    keys: Annotated[tuple[PublicKey, ...], Meta(min_length=1, max_length=MAX_MEMBERS)]


class AfterHeight(Record, frozen=True, tag=2, tag_field="kind"):
    """Satisfied in blocks of this height and above."""

    height: Annotated[int, Meta(ge=1, le=2**32 - 1)]


class AfterTime(Record, frozen=True, tag=3, tag_field="kind"):
    """Satisfied once the median time past of the chain (BIP 113), in ms since 1970, reaches this."""

    time_ms: Annotated[int, Meta(ge=1, le=2**53)]


class Preimage(Record, frozen=True, tag=4, tag_field="kind"):
    """Satisfied by showing bytes whose plain SHA-256 is this: a hash lock, as other ledgers have it."""

    digest: Hash


class AllOf(Record, frozen=True, tag=5, tag_field="kind"):
    """Satisfied when every part is."""

    parts: Annotated[tuple[Condition, ...], Meta(min_length=2, max_length=MAX_MEMBERS)]


class AnyOf(Record, frozen=True, tag=6, tag_field="kind"):
    """Satisfied when at least one part is."""

    parts: Annotated[tuple[Condition, ...], Meta(min_length=2, max_length=MAX_MEMBERS)]


Condition: TypeAlias = Union[  # noqa: UP007 - msgspec resolves the forward reference in the parts from this name
    Key, Threshold, AfterHeight, AfterTime, Preimage, AllOf, AnyOf
]


def check(condition: Condition) -> None:
    """Raise RuleError unless the condition is within its bounds and in its one form.

    Whether a key is a point of the curve is not asked: lifting it costs a tenth of a signature check for every output,
    and who gives to a key that cannot exist harms nobody else. Wallets ask (``base.keys.is_public_key``).
    """
    if type(condition) is Key:
        return
    _check_part(condition, MAX_DEPTH)  # first: nothing else may recurse into a condition of unknown depth
    size_bytes = len(encode(condition))
    if size_bytes > MAX_SIZE_BYTES:
        raise RuleError("condition.size", f"{size_bytes} bytes, the limit is {MAX_SIZE_BYTES}")


def _check_part(condition: Condition, depth_left: int) -> None:
    if depth_left == 0:
        raise RuleError("condition.depth", f"nested deeper than {MAX_DEPTH}")
    if isinstance(condition, Threshold):
        if condition.needed > len(condition.keys):
            raise RuleError("condition.threshold", f"{condition.needed} of {len(condition.keys)} keys")
        if list(condition.keys) != sorted(set(condition.keys)):
            raise RuleError("condition.order", "keys of a threshold stand in ascending order, each once")
    elif isinstance(condition, AllOf | AnyOf):
        for part in condition.parts:
            _check_part(part, depth_left - 1)


def satisfied(
    condition: Condition,
    signers: Collection[bytes],
    hashes_shown: Collection[bytes],
    height: int,
    median_time_ms: int,
) -> bool:
    """True if these signers and shown preimages satisfy the condition in a block of this height and median time.

    With ``height`` and ``median_time_ms`` of -1 no lock has run out: that is how *receiving* is judged, for whoever
    may act only later cannot accept on behalf of the one who may act now.
    """
    if isinstance(condition, Key):
        return condition.public in signers
    if isinstance(condition, Threshold):
        return sum(key in signers for key in condition.keys) >= condition.needed
    if isinstance(condition, AfterHeight):
        return height >= condition.height
    if isinstance(condition, AfterTime):
        return median_time_ms >= condition.time_ms
    if isinstance(condition, Preimage):
        return condition.digest in hashes_shown
    parts = (satisfied(part, signers, hashes_shown, height, median_time_ms) for part in condition.parts)
    return all(parts) if isinstance(condition, AllOf) else any(parts)


def keys_named(condition: Condition) -> tuple[bytes, ...]:
    """Every key that the condition names, in order of appearance."""
    if type(condition) is Key:
        return (condition.public,)
    if isinstance(condition, Threshold):
        return condition.keys
    if isinstance(condition, AllOf | AnyOf):
        return tuple(key for part in condition.parts for key in keys_named(part))
    return ()


def keys_now(condition: Condition) -> tuple[bytes, ...]:
    """The keys that the condition names outside of a lock: those that may act before any height or time has come."""
    if isinstance(condition, AllOf) and any(isinstance(part, AfterHeight | AfterTime) for part in condition.parts):
        return ()
    if isinstance(condition, AllOf | AnyOf):
        return tuple(key for part in condition.parts for key in keys_now(part))
    return keys_named(condition)


def hashes_named(condition: Condition) -> tuple[bytes, ...]:
    """Every hash whose preimage the condition asks for."""
    if isinstance(condition, Preimage):
        return (condition.digest,)
    if isinstance(condition, AllOf | AnyOf):
        return tuple(digest for part in condition.parts for digest in hashes_named(part))
    return ()


def hash_of_preimage(preimage: bytes) -> bytes:
    """What a ``Preimage`` condition names: plain SHA-256, so that locks work across ledgers."""
    return sha256(preimage)
