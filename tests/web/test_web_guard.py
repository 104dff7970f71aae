"""Who may ask, how much, and for how long."""

from __future__ import annotations

import asyncio
import stat
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.web.test_web_transactions import said
from tests.web.web_api import Api, running_api
from tests.web.web_node import TOKEN

from horoi.base.codec import encode
from horoi.base.errors import KeyFileError
from horoi.web.guard import ApiLimits
from horoi.web.routes.table import ENDPOINTS
from horoi.web.token import FILE_NAME, read_or_make_token, read_token

WITH_TOKEN = [e for e in ENDPOINTS if e.needs_token]


def test_all_that_signs_or_steers_needs_the_token(api: Api) -> None:
    for endpoint in WITH_TOKEN:
        missing = api.ask(endpoint.method, endpoint.path, token=None, json={})
        assert missing.status_code == 401, endpoint.path
        assert missing.headers["www-authenticate"] == "Bearer"
        wrong = api.ask(endpoint.method, endpoint.path, token="cd" * 32, json={})
        assert wrong.status_code == 403, endpoint.path
        cookie = api.ask(endpoint.method, endpoint.path, token=None, json={}, headers={"Cookie": f"token={TOKEN}"})
        assert cookie.status_code == 401, "a cookie is sent by a browser on anybody's behalf"
    for odd in ("Bearer", "Bearer ", TOKEN, f"Basic {TOKEN}", f"Bearer {TOKEN}0"):
        answer = api.ask("GET", "/v1/wallet/keys", token=None, headers={"Authorization": odd})
        assert answer.status_code in (401, 403), odd
    assert (
        api.ask("GET", "/v1/wallet/keys", token=None, headers={"Authorization": f"bearer {TOKEN}"}).status_code == 200
    )


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "", "localhost.", "[::2]", "127.0.0.2:80"])
def test_a_name_that_is_not_ours_is_refused(api: Api, host: str) -> None:
    assert api.ask("GET", "/v1/status", headers={"Host": host}).status_code == 421


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:80", "127.0.0.1", "[::1]", "[::1]:8645", "127.0.0.1:9"])
def test_loopback_by_any_name_is_ours(api: Api, host: str) -> None:
    assert api.ask("GET", "/v1/status", headers={"Host": host}).status_code == 200


def test_pages_of_other_sites_may_not_write(api: Api) -> None:
    for origin, status in (
        ("https://evil.example", 403),
        ("null", 403),
        ("http://[broken", 403),
        ("http://127.0.0.1:8645", 200),
    ):
        answer = api.ask("POST", "/v1/transactions", json=[], headers={"Origin": origin})
        assert answer.status_code == status, origin
    answer = api.ask("GET", "/v1/status", headers={"Origin": "https://evil.example"})
    assert "access-control-allow-origin" not in answer.headers
    assert answer.headers["x-content-type-options"] == "nosniff"


async def _chunks(count: int, size_bytes: int) -> AsyncIterator[bytes]:
    for _ in range(count):
        yield b"x" * size_bytes


def test_bodies_are_bounded_whether_they_say_their_length_or_not() -> None:
    with running_api(limits=ApiLimits(max_body_size_bytes=1_000, max_bodies_size_bytes=1_500)) as api:
        said = api.ask("POST", "/v1/transactions", content=b"x" * 1_001, headers={"Content-Type": "text/plain"})
        assert said.status_code == 413
        unsaid = api.ask("POST", "/v1/transactions", content=_chunks(11, 100), headers={"Content-Type": "text/plain"})
        assert unsaid.status_code == 413
        fitting = api.ask("POST", "/v1/transactions", content=_chunks(10, 100), headers={"Content-Type": "text/plain"})
        assert fitting.status_code == 400  # not hexadecimal, but read


