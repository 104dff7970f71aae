"""``horoi bench board``: what the explorer's data, search, proofs and EPCIS cost on this machine."""

from __future__ import annotations

from typing import Any

import click

from horoi.cli.output import emit, json_option, reports_errors


@click.command("board")
@click.option(
    "--scale", type=click.FloatRange(0.01, 1.0), default=1.0, show_default=True, help="Below 1: a smaller, rougher run."
)
@json_option
@reports_errors
def bench_board(as_json: bool, scale: float) -> None:
    """The explorer's data, search, the index rebuilt, boards live, proofs, EPCIS. Takes some minutes.

    \b
    Examples:
      horoi bench board
      horoi bench board --scale 0.1 --json
    """
    from horoi.cli.progress import progress_bar
    from horoi.lab.bench.board import run

    with progress_bar("the board") as advance:
        result = run(scale=scale, progress=lambda what, part: advance(int(part * 100), 100) if advance else None)
    emit(result, as_json, _print_board)


BOARD_ROWS = (
    ("pages_p95_ms", "ms, the slowest page's data, 95 of 100 times"),
    ("search_p95_ms", "ms, full text over all posts"),
    ("rebuild_index_per_s", "transactions a second, index rebuilt from the log"),
    ("board_live_s", "s after a block until all four boards show it"),
    ("proof_verify_ms", "ms, a proof read and verified"),
    ("epcis_capture_per_s", "EPCIS events captured a second"),
)


def _print_board(result: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(
        title=f"{result['transactions']:,} transactions, {result['assets']:,} assets, {result['posts']:,} posts"
    )
    for name in ("figure", "what", "value", "aim", "met"):
        table.add_column(name, justify="right" if name == "value" else "left")
    for key, what in BOARD_ROWS:
        aim = result["aims"][key]
        met = {True: "yes", False: "NO", None: "not measured"}[aim["met"]]
        table.add_row(key, what, "-" if result[key] is None else f"{result[key]:,}", aim["aim"], met)
    Console().print(table)
