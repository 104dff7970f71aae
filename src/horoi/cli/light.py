"""``horoi light``: a client that keeps headers only, asks any nodes, and believes none."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from horoi.base.errors import NetworkError, UsageError
from horoi.cli.output import emit, json_option, reports_errors, write_file
from horoi.cli.settings import api_url, dir_option, node_folder

if TYPE_CHECKING:
    from horoi.node.light.chain import LightChain
    from horoi.world.live.disk import LiveDisk

LIGHT_FOLDER = "light"
GENESIS_FILE = "genesis.json"

nodes_option = click.option(
    "--node",
    "nodes",
    multiple=True,
    metavar="URL",
    help="A node to ask; several are better than one. [default: --api's]",
)
genesis_option = click.option(
    "--genesis", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="For the first run: the network."
)


@click.group("light")
def light() -> None:
    """Follow a network's headers only, and verify proofs against them. It keeps some 45 MB a year at a block a minute."""


@light.command("run")
@nodes_option
@genesis_option
@click.option("--every", type=click.FloatRange(0.1), default=10.0, show_default=True, help="Seconds between questions.")
@click.option("--once", is_flag=True, help="Ask every node once, then end.")
@dir_option
@json_option
@reports_errors
def run(
    nodes: tuple[str, ...], genesis: Path | None, every: float, once: bool, folder: Path | None, as_json: bool
) -> None:
    """Follow the heaviest chain of headers among those that the nodes show. Ctrl-C ends it; the next run goes on from there.

    \b
    Example:
      horoi light run --genesis genesis.json --node http://127.0.0.1:8700 --node http://127.0.0.1:8701 --once
    """
    import time

    with _opened(folder, genesis) as (chain, disk):
        while True:
            asked = [_ask(chain, disk, url) for url in nodes or (api_url(None),)]
            if once:
                break
            if not as_json:
                _render_status(_status(chain))
            time.sleep(every)
        emit({**_status(chain), "asked": asked}, as_json, _render_asked)
        if all(one["refused"] is not None for one in asked):
            raise NetworkError(f"no node gave headers that hold: {asked[0]['refused']}")


@light.command("status")
@click.option("--check", is_flag=True, help="Read all headers again, and check every one from the genesis on.")
@dir_option
@json_option
@reports_errors
def status(check: bool, folder: Path | None, as_json: bool) -> None:
    """How far the headers reach, the work in them, and the room that they take.

    \b
    Example:
      horoi light status --check
    """
    with _opened(folder, None) as (chain, _):
        if check:
            chain.check_all()
        emit({**_status(chain), "checked": check}, as_json, _render_status)


@light.command("verify")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@dir_option
@json_option
@reports_errors
def verify(file: Path, folder: Path | None, as_json: bool) -> None:
    """Verify a proof, and that its blocks are on the chain that is followed here. Offline.

    \b
    Example:
      horoi light verify crude.json
    """
    from horoi.cli.proofs import read_proof_file, render_verdict

    with _opened(folder, None) as (chain, _):
        emit(_verdict(chain, read_proof_file(file)), as_json, render_verdict)


@light.command("prove")
@click.argument("kind", type=click.Choice(("transaction", "post", "document", "asset", "holding")))
@click.argument("identifier", metavar="ID")
@click.option(
    "--number", type=click.IntRange(0, 2**16 - 1), default=0, help="Which post, or which output.  [default: 0]"
)
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Keep the proof.")
@nodes_option
@dir_option
@json_option
@reports_errors
def prove(
    kind: str,
    identifier: str,
    number: int,
    output: Path | None,
    nodes: tuple[str, ...],
    folder: Path | None,
    as_json: bool,
) -> None:
    """Ask any node for a proof and verify it against the headers that are followed here.

    \b
    Example:
      horoi light prove transaction b6870b04bd209743686774123b9de675c2412c6876400a78c1fa0d04a955e309
    """
    from horoi.cli.proofs import check_asked, render_verdict
    from horoi.client import Client
    from horoi.ledger.proof.form import read

    with _opened(folder, None) as (chain, disk):
        url = api_url(nodes[0] if nodes else None)
        _ask(chain, disk, url)
        with Client(url) as client:
            data = client.proof(kind, identifier, number=number)
        check_asked(read(data), kind, identifier, number)
        answer = _verdict(chain, data)
        if output is not None:
            write_file(output, data)
        emit(answer, as_json, render_verdict)


@contextmanager
def _opened(folder: Path | None, genesis: Path | None) -> Iterator[tuple[LightChain, LiveDisk]]:
    """The chain in the folder ``light`` of the node's folder; the first time the genesis is copied there."""
    from horoi.cli.genesis_file import read_genesis
    from horoi.ledger.genesis import network_id, to_json
    from horoi.node.light.chain import LightChain
    from horoi.world.live.disk import LiveDisk

    place = node_folder(folder) / LIGHT_FOLDER
    kept = place / GENESIS_FILE
    if genesis is None and not kept.exists():
        raise UsageError(f"{place} follows no network yet: horoi light run --genesis FILE --node URL")
    given = read_genesis(genesis) if genesis is not None else read_genesis(kept)
    with LiveDisk(place) as disk:
        if not kept.exists():
            disk.replace(GENESIS_FILE, to_json(given))
        elif network_id(read_genesis(kept)) != network_id(given):
            raise UsageError(f"{place} follows another network: choose another --dir")
        chain = LightChain(given, disk)
        try:
            yield chain, disk
        finally:
            chain.close()


def _ask(chain: LightChain, disk: LiveDisk, url: str) -> dict[str, Any]:
    import time

    from horoi.client import Client
    from horoi.node.light.follow import follow

    with Client(api_url(url)) as client:
        return follow(chain, client, url, disk, int(time.time() * 1000))._asdict()


def _status(chain: LightChain) -> dict[str, Any]:
    from horoi.node.wallet.text import format_time

    tip = chain.tip
    return {
        "network": chain.network.hex(),
        "height": tip.height,
        "tip": tip.name.hex(),
        "time": format_time(tip.header.time_ms),
        "work": str(tip.work),
        "headers": chain.store.count,
        "size_bytes": chain.store.size_bytes,
    }


def _verdict(chain: LightChain, data: bytes) -> dict[str, Any]:
    """Everything that the proof shows, with the chain that is followed in place of the proof's own headers."""
    from horoi.cli.proofs import verdict_of
    from horoi.ledger.proof.form import read
    from horoi.node.light.proven import check_followed

    proof = read(data)
    answer = verdict_of(proof, chain.genesis, ())
    on_top = check_followed(chain, proof)
    answer["followed"] = {"height": chain.tip.height, "tip": chain.tip.name.hex(), "blocks_on_top": on_top}
    answer["proven"].append(f"its blocks are on the chain that is followed here, {on_top} more on top of the first")
    answer["assumed"] = [
        "that one of the nodes asked for headers showed the heaviest chain",
        *(said for said in answer["assumed"] if "hashes" not in said and "runs of headers" not in said),
    ]
    return answer


def _render_status(data: dict[str, Any]) -> None:
    from horoi.cli.render import fields

    shown = {name: data[name] for name in ("height", "tip", "time", "work", "headers")}
    fields({**shown, "size": f"{data['size_bytes']} bytes"})


def _render_asked(data: dict[str, Any]) -> None:
    from horoi.cli.render import plain

    for one in data["asked"]:
        refused = one["refused"]
        click.echo(
            f"{plain(one['name'])}: " + (f"refused: {plain(refused)}" if refused else f"reaches {one['height']}")
        )
    _render_status(data)
