"""The genesis: everything that the companies of a network agree on before its first block.

The network's id is the tagged hash of the genesis. It is in every transaction id (nothing replays elsewhere) and is the
parent of the first block (no chain of another network can be taken for one of this).
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from horoi.base.codec import Record, encode
from horoi.base.errors import RuleError, UsageError
from horoi.base.hashing import tagged
from horoi.ledger import conditions
from horoi.ledger.conditions import Condition
from horoi.ledger.rules import check_output
from horoi.ledger.transaction import Holding, Name, Quantity

MIN_BLOCK_SIZE_BYTES = 200_000  # two of the largest transactions
MAX_BLOCK_SIZE_BYTES = 32_000_000  # a frame of the wire; a guess at what a loopback consortium needs

_network_hash = tagged("horoi/network")

Count = Annotated[int, Meta(ge=1, le=2**32 - 1)]
Milliseconds = Annotated[int, Meta(ge=1, le=2**53)]


class RewardSchedule(Record, frozen=True):
    """Compensation: ``initial`` coins per block, halved every ``halving_blocks`` (0: never)."""

    initial: Quantity
    halving_blocks: Annotated[int, Meta(ge=0, le=2**32 - 1)]


class Nakamoto(Record, frozen=True, tag="nakamoto", tag_field="kind"):
    """Order by hash puzzle and heaviest chain. Times in ms; ``future_limit`` and ``maturity`` in block intervals."""

    interval_ms: Milliseconds
    half_life_ms: Milliseconds
    """ASERT: a chain this much late or early changes its difficulty by a factor of 2."""
    future_limit: Count
    """A header may be this many intervals ahead of a node's clock."""
    maturity: Count
    """A reward may be spent this many blocks after its own."""
    first_target: Annotated[int, Meta(ge=0, le=2**32 - 1)]
    """The target of the first block, in compact form (puzzle.py)."""
    easiest_target: Annotated[int, Meta(ge=0, le=2**32 - 1)]
    """No block's target is easier than this: the difficulty of a network that slept falls no further."""
    reward: RewardSchedule


class Genesis(Record, frozen=True):
    """The agreement. ``grants`` are holdings that exist from the start."""

    name: Name
    created_ms: Milliseconds
    consensus: Nakamoto
    fee_floor: Quantity
    """Least fee, in the coin's smallest unit, per 1000 bytes of a transaction. May be 0."""
    max_block_size_bytes: Annotated[int, Meta(ge=MIN_BLOCK_SIZE_BYTES, le=MAX_BLOCK_SIZE_BYTES)]
    issuers: Annotated[tuple[Condition, ...], Meta(max_length=1000)]
    """Who may define assets; empty means open issuing."""
    grants: Annotated[tuple[Holding, ...], Meta(max_length=100_000)] = ()


def network_id(genesis: Genesis) -> bytes:
    """The 32-byte name of the network."""
    return _network_hash(encode(genesis))


def check_genesis(genesis: Genesis) -> None:
    """Raise RuleError unless a network can run from this."""
    for issuer in genesis.issuers:
        conditions.check(issuer)
    for grant in genesis.grants:
        check_output(grant)
    if genesis.consensus.half_life_ms < genesis.consensus.interval_ms:
        raise RuleError(
            "genesis.half_life",
            f"{genesis.consensus.half_life_ms} ms is under the interval of {genesis.consensus.interval_ms} ms: "
            "the difficulty would swing with every block",
        )


class _JsonForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a genesis file looks like: for people. Bytes are hex."""

    horoi_genesis: int
    name: str
    created_ms: int
    consensus: dict[str, object]
    fee_floor: int
    max_block_size_bytes: int
    issuers: list[object]
    grants: list[object]


def to_json(genesis: Genesis) -> bytes:
    """The genesis file: JSON, two spaces, bytes in hex, field names as above."""
    form = {"horoi_genesis": 1, **_plain(genesis)}
    return msgspec.json.format(msgspec.json.encode(form), indent=2) + b"\n"


def from_json(data: bytes) -> Genesis:
    """Read a genesis file; raise UsageError with the field that is wrong."""
    try:
        form = msgspec.json.decode(data, type=_JsonForm)
        values = [form.name, form.created_ms, _consensus_values(form.consensus), form.fee_floor]
        rest = [form.max_block_size_bytes, _unhex(form.issuers), _unhex(form.grants)]
        genesis = msgspec.convert([*values, *rest], Genesis, strict=True)
    except (msgspec.MsgspecError, ValueError) as error:
        raise UsageError(f"not a genesis file: {error}") from None
    check_genesis(genesis)
    return genesis


def _plain(genesis: Genesis) -> dict[str, object]:
    consensus = genesis.consensus
    names = [name for name in consensus.__struct_fields__ if name != "reward"]
    return {
        "name": genesis.name,
        "created_ms": genesis.created_ms,
        "consensus": {
            "kind": "nakamoto",
            **{name: getattr(consensus, name) for name in names},
            "reward": {"initial": consensus.reward.initial, "halving_blocks": consensus.reward.halving_blocks},
        },
        "fee_floor": genesis.fee_floor,
        "max_block_size_bytes": genesis.max_block_size_bytes,
        "issuers": [_hex(issuer) for issuer in genesis.issuers],
        "grants": [_hex(grant) for grant in genesis.grants],
    }


def _consensus_values(form: dict[str, object]) -> list[object]:
    names = Nakamoto.__struct_fields__
    unknown = sorted(form.keys() - {"kind", *names})
    lacking = sorted({"kind", *names} - form.keys())
    if unknown or lacking:
        raise ValueError(f"consensus: unknown fields {unknown}, lacking fields {lacking}")
    reward = form["reward"]
    if not isinstance(reward, dict) or sorted(reward) != ["halving_blocks", "initial"]:
        raise ValueError("consensus.reward has the fields initial and halving_blocks")
    values = {**form, "reward": [reward["initial"], reward["halving_blocks"]]}
    return [form["kind"], *(values[name] for name in names)]


def _hex(value: object) -> object:
    """A record as nested lists with bytes in hex."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, Record):
        return _hex(msgspec.msgpack.decode(encode(value)))
    if isinstance(value, list | tuple):
        return [_hex(item) for item in value]
    return value


def _unhex(value: object) -> object:
    """The reverse of ``_hex``: in issuers and grants every string is bytes."""
    if isinstance(value, str):
        return bytes.fromhex(value)
    if isinstance(value, list):
        return [_unhex(item) for item in value]
    return value
