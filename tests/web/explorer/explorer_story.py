"""The story of the lecture, played on one node that holds every company's key, for tests of what the explorer shows of it.

10432 barrels at a field, 6327 of them to a refinery by a carrier, 4000 refined with 130 lost, 1200 of the petrol to a retailer.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from tests.web.web_server import Serving, serving

from horoi.base.address import address_of
from horoi.base.keys import KeyPair
from horoi.web.token import read_token

FIELD, CARRIER, REFINERY, RETAILER = "Thasos Field", "Aegean Carriers", "ELPE Refinery", "Attica Retail"
COMPANIES = {
    name: KeyPair(bytes([number]) * 32) for number, name in enumerate((FIELD, CARRIER, REFINERY, RETAILER), 11)
}


class Story:
    """A node, what was played on it, and a hand that plays on."""

    def __init__(self, node: Serving, token: str) -> None:
        self.node = node
        self.token = token
        self.client = httpx.Client(base_url=node.url, headers={"Authorization": f"Bearer {token}"}, timeout=30)
        self.transactions: dict[str, str] = {}
        self.assets: dict[str, str] = {}

    @property
    def url(self) -> str:
        """Where the node is."""
        return self.node.url

    def address(self, company: str) -> str:
        """A company's."""
        return address_of(COMPANIES[company].public)

    def get(self, path: str) -> Any:
        """JSON of the node."""
        answer = self.client.get(path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def do(self, *steps: dict[str, Any], name: str = "", mine: bool = True) -> dict[str, Any]:
        """One transaction of these steps, signed by everybody, in a block."""
        answer = self.client.post("/v1/wallet/draft", json={"steps": list(steps)})
        assert answer.status_code == 200, answer.text
        result: dict[str, Any] = answer.json()
        assert result["submitted"], result["missing"]
        self.transactions[name or steps[0]["verb"]] = result["id"]
        if mine:
            self.mine()
        return result

    def mine(self, blocks: int = 1) -> None:
        """Blocks, in the node's own thread."""
        self.node.call(self.node.host.mine, blocks)

    def say(self, company: str, text: str, about: str | None = None, **more: Any) -> dict[str, Any]:
        """A step that posts."""
        return {"verb": "post", "text": text, "author": self.address(company), "about": about, **more}

    def define(self, asset: str, by: str, **more: Any) -> str:
        """Define an asset; its id."""
        step = {
            "verb": "define",
            "name": asset,
            "limit": "100000000",
            "issuer": self.address(by),
            "unit": "bbl",
            **more,
        }
        self.assets[asset] = self.do(step, name=f"define {asset}")["assets"][0]
        return self.assets[asset]

    def play(self) -> None:
        """The whole story."""
        field, carrier, refinery, retailer = map(self.address, COMPANIES)
        crude = self.define("Thasos crude oil", FIELD)
        products = [self.define(name, REFINERY) for name in ("Petrol 95", "Diesel")]
        recipe = {"sources": [{"asset": crude, "amount": "100"}], "product": "100"}
        for asset in products:
            grant = {"asset": asset, "limit": "1000000", "owner": refinery, "to": refinery, "recipes": [recipe]}
            self.do({"verb": "license", **grant}, name=f"license {asset}")
        made = {"verb": "issue", "asset": crude, "amount": "10432", "issuer": field, "to": field, "custodian": field}
        self.do(made, self.say(FIELD, "10432 barrels produced in Thasos on Dec 26, 2022", crude), name="issue")
        shipped = {
            "verb": "hand-over",
            "asset": crude,
            "amount": "6327",
            "owner": field,
            "custodian": field,
            "to": carrier,
        }
        self.do(
            shipped, self.say(CARRIER, "6327 barrels transported from Thasos", crude, document="ab" * 32), name="ship"
        )
        sold = {"asset": crude, "amount": "6327", "owner": field, "custodian": carrier, "to": refinery}
        received = self.say(REFINERY, "Received 6327 barrels at 8:48 pm", crude)
        self.do({"verb": "transfer", **sold, "new_custodian": refinery}, received, name="receive")
        refined = {
            "verb": "refine",
            "source": {"asset": crude, "amount": "4000"},
            "products": [{"asset": products[0], "amount": "2080"}, {"asset": products[1], "amount": "1790"}],
            "loss_reason": "lost in processing",
            "by": refinery,
            "held_by": refinery,
        }
        self.do(refined, name="refine")
        retail = {"asset": products[0], "amount": "1200", "owner": refinery, "custodian": refinery, "to": retailer}
        self.do({"verb": "transfer", **retail, "new_custodian": retailer}, name="sell")


@contextmanager
def telling(folder: Path) -> Iterator[Story]:
    """A node whose keys are the four companies', nothing played yet."""
    with serving(folder, keys=COMPANIES) as node:
        story = Story(node, read_token(folder))
        with story.client:
            yield story
