"""No page of another site signs, steers or reads anything: by form, fetch, image, event stream, socket, or a stolen name.

What a browser sends with each is from the Fetch standard ("Origin", "Sec-Fetch-*") and was seen in chromium.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from tests.web.web_api import Api, running_api
from tests.web.web_node import TOKEN

from horoi.web.endpoint import JSON, Endpoint
from horoi.web.guard import ApiLimits, Guard
from horoi.web.routes.table import ENDPOINTS

CHANGING = [e for e in ENDPOINTS if e.method not in ("GET", "HEAD", "OPTIONS")]

WITHOUT_TOKEN = {
    ("POST", "/v1/transactions"): "a transaction carries its own signatures; whoever has it may hand it in anywhere",
}
"""What changes something and needs no token, and why."""

EVIL = "https://evil.example"
NEIGHBOUR = "http://127.0.0.1:3000"
OWN = "http://127.0.0.1:8645"

FORM = {"Content-Type": "application/x-www-form-urlencoded", "Sec-Fetch-Mode": "navigate"}
TEXT_FORM = {"Content-Type": "text/plain", "Sec-Fetch-Mode": "navigate"}
NO_CORS = {"Content-Type": "text/plain", "Sec-Fetch-Mode": "no-cors"}
CORS = {"Content-Type": JSON, "Sec-Fetch-Mode": "cors"}
WAYS = {"form": FORM, "text form": TEXT_FORM, "no-cors fetch": NO_CORS, "cors fetch": CORS}


@pytest.fixture(scope="module")
def api() -> Iterator[Api]:
    """One node for all: nothing that is asked here changes it."""
    with running_api() as running:
        yield running


def name_of(endpoint: Endpoint) -> str:
    return f"{endpoint.method} {endpoint.path}"


def path_of(endpoint: Endpoint) -> str:
    """The path with something in its parts."""
    return "/".join("ab" * 32 if part.startswith("{") else part for part in endpoint.path.split("/"))


def allowed_without_token(endpoint: Endpoint) -> bool:
    return (endpoint.method, endpoint.path) in WITHOUT_TOKEN


@pytest.mark.parametrize("endpoint", CHANGING, ids=name_of)
def test_whatever_changes_something_needs_the_token_or_a_reason(endpoint: Endpoint) -> None:
    assert endpoint.needs_token or allowed_without_token(endpoint), (
        "give it needs_token=True, or add it to WITHOUT_TOKEN with the reason why anybody may do it"
    )


@pytest.mark.parametrize("endpoint", [e for e in ENDPOINTS if e.needs_token], ids=name_of)
def test_the_token_comes_in_its_header_and_in_no_other_way(api: Api, endpoint: Endpoint) -> None:
    path = path_of(endpoint)
    for how in (
        {},
        {"params": {"token": TOKEN, "access_token": TOKEN}},
        {"headers": {"Cookie": f"token={TOKEN}; authorization=Bearer {TOKEN}"}},
        {"headers": {"X-Token": TOKEN, "Proxy-Authorization": f"Bearer {TOKEN}"}},
    ):
        answer = api.runner.run(api.client.request(endpoint.method, path, json={}, **how))  # type: ignore[arg-type]
        assert answer.status_code == 401, how


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("endpoint", CHANGING, ids=name_of)
def test_a_hostile_page_changes_nothing(api: Api, endpoint: Endpoint, way: str) -> None:
    """Not even with the token, if it came by that: and without Fetch Metadata, as an old browser asks."""
    headers = {**WAYS[way], "Authorization": f"Bearer {TOKEN}"}
    for origin, site in ((EVIL, "cross-site"), ("null", "cross-site"), (NEIGHBOUR, "same-site"), (EVIL, "")):
        said = {**headers, "Origin": origin, **({"Sec-Fetch-Site": site} if site else {})}
        if not site:
            del said["Sec-Fetch-Mode"]
        answer = api.runner.run(api.client.request(endpoint.method, path_of(endpoint), content=b"{}", headers=said))
        assert answer.status_code == 403, (origin, site)
        assert "another site" in answer.json()["detail"]


@pytest.mark.parametrize("endpoint", [e for e in CHANGING if e.body is not None], ids=name_of)
@pytest.mark.parametrize("media", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_json_is_read_only_from_what_says_that_it_is_json(api: Api, endpoint: Endpoint, media: str) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}", **({"Content-Type": media} if media else {})}
    answer = api.runner.run(api.client.request(endpoint.method, path_of(endpoint), content=b"{}", headers=headers))
    assert answer.status_code == 415


@pytest.mark.parametrize("path", ["/v1/events", "/v1/offers", "/v1/wallet/keys", "/v1/status", "/", "/openapi.json"])
def test_a_hostile_page_reads_nothing(api: Api, path: str) -> None:
    """EventSource, fetch, image and script: refused before anything is opened, and nothing is granted."""
    for said in (
        {"Origin": EVIL, "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"},
        {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "no-cors"},
        {"Origin": EVIL},
        {"Origin": "null"},
    ):
        answer = api.runner.run(api.client.get(path, headers=said))
        assert answer.status_code == 403, said
        assert not [name for name in answer.headers if name.startswith("access-control")]
    assert not api.access.live.hub.subscribers


def test_a_preflight_grants_nothing(api: Api) -> None:
    asks = {"Origin": EVIL, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
    for path in ("/v1/offers", "/v1/wallet/transfer"):
        answer = api.runner.run(api.client.options(path, headers=asks))
        assert answer.status_code == 403
        assert not [name for name in answer.headers if name.startswith("access-control")]


@pytest.mark.parametrize("endpoint", CHANGING, ids=name_of)
def test_a_name_that_was_taken_over_changes_nothing(api: Api, endpoint: Endpoint) -> None:
    """DNS rebinding: to the browser the page and this node are the same site."""
    headers = {
        "Host": "evil.example:8645",
        "Origin": "http://evil.example:8645",
        "Sec-Fetch-Site": "same-origin",
        "Authorization": f"Bearer {TOKEN}",
    }
    answer = api.runner.run(api.client.request(endpoint.method, path_of(endpoint), json={}, headers=headers))
    assert answer.status_code == 421


def test_the_nodes_own_pages_and_programs_ask_as_before(api: Api) -> None:
    page = {"Origin": OWN, "Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors"}
    assert api.runner.run(api.client.post("/v1/transactions", json=[], headers=page)).status_code == 200
    assert api.runner.run(api.client.post("/v1/transactions", json=[])).status_code == 200
    link = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    assert api.runner.run(api.client.get("/v1/status", headers=link)).status_code == 200
    typed = {"Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate"}
    assert api.runner.run(api.client.get("/v1/status", headers=typed)).status_code == 200


@pytest.mark.parametrize(
    ("origin", "host", "passes"),
    [
        ("http://127.0.0.1:8645", "127.0.0.1:8645", True),
        ("http://localhost", "localhost:80", True),
        ("http://[::1]:8645", "[::1]:8645", True),
        ("https://board.example", "10.0.0.7:8645", False),  # that host is none of ours
        ("https://board.example", "127.0.0.1:8645", True),  # a proxy in front, by a configured name
        ("https://board.example:444", "board.example", True),
        ("http://localhost:8645", "127.0.0.1:8645", False),
        ("http://127.0.0.1:3000", "127.0.0.1:8645", False),
        ("http://127.0.0.1:99999", "127.0.0.1:8645", False),
        ("http://board.example.evil", "board.example", False),
    ],
)
def test_an_origin_is_the_host_that_was_asked_or_a_configured_name(origin: str, host: str, passes: bool) -> None:
    assert (asked({"host": host, "origin": origin}) == "app") == passes


def test_a_doubled_header_is_refused() -> None:
    headers = [(b"host", b"127.0.0.1"), (b"origin", b"http://127.0.0.1"), (b"origin", EVIL.encode())]
    assert asked(headers) == 400


@pytest.mark.parametrize(("origin", "passes"), [(EVIL, False), (OWN, True), (None, True), (NEIGHBOUR, False)])
def test_a_socket_of_another_site_is_closed_before_it_opens(origin: str | None, passes: bool) -> None:
    """WebSockets are bound by no cross-origin rule of the browser: whoever takes them must look at the Origin."""
    headers = {"host": "127.0.0.1:8645", **({"origin": origin} if origin else {})}
    assert asked(headers, kind="websocket") == ("app" if passes else 1008)


def asked(headers: Any, kind: str = "http") -> Any:
    """What a guard in front of an app lets through: "app", or the status or close code of its refusal."""
    reached: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        reached.append("app")

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b""}

    async def send(message: dict[str, Any]) -> None:
        if message["type"] in ("http.response.start", "websocket.close"):
            reached.append(message.get("status") or message.get("code"))

    pairs = headers if isinstance(headers, list) else [(k.encode(), v.encode()) for k, v in headers.items()]
    scope = {"type": kind, "method": "POST", "path": "/", "headers": pairs}
    guard = Guard(app, hosts=("board.example",), limits=ApiLimits())
    asyncio.run(guard(scope, receive, send))
    (what,) = reached
    return what
