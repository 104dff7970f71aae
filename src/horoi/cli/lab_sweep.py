"""``horoi lab sweep``: many lookup experiments, on all cores or many machines."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from horoi.cli.output import emit, json_option, reports_errors
from horoi.cli.progress import progress_bar

ENGINES = ("cores", "ray", "dask")
"""``horoi.lab.lookup.sweep.engines.ENGINES``, spelled out so that ``--help`` need not import the lab."""

SHOWN = {
    "hops": "hops_mean",
    "messages": "messages_per_lookup",
    "correct": "correct",
    "upkeep B/s": "maintenance_bytes_per_s_per_peer",
    "stretch": "stretch_p50",
}
"""Figures in the table for people, by title; the others are in the file and in --json."""

MAX_SEEDS = 10_000


class Values(click.ParamType[list[Any]]):
    """Several values with commas between them: "100,1000"."""

    def __init__(self, cast: Callable[[str], Any], name: str) -> None:
        self._cast = cast
        self.name = f"{name},..."

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> list[Any]:
        if isinstance(value, list):
            return value
        try:
            return [self._cast(part.strip()) for part in str(value).split(",")]
        except ValueError:
            self.fail(f"{value!r} is not a list like {self.name}; put commas between the values", param, ctx)


WHOLE, REAL, WORDS = Values(int, "int"), Values(float, "float"), Values(str, "text")


@click.command("sweep")
@click.option("--overlay", type=WORDS, help="Overlays: can, chord, kademlia, pastry, tapestry. [default: chord]")
@click.option("--peers", type=WHOLE, help="How many peers. [default: 1000]")
@click.option("--lookups", type=WHOLE, help="How many lookups. [default: 1000]")
@click.option("--fail", type=REAL, help="Share of the peers that die at once before the lookups.")
@click.option("--median-session", "median_session_s", type=REAL, help="Churn: median seconds that a peer stays.")
@click.option("--minutes", type=REAL, help="Churn: how long it goes on. [default: 10]")
@click.option("--loss", type=REAL, help="Share of the datagrams that are lost.")
@click.option("--latency", type=WORDS, help="Models of distances: constant, uniform, regions, king, plane.")
@click.option("--dimensions", type=WHOLE, help="CAN: d. [default: 2]")
@click.option("--digit-bits", type=WHOLE, help="Pastry, Tapestry: b. [default: 4]")
@click.option("--leaf-set", type=WHOLE, help="Pastry: L. [default: 16]")
@click.option("--k", type=WHOLE, help="Kademlia: contacts in a bucket. [default: 20]")
@click.option("--alpha", type=WHOLE, help="Kademlia: requests at once. [default: 3]")
@click.option("--successors", type=WHOLE, help="Chord: length r of the successor list.")
@click.option("--virtual", type=WHOLE, help="Chord: virtual nodes of each peer. [default: 1]")
@click.option("--adversaries", type=REAL, help="Share of the peers that lie.")
@click.option("--disjoint", type=WHOLE, help="Kademlia: paths of a lookup. [default: 1, 4 where some lie]")
@click.option("--pace", type=REAL, help="How often upkeep is done; 2 is twice as often. [default: 1]")
@click.option("--start", type=WORDS, help="How networks begin: joins, converged. [default: joins up to 128 peers]")
@click.option(
    "--seeds", type=click.IntRange(1, MAX_SEEDS), default=5, show_default=True, help="Runs of each combination."
)
@click.option(
    "--first-seed", type=click.IntRange(0), default=1, show_default=True, help="The first seed; others count on."
)
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="Keep results here, one a line.")
@click.option("--cores", type=click.IntRange(1), help="How many runs at once. [default: all processors]")
@click.option("--on", type=click.Choice(ENGINES), default="cores", show_default=True, help="What runs them.")
@click.option("--address", help="Of the Ray or Dask cluster; without it one is started on this machine.")
@json_option
@reports_errors
def sweep(
    seeds: int,
    first_seed: int,
    output: Path | None,
    cores: int | None,
    on: str,
    address: str | None,
    as_json: bool,
    **options: list[Any] | None,
) -> None:
    """Run every combination of the values given, each with several seeds: means, and how sure they are.

    A combination that an overlay does not know (--k for Chord) is run once. With -o what is done is kept: the same command goes
    on where it was stopped. The same sweep gives the same digest on any number of cores and machines.

    \b
    Examples:
      horoi lab sweep --overlay chord,kademlia --peers 100,1000 --fail 0,0.5 --seeds 5 -o sweep.jsonl
      horoi lab sweep --overlay pastry --peers 1000 --digit-bits 1,2,4 --json
      horoi lab sweep --overlay chord --peers 100000 --seeds 100 --on dask --address tcp://scheduler:8786
    """
    from horoi.lab.lookup.sweep.engines import engine
    from horoi.lab.lookup.sweep.grid import grid
    from horoi.lab.lookup.sweep.results import Results
    from horoi.lab.lookup.sweep.sweep import sweep as run_sweep

    given = {name: values for name, values in options.items() if values is not None}
    jobs = grid(given, range(first_seed, first_seed + seeds))
    runner = engine(on, cores=cores, address=address)
    with Results(output) as results, progress_bar(f"{len(jobs)} runs") as progress:
        found = run_sweep(jobs, results, runner, progress)
    emit(found, as_json, _render)


def _render(found: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    given = [cell["options"] for cell in found["cells"]]
    names = [
        name
        for name in dict.fromkeys(name for options in given for name in options)
        if name in ("overlay", "peers") or len({str(options.get(name)) for options in given}) > 1
    ]  # what is the same in all rows is in the command
    for name in names:
        table.add_column(name.replace("_", " "))
    for title in SHOWN:
        table.add_column(title, justify="right")
    for cell in found["cells"]:
        options = [str(cell["options"].get(name, "")) for name in names]
        table.add_row(*options, *(_plus_minus(**cell["figures"][name]) for name in SHOWN.values()))
    console = Console(highlight=False)
    console.print(table)
    console.print(f"{found['runs']} runs, {found['ran_now']} of them now; ± is the 95 % confidence interval")
    console.print(f"digest {found['digest']}", soft_wrap=True)


def _plus_minus(mean: float, plus_minus: float | None) -> str:
    return f"{mean:.4g}" if plus_minus is None else f"{mean:.4g} ± {plus_minus:.2g}"
