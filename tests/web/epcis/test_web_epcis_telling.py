"""Subscribers are told of each new event once: by POST with a signature, again after a failure, and over a WebSocket."""

from __future__ import annotations

import hashlib
import hmac
import json
import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.epcis.epcis_documents import document, event
from tests.web.epcis.epcis_client import ROOT, Epcis
from tests.web.web_api import Api
from tests.web.web_server import Serving, serving
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from horoi.web.epcis import subscriptions
from horoi.web.token import read_token

WITHIN_S = 30
SECRET = "a secret of the receiver"


class Receiver:
    """An address that takes messages; the first ``fails`` of them badly."""

    def __init__(self, fails: int = 0) -> None:
        self.fails = fails
        self.babbles = False
        """Its answers have no end."""
        self.got: queue.Queue[tuple[dict[str, Any], str]] = queue.Queue()
        self.bodies: list[bytes] = []
        self.server: ThreadingHTTPServer

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/callback"

    def take(self, body: bytes, signature: str) -> int:
        self.bodies.append(body)
        if self.fails:
            self.fails -= 1
            return 503
        self.got.put((json.loads(body), signature))
        return 200

    def next(self) -> tuple[dict[str, Any], str]:
        return self.got.get(timeout=WITHIN_S)


@contextmanager
def receiving(fails: int = 0) -> Iterator[Receiver]:
    receiver = Receiver(fails)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(receiver.take(body, self.headers.get("GS1-Signature", "")))
            self.send_header("Content-Length", "0" if not receiver.babbles else str(2**40))
            self.end_headers()
            while receiver.babbles:
                try:
                    self.wfile.write(b"x" * 2**16)
                except OSError:
                    return

        def log_message(self, *_: Any) -> None:
            pass

    receiver.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=receiver.server.serve_forever)
    thread.start()
    try:
        yield receiver
    finally:
        receiver.server.shutdown()
        thread.join()
        receiver.server.server_close()


class Owner:
    """The owner of a node that is served over sockets."""

    def __init__(self, node: Serving, folder: Path) -> None:
        headers = {"Authorization": f"Bearer {read_token(folder)}"}
        self.http = httpx.Client(base_url=node.url + ROOT, headers=headers, timeout=WITHIN_S)

    def post(self, path: str, body: Any, **headers: str) -> httpx.Response:
        answer = self.http.post(path, json=body, headers=headers)
        assert answer.is_success, answer.text
        return answer

    def capture(self, document: Any) -> None:
        """Capture, and wait until it is kept."""
        job = self.post("/capture", document).headers["Location"].removeprefix(ROOT)
        while self.http.get(job).json()["running"]:
            pass


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Serving]:
    with serving(tmp_path) as running:
        yield running


@pytest.fixture
def owner(node: Serving, tmp_path: Path) -> Owner:
    made = Owner(node, tmp_path)
    made.post("/queries", {"name": "shipped", "query": {"EQ_bizStep": ["shipping"]}})
    return made


def told(message: dict[str, Any]) -> list[int]:
    return [each["thasos:n"] for each in message["epcisBody"]["queryResults"]["resultsBody"]["eventList"]]


def shipped(*numbers: int) -> Any:
    return document(event(), *(event(bizStep="shipping", **{"thasos:n": n}) for n in numbers))


@pytest.mark.real
def test_a_receiver_is_told_by_post(owner: Owner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subscriptions, "FIRST_WAIT_S", 0.01)
    owner.capture(shipped(1))
    with receiving(fails=2) as receiver:
        form = {"dest": receiver.url, "stream": True, "signatureToken": SECRET}
        made = owner.post("/queries/shipped/subscriptions", form)
        assert made.status_code == 201
        shown = owner.http.get(made.headers["Location"].removeprefix(ROOT)).json()
        assert shown["dest"] == receiver.url
        assert SECRET not in json.dumps(shown)
        assert "lastNotifiedAt" not in shown
        assert owner.http.get("/queries/shipped/subscriptions").json() == [shown]
        owner.capture(shipped(2, 3))
        message, signature = receiver.next()
        assert told(message) == [2, 3], "not what was there before; and again after two failures"
        assert message["epcisBody"]["queryResults"]["subscriptionID"] == shown["subscriptionID"]
        expected = hmac.new(SECRET.encode(), receiver.bodies[-1], hashlib.sha256).hexdigest()
        assert signature == f"sha256={expected}"
        owner.capture(shipped(2, 3, 4))
        assert told(receiver.next()[0]) == [4]
        (later,) = owner.http.get("/queries/shipped/subscriptions").json()
        assert shown["createdAt"] <= later["lastNotifiedAt"]
        assert owner.http.delete(f"/queries/shipped/subscriptions/{shown['subscriptionID']}").status_code == 204
        assert owner.http.get("/queries/shipped/subscriptions").json() == []


@pytest.mark.real
def test_a_receiver_may_want_digital_links(owner: Owner) -> None:
    with receiving() as receiver:
        form = {"dest": receiver.url, "stream": True}
        made = owner.post("/queries/shipped/subscriptions", form, **{"GS1-EPC-Format": "Always_GS1_Digital_Link"})
        assert made.json()["epcFormat"] == "Always_GS1_Digital_Link"
        owner.capture(shipped(1))
        (found,) = receiver.next()[0]["epcisBody"]["queryResults"]["resultsBody"]["eventList"]
        assert found["epcList"] == ["https://id.gs1.org/01/04012345111118/21/9876"]


