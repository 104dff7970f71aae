"""Nothing that anybody sends may be answered by a fault of this program (500), with or without the token."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.web.test_web_books import define, issue
from tests.web.test_web_transactions import said
from tests.web.web_api import DOCUMENT, Api, running_api
from tests.web.web_node import ALICE, BOB, CARRIER

from horoi.base.address import address_of
from horoi.base.codec import encode
from horoi.web.routes.table import ENDPOINTS

FUZZ = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
PATHS = sorted({e.path for e in ENDPOINTS if e.path not in ("/v1/events", "/api")})
NAMES = sorted({name for e in ENDPOINTS for name in e.query.__struct_fields__} - {"from_"} | {"from"})


@pytest.fixture(scope="module")
def api() -> Iterator[Api]:
    with running_api(keys={"alice": ALICE, "carrier": CARRIER}) as running:
        define(running)
        issue(running, "crude oil", "100")
        running.post("/v1/wallet/post", {"text": "waits"})
        yield running


def words(api: Api) -> st.SearchStrategy[str]:
    """Text of every kind, and words that mean something here."""
    tip = api.host.node.chain.tip.name.hex()
    asset = api.host.node.index.assets()[0][0].hex() if api.host.node.index else ""
    known = [
        *(
            "",
            "0",
            "1",
            "-1",
            "2",
            "tip",
            "raw",
            "hex",
            "true",
            "coin",
            "crude oil",
            "1.0.0",
            "9" * 30,
            "00" * 32,
            "1e9",
            "asset",
        ),
        *(tip, asset, ALICE.public.hex(), address_of(BOB.public), "alice", "block,post", '{"any":[]}'),
    ]
    return st.one_of(st.sampled_from(known), st.text(max_size=70), st.integers().map(str))


@FUZZ
@given(data=st.data())
def test_any_path_and_any_parameters(api: Api, data: st.DataObject) -> None:
    text = words(api)
    path = data.draw(st.one_of(st.sampled_from(PATHS), st.text(max_size=40).map(lambda t: "/" + t)))
    for name in ("{kind}", "{id}", "{hash}", "{block}"):
        if name in path:
            path = path.replace(name, _quoted(data.draw(text)))
    query = data.draw(st.dictionaries(st.one_of(st.sampled_from(NAMES), st.text(max_size=5)), text, max_size=4))
    method = data.draw(st.sampled_from(["GET", "GET", "GET", "POST", "PUT", "HEAD", "OPTIONS"]))
    url = "http://127.0.0.1:8645" + _quoted(path, safe="/%")
    answer = api.runner.run(api.client.request(method, url, params=query, headers={"Authorization": "Bearer x"}))
    assert answer.status_code != 500, answer.text


def _quoted(text: str, safe: str = "") -> str:
    from urllib.parse import quote

    return quote(text, safe=safe)


@FUZZ
@given(data=st.data())
def test_any_bytes_as_transactions(api: Api, data: st.DataObject) -> None:
    raw = encode(said(api, "fuzz"))
    cut = data.draw(st.integers(0, len(raw) - 1))
    changed = raw[:cut] + data.draw(st.binary(max_size=4)) + raw[cut + data.draw(st.integers(0, 4)) :]
    body = data.draw(
        st.sampled_from(
            [changed, changed.hex().encode(), b'["' + changed.hex().encode() + b'"]', encode([changed, b""])]
        )
        | st.binary(max_size=200)
    )
    media = data.draw(st.sampled_from(["application/json", "application/msgpack", "text/plain", "", "x"]))
    api.ask("POST", "/v1/transactions", content=body, headers={"Content-Type": media})


def values(schema: dict[str, Any], text: st.SearchStrategy[str]) -> st.SearchStrategy[Any]:
    """Values that are nearly what a schema of the document asks for."""
    if "$ref" in schema:
        return values(DOCUMENT["components"]["schemas"][schema["$ref"].rpartition("/")[2]], text)
    if "anyOf" in schema:
        return st.one_of([values(part, text) for part in schema["anyOf"]])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    kind = schema.get("type")
    if kind == "object" and "properties" in schema:
        needed = {n: values(s, text) for n, s in schema["properties"].items() if n in schema.get("required", [])}
        others = {n: values(s, text) for n, s in schema["properties"].items() if n not in needed}
        return st.fixed_dictionaries(needed, optional=others)
    if kind == "array":
        return st.lists(values(schema.get("items", {}), text), max_size=3)
    simple: dict[str | None, st.SearchStrategy[Any]] = {
        "string": text,
        "integer": st.one_of(st.integers(-2, 10), st.integers()),
        "number": st.floats(allow_nan=False, allow_infinity=False),
        "boolean": st.booleans(),
        "null": st.none(),
        "object": st.one_of(
            st.fixed_dictionaries({"any": st.lists(text, max_size=3)}),
            st.fixed_dictionaries({"threshold": st.integers(-1, 3), "keys": st.lists(text, max_size=3)}),
            st.fixed_dictionaries({"after_height": st.integers()}),
            st.fixed_dictionaries({"after_time": st.one_of(text, st.integers())}),
            st.dictionaries(text, text, max_size=3),
        ),
    }
    return simple.get(kind, st.one_of(text, st.integers(), st.none()))


@settings(FUZZ, max_examples=300)
@given(data=st.data())
def test_any_form_with_the_token(api: Api, data: st.DataObject) -> None:
    endpoint = data.draw(st.sampled_from([e for e in ENDPOINTS if e.body is not None]))
    operation = DOCUMENT["paths"][endpoint.path][endpoint.method.lower()]
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    amounts = st.sampled_from(["0", "1", "2.5", "100", "0.01", "9" * 20, "100000", "1e5"])
    form = data.draw(values(schema, st.one_of(words(api), amounts)))
    query = data.draw(st.sampled_from([{}, {"submit": "false"}, {"fee": "0"}, {"fee": "9" * 20}, {"payer": "x"}]))
    api.ask(endpoint.method, endpoint.path, json=form, params=query if endpoint.path.startswith("/v1/wallet") else {})
    if len(api.host.node.mempool) > 20:
        api.host.mine()
