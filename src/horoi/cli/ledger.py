"""``horoi ledger``: a node's copy of the record, offline: audit, export, import, rebuild."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from horoi.cli.output import emit, json_option, reports_errors
from horoi.cli.settings import dir_option, node_folder

EXIT_DAMAGED = 6  # as StorageError: the copy is damaged

Progress = Callable[[str, float], None]


@click.group("ledger")
def ledger() -> None:
    """Audit, export, import, rebuild a node's copy. The node must be stopped."""


@ledger.command("audit")
@dir_option
@json_option
@reports_errors
def audit(folder: Path | None, as_json: bool) -> None:
    """Check everything from the first block on: every record, puzzle, signature, transaction, and the state kept.

    Exits with 6 if anything is not as it should be, naming the block and the rule.

    \b
    Example:
      horoi ledger audit --dir /srv/horoi
    """
    from horoi.node.audit import audit as run

    with progress_bar() as progress:
        report = run(node_folder(folder), progress=progress)
    emit(report.to_dict(), as_json, _render_report)
    if not report.ok:
        raise SystemExit(EXIT_DAMAGED)


@ledger.command("export")
@click.argument("file", type=click.Path(path_type=Path))
@dir_option
@json_option
@reports_errors
def export(file: Path, folder: Path | None, as_json: bool) -> None:
    """Write the whole chain into one file, with the genesis and a checksum.

    \b
    Example:
      horoi ledger export ledger.horoi
    """
    from horoi.node.exchange import export_ledger

    with progress_bar() as progress:
        done = export_ledger(node_folder(folder), file, progress=progress)
    emit(done, as_json, _render_done)


@ledger.command("import")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@dir_option
@json_option
@reports_errors
def import_(file: Path, folder: Path | None, as_json: bool) -> None:
    """Make or extend a node's folder from an export, checking every rule on the way.

    \b
    Example:
      horoi ledger import ledger.horoi --dir /srv/horoi-2
    """
    from horoi.node.exchange import import_ledger

    with progress_bar() as progress:
        done = import_ledger(node_folder(folder), file, progress=progress)
    emit(done, as_json, _render_done)


@ledger.command("rebuild")
@dir_option
@json_option
@reports_errors
def rebuild(folder: Path | None, as_json: bool) -> None:
    """Throw state and index away and make them anew from the blocks.

    \b
    Example:
      horoi ledger rebuild
    """
    from horoi.node.exchange import rebuild as run

    with progress_bar() as progress:
        done = run(node_folder(folder), progress=progress)
    emit(done, as_json, _render_done)


@contextmanager
def progress_bar() -> Iterator[Progress]:
    """A bar on stderr while the block runs, gone afterwards; nothing where nobody watches."""
    import sys

    if not sys.stderr.isatty():
        yield lambda what, part: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("opening", total=1.0)
        yield lambda what, part: bar.update(task, description=what, completed=part)


def _render_done(data: dict[str, Any]) -> None:
    from horoi.cli.render import fields

    fields(data)


def _render_report(data: dict[str, Any]) -> None:
    from horoi.cli.render import fields, table

    findings = data["findings"]
    fields({name.replace("_", " "): value for name, value in data.items() if name not in ("ok", "findings")})
    rows = [(f["height"], f["block"], f["rule"], f["detail"]) for f in findings]
    table(("height", "block", "rule", "what"), rows, empty="everything is as it should be")
    if findings:
        click.echo(
            "this copy is damaged: start the node, which refetches blocks from its peers, or run horoi ledger rebuild"
        )
