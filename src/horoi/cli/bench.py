"""``horoi bench``: what this machine does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from horoi.cli.bench_board import bench_board
from horoi.cli.output import emit, json_option, reports_errors


@click.group("bench")
def bench() -> None:
    """Measure speed and size on this machine. Figures are ratios to a yardstick measured in the same run."""


bench.add_command(bench_board)


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


@bench.command("sim")
@click.option(
    "--scale",
    type=click.FloatRange(0.001, 1.0),
    default=1.0,
    show_default=True,
    help="Below 1: a smaller, rougher run.",
)
@json_option
@reports_errors
def bench_sim(as_json: bool, scale: float) -> None:
    """The simulator: its event queue beside a bare heapq, and lookup messages between real machines, per overlay.

    \b
    Examples:
      horoi bench sim
      horoi bench sim --scale 0.1 --json

    Rates are per second of processor time, on one core.
    """
    from horoi.cli.progress import progress_bar
    from horoi.lab.bench.sim import run

    with progress_bar("the simulator") as advance:
        result = run(scale=scale, progress=lambda what, part: advance(int(part * 100), 100) if advance else None)
    emit(result, as_json, _print_sim)


@bench.command("dht")
@click.option(
    "--nodes", type=click.IntRange(2, 1000), multiple=True, help="Size of the network. Repeat. [default: 50 and 200]"
)
@click.option(
    "--scale", type=click.FloatRange(0.01, 1.0), default=1.0, show_default=True, help="Below 1: a smaller, rougher run."
)
@json_option
@reports_errors
def bench_dht(as_json: bool, nodes: tuple[int, ...], scale: float) -> None:
    """Kademlia over real sockets on loopback, beside PyPI's kademlia: puts and gets per second of processor time.

    \b
    Examples:
      horoi bench dht
      horoi bench dht --nodes 50 --json

    The peer to compare with is the extra "bench": pip install 'horoi[bench]'.
    """
    from horoi.cli.progress import progress_bar
    from horoi.lab.bench.dht import run_bench

    with progress_bar("two networks") as advance:
        result = run_bench(
            nodes or (50, 200),
            scale=scale,
            progress=lambda what, part: advance(int(part * 100), 100) if advance else None,
        )
    emit(result, as_json, _print_dht)


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


def _print_sim(result: dict[str, Any]) -> None:
    _print_table(
        "Simulated time on this machine",
        ("events pending", "events/s", "bare heapq", "ratio"),
        [(f"{row['pending']:,}", row["events_per_s"], row["heapq_per_s"], row["ratio"]) for row in result["queue"]],
    )
    _print_table(
        "Lookups between real machines",
        ("overlay", "peers", "messages/s", "events/s", "messages per lookup"),
        [
            (row["overlay"], row["peers"], row["messages_per_s"], row["events_per_s"], row["messages_per_lookup"])
            for row in result["lookups"]
        ],
    )


def _print_dht(result: dict[str, Any]) -> None:
    names = {"theirs": result["peer"], "theirs_fast": result["peer"], "ours": "horoi", "ours_k20": "horoi"}
    for network in result["networks"]:
        sides = {name: network[name] for name in names if name in network}
        _print_table(
            f"{network['nodes']} peers in one process, per second of processor time",
            ("who", "k", "loop", "put", "put, 16 at once", "get", "get, 16 at once"),
            [
                (names[name], each["k"], each["loop"], *(each[f"{rate}_per_s"] for rate in DHT_RATES))
                for name, each in sides.items()
            ],
        )
        rows = [
            (
                " to ".join(
                    f"{names[name]} ({sides[name]['loop']}, k {sides[name]['k']})" for name in pair.split(" to ")
                ),
                *ratio,
            )
            for pair, ratio in ((pair, ratios.values()) for pair, ratios in network["ratios"].items())
        ]
        _print_table("Ratios", ("which", "put", "put, 16 at once", "get", "get, 16 at once"), rows)


DHT_RATES = ("put", "put_16", "get", "get_16")


def _print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(title=title)
    for place, name in enumerate(columns):
        table.add_column(name, justify="right" if place else "left")
    for row in rows:
        table.add_row(*(f"{value:,}" if isinstance(value, int | float) else str(value) for value in row))
    Console().print(table)
