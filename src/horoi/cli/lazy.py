"""Groups that load a command only when it is called, so that ``horoi --help`` answers at once.

A group knows of each command its name, one line of help, and where it is ("module:name"). Click would import every command
to list them; here the list comes from those lines.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


class Command(NamedTuple):
    """Where a command is, and what it does in one line."""

    where: str
    help: str


class LazyGroup(click.Group):
    """A click group over ``lazy``: command names to ``Command``. Listed in the order given, by section."""

    def __init__(self, *args: Any, sections: Mapping[str, Mapping[str, Command]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.sections = sections
        self._lazy = {name: command for section in sections.values() for name, command in section.items()}

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self._lazy)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        command = self._lazy.get(cmd_name)
        if command is None:
            return None
        module, _, name = command.where.partition(":")
        loaded = getattr(importlib.import_module(module), name)
        assert isinstance(loaded, click.Command)
        return loaded

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for title, section in self.sections.items():
            with formatter.section(title):
                formatter.write_dl([(name, command.help) for name, command in section.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Names from the list: what completes must not wait for every command to load."""
        from click.shell_completion import CompletionItem

        own = click.Command.shell_complete(self, ctx, incomplete)
        found = [(name, command.help) for name, command in self._lazy.items() if name.startswith(incomplete)]
        return [*(CompletionItem(name, help=text) for name, text in found), *own]

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in self._lazy and not args[0].startswith("-"):
            import difflib

            close = difflib.get_close_matches(args[0], self._lazy, n=1)
            hint = f"did you mean {close[0]!r}?" if close else f"{ctx.command_path} --help lists what there is"
            raise click.UsageError(f"no command {args[0]!r}; {hint}", ctx)
        return super().resolve_command(ctx, args)
