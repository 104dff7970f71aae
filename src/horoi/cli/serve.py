"""A node as a process: folder, genesis, keys, the live host, and the API, in one event loop until it is told to stop.

    folder/genesis.json   what the network agreed on, copied at the first start
    folder/node-key       the node's name among peers
    folder/keys/          the owner's keys
    folder/api-token      what programs show that may sign here
    the rest              blocks, state, index, mempool, address book

Everything that can be refused is refused before the first byte is written, or leaves what was there untouched.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from horoi.base.errors import HoroiError, StorageError, UsageError
from horoi.base.keys import KeyPair
from horoi.cli.exits import ClockError
from horoi.cli.genesis_file import read_genesis
from horoi.cli.journal import Journal
from horoi.cli.sides import ANY_PORT, DEFAULT_DHT_LISTEN, Sides, is_local_dht
from horoi.ledger.conditions import Condition, Key
from horoi.ledger.genesis import Genesis, network_id, to_json
from horoi.machine.host import Hosted, Place
from horoi.node.lookup.requests import DHT, OVERLAY
from horoi.node.names import NAMES_FILE, NameBook
from horoi.node.node import Node, NodeConfig, boot_node
from horoi.node.offline import GENESIS_FILE
from horoi.node.peers.addresses import canonical
from horoi.node.witness.promise import begin
from horoi.web.access import NodeAccess
from horoi.web.server import ApiServer
from horoi.world.live.addresses import split_address
from horoi.world.live.disk import LiveDisk
from horoi.world.live.host import LiveHost
from horoi.world.live.node_key import NodeKey

NODE_KEY_FILE = "node-key"
PATIENCE_S = 5.0  # a clean stop takes well under one second; a guess

Ready = Callable[[dict[str, Any]], None]


@dataclass(frozen=True)
class ServeOptions:
    """What an operator decides. ``keys``: the unlocked ones, the default first. ``genesis`` only for the first start."""

    folder: Path
    listen: str | None
    api: str
    genesis: Path | None = None
    peers: tuple[str, ...] = ()
    advertise: str | None = None
    """Where others may dial this node; default: where it listens, if that is an address of its own."""
    api_hosts: tuple[str, ...] = ()
    hash_rate: float = 0.0
    reward_to: Condition | None = None
    """Default: the first key."""
    keys: Mapping[str, KeyPair] = field(default_factory=dict)
    lookup: str = ""
    """The overlay by which nodes find documents: a name of ``horoi.node.lookup.overlays``, or "" for none."""
    lookup_listen: str | None = None
    """UDP; default: the host and port where the node takes links."""
    dht: bool = False
    dht_listen: str = DEFAULT_DHT_LISTEN
    dht_bootstraps: tuple[str, ...] = ()
    """Default: the public routers."""
    stop_with_stdin: bool = False
    """Stop when standard input ends: so a child never outlives its parent."""


async def serve(options: ServeOptions, ready: Ready, stop: asyncio.Event | None = None) -> None:
    """Run a node until SIGINT, SIGTERM, or ``stop`` is set. ``ready`` is called once it serves.

    Raises the HoroiError that keeps it from starting, or that ended it (the disk is full).
    """
    check_peers(options)
    given = read_genesis(options.genesis) if options.genesis is not None else None
    _check_folder(options)
    stop = stop or asyncio.Event()
    with _stopped_by_signals(stop, options), contextlib.closing(LiveDisk(options.folder)) as disk:
        genesis = settle_genesis(disk, given)
        await _serve_on(disk, genesis, options, ready, stop)


def check_peers(options: ServeOptions) -> None:
    """UsageError for what cannot be dialed, or cannot be paid."""
    for address in (*options.peers, *options.dht_bootstraps, *([options.advertise] if options.advertise else [])):
        if canonical(address) is None:
            raise UsageError(f"peer {address[:100]!r}: write host:port, or [host]:port for IPv6")
    if options.hash_rate > 0 and options.reward_to is None and not options.keys:
        raise UsageError("mining pays a reward: say to whom, with --key NAME or --reward-to ADDRESS")


def _check_folder(options: ServeOptions) -> None:
    """Refuse a first start without a genesis before a folder is made."""
    if options.genesis is None and not (options.folder / GENESIS_FILE).exists():
        raise UsageError(
            f"{options.folder} has no {GENESIS_FILE} yet: give --genesis FILE for the first start "
            "(horoi network new makes one, or ask a company of the network for its file)"
        )


def settle_genesis(disk: LiveDisk, given: Genesis | None) -> Genesis:
    """The genesis of this folder: the one that is there, else the given one, which is then kept there."""
    path = disk.folder / GENESIS_FILE
    if not path.exists():
        assert given is not None
        disk.replace(GENESIS_FILE, to_json(given))
        return given
    try:
        kept = read_genesis(path)
    except HoroiError as error:
        raise StorageError(f"the node's own copy is damaged ({error}); copy the network's genesis file there") from None
    if given is not None and network_id(given) != network_id(kept):
        raise StorageError(
            f"{disk.folder} belongs to network {kept.name!r} ({network_id(kept).hex()[:16]}), the genesis given is of "
            f"{given.name!r} ({network_id(given).hex()[:16]}): leave --genesis out, or choose another --dir"
        )
    return kept


def settle_key(disk: LiveDisk) -> NodeKey:
    """The node's key: the one that is there, else a new one, with the record that it signed no checkpoint yet."""
    path = disk.folder / NODE_KEY_FILE
    if path.exists():
        return NodeKey.load(path)
    key = NodeKey.generate()
    begin(disk, key.public)
    key.keep(path)
    return key


