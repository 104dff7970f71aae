"""``horoi lab``: experiments that hold the house against the published figures. One function per command.

Everything heavy is imported inside the command that needs it, so that ``horoi --help`` stays quick.
"""

from __future__ import annotations

from typing import Any

import click

from horoi.cli.lab_compare import compare
from horoi.cli.lab_sweep import sweep
from horoi.cli.output import emit, json_option, reports_errors
from horoi.cli.progress import progress_bar

ATTACK_KINDS = ("private-fork", "selfish", "majority", "stale", "timestamps")
"""The keys of ``horoi.lab.attack.KINDS``, spelled out so that ``--help`` need not import the lab."""

OVERLAYS = ("can", "chord", "kademlia", "pastry", "tapestry")
"""The keys of ``horoi.lab.lookup.OVERLAYS``, for the same reason."""

LATENCIES = ("constant", "uniform", "regions", "king", "plane")
"""The keys of ``horoi.lab.lookup.network.LATENCIES``, for the same reason."""


@click.group("lab")
def lab() -> None:
    """Run experiments: attacks, comparisons, and the papers' figures."""


lab.add_command(compare)
lab.add_command(sweep)


@lab.command("attack")
@click.option("--kind", type=click.Choice(ATTACK_KINDS), help="Which attack to play.")
@click.option("--share", type=float, help="The attacker's share of the hash power, 0 to 1.")
@click.option("--trials", type=int, help="How many trials (selfish, timestamps: blocks; stale: heights).")
@click.option("--seed", type=int, help="One seed is one universe. [default: 1]")
@click.option("--confirmations", type=int, help="private-fork: z; majority: depth of the fork. [default: 6]")
@click.option(
    "--model",
    type=click.Choice(("rosenfeld", "nakamoto")),
    help="private-fork: the true race, or Nakamoto's Poisson approximation. [default: rosenfeld]",
)
@click.option(
    "--estimator",
    type=click.Choice(("race", "conditional", "importance")),
    help="private-fork: play each race to its end, or reduce the variance. [default: race]",
)
@click.option("--premined", type=int, help="private-fork: secret blocks in hand when paying. [default: 1]")
@click.option("--gamma", type=float, help="selfish: part of the others that mines on the pool's block in a tie.")
@click.option("--horizon", type=int, help="majority: blocks of anyone until the attacker gives up.")
@click.option("--delay", "delay_s", type=float, help="stale: seconds a block takes to reach everybody.")
@click.option("--interval", "interval_s", type=float, help="stale, timestamps: mean seconds between blocks.")
@click.option("--offset", "offset_s", type=float, help="timestamps: seconds the liar stamps into the future.")
@click.option("--half-life", "half_life_s", type=float, help="timestamps: ASERT's half-life in seconds.")
@click.option("--published", is_flag=True, help="Play the papers' tables instead, and print ours beside them.")
@json_option
@reports_errors
def attack(kind: str | None, published: bool, as_json: bool, **options: Any) -> None:
    """Attack proof of work, block by block, and compare with the published formula.

    \b
    Examples:
      horoi lab attack --kind private-fork --share 0.3 --confirmations 6 --trials 10000 --seed 1 --json
      horoi lab attack --kind selfish --share 0.35 --gamma 0.5
      horoi lab attack --published

    Exits with 0 whether or not the two agree: read "agrees".
    """
    params = {name: value for name, value in options.items() if value is not None}
    if published:
        _attack_published(kind, params, as_json)
        return
    if kind is None:
        raise click.UsageError(f"say which attack: --kind {'|'.join(ATTACK_KINDS)}, or --published")
    from horoi.lab.attack import run

    with progress_bar(kind) as progress:
        result = run(kind, progress=progress, **params)
    emit(result, as_json, render_result)


@lab.command("ledger")
@click.option("--nodes", type=click.IntRange(3, 1_000), default=30, show_default=True, help="How many nodes.")
@click.option(
    "--minutes", type=click.FloatRange(1, 100_000), default=60.0, show_default=True, help="Simulated minutes."
)
@click.option("--seed", type=int, default=7, show_default=True, help="One seed is one universe.")
@click.option(
    "--rate", "transactions_per_s", type=float, default=0.5, show_default=True, help="Transactions per second."
)
@click.option("--interval", "interval_s", type=float, default=15.0, show_default=True, help="Seconds between blocks.")
@click.option("--crashes", type=int, default=12, show_default=True, help="Crashes in the middle of a disk write.")
@click.option("--leaves", type=int, default=8, show_default=True, help="Nodes that leave and come back.")
@json_option
@reports_errors
def ledger(as_json: bool, **options: Any) -> None:
    """Run whole nodes in one simulated universe: load, a partition, crashes with torn writes, churn, double spends.

    \b
    Examples:
      horoi lab ledger --nodes 30 --minutes 60 --seed 7 --json
      horoi lab ledger --nodes 8 --minutes 10

    Exits with 1 if the nodes do not converge, a quantity was made or lost, or a confirmed transaction is gone.
    """
    from horoi.lab.ledger import Scenario, run

    with progress_bar("simulating") as advance:
        result = run(Scenario(**options), lambda part: advance(int(part * 1000), 1000) if advance else None)
    emit(result, as_json, _render_ledger)
    if not (result["converged"] and result["conserved"] and result["lost_confirmed"] == 0):
        raise click.exceptions.Exit(1)


