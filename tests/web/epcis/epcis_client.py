"""Asks the EPCIS binding of a node under test, and holds its answers against GS1's description."""

from __future__ import annotations

import json
from typing import Any

from tests.web.web_api import Api
from tests.web.web_node import TOKEN

ROOT = "/epcis/v2"
PROBLEM = "application/problem+json"


class Epcis:
    """The binding of one node."""

    def __init__(self, api: Api) -> None:
        self.api = api

    def ask(self, method: str, path: str, body: Any = None, *, token: str | None = TOKEN, **how: Any) -> Any:
        """The response; every one has the versions, and refusals are problem documents of the standard."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        headers |= how.pop("headers", {})
        if body is not None:
            how["content"] = body if isinstance(body, bytes) else json.dumps(body).encode()
            headers = {"Content-Type": "application/json", **headers}
        answer = self.api.runner.run(self.api.client.request(method, ROOT + path, headers=headers, **how))
        assert answer.status_code < 500, answer.text
        assert answer.headers["GS1-EPCIS-Version"] == "2.0.0"
        if answer.status_code >= 400:
            assert answer.headers["content-type"] == PROBLEM
            problem = answer.json()
            assert problem["type"].startswith("epcisException:")
            assert problem["status"] == answer.status_code
        return answer

    def get(self, path: str, status: int = 200, **parameters: Any) -> Any:
        """The JSON of GET."""
        answer = self.ask("GET", path, params=parameters or None, token=None)
        assert answer.status_code == status, answer.text
        return answer.json()

    def capture(self, document: Any, **headers: str) -> dict[str, Any]:
        """Capture; wait for the job's end, and give it."""
        answer = self.ask("POST", "/capture", document, headers=headers)
        assert answer.status_code == 202, answer.text
        where = answer.headers["Location"].removeprefix(ROOT)
        while (job := self.get(where))["running"]:
            pass
        return dict(job)

    def events(self, path: str = "/events", **parameters: Any) -> list[dict[str, Any]]:
        """The events of a query."""
        document = self.get(path, **parameters)
        assert document["type"] == "EPCISQueryDocument"
        found: list[dict[str, Any]] = document["epcisBody"]["queryResults"]["resultsBody"]["eventList"]
        return found