async def _serve_on(disk: LiveDisk, genesis: Genesis, options: ServeOptions, ready: Ready, stop: asyncio.Event) -> None:
    check_clock(genesis, None)
    key = settle_key(disk)
    lives: list[Node] = []
    config = NodeConfig(
        genesis=genesis,
        connect=options.peers,
        advertise=options.advertise,
        hash_rate=options.hash_rate,
        reward_to=options.reward_to or _first_key(options.keys),
        signer=key,
        overlay=options.lookup,
        dht=options.dht,
        dht_is_local=is_local_dht(options.dht_bootstraps),
    )

    def boot(place: Place) -> Hosted:  # the port is bound by now: what it is can be told to peers
        address = config.advertise or canonical(host.address or "")
        port = split_address(host.address)[1] if host.address else 0
        return boot_node(replace(config, advertise=address, listen_port=port), lives.append)(place)

    host = LiveHost(boot, node_key=key, network_id=network_id(genesis), disk=disk, listen=options.listen)
    async with contextlib.AsyncExitStack() as cleanup:
        cleanup.push_async_callback(host.stop)
        await host.start()
        node = lives[-1]
        check_clock(genesis, node.chain.tip.header.time_ms)
        sides = Sides(host, key, network_id(genesis))
        cleanup.push_async_callback(sides.stop)
        await start_sides(sides, options, host.address)
        book = NameBook(options.folder / NAMES_FILE)
        access = NodeAccess(node, host, node_id=key.node_id, keys=options.keys, book=book, folder=options.folder)
        server = ApiServer(access, folder=options.folder, listen=options.api, hosts=options.api_hosts)
        cleanup.push_async_callback(server.stop)
        await server.start()
        journal = Journal(host, node)
        cleanup.callback(journal.close)
        journal.started(server.url, host.address, key.node_id)
        ready(
            {
                "ready": True,
                "api": server.url,
                "listen": host.address,
                "lookup": sides.address_of(OVERLAY),
                "dht": sides.address_of(DHT),
                "node_id": key.node_id.hex(),
                "network": network_id(genesis).hex(),
                "height": node.chain.tip.height,
                "dir": str(options.folder),
                "pid": os.getpid(),
            }
        )
        await _until(stop, host)
        journal.stopping()
    journal.stopped()


async def start_sides(sides: Sides, options: ServeOptions, listen: str | None) -> None:
    """Bind what the operator asked for beside the links. ``listen``: where those are taken, if they are."""
    if options.lookup:
        await sides.start_overlay(options.lookup, options.lookup_listen or listen or ANY_PORT, options.advertise)
    if options.dht:
        await sides.start_dht(options.dht_listen, options.dht_bootstraps)


async def _until(stop: asyncio.Event, host: LiveHost) -> None:
    """Return when stopped; raise what ended the host."""
    stopped = asyncio.ensure_future(stop.wait())
    ended = asyncio.ensure_future(host.wait())
    try:
        await asyncio.wait((stopped, ended), return_when=asyncio.FIRST_COMPLETED)
        if ended.done():
            ended.result()
    finally:
        stopped.cancel()
        ended.cancel()


def check_clock(genesis: Genesis, tip_time_ms: int | None, now_ms: int | None = None) -> None:
    """ClockError if this machine's clock is before what is known to have happened, by more than the network forgives.

    A clock that is ahead cannot be told from here: ``horoi doctor`` compares it with other nodes'.
    """
    now_ms = int(time.time() * 1000) if now_ms is None else now_ms
    forgiven_ms = genesis.consensus.future_limit * genesis.consensus.interval_ms
    happened = [("the network was made", genesis.created_ms)]
    if tip_time_ms is not None:
        happened.append(("this node's last block was mined", tip_time_ms))
    for what, when_ms in happened:
        if when_ms - now_ms > forgiven_ms:
            raise ClockError(
                f"the clock says that {what} {(when_ms - now_ms) / 1000:,.0f} s from now: it is off. "
                "Set it (timedatectl set-ntp true), then start again; nothing was changed"
            )


def _first_key(keys: Mapping[str, KeyPair]) -> Condition | None:
    for pair in keys.values():
        return Key(pair.public)
    return None


@contextlib.contextmanager
def _stopped_by_signals(stop: asyncio.Event, options: ServeOptions) -> Iterator[None]:
    """SIGINT and SIGTERM set ``stop``. Repeated, they are one wish (a terminal and a parent may both send them); after
    ``PATIENCE_S`` they end the process at once, which loses nothing that was confirmed."""
    loop = asyncio.get_running_loop()
    signals = (signal.SIGINT, signal.SIGTERM)
    asked_at: list[float] = []

    def end(number: int) -> None:
        asked_at.append(loop.time())
        stop.set()
        if asked_at[-1] - asked_at[0] > PATIENCE_S:
            os._exit(128 + number)

    def read_stdin() -> None:
        if not os.read(stdin, 4096):
            loop.remove_reader(stdin)
            stop.set()

    for number in signals:
        loop.add_signal_handler(number, end, number)
    stdin = sys.stdin.fileno() if options.stop_with_stdin else -1
    if stdin >= 0:
        loop.add_reader(stdin, read_stdin)
    try:
        yield
    finally:
        for number in signals:
            loop.remove_signal_handler(number)
        if stdin >= 0:
            loop.remove_reader(stdin)
