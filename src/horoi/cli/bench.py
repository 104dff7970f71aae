"""``horoi bench``: what this machine does."""

from __future__ import annotations

from typing import Any

import click

from horoi.cli.output import emit, json_option, reports_errors


@click.group("bench")
def bench() -> None:
    """Measure speed and size on this machine. Figures are ratios to a yardstick measured in the same run."""


@bench.command("ledger")
@click.option(
    "--scale", type=click.FloatRange(0.01, 1.0), default=1.0, show_default=True, help="Below 1: a smaller, rougher run."
)
@json_option
@reports_errors
def bench_ledger(as_json: bool, scale: float) -> None:
    """The ledger: verify, connect, admit, sync, a network of four. Takes some minutes.

    \b
    Examples:
      horoi bench ledger
      horoi bench ledger --scale 0.1 --json
    """
    from horoi.cli.progress import progress_bar
    from horoi.lab.bench.ledger import run

    with progress_bar("the ledger") as advance:
        result = run(scale=scale, progress=lambda what, part: advance(int(part * 100), 100) if advance else None)
    emit(result, as_json, _print_ledger)


ROWS = (
    ("verify_per_s", "signatures verified, bare coincurve, one core", ""),
    ("connect_per_s", "transactions connected, one core", "ratio"),
    ("connect_2_per_s", "the same, signatures on threads", "ratio_2_to_1"),
    ("utxo_1m_connect_per_s", "the same, a million cold holdings", "utxo_1m_cost"),
    ("admit_per_s", "admitted to a mempool over HTTP", ""),
    ("sync_per_s", "fetched by a fresh node over TLS", "sync_ratio"),
    ("network_per_s", "confirmed by all of four nodes", ""),
    ("idle_rss_mb", "MB of an idle node", ""),
    ("idle_cpu_percent", "% of a core of an idle, mining node", ""),
)


def _print_ledger(result: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(title="The ledger on this machine")
    for name in ("figure", "what", "value", "ratio"):
        table.add_column(name, justify="right" if name in ("value", "ratio") else "left")
    for key, what, ratio in ROWS:
        table.add_row(key, what, f"{result[key]:,}", str(result[ratio]) if ratio else "")
    Console().print(table)
