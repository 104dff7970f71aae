"""From a verb to a transaction that everybody agreed to, or to the file that travels to those who have not.

Two ways, with the same answer. By default the keys of the local keystore sign here: the node is asked for what they may
spend, and sees the signed transaction only. With ``--node-key`` the node does it all with its own keys, in one call, and
wants its token.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from horoi.base.errors import UsageError
from horoi.cli.api import connect, connect_as_owner, to_dict
from horoi.cli.output import emit, write_file
from horoi.cli.people import key_names, who, who_if
from horoi.cli.settings import api_option, dir_option, node_folder
from horoi.cli.unlocking import keystore, passphrase_option, unlock

if TYPE_CHECKING:
    from horoi.base.keys import KeyPair
    from horoi.client import Client
    from horoi.node.wallet.partial import PartialTransaction
    from horoi.web.model.wallet import Verb, WalletAnswer

F = TypeVar("F", bound=Callable[..., Any])

DEFAULT_TIMEOUT_S = 300.0  # for a confirmation: five blocks of a minute


@dataclass(frozen=True)
class Signing:
    """How a command signs, pays, and what it does with the result."""

    api: str | None
    folder: Path | None
    keys: tuple[str, ...]
    node_key: bool
    passphrase_file: Path | None
    fee: int | None
    payer: str | None
    out: Path | None
    no_submit: bool
    wait: bool
    timeout_s: float

    @property
    def home(self) -> Path:
        """The folder with the keys."""
        return node_folder(self.folder)

    def who(self, text: str) -> Any:
        """Who is meant by ``text``."""
        return who(text, self.home)

    def who_if(self, text: str | None) -> Any:
        """The same; None for None."""
        return who_if(text, self.home)


_OPTIONS: tuple[Callable[[Any], Any], ...] = (
    click.option(
        "--key", "keys", metavar="NAME", multiple=True, help="Sign with this key. Repeat. [default: the only one]"
    ),
    click.option("--node-key", is_flag=True, help="Let the node sign with its own keys; needs its token."),
    click.option(
        "-o",
        "--out",
        metavar="FILE",
        type=click.Path(path_type=Path),
        help="Where the transaction goes if others must sign.",
    ),
    click.option("--no-submit", is_flag=True, help="Do not hand it in, even if all have signed."),
    click.option("--wait", is_flag=True, help="Wait until it is confirmed."),
    click.option(
        "--timeout",
        "timeout_s",
        metavar="SECONDS",
        type=click.FloatRange(min=0),
        default=DEFAULT_TIMEOUT_S,
        help="For --wait.",
        show_default=True,
    ),
    click.option("--fee", type=click.IntRange(min=0), help="In the coin's smallest unit. [default: the least]"),
    click.option("--payer", metavar="WHO", help="Who pays the fee. [default: the first key]"),
    passphrase_option,
    dir_option,
    api_option,
)


def signing_options(command: F) -> F:
    """Decorate a command: its options of signing arrive as one argument, ``signing``."""
    names = [field.name for field in fields(Signing)]

    @functools.wraps(command)
    def wrapped(**kwargs: Any) -> Any:
        return command(signing=Signing(**{name: kwargs.pop(name) for name in names}), **kwargs)

    for option in reversed(_OPTIONS):
        wrapped = option(wrapped)
    return wrapped  # type: ignore[return-value]


def act(signing: Signing, verb: Verb, as_json: bool) -> None:
    """Say one verb; sign, hand in, and print what came of it."""
    if signing.node_key and signing.keys:
        raise UsageError("--key signs here and --node-key there; choose one")
    if signing.node_key:
        with connect_as_owner(signing.api, signing.folder) as client:
            payer = signing.who_if(signing.payer)
            if payer is not None and not isinstance(payer, str):
                raise UsageError("with --node-key the payer is a key: give an address or a name")
            answer = client.act(verb, submit=not signing.no_submit, fee=signing.fee, payer=payer)
            conclude(client, signing, answer, as_json)
        return
    with connect(signing.api) as client:
        conclude(client, signing, act_here(client, signing, verb), as_json)


def act_here(client: Client, signing: Signing, verb: Verb) -> WalletAnswer:
    """Build, sign with local keys, and hand in if all have agreed."""
    from horoi.cli.compose import Remote
    from horoi.ledger.conditions import Key
    from horoi.node.wallet.partial import PartialTransaction, keys_asked, sign
    from horoi.node.wallet.text import condition_from_json

    pairs = local_keys(signing.home, signing.keys, signing.passphrase_file)
    remote = Remote(client, Key(pairs[0].public))
    payer = signing.who_if(signing.payer)
    body = remote.body(verb, payer=condition_from_json(payer) if payer else remote.own, fee=signing.fee)
    partial = PartialTransaction(remote.network_id, body)
    for pair in pairs:
        if pair.public in keys_asked(partial):
            partial = sign(partial, pair)
    return hand_in(client, remote, partial, submit=not signing.no_submit, folder=signing.home)


def local_keys(folder: Path, names: tuple[str, ...], passphrase_file: Path | None) -> list[KeyPair]:
    """The named keys of the keystore, unlocked; the only one there is if none is named."""
    if not names:
        there = [entry.name for entry in keystore(folder).entries()]
        if len(there) != 1:
            what = f"there are {', '.join(there)}" if there else f"{folder} has none: horoi key new NAME"
            raise UsageError(f"say which key signs, with --key NAME; {what}")
        names = (there[0],)
    return [unlock(folder, name, passphrase_file) for name in names]


def hand_in(client: Client, remote: Any, partial: PartialTransaction, *, submit: bool, folder: Path) -> WalletAnswer:
    """Hand in a transaction if everybody agreed; the answer is the same as the node's own wallet gives."""
    from horoi.base.codec import encode
    from horoi.ledger.rules import check_body
    from horoi.ledger.transaction import asset_id
    from horoi.node.wallet import partial as partials
    from horoi.node.wallet.explain import explain
    from horoi.node.wallet.text import condition_to_json
    from horoi.web.model.wallet import WalletAnswer

    status = remote.status
    missing = partials.missing(partial, status.height + 1, status.median_time_ms)
    transaction = None if missing else partials.finalize(partial, status.height + 1, status.median_time_ms)
    submitted = transaction is not None and submit
    if transaction is not None and submitted:
        client.submit(transaction)
    names = remote.books.names(partial.body, key_names(folder))
    return WalletAnswer(
        id=partial.id.hex(),
        submitted=submitted,
        words=explain(partial.body, names),
        missing=[condition_to_json(condition) for condition in missing],
        partial=json.loads(partials.to_json(partial, names)),
        hex=encode(transaction).hex() if transaction is not None else None,
        fee=str(check_body(partial.body)),
        assets=[asset_id(partial.id, number).hex() for number in range(len(partial.body.definitions))],
    )


