"""A node as a process: what keeps it from starting leaves everything as it was."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.cli.cli_fake_node import Runner

from horoi.base.errors import HoroiError, KeyFileError, NetworkError, StorageError, UsageError
from horoi.base.keys import KeyPair
from horoi.cli.exits import ClockError
from horoi.cli.genesis_file import read_genesis
from horoi.cli.serve import NODE_KEY_FILE, ServeOptions, check_clock, serve
from horoi.ledger.genesis import to_json
from horoi.node.offline import GENESIS_FILE
from horoi.node.witness.promise import PROMISE_FILE, Promise
from horoi.world.live.disk import LiveDisk
from horoi.world.live.node_key import NodeKey

ANY_PORT = "127.0.0.1:0"


@pytest.fixture
def genesis(horoi: Runner) -> Path:
    easy = ("--interval", "1s", "--half-life", "60s", "--first-hashes", "1", "--easiest-hashes", "1")
    assert horoi("network", "new", "here", "-o", "genesis.json", *easy).code == 0
    return Path("genesis.json")


@pytest.fixture
def options(genesis: Path, home: Path) -> ServeOptions:
    return ServeOptions(folder=home, listen=ANY_PORT, api=ANY_PORT, genesis=genesis)


def run_once(options: ServeOptions) -> dict[str, Any]:
    """Start, be ready, stop; what was said when it was ready."""
    said: dict[str, Any] = {}

    async def life() -> None:
        stop = asyncio.Event()

        def ready(facts: dict[str, Any]) -> None:
            said.update(facts)
            stop.set()

        await asyncio.wait_for(serve(options, ready, stop), 60)

    asyncio.run(life())
    return said


def test_the_first_start_keeps_the_genesis_and_a_later_one_needs_none(options: ServeOptions, home: Path) -> None:
    first = run_once(options)
    assert first["ready"]
    assert first["listen"].startswith("127.0.0.1:")
    assert not first["listen"].endswith(":0")
    assert first["api"].startswith("http://127.0.0.1:")
    assert (home / GENESIS_FILE).read_bytes() == Path("genesis.json").read_bytes()
    second = run_once(replace(options, genesis=None))
    assert (second["node_id"], second["network"]) == (first["node_id"], first["network"])


def test_no_genesis_and_nothing_is_made(options: ServeOptions, home: Path) -> None:
    with pytest.raises(UsageError, match="--genesis"):
        run_once(replace(options, genesis=None))
    assert not home.exists()


def test_another_networks_genesis_is_refused(options: ServeOptions, horoi: Runner, home: Path) -> None:
    run_once(options)
    before = (home / GENESIS_FILE).read_bytes()
    horoi("network", "new", "elsewhere", "-o", "other.json")
    with pytest.raises(StorageError, match="belongs to network 'here'"):
        run_once(replace(options, genesis=Path("other.json")))
    assert (home / GENESIS_FILE).read_bytes() == before
    assert run_once(options)["ready"]


def test_taken_ports(options: ServeOptions) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(NetworkError, match="is taken"):
            run_once(replace(options, listen=address))
        with pytest.raises(NetworkError, match="is taken"):
            run_once(replace(options, api=address))
    assert run_once(options)["ready"]


def test_what_a_witness_signed_is_kept_from_the_first_start_on_and_never_begun_anew(
    options: ServeOptions, home: Path
) -> None:
    run_once(options)
    key = NodeKey.load(home / NODE_KEY_FILE)
    with contextlib.closing(LiveDisk(home)) as disk:
        promise = Promise(disk)
        promise.bind(key.public)
        assert promise.broken is None
    (home / PROMISE_FILE).unlink()
    run_once(options)
    assert not (home / PROMISE_FILE).exists()
    (home / NODE_KEY_FILE).unlink()
    run_once(options)
    assert NodeKey.load(home / NODE_KEY_FILE).public != key.public
    assert (home / PROMISE_FILE).exists()


@pytest.mark.parametrize(
    ("name", "content", "family"),
    [(GENESIS_FILE, "{}", StorageError), (NODE_KEY_FILE, "zz", KeyFileError), ("api-token", "zz", KeyFileError)],
)
def test_a_damaged_file_is_named_and_left_alone(
    options: ServeOptions, home: Path, name: str, content: str, family: type[HoroiError]
) -> None:
    run_once(options)
    (home / name).write_text(content)
    with pytest.raises(family, match=str(home / name)):
        run_once(replace(options, genesis=None))
    assert (home / name).read_text() == content


@pytest.mark.parametrize(
    "changes",
    [
        {"peers": ("nonsense",)},
        {"advertise": "0.0.0.0:1"},
        {"hash_rate": 5.0},
        {"genesis": Path("absent.json")},
        {"listen": "nonsense"},
    ],
    ids=str,
)
def test_options_that_cannot_be_meant(options: ServeOptions, changes: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        run_once(replace(options, **changes))


def test_one_node_per_folder(options: ServeOptions) -> None:
    async def two() -> None:
        stop, ready = asyncio.Event(), asyncio.Event()
        first = asyncio.ensure_future(serve(options, lambda _: ready.set(), stop))
        await asyncio.wait_for(ready.wait(), 60)
        with pytest.raises(StorageError, match="in use by"):
            await serve(options, lambda _: None, asyncio.Event())
        stop.set()
        await first

    asyncio.run(two())


def test_a_clock_that_is_behind(options: ServeOptions, genesis: Path) -> None:
    made = read_genesis(genesis)
    forgiven_ms = made.consensus.future_limit * made.consensus.interval_ms
    check_clock(made, None, made.created_ms - forgiven_ms)
    with pytest.raises(ClockError, match="the network was made"):
        check_clock(made, None, made.created_ms - forgiven_ms - 1)
    now_ms = made.created_ms + 10**9
    check_clock(made, now_ms + forgiven_ms, now_ms)
    with pytest.raises(ClockError, match="last block"):
        check_clock(made, now_ms + forgiven_ms + 1, now_ms)
    tomorrow = to_json(made).replace(str(made.created_ms).encode(), str(int(time.time() * 1000) + 86_400_000).encode())
    Path("future.json").write_bytes(tomorrow)
    with pytest.raises(ClockError) as refused:
        run_once(replace(options, genesis=Path("future.json")))
    assert refused.value.exit_code == 11


def test_a_miner_mines_and_the_journal_says_so(options: ServeOptions, caplog: pytest.LogCaptureFixture) -> None:
    mining = replace(options, hash_rate=200.0, keys={"office": KeyPair(bytes([3]) * 32)})
    caplog.set_level(logging.INFO, "horoi.node")

    async def life() -> int:
        stop = asyncio.Event()
        running = asyncio.ensure_future(serve(mining, lambda _: None, stop))
        until = time.monotonic() + 180
        while "height 2," not in caplog.text and not running.done() and time.monotonic() < until:
            await asyncio.sleep(0.02)
        stop.set()
        await running
        return 0

    asyncio.run(life())
    assert "mined here" in caplog.text
    assert "everything is on disk" in caplog.text
