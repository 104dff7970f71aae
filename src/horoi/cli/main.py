"""The command ``horoi``: what it is, what to do first, and where each command lives."""

from __future__ import annotations

import os
import sys

import click

from horoi.cli.exits import run
from horoi.cli.lazy import Command, LazyGroup

COMPLETE_VARIABLE = "_HOROI_COMPLETE"

FIRST_SCREEN = """\
Horoi: a ledger of ownership that nobody runs.

Companies each run a node. The nodes agree on one order of events and keep identical, tamper-evident
copies of who owns and who holds what. Anyone can audit a copy in one step.

  See it work          horoi up                             four companies on this machine play a story
  Start a network      horoi key new office
                       horoi network new our-chain -o genesis.json
                       horoi node run --genesis genesis.json --key office --mine
  Then, elsewhere      horoi status
                       horoi asset define crude --unit bbl --limit 1000000 --key office

  horoi --help         every command            horoi COMMAND --help     with an example
  horoi doctor         what is wrong here, and what to do
"""

SECTIONS = {
    "A network and its nodes": {
        "up": Command("horoi.cli.up:up", "Start a network of companies here and play a story."),
        "network": Command("horoi.cli.network:network", "Write or read a genesis file: what a network agrees on."),
        "node": Command("horoi.cli.node:node", "Run a node."),
        "status": Command("horoi.cli.status:status", "The node at a glance."),
        "peers": Command("horoi.cli.status:peers", "Who the node is linked to."),
        "mine": Command("horoi.cli.status:mine", "Set how hard the node mines."),
        "doctor": Command("horoi.cli.doctor:doctor", "Check ports, clock, disk, peers, versions."),
    },
    "Who owns what": {
        "key": Command("horoi.cli.key:key", "Make, list, restore keys."),
        "asset": Command("horoi.cli.asset:asset", "Define, issue, transfer, hand over, transform, retire."),
        "holdings": Command("horoi.cli.holdings:holdings", "What somebody owns and holds."),
        "post": Command("horoi.cli.board:post", "Say something on the bulletin board, signed."),
        "posts": Command("horoi.cli.board:posts", "Read the bulletin board."),
        "document": Command("horoi.cli.board:document", "Put, get, hash a document; who posted it."),
        "offer": Command("horoi.cli.offer:offer", "Propose what others must sign too; accept what they propose."),
        "tx": Command("horoi.cli.tx:tx", "Show, sign, merge, submit transactions."),
    },
    "The supply chain's own language": {
        "epcis": Command("horoi.cli.epcis:epcis", "GS1 EPCIS 2.0: check, hash, capture, find events."),
    },
    "Lookup by key": {
        "provide": Command("horoi.cli.providers:provide", "Say that the node has a document, or no longer."),
        "providers": Command("horoi.cli.providers:providers", "Which nodes have a document."),
        "dht": Command("horoi.cli.dht:dht", "Join the Mainline DHT: find peers, store and get items."),
    },
    "The record itself": {
        "proof": Command("horoi.cli.proof:proof", "Make and verify proofs that need no node."),
        "light": Command("horoi.cli.light:light", "Follow headers only, and verify proofs against them."),
        "checkpoint": Command("horoi.cli.checkpoint:checkpoint", "What witnesses signed of the chain."),
        "block": Command("horoi.cli.block:block", "Look at blocks."),
        "ledger": Command("horoi.cli.ledger:ledger", "Audit, export, import, rebuild a node's copy, offline."),
    },
    "Experiments": {
        "lab": Command("horoi.cli.lab:lab", "Attack, simulate, compare with the papers."),
        "bench": Command("horoi.cli.bench:bench", "Measure speed and size on this machine."),
    },
    "The shell": {
        "completion": Command("horoi.cli.completion:completion", "Print the completion script of your shell."),
        "config": Command("horoi.cli.config:config", "Show what is configured, and where."),
    },
}


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("horoi")
    except PackageNotFoundError:
        return "0"


def _show_version(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        click.echo(f"horoi {_version()}")
        ctx.exit()


@click.group(
    cls=LazyGroup,
    sections=SECTIONS,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
@click.option("--version", is_flag=True, expose_value=False, is_eager=True, callback=_show_version, help="The version.")
@click.option("--debug", is_flag=True, expose_value=False, help="On a fault of this program, show its trace.")
@click.pass_context
def cli(ctx: click.Context) -> None:
    """A ledger of ownership that nobody runs.

    \b
    Examples:
      horoi up                    play a story between four companies, on this machine
      horoi status --json         one JSON object about the running node
      horoi asset --help          the verbs of ownership
    """
    if ctx.invoked_subcommand is None:
        click.echo(FIRST_SCREEN, nl=False)


def _call(arguments: list[str]) -> int:
    """As ``click.Command.main``, without its own way of ending the process."""
    try:
        with cli.make_context("horoi", list(arguments)) as context:
            cli.invoke(context)
    except click.exceptions.Exit as ended:  # --help, --version
        return ended.exit_code
    return 0


def main(arguments: list[str] | None = None) -> None:
    """Entry point of the program."""
    given = sys.argv[1:] if arguments is None else arguments
    plain = given[: given.index("--")] if "--" in given else given
    if COMPLETE_VARIABLE in os.environ:
        from click.shell_completion import shell_complete

        sys.exit(shell_complete(cli, {}, "horoi", COMPLETE_VARIABLE, os.environ[COMPLETE_VARIABLE]))
    code = run(
        lambda: _call(given),
        as_json="--json" in plain,
        debug="--debug" in plain[:1],
    )
    sys.exit(code)


if __name__ == "__main__":
    main()