@pytest.mark.real
def test_a_restart_neither_repeats_nor_forgets(tmp_path: Path) -> None:
    with receiving() as receiver:
        with serving(tmp_path) as node:
            owner = Owner(node, tmp_path)
            owner.post("/queries", {"name": "shipped", "query": {"EQ_bizStep": ["shipping"]}})
            owner.post("/queries/shipped/subscriptions", {"dest": receiver.url, "schedule": {"second": "[0-59]"}})
            owner.capture(shipped(1))
            assert told(receiver.next()[0]) == [1]
        with serving(tmp_path) as node:
            again = Owner(node, tmp_path)
            again.capture(shipped(2))
            assert told(receiver.next()[0]) == [2]
            (found,) = again.http.get("/queries/shipped/subscriptions").json()
            assert found["schedule"] == {"second": "[0-59]"}


@pytest.mark.real
def test_a_websocket_tells_what_comes(node: Serving, owner: Owner) -> None:
    url = node.url.replace("http", "ws") + ROOT
    with connect(f"{url}/queries/shipped/events?stream=true", open_timeout=WITHIN_S) as socket:
        socket.ping()
        owner.capture(shipped(5))
        assert told(json.loads(socket.recv(timeout=WITHIN_S))) == [5]
        owner.capture(shipped(6))
        assert told(json.loads(socket.recv(timeout=WITHIN_S))) == [6]
    with (
        connect(f"{url}/queries/nothing/events?stream=true", open_timeout=WITHIN_S) as socket,
        pytest.raises(ConnectionClosed),
    ):
        socket.recv(timeout=WITHIN_S)
    with pytest.raises(InvalidStatus):
        connect(f"{url}/queries/shipped/events?stream=true", origin="http://evil.example")  # type: ignore[arg-type]


@pytest.mark.real
def test_a_subscriber_may_begin_in_the_past(node: Serving, owner: Owner) -> None:
    owner.capture(shipped(1))
    past, future = "2020-01-01T00:00:00Z", "2999-01-01T00:00:00Z"
    with receiving() as receiver:
        receiver.babbles = True
        for begin in (past, future):
            form = {"dest": receiver.url, "stream": True, "initialRecordTime": begin}
            made = owner.post("/queries/shipped/subscriptions", form)
            assert made.json()["initialRecordTime"] == begin
        owner.capture(shipped(2))
        first, second = receiver.next()[0], receiver.next()[0]
        assert [*told(first), *told(second)] == [1, 2]
        receiver.babbles = False
    url = node.url.replace("http", "ws") + ROOT + "/queries/shipped/events"
    with connect(f"{url}?stream=true&initialRecordTime={past}", open_timeout=WITHIN_S) as socket:
        assert told(json.loads(socket.recv(timeout=WITHIN_S))) == [1, 2]
    with connect(f"{url}?second=[0-59]&reportIfEmpty=true", open_timeout=WITHIN_S) as socket:
        assert told(json.loads(socket.recv(timeout=WITHIN_S))) == []


@pytest.mark.real
@pytest.mark.parametrize("how", ["", "?stream=false", "?stream=true&hour=1", "?stream=true&x=1", "?hour=25"])
def test_sockets_that_cannot_be_meant(node: Serving, owner: Owner, how: str) -> None:
    url = node.url.replace("http", "ws") + ROOT + "/queries/shipped/events"
    with connect(url + how, open_timeout=WITHIN_S) as socket, pytest.raises(ConnectionClosed):
        socket.recv(timeout=WITHIN_S)


def test_only_the_owner_sees_where_exactly_events_are_sent(api: Api) -> None:
    epcis = Epcis(api)
    epcis.ask("POST", "/queries", {"name": "q", "query": {}})
    dest = "https://me:secret@hooks.example:8443/T0K3N?key=7"
    form = {"dest": dest, "schedule": {"month": "2"}}
    where = epcis.ask("POST", "/queries/q/subscriptions", form).headers["Location"].removeprefix(ROOT)
    for path, one in ((where, lambda found: found), ("/queries/q/subscriptions", lambda found: found[0])):
        assert one(epcis.ask("GET", path).json())["dest"] == dest
        assert one(epcis.get(path))["dest"] == "https://hooks.example:8443/"
    epcis.ask("DELETE", where)


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"dest": "ftp://x.example/", "stream": True},
        {"dest": "http://", "stream": True},
        {"dest": "http://[", "stream": True},
        {"dest": 7, "stream": True},
        {"dest": "http://x.example/"},
        {"dest": "http://x.example/", "stream": False},
        {"dest": "http://x.example/", "stream": True, "schedule": {"hour": "1"}},
        {"dest": "http://x.example/", "schedule": {"hour": "25"}},
        {"dest": "http://x.example/", "schedule": 5},
        {"dest": "http://x.example/", "stream": True, "signatureToken": ""},
        {"dest": "http://x.example/", "stream": True, "reportIfEmpty": "yes"},
        {"dest": "http://x.example/", "stream": True, "initialRecordTime": "yesterday"},
    ],
)
def test_subscriptions_that_cannot_be_meant(api: Api, form: Any) -> None:
    epcis = Epcis(api)
    epcis.ask("POST", "/queries", {"name": "q", "query": {}})
    answer = epcis.ask("POST", "/queries/q/subscriptions", form)
    assert (answer.status_code, answer.json()["type"]) == (400, "epcisException:SubscriptionControlsException")
    assert epcis.ask("POST", "/queries/other/subscriptions", form).status_code == 404
    assert epcis.get("/queries/q/subscriptions/none", 404)
