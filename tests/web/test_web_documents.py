"""Documents over HTTP: kept for those who have the token, read by anybody, never shown as a page."""

from __future__ import annotations

import asyncio

import pytest
from tests.web.web_api import Api
from tests.web.web_node import TOKEN

from horoi.base.hashing import sha256
from horoi.node.documents.messages import MAX_DOCUMENT_SIZE_BYTES

HOSTILE = b"<script>alert(document.domain)</script>"
NAME = sha256(HOSTILE).hex()
RAW = "application/octet-stream"


def put(api: Api, data: bytes, *, token: bool = True, status: int = 200) -> object:
    how = {} if token else {"token": None}
    answer = api.ask("POST", "/v1/documents", content=data, headers={"Content-Type": RAW}, **how)
    assert answer.status_code == status, answer.text
    return answer.json()


def test_a_document_is_kept_and_read_as_a_file_that_no_browser_shows(api: Api) -> None:
    api.get(f"/v1/documents/{NAME}", 404)
    api.get(f"/v1/documents/{NAME}/content", 404)
    assert put(api, HOSTILE) == {"hash": NAME, "size_bytes": len(HOSTILE), "is_new": True}
    assert put(api, HOSTILE) == {"hash": NAME, "size_bytes": len(HOSTILE), "is_new": False}
    answer = api.ask("GET", f"/v1/documents/{NAME}/content", token=None)
    assert answer.content == HOSTILE
    assert answer.headers["content-type"] == RAW
    assert answer.headers["content-disposition"].startswith("attachment")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"].startswith("sandbox")
    view = api.get(f"/v1/documents/{NAME}")
    assert view["posts"] == []
    assert view["content"] == {"state": "here", "size_bytes": len(HOSTILE), "have_bytes": len(HOSTILE)}
    gone = api.ask("DELETE", f"/v1/documents/{NAME}/content").json()
    assert gone["content"]["state"] == "absent"
    api.get(f"/v1/documents/{NAME}/content", 404)


def test_keeping_needs_the_token_the_type_and_room(api: Api) -> None:
    put(api, HOSTILE, token=False, status=401)
    assert api.ask("POST", "/v1/documents", content=b"x", headers={"Content-Type": "text/html"}).status_code == 415
    assert api.ask("DELETE", f"/v1/documents/{NAME}/content", token=None).status_code == 401
    api.access.node.documents.store.quota_bytes = 10
    put(api, HOSTILE, status=409)
    too_long = bytes(MAX_DOCUMENT_SIZE_BYTES + 1)
    answer = api.ask("POST", "/v1/documents", content=too_long, headers={"Content-Type": RAW})
    assert answer.status_code == 413


def test_a_fetch_is_begun_and_seen(api: Api) -> None:
    assert api.ask("POST", f"/v1/documents/{NAME}/fetch", json={}, token=None).status_code == 401
    assert api.post(f"/v1/documents/{NAME}/fetch", {})["content"]["state"] == "fetching"
    assert api.get(f"/v1/documents/{NAME}")["content"]["state"] == "fetching"
    api.host.advance(60)
    api.get(f"/v1/documents/{NAME}", 404)


def test_a_damaged_copy_is_not_served(api: Api) -> None:
    put(api, HOSTILE)
    store = api.access.node.documents.store
    store._store.write({b"c" + sha256(HOSTILE) + bytes(4): b"other"}, sync=True)
    answer = api.ask("GET", f"/v1/documents/{NAME}/content")
    assert answer.status_code == 503
    assert "damaged" in answer.json()["detail"]


def test_two_at_once_do_not_take_the_same_room(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine keeps a document a turn of the loop later than it is asked, as a live node does."""
    ask = api.host.ask
    monkeypatch.setattr(api.host, "ask", lambda request: asyncio.get_running_loop().call_soon(ask, request))
    store = api.access.node.documents.store
    store.quota_bytes = store.used_bytes + 15

    async def both() -> list[int]:
        headers = {"Content-Type": RAW, "Authorization": f"Bearer {TOKEN}"}
        sent = [api.client.post("/v1/documents", content=text * 10, headers=headers) for text in (b"a", b"b")]
        return sorted(answer.status_code for answer in await asyncio.gather(*sent))

    kept, refused = api.runner.run(both())
    assert kept == 200
    assert refused >= 400
    assert store.used_bytes <= store.quota_bytes
