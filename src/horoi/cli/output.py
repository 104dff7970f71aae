"""How every command speaks: one JSON object or one rendering on stdout, and one clear sentence for an error on stderr.

stdout carries the answer and nothing else, so that ``horoi ... --json | jq`` always works. An error of the house
(``HoroiError``) becomes its family's exit code and ``error: ...`` on stderr; with ``--json`` that is
``{"error": {"kind": ..., "message": ...}}``, with ``"rule"`` where a ledger rule broke.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import click

from horoi.base.errors import HoroiError, UsageError

P = ParamSpec("P")
T = TypeVar("T")
D = TypeVar("D", bound=Mapping[str, Any])

json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of text.")
"""The ``--json`` flag of every command; the command's parameter is ``as_json``."""


def emit(data: D, as_json: bool, render: Callable[[D], None]) -> None:
    """Print ``data`` as exactly one JSON object on stdout, or hand it to ``render``, which prints it for people."""
    if as_json:
        click.echo(to_json(data))
        return
    render(data)


def write_file(path: Path, data: bytes) -> None:
    """Make ``data`` the content of a file, atomically. UsageError if that is not possible."""
    from horoi.base.files import SHARED, replace_file

    try:
        replace_file(path, data, SHARED)
    except OSError as error:
        raise UsageError(f"file {path}: cannot be written: {error.strerror or error}; choose another") from None


def to_json(data: Mapping[str, Any]) -> str:
    """One line of JSON, keys in the order given; bytes as hex. Refuses NaN and infinities, which JSON has not."""
    import json

    return json.dumps(data, ensure_ascii=False, allow_nan=False, default=_plain)


def reports_errors(command: Callable[P, T]) -> Callable[P, T]:
    """Decorate a command: a HoroiError inside ends it with one sentence and its exit code (``--json`` is ``as_json``)."""

    @functools.wraps(command)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> T:
        with errors(as_json=bool(kwargs.get("as_json"))):
            return command(*args, **kwargs)

    return wrapped


@contextmanager
def errors(as_json: bool = False) -> Iterator[None]:
    """Turn a HoroiError inside the block into a report on stderr and the exit code of its family."""
    try:
        yield
    except HoroiError as error:
        say_error(to_json(describe(error)) if as_json else f"error: {error}")
        raise SystemExit(error.exit_code) from error


def say_error(text: str) -> None:
    """A line on stderr. Where stderr cannot be written (a log on a full disk), the exit code still says it."""
    try:
        click.echo(text, err=True)
    except OSError:
        import os
        import sys

        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())  # else what is buffered fails again at the end


def describe(error: HoroiError) -> dict[str, Any]:
    """An error as data: its family in kebab case, the rule if one broke, and the sentence."""
    described: dict[str, Any] = {"kind": _kebab(type(error).__name__.removesuffix("Error"))}
    rule = getattr(error, "rule", None)
    if rule is not None:
        described["rule"] = rule
    described["message"] = str(error)
    return {"error": described}


def _kebab(name: str) -> str:
    return "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("-")


def _plain(value: object) -> Any:
    """What JSON has no form for: bytes become hex, structs their fields."""
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value).hex()
    import msgspec

    return msgspec.to_builtins(value)
