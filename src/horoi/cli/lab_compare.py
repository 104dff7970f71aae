"""``horoi lab compare``: all overlays on one trace."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from horoi.cli.lab_sweep import ENGINES, WORDS
from horoi.cli.output import emit, json_option, reports_errors
from horoi.cli.progress import progress_bar


@click.command("compare")
@click.option("--peers", type=click.IntRange(16), required=True, help="How many peers the largest networks have.")
@click.option("--lookups", type=click.IntRange(1), default=2000, show_default=True, help="Lookups of each run.")
@click.option("--seed", type=int, default=1, show_default=True, help="One seed is one trace.")
@click.option("--overlays", type=WORDS, help="Which, with commas between. [default: all]")
@click.option(
    "--latency",
    type=click.Choice(("constant", "uniform", "regions", "king", "plane")),
    default="regions",
    show_default=True,
    help="Model of distances.",
)
@click.option("--churn-peers", type=click.IntRange(16), help="Peers where they come and go. [default: at most 200]")
@click.option("--minutes", type=float, help="How long they do, the first two to warm up. [default: 4]")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, file_okay=False), required=True, help="The folder to write to."
)
@click.option("--cores", type=click.IntRange(1), help="How many runs at once. [default: all processors]")
@click.option("--on", type=click.Choice(ENGINES), default="cores", show_default=True, help="What runs them.")
@click.option("--address", help="Of the Ray or Dask cluster; without it one is started on this machine.")
@json_option
@reports_errors
def compare(
    overlays: list[str] | None,
    output: Path,
    cores: int | None,
    on: str,
    address: str | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Compare the overlays: the same peers in the same places, the same keys, lookups, failures and departures.

    Writes a page to read (index.html), its pictures, a table and all numbers. Needs matplotlib: pip install 'horoi[plots]'.
    A comparison that was stopped goes on where it was, with the same command.

    \b
    Examples:
      horoi lab compare --peers 1000 -o compared
      horoi lab compare --peers 200 --lookups 500 --overlays chord,kademlia -o compared --json
    """
    from horoi.lab.lookup.compare.compare import compare as run
    from horoi.lab.lookup.compare.plan import Plan
    from horoi.lab.lookup.sweep.engines import engine

    given = {name: value for name, value in options.items() if value is not None}
    if overlays is not None:
        given["overlays"] = tuple(overlays)
    plan = Plan(**given)
    runner = engine(on, cores=cores, address=address)
    with progress_bar(f"{len(plan.jobs())} runs") as progress:
        found = run(plan, output, runner, progress)
    emit(found, as_json, lambda data: _render(data, output))


def _render(found: dict[str, Any], output: Path) -> None:
    from rich.console import Console
    from rich.table import Table

    from horoi.lab.lookup.compare.table import LEGEND, rows

    titles, *body = rows(found)
    table = Table(box=None, pad_edge=False)
    table.add_column(titles[0])
    for title in titles[1:]:
        table.add_column(title, justify="right")
    for cells in body:
        table.add_row(*cells)
    console = Console(highlight=False)
    console.print(table)
    console.print(" ".join(LEGEND.split()))
    console.print(f"read {output / 'index.html'}", soft_wrap=True)
