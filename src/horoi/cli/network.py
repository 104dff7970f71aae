"""``horoi network``: the genesis file, which a network's companies agree on before its first block."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from horoi.base.errors import UsageError
from horoi.cli.durations import duration
from horoi.cli.output import emit, json_option, reports_errors
from horoi.cli.settings import api_option, dir_option, node_folder

if TYPE_CHECKING:
    from horoi.ledger.genesis import Genesis
    from horoi.ledger.transaction import Holding

HALF_LIFE_INTERVALS = 288  # Bitcoin Cash: two days of ten-minute blocks (aserti3-2d)
FUTURE_INTERVALS = 12  # Bitcoin: two hours of ten-minute blocks
MATURITY_BLOCKS = 100  # Bitcoin
FIRST_BLOCK_SHARE = 20_000  # hashes per second that the first blocks are made for: what ``horoi node run --mine`` does
EASIEST_PART = 64  # a network that slept falls to this part of its first difficulty at most; a guess


@click.group("network")
def network() -> None:
    """Write or read a genesis file."""


@network.command("new")
@click.argument("name")
@click.option(
    "-o",
    "--out",
    metavar="FILE",
    type=click.Path(path_type=Path),
    default=Path("genesis.json"),
    show_default=True,
    help="Where it is written; never over another file.",
)
@click.option(
    "--interval", "interval_ms", type=duration, default="60s", show_default=True, help="Mean time between blocks."
)
@click.option(
    "--half-life",
    "half_life_ms",
    type=duration,
    help=f"ASERT: how late or early doubles or halves the difficulty. [default: {HALF_LIFE_INTERVALS} intervals]",
)
@click.option(
    "--future-limit",
    type=click.IntRange(min=1),
    default=FUTURE_INTERVALS,
    show_default=True,
    help="Intervals that a header may be ahead of a clock.",
)
@click.option(
    "--maturity",
    type=click.IntRange(min=1),
    default=MATURITY_BLOCKS,
    show_default=True,
    help="Blocks until a reward may be spent.",
)
@click.option("--reward", type=click.IntRange(0, 2**64 - 1), default=50, show_default=True, help="Coins per block.")
@click.option(
    "--halving",
    "halving_blocks",
    type=click.IntRange(0, 2**32 - 1),
    default=0,
    show_default=True,
    help="Blocks until the reward halves; 0: never.",
)
@click.option(
    "--fee-floor", type=click.IntRange(0, 2**64 - 1), default=0, show_default=True, help="Least fee per 1000 bytes."
)
@click.option("--block-size", type=int, default=4_000_000, show_default=True, help="Most bytes of a block.")
@click.option(
    "--issuer", "issuers", metavar="WHO", multiple=True, help="Who may define assets. Repeat. [default: anybody]"
)
@click.option(
    "--first-hashes",
    type=click.IntRange(min=1),
    help="Hashes that the first block takes on average. [default: 20000 per second of interval]",
)
@click.option(
    "--easiest-hashes",
    type=click.IntRange(min=1),
    help="Hashes that any block takes at least. [default: a 64th of the first]",
)
@click.option("--grant", "grants", metavar="WHO:QTY", multiple=True, help="Coins that exist from the start. Repeat.")
@dir_option
@json_option
@reports_errors
def new(name: str, out: Path, folder: Path | None, as_json: bool, **options: Any) -> None:
    """Write a genesis file. All nodes of a network start from the same one.

    \b
    Examples:
      horoi network new aegean -o genesis.json
      horoi network new demo --interval 2s --maturity 3 --issuer office --fee-floor 1 --grant office:1000000
    """
    from horoi.ledger.genesis import to_json

    genesis = build(name, node_folder(folder), **options)
    try:
        with out.open("xb") as file:
            file.write(to_json(genesis))
    except FileExistsError:
        raise UsageError(f"file {out} exists already: a genesis is never overwritten; choose another with -o") from None
    except OSError as error:
        raise UsageError(f"file {out}: cannot be written: {error.strerror or error}") from None
    emit({"file": str(out), **described(genesis)}, as_json, _render)


@network.command("show")
@click.argument("file", type=click.Path(path_type=Path), required=False)
@api_option
@json_option
@reports_errors
def show(file: Path | None, api: str | None, as_json: bool) -> None:
    """What a genesis file says; without FILE, that of the running node.

    \b
    Example:
      horoi network show genesis.json
    """
    from horoi.cli.genesis_file import read_genesis
    from horoi.ledger.genesis import from_json

    if file is not None:
        genesis = read_genesis(file)
    else:
        from horoi.cli.api import connect

        with connect(api) as client:
            genesis = from_json(client.genesis())
    emit({"file": str(file) if file else None, **described(genesis)}, as_json, _render)


def build(
    name: str,
    folder: Path,
    *,
    interval_ms: int,
    half_life_ms: int | None,
    future_limit: int,
    maturity: int,
    reward: int,
    halving_blocks: int,
    fee_floor: int,
    block_size: int,
    issuers: tuple[str, ...],
    first_hashes: int | None,
    easiest_hashes: int | None,
    grants: tuple[str, ...],
) -> Genesis:
    """The genesis that these options say, checked. Raises UsageError or RuleError."""
    import time

    from horoi.cli.people import who
    from horoi.ledger.consensus.nakamoto.target import compact
    from horoi.ledger.genesis import Genesis, Nakamoto, RewardSchedule, from_json, to_json
    from horoi.node.wallet.text import condition_from_json

    first = first_hashes or max(1, FIRST_BLOCK_SHARE * interval_ms // 1000)
    easiest = easiest_hashes or max(1, first // EASIEST_PART)
    if easiest > first:
        raise UsageError(f"--easiest-hashes {easiest} is more than --first-hashes {first}")
    consensus = Nakamoto(
        interval_ms=interval_ms,
        half_life_ms=half_life_ms or HALF_LIFE_INTERVALS * interval_ms,
        future_limit=future_limit,
        maturity=maturity,
        first_target=compact(2**256 // first - 1),
        easiest_target=compact(2**256 // easiest - 1),
        reward=RewardSchedule(reward, halving_blocks),
    )
    genesis = Genesis(
        name=name,
        created_ms=int(time.time() * 1000),
        consensus=consensus,
        fee_floor=fee_floor,
        max_block_size_bytes=block_size,
        issuers=tuple(condition_from_json(who(issuer, folder)) for issuer in issuers),
        grants=tuple(_grant(text, folder) for text in grants),
    )
    return from_json(to_json(genesis))


def _grant(text: str, folder: Path) -> Holding:
    from horoi.cli.people import who
    from horoi.ledger.transaction import NATIVE, Holding
    from horoi.node.wallet.text import condition_from_json

    owner, colon, quantity = text.rpartition(":")
    if not colon or not quantity.isascii() or not quantity.isdigit():
        raise UsageError(f"grant {text[:100]!r}: write WHO:QTY, as in office:1000000")
    return Holding(NATIVE, int(quantity), condition_from_json(who(owner, folder)), None)


def described(genesis: Genesis) -> dict[str, Any]:
    """A genesis as people read it."""
    from horoi.ledger.consensus.nakamoto import target
    from horoi.ledger.genesis import network_id
    from horoi.node.wallet.text import condition_to_json, format_time

    consensus = genesis.consensus
    return {
        "network": network_id(genesis).hex(),
        "name": genesis.name,
        "created": format_time(genesis.created_ms),
        "consensus": "nakamoto",
        "interval_ms": consensus.interval_ms,
        "half_life_ms": consensus.half_life_ms,
        "future_limit": consensus.future_limit,
        "maturity": consensus.maturity,
        "first_hashes": 2**256 // (target.expand(consensus.first_target) + 1),
        "easiest_hashes": 2**256 // (target.expand(consensus.easiest_target) + 1),
        "reward": consensus.reward.initial,
        "halving_blocks": consensus.reward.halving_blocks,
        "fee_floor": genesis.fee_floor,
        "max_block_size_bytes": genesis.max_block_size_bytes,
        "issuers": [condition_to_json(issuer) for issuer in genesis.issuers],
        "grants": [
            {"asset": g.asset.hex(), "quantity": str(g.quantity), "owner": condition_to_json(g.owner)}
            for g in genesis.grants
        ],
    }


def _render(data: dict[str, Any]) -> None:
    from horoi.cli.render import fields, who

    shown = {name.replace("_", " "): value for name, value in data.items() if name not in ("issuers", "grants")}
    shown["issuers"] = "; ".join(who(issuer) for issuer in data["issuers"]) or "anybody"
    shown["grants"] = "; ".join(f"{grant['quantity']} to {who(grant['owner'])}" for grant in data["grants"]) or "none"
    fields(shown)
