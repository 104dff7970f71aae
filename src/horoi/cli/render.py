"""How commands print for people: tables and lists of fields, in colour on a terminal only.

Texts from the ledger were written by anybody: what could steer a terminal is escaped before it is printed.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rich.table import Table

WIDTH_OF_FILES = 250  # columns where nobody watches, so that no id is cut or folded; a guess
SHORT_ID = 16


def plain(value: Any) -> str:
    """A value as one line of text that cannot steer a terminal; None is empty."""
    if value is None:
        return ""
    text = str(value)
    return text if text.isprintable() else "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def short(identifier: str | None) -> str:
    """The beginning of an id: enough for the eye."""
    return (identifier or "")[:SHORT_ID]


def _print(table: Table) -> None:
    """A table as it is on a terminal; elsewhere wide, without colour, and without blanks at the ends of lines."""
    from rich.console import Console

    if sys.stdout.isatty():
        Console(highlight=False).print(table)
        return
    console = Console(highlight=False, color_system=None, width=WIDTH_OF_FILES)
    with console.capture() as captured:
        console.print(table)
    for line in captured.get().splitlines():
        click.echo(line.rstrip())


def table(columns: Sequence[str], rows: Iterable[Sequence[Any]], *, right: Sequence[str] = (), empty: str = "") -> None:
    """Print rows under column heads; ``right`` are aligned so; ``empty`` is said if there are none."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    shown = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for column in columns:
        shown.add_column(column, justify="right" if column in right else "left", overflow="fold")
    for row in rows:
        shown.add_row(*(Text(plain(cell)) for cell in row))
    if shown.row_count or not empty:
        _print(shown)
    else:
        click.echo(empty)


def fields(values: Mapping[str, Any]) -> None:
    """Print names and values below one another; None is left out."""
    from rich.table import Table
    from rich.text import Text

    shown = Table(show_header=False, box=None, pad_edge=False)
    shown.add_column(no_wrap=True, style="bold")
    shown.add_column(overflow="fold")
    for name, value in values.items():
        if value is not None:
            shown.add_row(name, Text(plain(value)))
    _print(shown)


def who(form: Any) -> str:
    """A condition of the API in words: an address as it is, what is compound as a sentence; None is empty."""
    if form is None or isinstance(form, str):
        return form or ""
    from horoi.node.wallet.explain import Names
    from horoi.node.wallet.text import condition_from_json

    return Names().who(condition_from_json(form))
