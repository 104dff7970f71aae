"""``horoi completion``: the script that makes a shell complete commands and options."""

from __future__ import annotations

import click

from horoi.cli.output import emit, json_option, reports_errors

SHELLS = ("bash", "zsh", "fish")


@click.command("completion")
@click.argument("shell", type=click.Choice(SHELLS))
@json_option
@reports_errors
def completion(shell: str, as_json: bool) -> None:
    """Print the completion script of SHELL.

    \b
    Examples:
      horoi completion bash > ~/.local/share/bash-completion/completions/horoi
      horoi completion zsh > "${fpath[1]}/_horoi"
      horoi completion fish > ~/.config/fish/completions/horoi.fish
    """
    from click.shell_completion import get_completion_class

    from horoi.cli.main import COMPLETE_VARIABLE, cli

    kind = get_completion_class(shell)
    assert kind is not None
    maker = kind(cli, {}, "horoi", COMPLETE_VARIABLE)
    script = maker.source_template % maker.source_vars()
    emit({"shell": shell, "script": script}, as_json, lambda data: click.echo(data["script"]))
