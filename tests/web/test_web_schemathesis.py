"""The API fuzzed from its own OpenAPI description (schemathesis): no answer is a fault of this program, and each is one that
the document announces. With valid requests and with requests that break the schema, with the token and without."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from tests.web.test_web_books import define, issue
from tests.web.web_api import DOCUMENT, Api, running_api
from tests.web.web_node import ALICE, CARRIER, TOKEN

STREAM = "text/event-stream"
SERVER_ERRORS = range(500, 600)
BUSY = 503  # "ask again in a moment" is an answer, not a fault

SCHEMA = schemathesis.openapi.from_dict(DOCUMENT)
OPERATIONS = {
    operation.ok().label: operation.ok()
    for operation in SCHEMA.get_all_operations()
    if STREAM not in str(operation.ok().definition.raw.get("responses", {}))
}
FUZZ = settings(
    max_examples=8,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
    derandomize=True,  # the same requests in every run; test_web_fuzz.py draws new ones
)


@pytest.fixture(scope="module")
def api() -> Iterator[Api]:
    with running_api(keys={"alice": ALICE, "carrier": CARRIER}) as running:
        issue(running, define(running), "100")
        running.post("/v1/wallet/post", {"text": "waits"})
        yield running


def ask(api: Api, case: Any, *, with_token: bool) -> httpx.Response:
    """Send what schemathesis made of an operation."""
    request = case.as_transport_kwargs(base_url="http://127.0.0.1:8645")
    headers = {name: value for name, value in dict(request.get("headers") or {}).items() if value.isascii()}
    headers.pop("Authorization", None)
    if with_token:
        headers["Authorization"] = f"Bearer {TOKEN}"
    body = {name: request[name] for name in ("json", "data") if request.get(name) is not None}
    if isinstance(body.get("data"), bytes | str):
        body = {"content": body["data"]}
    answer = api.client.request(
        request["method"], request["url"], params=request.get("params"), headers=headers, **body
    )
    return api.runner.run(answer)


@pytest.mark.parametrize("label", sorted(OPERATIONS))
def test_no_request_is_answered_by_a_fault(api: Api, label: str) -> None:
    operation = OPERATIONS[label]
    modes = [operation.as_strategy(generation_mode=mode) for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)]

    @FUZZ
    @given(st.one_of(*modes), st.booleans())
    def fuzz(case: Any, with_token: bool) -> None:
        try:
            answer = ask(api, case, with_token=with_token)
        except (httpx.InvalidURL, UnicodeEncodeError):
            return  # no client could send that
        assert answer.status_code not in SERVER_ERRORS or answer.status_code == BUSY, (case, answer.text)
        if answer.status_code < 400 and answer.headers.get("content-type", "").startswith("application/json"):
            api.check(case.method, case.formatted_path, answer)

    fuzz()


def test_the_whole_api_is_fuzzed() -> None:
    paths = {label.split(" ", 1)[1] for label in OPERATIONS}
    assert set(DOCUMENT["paths"]) - paths == {"/v1/events"}
