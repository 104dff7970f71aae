"""``horoi dht``: be a peer of BitTorrent's Mainline DHT, or ask it something. One function per command."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from horoi.base.errors import UsageError
from horoi.cli.dht_peer import (
    address_to_text,
    answer,
    any_port,
    ask,
    hex_bytes,
    id_to_text,
    key_from_text,
    numeric,
    start,
    with_peer,
)
from horoi.cli.output import emit, json_option, reports_errors

if TYPE_CHECKING:
    from horoi.world.live.datagram import DatagramHost

MAX_SEQ = 2**63 - 1  # BEP 44: a 64-bit integer
TIMEOUT_S = 20.0  # a lookup among millions of peers takes a few seconds; a guess


@click.group("dht")
def dht() -> None:
    """Be a peer of BitTorrent's DHT, or ask it: find nodes and peers, announce, get and put.

    \b
    Examples:
      horoi dht node --listen 127.0.0.1:6881 --no-bootstrap
      horoi dht get-peers 2c6b6858d61da9543d4231a71db4b1c9264b0685 --json
      horoi dht put "hello" --bootstrap 127.0.0.1:6881
    """


def _network_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """What all commands need to know about the network."""
    options = (
        click.option(
            "--bootstrap", "bootstraps", metavar="HOST:PORT", multiple=True, help="Enter through this peer. Repeat."
        ),
        click.option("--listen", metavar="HOST:PORT", help="The UDP port. [default: any, on all addresses]"),
        click.option(
            "--timeout",
            "timeout_s",
            metavar="SECONDS",
            type=click.FloatRange(min=0.1),
            default=TIMEOUT_S,
            show_default=True,
            help="Give up after this long.",
        ),
        json_option,
    )
    for option in reversed(options):
        command = option(command)
    return command


# Commands


@dht.command("node")
@click.option("--no-bootstrap", is_flag=True, help="Be the first peer of a network of its own.")
@_network_options
@reports_errors
def node(no_bootstrap: bool, bootstraps: tuple[str, ...], listen: str | None, timeout_s: float, as_json: bool) -> None:
    """Run a peer until Ctrl-C. With --json one line on stdout once it has joined.

    \b
    Examples:
      horoi dht node --listen 0.0.0.0:6881
      horoi dht node --listen 127.0.0.1:6881 --no-bootstrap --json
    """
    from horoi.world.live.run import run

    if no_bootstrap and bootstraps:
        raise UsageError("--no-bootstrap means to enter through nobody: leave out --bootstrap, or it")

    async def serve() -> None:
        host = await start(listen, None if no_bootstrap else bootstraps, timeout_s, read_only=False)
        try:
            contact = host.machine.contact
            facts = {"id": id_to_text(contact.id), "address": host.address, "contacts": len(host.machine.table)}
            emit(facts, as_json, lambda f: click.echo(f"peer {f['id']} at {f['address']}, {f['contacts']} contacts"))
            sys.stdout.flush()
            await host.wait()
        finally:
            await host.stop()

    run(serve())


@dht.command("ping")
@click.argument("address", metavar="HOST:PORT")
@_network_options
@reports_errors
def ping(address: str, as_json: bool, **network: Any) -> None:
    """Is a peer at this address?

    \b
    Example:
      horoi dht ping 127.0.0.1:6881 --json
    """
    from horoi.lookup.kademlia.requests import PingPeer

    def facts(told: Any) -> dict[str, Any]:
        return {
            "id": id_to_text(told.contact.id),
            "address": address_to_text(told.contact.address),
            "round_trip_ms": round(told.round_trip_s * 1000, 3),
            "seen_as": address_to_text(told.seen) if told.seen is not None else None,
        }

    where = numeric(address)
    network |= {"bootstraps": None, "listen": network["listen"] or any_port((where,))}
    _tell(ask(lambda: PingPeer(0, where), facts, **network), as_json)


@dht.command("find")
@click.argument("key", metavar="KEY")
@_network_options
@reports_errors
def find(key: str, as_json: bool, **network: Any) -> None:
    """The peers whose ids are nearest to KEY (40 hexadecimal digits).

    \b
    Example:
      horoi dht find 0123456789abcdef0123456789abcdef01234567 --json
    """
    from horoi.lookup.vocabulary import Lookup

    def facts(told: Any) -> dict[str, Any]:
        nodes = [{"id": id_to_text(owner.id), "address": address_to_text(owner.address)} for owner in told.owners]
        return {"key": key, "nodes": nodes, "hops": told.hops, "rpcs": told.rpcs, "timeouts": told.timeouts}

    number = key_from_text(key)
    _tell(ask(lambda: Lookup(0, number), facts, **network), as_json)


@dht.command("get-peers")
@click.argument("key", metavar="KEY")
@click.option("--limit", type=click.IntRange(1, 1000), default=100, show_default=True, help="At most so many.")
@click.option("--scrape", is_flag=True, help="Estimate how many seeds and peers there are instead (BEP 33).")
@_network_options
@reports_errors
def get_peers(key: str, limit: int, scrape: bool, as_json: bool, **network: Any) -> None:
    """Who has the thing (torrent) named KEY (40 hexadecimal digits)?

    \b
    Examples:
      horoi dht get-peers 2c6b6858d61da9543d4231a71db4b1c9264b0685
      horoi dht get-peers 2c6b6858d61da9543d4231a71db4b1c9264b0685 --scrape --json
    """
    from horoi.lookup.kademlia.requests import Scrape
    from horoi.lookup.vocabulary import FindProviders

    number = key_from_text(key)
    if scrape:
        _tell(
            ask(
                lambda: Scrape(0, number),
                lambda told: {"key": key, "seeds": round(told.seeds, 1), "peers": round(told.peers, 1)},
                **network,
            ),
            as_json,
        )
        return
    _tell(
        ask(
            lambda: FindProviders(0, number, limit),
            lambda told: {
                "key": key,
                "peers": [address_to_text(peer.address) for peer in told.providers],
                "rpcs": told.rpcs,
            },
            **network,
        ),
        as_json,
    )


@dht.command("announce")
@click.argument("key", metavar="KEY")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=0, help="Where this host has it. [default: this UDP port]"
)
@click.option("--seed", is_flag=True, help="It has all of it (BEP 33).")
@_network_options
@reports_errors
def announce(key: str, port: int, seed: bool, as_json: bool, **network: Any) -> None:
    """Say once that this host has the thing named KEY; others remember it for half an hour.

    \b
    Example:
      horoi dht announce 2c6b6858d61da9543d4231a71db4b1c9264b0685 --port 6881 --json
    """
    from horoi.lookup.kademlia.requests import Announce

    number = key_from_text(key)
    answered = ask(
        lambda: Announce(0, number, port, seed), lambda stored: {"key": key, "copies": stored.copies}, **network
    )
    _tell(answered, as_json)


@dht.command("get")
@click.argument("key", metavar="KEY", required=False)
@click.option("--public-key", metavar="HEX", help="Get the signed item of this key instead (64 digits).")
@click.option("--salt", default="", help="The signed item's salt.")
@_network_options
@reports_errors
def get(key: str | None, public_key: str | None, salt: str, as_json: bool, **network: Any) -> None:
    """The value that is kept under KEY, or signed by --public-key (BEP 44). Exit code 8 if there is none.

    \b
    Examples:
      horoi dht get e5f96f6f38320f0f33959cb4d3d656452117aadb
      horoi dht get --public-key 77ff84905a91936367c01360803104f92432fcd904a43511876df5cdf3e7e548 --json
    """
    from horoi.lookup.kademlia.requests import GetSigned
    from horoi.lookup.vocabulary import Get

    if (key is None) == (public_key is None):
        raise UsageError("give a KEY, or --public-key for a signed item")
    if key is not None:
        number = key_from_text(key)
        result = ask(lambda: Get(0, number), lambda found: {"key": key, **_value(found.value)}, **network)
        _tell(result, as_json)
        return
    owner = hex_bytes(public_key or "", 32, "--public-key")

    def facts(found: Any) -> dict[str, Any]:
        return {"key": id_to_text(found.key), "seq": found.item.signed.seq, **_value(found.item.value)}

    salt_bytes = _salt(salt)
    _tell(ask(lambda: GetSigned(0, owner, salt_bytes), facts, **network), as_json)


@dht.command("put")
@click.argument("text", metavar="TEXT")
@click.option("--secret-file", type=click.File("r"), help="Sign it with the Ed25519 secret in this file (64 digits).")
@click.option("--salt", default="", help="The signed item's salt: one key can own many items.")
@click.option("--seq", type=click.IntRange(0, MAX_SEQ), help="The signed item's number. [default: one more than now]")
@click.option("--cas", type=click.IntRange(0, MAX_SEQ), help="Only if the number of what is there is this one.")
@_network_options
@reports_errors
def put(
    text: str, secret_file: Any, salt: str, seq: int | None, cas: int | None, as_json: bool, **network: Any
) -> None:
    """Keep TEXT (at most 1000 bytes) at the peers nearest to its hash, or to the key that signs it (BEP 44).

    \b
    Examples:
      horoi dht put "hello" --json
      horoi dht put "news" --secret-file owner.secret --salt board
    """
    from horoi.lookup.kademlia.bencode import encode

    value = encode(text.encode())
    if len(value) > 1000:
        raise UsageError(f"a value has at most 1000 bytes with its length before it, this one {len(value)}")
    if secret_file is None:
        if salt or seq is not None or cas is not None:
            raise UsageError("--salt, --seq and --cas belong to signed items: give --secret-file too")
        from horoi.lookup.kademlia.signing import immutable_target
        from horoi.lookup.vocabulary import Put

        number = immutable_target(value)
        result = ask(
            lambda: Put(0, number, value),
            lambda stored: {"key": id_to_text(number), "copies": stored.copies},
            **network,
        )
        _tell(result, as_json)
        return
    secret = hex_bytes(secret_file.read().strip(), 32, "--secret-file")
    _tell(_put_signed(value, secret, _salt(salt), seq, cas, **network), as_json)


def _salt(text: str) -> bytes:
    from horoi.lookup.kademlia.signing import MAX_SALT_BYTES

    salt = text.encode()
    if len(salt) > MAX_SALT_BYTES:
        raise UsageError(f"a salt has at most {MAX_SALT_BYTES} bytes, this one {len(salt)}")
    return salt


def _put_signed(
    value: bytes, secret: bytes, salt: bytes, seq: int | None, cas: int | None, **network: Any
) -> dict[str, Any]:
    from horoi.lookup.kademlia.messages import Signed
    from horoi.lookup.kademlia.requests import FoundItem, GetSigned, PutSigned
    from horoi.lookup.kademlia.signing import public_key_of, sign
    from horoi.lookup.vocabulary import NotFound

    owner = public_key_of(secret)

    async def go(host: DatagramHost, timeout_s: float) -> dict[str, Any]:
        number = seq
        if number is None:
            known = await answer(host, GetSigned(0, owner, salt), timeout_s, none_is_fine=True)
            assert isinstance(known, FoundItem | NotFound)
            signed = known.item.signed if isinstance(known, FoundItem) else None
            number = signed.seq + 1 if signed is not None else 1
        item = Signed(owner, number, sign(secret, value, number, salt), salt)
        stored = await answer(host, PutSigned(0, value, item, cas), timeout_s)
        return {"key": id_to_text(stored.key), "public_key": owner.hex(), "seq": number, "copies": stored.copies}

    return with_peer(go, **network)


# Forms


def _value(encoded: bytes) -> dict[str, Any]:
    """A bencoded value for people: as text where it is some, and always as the bytes that are kept."""
    from horoi.lookup.kademlia.bencode import decode

    value = decode(encoded, sorted_keys=False)
    text = None
    if isinstance(value, bytes):
        try:
            text = value.decode()
        except UnicodeDecodeError:
            text = None
    return {"text": text, "bencoded": encoded.hex()}


def _tell(facts: dict[str, Any], as_json: bool) -> None:
    emit(facts, as_json, _render)


def _render(facts: dict[str, Any]) -> None:
    for name, value in facts.items():
        if isinstance(value, list):
            click.echo(f"{name}: {len(value)}")
            for item in value:
                click.echo(f"  {item['id']}  {item['address']}" if isinstance(item, dict) else f"  {item}")
        elif value is not None:
            click.echo(f"{name.replace('_', ' ')}: {value}")