def _render_ledger(result: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    for name, value in result.items():
        table.add_row(name, str(value))
    Console().print(table)


def _attack_published(kind: str | None, params: dict[str, Any], as_json: bool) -> None:
    seed = params.pop("seed", 1)
    if kind is not None or params:
        raise click.UsageError("--published plays fixed tables: it takes --seed and --json only")
    from horoi.lab.attack.published import compare, markdown

    with progress_bar("published tables") as progress:
        rows = compare(seed, progress)
    emit({"seed": seed, "rows": rows}, as_json, lambda data: click.echo(markdown(data["rows"])))


@lab.command("lookup")
@click.option("--overlay", type=click.Choice(OVERLAYS), help="Which overlay. [default: chord]")
@click.option("--peers", type=int, help="How many peers. [default: 1000]")
@click.option("--lookups", type=int, help="How many lookups of random keys by random peers. [default: 1000]")
@click.option("--seed", type=int, help="One seed is one universe. [default: 1]")
@click.option("--fail", type=float, help="Share of the peers that die at once before the lookups; nobody repairs.")
@click.option("--median-session", "median_session_s", type=float, help="Churn: median seconds that a peer stays.")
@click.option("--minutes", type=float, help="Churn: how long it goes on, the first two to warm up. [default: 10]")
@click.option("--loss", type=float, help="Share of the datagrams that are lost.")
@click.option("--latency", type=click.Choice(LATENCIES), help="Model of distances. [default: regions]")
@click.option("--dimensions", type=int, help="CAN: d. [default: 2]")
@click.option("--digit-bits", type=int, help="Pastry, Tapestry: b. [default: 4]")
@click.option("--leaf-set", type=int, help="Pastry: L. [default: 16]")
@click.option("--k", type=int, help="Kademlia: contacts in a bucket. [default: 20]")
@click.option("--alpha", type=int, help="Kademlia: requests at once. [default: 3]")
@click.option(
    "--successors",
    type=int,
    help="Chord: length r of the successor list, which lookups then search too; without it 20 are kept, and used by "
    "lookups only where peers fail, leave or lie.",
)
@click.option("--virtual", type=int, help="Chord: virtual nodes of each peer. [default: 1]")
@click.option("--adversaries", type=float, help="Share of the peers that lie about who owns what.")
@click.option("--pace", type=float, help="How often upkeep is done; 2 is twice as often. [default: 1]")
@click.option(
    "--disjoint",
    type=int,
    help="Kademlia: paths of a lookup that never ask the same peer. [default: 1, 4 where some lie]",
)
@click.option("--free-ids", is_flag=True, default=None, help="Kademlia: believe ids that are bound to nothing.")
@click.option(
    "--start",
    type=click.Choice(("joins", "converged")),
    help="How the network begins. [default: joins up to 128 peers]",
)
@json_option
@reports_errors
def lookup(as_json: bool, **options: Any) -> None:
    """Look keys up in a simulated overlay, and count what it costs.

    Hops count the final hop, to the owner. Messages are all datagrams, requests and replies; rpcs are requests alone.

    \b
    Examples:
      horoi lab lookup --overlay chord --peers 1000 --lookups 1000 --seed 1 --json
      horoi lab lookup --peers 1000 --successors 20 --fail 0.5 --lookups 10000
      horoi lab lookup --peers 1000 --median-session 84 --minutes 10

    Bytes of upkeep are zero where peers stand still: with --fail, and above 5000 peers.
    """
    from horoi.lab.lookup import run

    params = {name: value for name, value in options.items() if value is not None}
    with progress_bar(params.get("overlay", "chord")) as progress:
        result = run(progress=progress, **params)
    emit(result, as_json, render_figures)


def render_figures(result: dict[str, Any]) -> None:
    """Print one result as a table of names and values."""
    from rich.console import Console
    from rich.table import Table

    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in result.items():
        text = (
            f"{value:.5g}"
            if isinstance(value, float)
            else " ".join(map(str, value))
            if isinstance(value, list)
            else str(value)
        )
        table.add_row(name.replace("_", " "), text)
    Console(highlight=False).print(table)


def render_result(result: dict[str, Any]) -> None:
    """Print one result as a table of names and values, the verdict last."""
    from rich.console import Console
    from rich.table import Table

    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in result.items():
        if name not in ("agrees", "warning"):
            table.add_row(name.replace("_", " "), f"{value:.7g}" if isinstance(value, float) else str(value))
    console = Console(highlight=False)
    console.print(table)
    if "warning" in result:
        console.print(f"warning: {result['warning']}")
    verdict = "agree" if result["agrees"] else "DO NOT agree"
    console.print(f"measured and predicted {verdict} (within four standard errors)")
