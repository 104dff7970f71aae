"""``horoi doctor``: what is wrong on this machine, and what to do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from horoi.cli.output import emit, json_option, reports_errors
from horoi.cli.settings import DEFAULT_LISTEN, api_option, dir_option

EXIT_FAILED = 1


@click.command("doctor")
@click.option(
    "--listen", metavar="HOST:PORT", default=DEFAULT_LISTEN, show_default=True, help="Where a node would take peers."
)
@click.option(
    "--peer", "peers", metavar="HOST:PORT", multiple=True, help="Also see whether this one can be reached. Repeat."
)
@dir_option
@api_option
@json_option
@reports_errors
def doctor(listen: str, peers: tuple[str, ...], folder: Path | None, api: str | None, as_json: bool) -> None:
    """Check versions, configuration, folder, disk, clock, ports, node and peers. Exits with 1 if a check fails.

    \b
    Examples:
      horoi doctor
      horoi doctor --dir /srv/horoi --peer 192.0.2.7:7700 --json
    """
    from horoi.cli.checks import examine

    checks = examine(folder=folder, api=api, listen=listen, peers=peers)
    failed = sum(check.verdict == "fail" for check in checks)
    data = {"ok": not failed, "checks": [check._asdict() for check in checks]}
    emit(data, as_json, _render)
    if failed:
        raise SystemExit(EXIT_FAILED)


def _render(data: dict[str, Any]) -> None:
    from horoi.cli.render import table

    rows = [(check["verdict"], check["name"], check["found"], check["advice"]) for check in data["checks"]]
    table(("", "check", "found", "what to do"), rows)
    count = sum(check["verdict"] == "warn" for check in data["checks"])
    if not data["ok"]:
        click.echo("something is wrong: see above")
    else:
        click.echo(f"nothing is broken; {count} to look at" if count else "all is well")
