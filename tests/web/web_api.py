"""A client of the app under test that holds every answer against the OpenAPI document."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import jsonschema
import msgspec
from tests.web.web_node import ALICE, TOKEN, InlineHost, make_access

from horoi.base.keys import KeyPair
from horoi.ledger.genesis import Genesis
from horoi.web.access import NodeAccess
from horoi.web.app import create_app
from horoi.web.guard import ApiLimits, Guard
from horoi.web.openapi import build
from horoi.web.routes.table import ENDPOINTS

DOCUMENT = msgspec.json.decode(msgspec.json.encode(build(ENDPOINTS)))
PATHS = {path: re.compile(re.sub(r"\{\w+\}", "[^/]+", path) + r"\Z") for path in DOCUMENT["paths"]}


class Api:
    """Asks with the token unless told otherwise. ``seen``: (method, path of the document, status)."""

    def __init__(self, client: httpx.AsyncClient, runner: asyncio.Runner, access: NodeAccess, host: InlineHost) -> None:
        self.client = client
        self.runner = runner
        self.access = access
        self.host = host
        self.seen: dict[tuple[str, str, int], None] = {}

    def guard(self) -> Guard:
        """The guard in front of the app."""
        transport: Any = self.client._transport
        guard = transport.app.middleware_stack.app
        assert isinstance(guard, Guard)
        return guard

    def ask(self, method: str, path: str, *, token: str | None = TOKEN, **how: Any) -> Any:
        """The answer, checked against the document."""
        headers = {"Authorization": f"Bearer {token}"} if token is not None else {}
        headers |= how.pop("headers", {})
        answer = self.runner.run(self.client.request(method, path, headers=headers, **how))
        self.check(method, path, answer)
        return answer

    def get(self, path: str, status: int = 200, **query: Any) -> Any:
        """The JSON that GET answers; ``status`` is what is expected."""
        answer = self.ask("GET", path, params=query)
        assert answer.status_code == status, answer.text
        return answer.json()

    def post(self, path: str, body: Any, status: int = 200, **query: Any) -> Any:
        """The JSON that POST answers."""
        answer = self.ask("POST", path, json=body, params=query)
        assert answer.status_code == status, answer.text
        return answer.json()

    def check(self, method: str, path: str, answer: Any) -> None:
        """Hold an answer against the document."""
        assert answer.status_code != 500, answer.text
        named = next((name for name, form in PATHS.items() if form.match(path.partition("?")[0])), None)
        operation = DOCUMENT["paths"].get(named, {}).get(method.lower(), {})
        responses = operation.get("responses", {})
        problem = {"description": "", "content": {"application/problem+json": {"schema": _ref("Problem")}}}
        response = responses.get(str(answer.status_code), responses.get("default", problem))
        media = answer.headers["content-type"].partition(";")[0]
        assert media in response["content"], f"{method} {path} answered {answer.status_code} as {media}"
        schema = response["content"][media].get("schema")
        if schema is not None:
            validate(answer.json(), schema)
        if named is not None:
            self.seen[method, named, answer.status_code] = None


def validate(value: Any, schema: dict[str, Any]) -> None:
    """Raise if ``value`` is not what the schema says."""
    whole = {**schema, "components": DOCUMENT["components"]}
    jsonschema.Draft202012Validator(whole).validate(value)


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


@contextmanager
def running_api(
    genesis: Genesis | None = None,
    *,
    keys: dict[str, KeyPair] | None = None,
    limits: ApiLimits | None = None,
    index: bool = True,
) -> Iterator[Api]:
    """A node and its API, without sockets."""
    with asyncio.Runner() as runner:
        access, host = make_access(genesis, keys={"alice": ALICE} if keys is None else keys, index=index)
        app = create_app(access, token=TOKEN, limits=limits)
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        yield Api(httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8645"), runner, access, host)
        access.live.close()
        access.close()
