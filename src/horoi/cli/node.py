"""``horoi node``: run a node."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from horoi.base.errors import UsageError
from horoi.cli.output import emit, json_option, reports_errors
from horoi.cli.settings import DEFAULT_API_LISTEN, DEFAULT_LISTEN, dir_option
from horoi.cli.unlocking import passphrase_option

DEFAULT_HASH_RATE = 20_000.0  # a guess: some percent of a core, so that a miner leaves its machine usable


@click.group("node")
def node() -> None:
    """Run a node."""


@node.command("run")
@click.option("--listen", metavar="HOST:PORT", default=DEFAULT_LISTEN, show_default=True, help="Take peers here.")
@click.option("--no-listen", is_flag=True, help="Take no peers; only dial them.")
@click.option("--peer", "peers", metavar="HOST:PORT", multiple=True, help="Stay linked to this peer. Repeat.")
@click.option("--advertise", metavar="HOST:PORT", help="Where others may dial this node, if not where it listens.")
@click.option("--api", metavar="HOST:PORT", default=DEFAULT_API_LISTEN, show_default=True, help="Serve the API here.")
@click.option(
    "--api-host", "api_hosts", metavar="NAME", multiple=True, help="The API is called by this name too. Repeat."
)
@dir_option
@click.option("--genesis", metavar="FILE", type=click.Path(path_type=Path), help="For the first start: the network.")
@click.option(
    "--mine",
    "hash_rate",
    metavar="[RATE]",
    type=click.FloatRange(min=0, max=1e12),
    is_flag=False,
    flag_value=DEFAULT_HASH_RATE,
    help=f"Mine, at this many hashes per second at most. [RATE if not given: {DEFAULT_HASH_RATE:.0f}]",
)
@click.option("--key", "keys", metavar="NAME", multiple=True, help="A key that the node may sign with. Repeat.")
@click.option("--reward-to", metavar="WHO", help="Who is paid for blocks. [default: the first --key]")
@passphrase_option
@click.option(
    "--lookup",
    metavar="OVERLAY",
    type=click.Choice(["chord", "can", "pastry", "tapestry", "kademlia"]),
    default=None,
    help="Find documents among this network's nodes: chord, can, pastry, tapestry or kademlia. All nodes choose the same.",
)
@click.option("--lookup-listen", metavar="HOST:PORT", help="Its UDP port. [default: as --listen]")
@click.option("--dht", is_flag=True, help="Find peers in BitTorrent's DHT; documents too, where there is no --lookup.")
@click.option("--dht-listen", metavar="HOST:PORT", help="Its UDP port. [default: 0.0.0.0:6881]")
@click.option(
    "--dht-bootstrap",
    "dht_bootstraps",
    metavar="HOST:PORT",
    multiple=True,
    help="Enter the DHT here. Repeat. [default: the public routers]",
)
@click.option("--stop-with-stdin", is_flag=True, help="Stop when standard input ends (for a parent process).")
@click.option("--verbose", is_flag=True, help="Log every link.")
@click.option("--quiet", is_flag=True, help="Log only what went wrong.")
@json_option
@reports_errors
def run_node(as_json: bool, verbose: bool, quiet: bool, **options: Any) -> None:
    """Run a node until Ctrl-C. Log on stderr; with --json one line on stdout once it serves.

    \b
    Examples:
      horoi node run --genesis genesis.json --key office --mine
      horoi node run --peer 192.0.2.7:7700 --listen 0.0.0.0:7700
      horoi node run --genesis genesis.json --lookup kademlia --dht
      horoi node run --dir /srv/horoi --listen 127.0.0.1:0 --api 127.0.0.1:0 --json
    """
    from horoi.cli.journal import set_up
    from horoi.cli.serve import serve
    from horoi.world.live.run import run

    set_up(verbose=verbose, quiet=quiet)
    served = _options(**options)

    def ready(facts: dict[str, Any]) -> None:
        if as_json:
            emit(facts, as_json, _nothing)
            sys.stdout.flush()

    run(serve(served, ready))


def _options(
    *,
    listen: str,
    no_listen: bool,
    folder: Path | None,
    hash_rate: float | None,
    keys: tuple[str, ...],
    reward_to: str | None,
    passphrase_file: Path | None,
    lookup: str | None,
    lookup_listen: str | None,
    dht: bool,
    dht_listen: str | None,
    dht_bootstraps: tuple[str, ...],
    **rest: Any,
) -> Any:
    from horoi.cli.people import who
    from horoi.cli.serve import ServeOptions
    from horoi.cli.settings import node_folder
    from horoi.cli.sides import DEFAULT_DHT_LISTEN
    from horoi.cli.unlocking import unlock
    from horoi.node.wallet.text import condition_from_json

    if lookup_listen is not None and lookup is None:
        raise UsageError("--lookup-listen is the port of --lookup: say which overlay, --lookup kademlia, say")
    if (dht_listen is not None or dht_bootstraps) and not dht:
        raise UsageError("--dht-listen and --dht-bootstrap are for --dht: give that too")
    where = node_folder(folder)
    return ServeOptions(
        folder=where,
        listen=None if no_listen else listen,
        hash_rate=hash_rate or 0.0,
        keys={name: unlock(where, name, passphrase_file) for name in keys},
        reward_to=condition_from_json(who(reward_to, where)) if reward_to is not None else None,
        lookup=lookup or "",
        lookup_listen=lookup_listen,
        dht=dht,
        dht_listen=dht_listen or DEFAULT_DHT_LISTEN,
        dht_bootstraps=dht_bootstraps,
        **rest,
    )


def _nothing(_: dict[str, Any]) -> None:
    return
