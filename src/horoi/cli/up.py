"""``horoi up``: a network of companies on this machine that keep one ledger, and play a story."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import click

from horoi.cli.output import emit, json_option, reports_errors

REFRESH_S = 0.5


@click.command("up")
@click.option(
    "--story", default="petroleum", show_default=True, metavar="NAME|FILE", help="A story that ships, or a TOML file."
)
@click.option(
    "--dir",
    "folder",
    type=click.Path(path_type=Path),
    help="Where the companies live. [default: the user's data folder]",
)
@click.option("--once", is_flag=True, help="Play the story, wait until every node has it, print the outcome, stop.")
@click.option("--fresh", is_flag=True, help="Forget what an earlier run left in the folder.")
@json_option
@reports_errors
def up(as_json: bool, story: str, folder: Path | None, once: bool, fresh: bool) -> None:
    """Start a company per node on this machine and play a story as real signed transactions.

    Runs until Ctrl-C, which stops everything cleanly; a second start goes on from disk. With --once it starts from nothing
    in a folder of its own, plays, checks that all agree, and exits.

    \b
    Examples:
      horoi up
      horoi up --story retail
      horoi up --once --json
    """
    from horoi.node.story import load_story

    played = load_story(story)
    if once:
        emit(_play_once(played, folder, fresh=fresh, quiet=as_json), as_json, _print_outcome)
        return
    _play_on(played, folder or _default_folder(story), fresh=fresh)


def _default_folder(story: str) -> Path:
    from platformdirs import user_data_path

    return user_data_path("horoi") / "up" / Path(story).stem


def _play_once(story: Any, folder: Path | None, *, fresh: bool, quiet: bool) -> dict[str, Any]:
    import contextlib
    import tempfile

    from horoi.cli.troupe.processes import Troupe
    from horoi.cli.troupe.stage import Stage, agree, summary

    began = time.monotonic()
    with contextlib.ExitStack() as cleanup:
        where = folder or Path(cleanup.enter_context(tempfile.TemporaryDirectory(prefix="horoi-up-")))
        if fresh:
            _forget(where)
        troupe = cleanup.enter_context(Troupe(story, where))
        troupe.start()
        Stage(troupe, (lambda _: None) if quiet else _say, patient=False).play()
        agree(troupe)
        return summary(troupe, time.monotonic() - began)


def _play_on(story: Any, folder: Path, *, fresh: bool) -> None:
    """Play with a live screen (or plain lines where there is no terminal), until Ctrl-C."""
    import sys
    import threading

    from horoi.cli.troupe.processes import Troupe
    from horoi.cli.troupe.stage import Stage

    if fresh:
        _forget(folder)
    with Troupe(story, folder) as troupe:
        _say(f"starting {len(story.companies)} nodes in {folder}")
        troupe.start()
        failures: list[BaseException] = []
        scene = _Scene()

        def play() -> None:
            try:
                Stage(troupe, scene.begin).play()
                scene.end()
            except BaseException as error:
                failures.append(error)

        player = threading.Thread(target=play, name="stage", daemon=True)
        player.start()
        try:
            if sys.stdout.isatty():
                _show(troupe, scene, failures)
            else:
                _tell(troupe, scene, failures)
        except KeyboardInterrupt:
            _say("stopping: every node writes down what it has")
        if failures:
            raise failures[0]


class _Scene:
    """What the stage does now, for the line at the bottom."""

    def __init__(self) -> None:
        self.text = "the nodes find each other"
        self.is_over = False

    def begin(self, name: str) -> None:
        self.text = f"playing: {name}"

    def end(self) -> None:
        self.text = "the story is played; the nodes keep the book. Ctrl-C stops them, `horoi up` goes on from here"
        self.is_over = True


def _show(troupe: Any, scene: _Scene, failures: list[BaseException]) -> None:
    from rich.console import Console
    from rich.live import Live

    from horoi.cli.troupe.screen import Screen

    screen = Screen(troupe)
    with Live(screen.draw(), console=Console(), refresh_per_second=4, screen=False) as live:
        while not failures:
            screen.note = scene.text
            live.update(screen.draw())
            troupe.check()
            time.sleep(REFRESH_S)


def _tell(troupe: Any, scene: _Scene, failures: list[BaseException]) -> None:
    """Without a terminal: a line when something changes."""
    for node in troupe.nodes:
        _say(f"{node.title}: API {node.api}")
    said = ""
    while not failures:
        if scene.text != said:
            said = scene.text
            _say(said)
            if scene.is_over:
                for entry in troupe.nodes[0].client.all_posts():
                    _say(f"  board {entry.height:>4}  {entry.post.text}")
        troupe.check()
        time.sleep(REFRESH_S)


def _forget(folder: Path) -> None:
    import shutil

    from horoi.base.errors import UsageError

    if folder.exists() and any(folder.iterdir()) and not (folder / "genesis.json").exists():
        raise UsageError(f"{folder} is not a folder that `horoi up` made (it has no genesis.json): it is left alone")
    shutil.rmtree(folder, ignore_errors=True)


def _say(text: str) -> None:
    click.echo(text, err=True)


def _print_outcome(outcome: dict[str, Any]) -> None:
    agreed = len(set(outcome["tips"])) == 1 and len(set(outcome["state_digests"])) == 1
    click.echo(f"{outcome['story']}: {outcome['nodes']} nodes, height {outcome['height']}, {outcome['seconds']} s")
    click.echo(f"one tip and one state: {'yes' if agreed else 'NO'} ({outcome['tips'][0][:16]})")
    for company, assets in outcome["holdings"].items():
        for asset, sums in assets.items():
            click.echo(f"  {company:<20} {asset:<24} owns {sums['owned']:>8}  holds {sums['held']:>8}")
    for text in outcome["posts"]:
        click.echo(f"  - {text}")
