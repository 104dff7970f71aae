"""How commands print for people: tables and lists of fields, in colour on a terminal only.

Texts from the ledger were written by anybody: what could steer a terminal is escaped before it is printed.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

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


def console() -> Console:
    """Where tables are printed."""
    from rich.console import Console

    watched = sys.stdout.isatty()
    return Console(highlight=False, markup=False, emoji=False, width=None if watched else WIDTH_OF_FILES)


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
        console().print(shown)
    else:
        console().print(empty)


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
    console().print(shown)


def who(form: Any) -> str:
    """A condition of the API as one line."""
    import json

    return form if isinstance(form, str) else "" if form is None else json.dumps(form)


def amount(view: Any) -> str:
    """An amount of the API: in the asset's unit where that is known."""
    if view.amount is None:
        return f"{view.quantity} (smallest unit)"
    return f"{view.amount} {view.unit}" if view.unit else str(view.amount)


def asset_name(view: Any) -> str:
    """The asset of an amount: its name and the beginning of its id, for anybody may use a name again."""
    if view.asset == "0" * 64:
        return "coin"
    return f"{view.name or 'asset'} [{short(view.asset)}]"