def test_bodies_that_are_read_at_once_are_bounded_together() -> None:
    with running_api(limits=ApiLimits(max_body_size_bytes=1_000, max_bodies_size_bytes=1_500)) as api:
        go_on = asyncio.Event()

        async def slow() -> AsyncIterator[bytes]:
            yield b"ab" * 400
            await go_on.wait()
            yield b"cd"

        async def both() -> tuple[int, int, int]:
            headers = {"Content-Type": "text/plain"}
            first = asyncio.ensure_future(api.client.post("/v1/transactions", content=slow(), headers=headers))
            await asyncio.sleep(0)
            while not first.done() and _held(api) < 800:
                await asyncio.sleep(0)
            second = await api.client.post("/v1/transactions", content=b"ab" * 400, headers=headers)
            go_on.set()
            done = await first
            third = await api.client.post("/v1/transactions", content=b"ab" * 400, headers=headers)
            return done.status_code, second.status_code, third.status_code

        assert api.runner.run(both()) == (400, 503, 400)
        assert _held(api) == 0


def _held(api: Api) -> int:
    return int(api.guard().bodies_size_bytes)


def test_a_body_that_does_not_arrive_is_given_up() -> None:
    with running_api(limits=ApiLimits(body_timeout_s=0.05)) as api:

        async def never() -> AsyncIterator[bytes]:
            yield b"x"
            await asyncio.Event().wait()

        answer = api.ask("POST", "/v1/transactions", content=never(), headers={"Content-Type": "text/plain"})
        assert answer.status_code == 408


def test_an_answer_that_does_not_come_is_given_up() -> None:
    with running_api(limits=ApiLimits(answer_timeout_s=0.05)) as api:
        api.host.ask = lambda request: None  # type: ignore[method-assign] - a node that does not answer
        answer = api.ask("POST", "/v1/transactions", json=[encode(said(api, "x")).hex()])
        assert answer.status_code == 503


def test_a_fault_says_nothing_of_the_inside(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> list[object]:
        raise ValueError("secret thing")

    monkeypatch.setattr(api.host.node.peers, "peers", broken)
    answer = api.runner.run(api.client.get("/v1/peers"))
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert "secret" not in answer.text


def test_the_token_is_made_once_for_its_owner_only(tmp_path: Path) -> None:
    folder = tmp_path / "node"
    token = read_or_make_token(folder)
    assert len(bytes.fromhex(token)) == 32
    assert stat.S_IMODE((folder / FILE_NAME).stat().st_mode) == 0o600
    assert read_or_make_token(folder) == read_token(folder) == token
    assert read_or_make_token(tmp_path / "other") != token


def test_an_empty_token_file_is_made_anew(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).touch(mode=0o644)
    token = read_or_make_token(tmp_path)
    assert read_token(tmp_path) == token
    assert stat.S_IMODE((tmp_path / FILE_NAME).stat().st_mode) == 0o600


def test_a_node_killed_while_it_makes_its_token_makes_one_in_its_next_life(tmp_path: Path) -> None:
    """A real process that ends, without cleaning up, when the file is there and the token is not yet in it."""
    dying = """
import os, pathlib, sys
from horoi.web.token import read_or_make_token
os.fdopen = lambda *_, **__: os._exit(9)
read_or_make_token(pathlib.Path(sys.argv[1]))
"""
    assert subprocess.run([sys.executable, "-c", dying, str(tmp_path)], check=False).returncode == 9
    assert not (tmp_path / FILE_NAME).exists()
    token = read_or_make_token(tmp_path)
    assert read_or_make_token(tmp_path) == read_token(tmp_path) == token
    assert [path.name for path in tmp_path.iterdir()] == [FILE_NAME]


@pytest.mark.parametrize("content", ["short", "ab" * 31, "AB" * 32, "ab" * 33])
def test_a_file_that_is_no_token_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / FILE_NAME).write_text(content)
    with pytest.raises(KeyFileError, match="not a token"):
        read_or_make_token(tmp_path)


def test_a_token_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(KeyFileError, match="cannot be read"):
        read_token(tmp_path)
    (tmp_path / FILE_NAME).write_bytes(b"\xff\xfe")
    with pytest.raises(KeyFileError, match="cannot be read"):
        read_token(tmp_path)
