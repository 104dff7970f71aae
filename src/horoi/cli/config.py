"""``horoi config``: what is configured, and where it comes from."""

from __future__ import annotations

import os
from typing import Any

import click

from horoi.cli.output import emit, json_option, reports_errors
from horoi.cli.settings import API_VARIABLE, DIR_VARIABLE, api_url, config_path, node_folder, read_config


@click.command("config")
@json_option
@reports_errors
def config(as_json: bool) -> None:
    """Show the node's API and folder that commands use, and what decides them.

    \b
    The file may say:
      api = "http://127.0.0.1:8700"
      dir = "/srv/horoi"

    \b
    Example:
      horoi config --json
    """
    said = read_config()
    data = {
        "file": str(config_path()),
        "api": {"value": api_url(None), "from": _source(API_VARIABLE, said.api)},
        "dir": {"value": str(node_folder(None)), "from": _source(DIR_VARIABLE, said.dir)},
    }
    emit(data, as_json, _render)


def _source(variable: str, in_file: str | None) -> str:
    if os.environ.get(variable):
        return variable
    return "file" if in_file else "default"


def _render(data: dict[str, Any]) -> None:
    from horoi.cli.render import fields

    shown = {name: f"{data[name]['value']}  ({data[name]['from']})" for name in ("api", "dir")}
    fields({"file": data["file"], **shown})