def conclude(client: Client, signing: Signing, answer: WalletAnswer, as_json: bool) -> None:
    """Write the file if others must sign, wait if asked to, and print."""
    data = to_dict(answer)
    partial = data.pop("partial")
    data["file"] = None
    if not answer.submitted:
        out = signing.out or Path(f"tx-{answer.id[:16]}.json")
        write_partial(out, partial)
        data["file"] = str(out)
    elif signing.out is not None:
        write_partial(signing.out, partial)
        data["file"] = str(signing.out)
    data["confirmed"] = None
    if signing.wait and answer.submitted:
        found = client.wait_confirmed(answer.id, timeout_s=signing.timeout_s)
        data["confirmed"] = {"height": found.height, "block": found.block, "confirmations": found.confirmations}
    emit(data, as_json, render_answer)


def write_partial(path: Path, partial: dict[str, Any]) -> None:
    """Write a partially signed transaction, whole or not at all."""
    write_file(path, json.dumps(partial, indent=2).encode() + b"\n")


def render_answer(data: dict[str, Any]) -> None:
    """What was agreed to, and what is next."""
    from horoi.cli.render import plain, who

    for line in data["words"]:
        click.echo(plain(line))
    click.echo(f"transaction {data['id']}")
    for asset in data["assets"]:
        click.echo(f"asset {asset}")
    if data["confirmed"]:
        click.echo(f"confirmed in block {data['confirmed']['height']}")
    elif data["submitted"]:
        click.echo(f"handed in; it waits for a block (horoi tx wait {data['id']})")
    elif data["missing"]:
        click.echo("still to agree: " + "; ".join(plain(who(form)) for form in data["missing"]))
        click.echo(f"written to {data['file']}; they sign it with: horoi tx sign {data['file']}")
    else:
        click.echo(f"everybody agreed; written to {data['file']}; hand it in with: horoi tx submit {data['file']}")
