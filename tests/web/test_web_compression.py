"""Answers that are zipped, answers that are not, and what their headers say."""

from __future__ import annotations

import msgspec
import pytest
from starlette.requests import Request
from tests.web.web_api import Api

from horoi.web.compression import LEAST_BYTES, packed, takes_gzip


def asking(accepted: str | None) -> Request:
    headers = [] if accepted is None else [(b"accept-encoding", accepted.encode())]
    return Request({"type": "http", "headers": headers})


@pytest.mark.parametrize("accepted", ["gzip", "br, gzip", "GZIP", "gzip;q=0.001", "deflate;q=0, gzip ; q=1"])
def test_who_takes_gzip(accepted: str) -> None:
    assert takes_gzip(asking(accepted))


@pytest.mark.parametrize("accepted", [None, "", "identity", "br", "gzip;q=0", "br, gzip; q=0.000", "xgzip", "*"])
def test_who_does_not(accepted: str | None) -> None:
    assert not takes_gzip(asking(accepted))


def test_a_long_answer_is_zipped_for_who_takes_that(api: Api) -> None:
    api.host.mine(20)
    for path, is_long in (("/v1/blocks?limit=20", True), ("/v1/mining", False)):
        plain = api.ask("GET", path, headers={"Accept-Encoding": "identity"})
        zipped = api.ask("GET", path, headers={"Accept-Encoding": "gzip, br"})
        assert "content-encoding" not in plain.headers
        assert zipped.headers.get("content-encoding") == ("gzip" if is_long else None)
        assert plain.headers["vary"] == zipped.headers["vary"] == "Accept-Encoding"
        assert int(plain.headers["content-length"]) == len(plain.content)
        assert zipped.content == plain.content
        assert not is_long or int(zipped.headers["content-length"]) < len(plain.content) / 3


def test_head_says_of_an_answer_what_get_does(api: Api) -> None:
    api.host.mine(20)
    for coding in ("identity", "gzip"):
        got, head = (
            api.runner.run(api.client.request(method, "/v1/blocks?limit=20", headers={"Accept-Encoding": coding}))
            for method in ("GET", "HEAD")
        )
        assert head.status_code == 200
        for name in ("content-type", "content-length", "content-encoding", "vary"):
            assert head.headers.get(name) == got.headers.get(name), name


def test_what_only_the_owner_reads_has_its_own_length(api: Api) -> None:
    """However much a stranger's words in it repeat what is private."""
    keys = msgspec.json.encode({"keys": ["private"] * LEAST_BYTES})
    assert packed(asking("gzip"), keys, is_public=False)[0] == keys
    said = api.ask("POST", "/v1/wallet/post", json={"text": "again " * 300}, headers={"Accept-Encoding": "gzip"})
    assert len(said.content) >= LEAST_BYTES
    assert "content-encoding" not in said.headers
