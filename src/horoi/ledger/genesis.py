"""The genesis: everything that the companies of a network agree on before its first block.

The network's id is the tagged hash of the genesis. It is in every transaction id (nothing replays elsewhere) and is the
parent of the first block (no chain of another network can be taken for one of this).
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from horoi.base.codec import U64_MAX, Codec, Record, encode
from horoi.base.errors import DecodeError, RuleError, UsageError
from horoi.base.hashing import tagged
from horoi.ledger import conditions
from horoi.ledger.conditions import Condition
from horoi.ledger.consensus.nakamoto.target import compact, expand
from horoi.ledger.rules import check_output, check_text
from horoi.ledger.transaction import Holding, Name, Quantity

MIN_BLOCK_SIZE_BYTES = 200_000  # two of the largest transactions
MAX_BLOCK_SIZE_BYTES = 32_000_000  # a frame of the wire; a guess at what a loopback consortium needs

MAX_GRANTS = 2**16  # an outpoint's index has 16 bits
MAX_GENESIS_SIZE_BYTES = MAX_BLOCK_SIZE_BYTES

FORMAT = 1  # of the genesis file

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
    grants: Annotated[tuple[Holding, ...], Meta(max_length=MAX_GRANTS)] = ()


genesis_codec: Codec[Genesis] = Codec(Genesis, max_size_bytes=MAX_GENESIS_SIZE_BYTES)


def network_id(genesis: Genesis) -> bytes:
    """The 32-byte name of the network."""
    return _network_hash(encode(genesis))


def check_genesis(genesis: Genesis) -> None:
    """Raise RuleError unless a network can run from this."""
    check_text(genesis.name)
    for issuer in genesis.issuers:
        conditions.check(issuer)
    _check_grants(genesis.grants)
    _check_difficulty(genesis.consensus)


def _check_grants(grants: tuple[Holding, ...]) -> None:
    """Each as any output, their sums within 64 bits, and of one asset all or none with custodians."""
    sums: dict[bytes, int] = {}
    custody: dict[bytes, bool] = {}
    for grant in grants:
        check_output(grant)
        tracked = grant.custodian is not None
        if custody.setdefault(grant.asset, tracked) != tracked:
            raise RuleError("genesis.grants", f"asset {grant.asset.hex()} has custodians everywhere or nowhere")
        sums[grant.asset] = sums.get(grant.asset, 0) + grant.quantity
        if sums[grant.asset] > U64_MAX:
            raise RuleError("genesis.grants", f"the grants of asset {grant.asset.hex()} are over 2**64 - 1")


def _check_difficulty(consensus: Nakamoto) -> None:
    first, easiest = expand(consensus.first_target), expand(consensus.easiest_target)
    if compact(first) != consensus.first_target or compact(easiest) != consensus.easiest_target:
        raise RuleError("genesis.target", "a target is written in its shortest compact form")
    if first > easiest:
        raise RuleError(
            "genesis.target",
            f"first target {consensus.first_target:08x} is easier than the easiest {consensus.easiest_target:08x}",
        )
    lie_ms = consensus.future_limit * consensus.interval_ms
    if consensus.half_life_ms < lie_ms:
        raise RuleError(
            "genesis.half_life",
            f"{consensus.half_life_ms} ms is under the {lie_ms} ms that a header may be in the future: a miner whose "
            "clock lies could more than double the target; raise half_life_ms or lower future_limit",
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
    form = {"horoi_genesis": FORMAT, **_plain(genesis)}
    return msgspec.json.format(msgspec.json.encode(form), indent=2) + b"\n"


def from_json(data: bytes) -> Genesis:
    """Read a genesis file; raise UsageError with the field that is wrong, RuleError if no network can run from it."""
    try:
        form = msgspec.json.decode(data, type=_JsonForm)
        if form.horoi_genesis != FORMAT:
            raise ValueError(f"format {form.horoi_genesis}, this version reads {FORMAT}")
        values = [form.name, form.created_ms, _consensus_values(form.consensus), form.fee_floor]
        rest = [form.max_block_size_bytes, _unhex(form.issuers), _unhex(form.grants)]
        genesis = msgspec.convert([*values, *rest], Genesis, strict=True)
        genesis = genesis_codec.decode(encode(genesis))
    except (msgspec.MsgspecError, DecodeError, ValueError, OverflowError, RecursionError) as error:
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
