"""``horoi tx``: transactions, whole or on their way between signers."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from horoi.base.errors import DecodeError, ForbiddenError, UsageError
from horoi.cli.api import connect, connect_as_owner, to_dict
from horoi.cli.output import emit, json_option, reports_errors
from horoi.cli.settings import api_option, api_url, dir_option, node_folder
from horoi.cli.unlocking import passphrase_option

if TYPE_CHECKING:
    from horoi.node.wallet.explain import Names
    from horoi.node.wallet.partial import PartialTransaction

NAMES_TIMEOUT_S = 3.0  # for the node to say what assets are called; without it they go by their ids

file_argument = click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))


@click.group("tx")
def tx() -> None:
    """Show, sign, merge, submit, wait for transactions. A partially signed one is a file that travels."""


@tx.command("show")
@click.argument("name", metavar="FILE|ID")
@dir_option
@api_option
@json_option
@reports_errors
def show(name: str, folder: Path | None, api: str | None, as_json: bool) -> None:
    """What a transaction says, and who agreed: from a file, without any node, or from the node by its id.

    \b
    Examples:
      horoi tx show bill.json
      horoi tx show 3f0c...
    """
    if Path(name).exists():
        emit(_described(read_partial(Path(name)), node_folder(folder), api), as_json, _render_partial)
        return
    with connect(api) as client:
        emit(to_dict(client.transaction(_transaction_id(name))), as_json, _render_transaction)


@tx.command("sign")
@file_argument
@click.option(
    "--key", "keys", metavar="NAME", multiple=True, help="Sign with this key. Repeat. [default: the only one]"
)
@click.option("--node-key", is_flag=True, help="Let the node sign with its own keys; needs its token.")
@click.option(
    "--preimage", "preimages", metavar="HEX", multiple=True, help="Show secret bytes that a hash lock asks for. Repeat."
)
@click.option(
    "-o", "--out", metavar="FILE", type=click.Path(path_type=Path), help="Where it is written. [default: FILE]"
)
@click.option("--submit", is_flag=True, help="Hand it in if everybody has agreed then.")
@passphrase_option
@dir_option
@api_option
@json_option
@reports_errors
def sign(
    file: Path,
    keys: tuple[str, ...],
    node_key: bool,
    preimages: tuple[str, ...],
    out: Path | None,
    submit: bool,
    passphrase_file: Path | None,
    folder: Path | None,
    api: str | None,
    as_json: bool,
) -> None:
    """Agree to a partially signed transaction. Read it first: horoi tx show FILE.

    \b
    Examples:
      horoi tx sign bill.json --key carrier --submit
    """
    partial = read_partial(file)
    shown = [_preimage(text) for text in preimages]
    if node_key:
        partial = _signed_by_node(partial, shown, folder, api)
    else:
        partial = _signed_here(partial, keys, shown, node_folder(folder), passphrase_file)
    target = out or file
    _write(target, partial)
    data = {**_described(partial, node_folder(folder), api), "file": str(target), "submitted": False}
    if submit and not data["missing"]:
        data["submitted"] = _submit(partial, api)
    emit(data, as_json, _render_partial)


@tx.command("merge")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "-o", "--out", required=True, metavar="FILE", type=click.Path(path_type=Path), help="Where it is written."
)
@dir_option
@api_option
@json_option
@reports_errors
def merge(files: tuple[Path, ...], out: Path, folder: Path | None, api: str | None, as_json: bool) -> None:
    """Bring together what several copies of one transaction agree to.

    \b
    Example:
      horoi tx merge from-owner.json from-carrier.json -o both.json
    """
    from horoi.node.wallet import partial as partials

    together = read_partial(files[0])
    for other in files[1:]:
        together = partials.merge(together, read_partial(other))
    _write(out, together)
    emit({**_described(together, node_folder(folder), api), "file": str(out)}, as_json, _render_partial)


@tx.command("submit")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False, allow_dash=True))
@click.option("--wait", is_flag=True, help="Wait until it is confirmed.")
@click.option(
    "--timeout",
    "timeout_s",
    type=click.FloatRange(min=0),
    default=300.0,
    show_default=True,
    help="Seconds, for --wait.",
)
@api_option
@json_option
@reports_errors
def submit(file: Path, wait: bool, timeout_s: float, api: str | None, as_json: bool) -> None:
    """Hand in a transaction that everybody agreed to: its file, or a file with its bytes in hexadecimal.

    \b
    Example:
      horoi tx submit bill.json --wait
    """
    from horoi.node.wallet import partial as partials

    data = _read(file)
    raw: Any = _hex(data) if not data.lstrip().startswith(b"{") else partials.finalize(_decode(file, data))
    with connect(api) as client:
        answer: dict[str, Any] = {**to_dict(client.submit(raw)), "confirmed": None}
        if wait:
            found = client.wait_confirmed(answer["id"], timeout_s=timeout_s)
            answer["confirmed"] = {"height": found.height, "block": found.block, "confirmations": found.confirmations}
    emit(answer, as_json, _render_submitted)


@tx.command("wait")
@click.argument("name", metavar="ID|FILE")
@click.option("--depth", type=click.IntRange(min=1), default=1, show_default=True, help="Confirmations to wait for.")
@click.option("--timeout", "timeout_s", type=click.FloatRange(min=0), default=300.0, show_default=True, help="Seconds.")
@api_option
@json_option
@reports_errors
def wait(name: str, depth: int, timeout_s: float, api: str | None, as_json: bool) -> None:
    """Wait until a transaction is confirmed; exit code 7 if it is not by then.

    \b
    Example:
      horoi tx wait 3f0c... --depth 6
    """
    transaction = read_partial(Path(name)).id.hex() if Path(name).exists() else _transaction_id(name)
    with connect(api) as client:
        found = client.wait_confirmed(transaction, depth, timeout_s)
    emit(to_dict(found), as_json, _render_transaction)


@tx.command("list")
@click.option("--limit", type=click.IntRange(1, 1000), default=100, show_default=True)
@click.option("--offset", type=click.IntRange(min=0), default=0, help="Leave out so many.")
@api_option
@json_option
@reports_errors
def list_waiting(limit: int, offset: int, api: str | None, as_json: bool) -> None:
    """Transactions that wait for a block, in the order in which a miner takes them.

    \b
    Example:
      horoi tx list
    """
    with connect(api) as client:
        emit(to_dict(client.waiting(offset=offset, limit=limit)), as_json, _render_waiting)


# ---- files ------------------------------------------------------------------------------------------------------


def read_partial(path: Path) -> PartialTransaction:
    """The partially signed transaction in a file. UsageError, DecodeError or RuleError with what is wrong."""
    return _decode(path, _read(path))


def _read(path: Path) -> bytes:
    from horoi.node.wallet.partial import MAX_FILE_SIZE_BYTES

    try:
        if str(path) == "-":
            return sys.stdin.buffer.read(MAX_FILE_SIZE_BYTES + 1)
        with path.open("rb") as file:
            return file.read(MAX_FILE_SIZE_BYTES + 1)
    except OSError as error:
        raise UsageError(f"file {path}: cannot be read: {error.strerror or error}") from None


def _decode(path: Path, data: bytes) -> PartialTransaction:
    from horoi.node.wallet.partial import from_json

    try:
        return from_json(data)
    except DecodeError as error:
        raise DecodeError(f"file {path}: {error}") from None


def _hex(data: bytes) -> bytes:
    try:
        return bytes.fromhex(data.decode("ascii").strip())
    except ValueError:
        raise DecodeError("neither a partially signed transaction (JSON) nor a transaction in hexadecimal") from None


def _write(path: Path, partial: PartialTransaction) -> None:
    from horoi.cli.output import write_file
    from horoi.node.wallet.partial import to_json

    write_file(path, to_json(partial))


def _preimage(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise UsageError("--preimage: write the bytes in hexadecimal") from None


def _transaction_id(text: str) -> str:
    from horoi.cli.lookup import is_hash

    if not is_hash(text):
        raise UsageError(f"{text[:100]!r} is neither a file nor a transaction's id of 64 letters")
    return text


# ---- signing ----------------------------------------------------------------------------------------------------


def _signed_here(
    partial: PartialTransaction,
    names: tuple[str, ...],
    preimages: list[bytes],
    folder: Path,
    passphrase_file: Path | None,
) -> PartialTransaction:
    from horoi.cli.sign import local_keys
    from horoi.node.wallet import partial as partials

    for preimage in preimages:
        partial = partials.show_preimage(partial, preimage)
    if preimages and not names:
        return partial
    for pair in local_keys(folder, names, passphrase_file):
        partial = partials.sign(partial, pair)
    return partial


def _signed_by_node(
    partial: PartialTransaction, preimages: list[bytes], folder: Path | None, api: str | None
) -> PartialTransaction:
    import json

    from horoi.node.wallet import partial as partials

    with connect_as_owner(api, folder) as client:
        answer = client.sign(json.loads(partials.to_json(partial)), preimages=preimages, submit=False)
    signed = partials.from_json(json.dumps(answer.partial).encode())
    if signed.id != partial.id:
        raise ForbiddenError("the node signed another transaction than the one sent; nothing was written")
    return signed


def _submit(partial: PartialTransaction, api: str | None) -> bool:
    from horoi.node.wallet import partial as partials

    with connect(api) as client:
        return client.submit(partials.finalize(partial)).accepted


def _described(partial: PartialTransaction, folder: Path, api: str | None) -> dict[str, Any]:
    """A partially signed transaction in words, from its bytes; every lock counts as open.

    Names of people are those of the keystore, names of assets those of the node, if it answers: never the file's own.
    """
    from horoi.base.address import address_of
    from horoi.cli.people import key_names
    from horoi.node.wallet import partial as partials
    from horoi.node.wallet.explain import explain
    from horoi.node.wallet.text import condition_to_json

    names = _names(partial, key_names(folder), api)
    missing = partials.missing(partial, partials.EVERY_LOCK_OPEN_HEIGHT, partials.EVERY_LOCK_OPEN_MS)
    return {
        "id": partial.id.hex(),
        "network": partial.network_id.hex(),
        "words": explain(partial.body, names),
        "signed": [address_of(signature.key) for signature in partial.witness.signatures],
        "preimages": [preimage.hex() for preimage in partial.witness.preimages],
        "missing": [condition_to_json(condition) for condition in missing],
    }


def _names(partial: PartialTransaction, people: dict[bytes, str], api: str | None) -> Names:
    from horoi.base.errors import NetworkError
    from horoi.cli.compose import Books
    from horoi.client import Client
    from horoi.ledger.conditions import Key
    from horoi.node.wallet.explain import Names

    try:
        with Client(api_url(api), timeout_s=NAMES_TIMEOUT_S) as client:
            return Books(client).names(partial.body, people)
    except NetworkError:
        return Names({Key(key): name for key, name in people.items()})


# ---- for people -------------------------------------------------------------------------------------------------


def _render_partial(data: dict[str, Any]) -> None:
    from horoi.cli.render import plain, who

    for line in data["words"]:
        click.echo(plain(line))
    click.echo(f"transaction {data['id']}")
    click.echo(f"network {data['network']}")
    for address in data["signed"]:
        click.echo(f"signed by {address}")
    for form in data["missing"]:
        click.echo(f"still to agree: {plain(who(form))}")
    if data.get("file"):
        click.echo(f"written to {data['file']}")
    if data.get("submitted"):
        click.echo(f"handed in; it waits for a block (horoi tx wait {data['id']})")
    elif not data["missing"]:
        click.echo("everybody agreed: hand it in with horoi tx submit FILE")


def _render_transaction(data: dict[str, Any]) -> None:
    from horoi.cli.render import plain

    for line in data["words"]:
        click.echo(plain(line))
    click.echo(f"transaction {data['id']}")
    if data["height"] is None:
        click.echo("waits for a block")
    else:
        click.echo(f"in block {data['height']} ({data['time']}), {data['confirmations']} confirmation(s)")
    for signature in data["signatures"]:
        click.echo(f"signed by {signature['address']}")


def _render_submitted(data: dict[str, Any]) -> None:
    click.echo(f"transaction {data['id']}")
    if data["confirmed"]:
        click.echo(f"confirmed in block {data['confirmed']['height']}")
    else:
        click.echo("handed in; it waits for a block")


def _render_waiting(data: dict[str, Any]) -> None:
    from horoi.cli.render import table

    rows = [(t["id"], t["size_bytes"], t["fee"], t["inputs"], t["outputs"], t["posts"]) for t in data["transactions"]]
    heads = ("transaction", "bytes", "fee", "inputs", "outputs", "posts")
    table(heads, rows, right=heads[1:], empty="nothing waits")
