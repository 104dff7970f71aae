"""The verbs, signed here with local keys and handed to a node that checks what a node checks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.cli.cli_fake_node import HEX_32, FakeNode, Runner

from horoi.ledger.conditions import AfterHeight, AllOf, AnyOf, Key
from horoi.ledger.transaction import Holding, Right
from horoi.web.model.wallet import WalletAnswer


@pytest.fixture
def keys(horoi: Runner) -> dict[str, Any]:
    names = ("office", "carrier", "shop")
    return {name: horoi("key", "new", name, "--no-passphrase", "--json").data for name in names}


@pytest.fixture
def crude(horoi: Runner, fake: FakeNode, keys: dict[str, Any]) -> str:
    """An asset with one decimal, of which the office has 1000.0."""
    verb = ("asset", "define", "crude", "--unit", "bbl", "--decimals", "1", "--limit", "5000", "--key", "office")
    asset: str = horoi(*verb, "--json").data["assets"][0]
    assert horoi("asset", "issue", "crude", "1000", "--key", "office").code == 0
    return asset


def key_of(keys: dict[str, Any], name: str) -> Key:
    return Key(bytes.fromhex(keys[name]["key"]))


def holdings(fake: FakeNode) -> dict[tuple[object, object], int]:
    sums: dict[tuple[object, object], int] = {}
    for content in fake.unspent.values():
        if isinstance(content, Holding):
            pair = (content.owner, content.custodian)
            sums[pair] = sums.get(pair, 0) + content.quantity
    return sums


def test_define_and_issue(fake: FakeNode, keys: dict[str, Any], crude: str) -> None:
    office = key_of(keys, "office")
    rights = [content for content in fake.unspent.values() if isinstance(content, Right)]
    assert [(right.asset.hex(), right.limit, right.owner) for right in rights] == [(crude, 40_000, office)]
    assert holdings(fake) == {(office, office): 10_000}


def test_transfer_by_name_and_by_id(horoi: Runner, fake: FakeNode, keys: dict[str, Any], crude: str) -> None:
    office, shop = key_of(keys, "office"), key_of(keys, "shop")
    assert horoi("asset", "transfer", "crude", "0.5", "--to", "shop", "--key", "office").code == 0
    address = keys["shop"]["address"]
    moved = horoi("asset", "transfer", crude, "1", "--to", address, "--key", "office", "--wait", "--json").data
    assert moved["submitted"]
    assert moved["confirmed"]["confirmations"] == 1
    assert moved["missing"] == []
    assert holdings(fake) == {(office, office): 9_985, (shop, office): 15}


def test_a_hand_over_travels_as_a_file(horoi: Runner, fake: FakeNode, keys: dict[str, Any], crude: str) -> None:
    verb = ("asset", "hand-over", "crude", "600", "--to", "carrier", "--key", "office", "--reclaim-at-height", "900")
    drafted = horoi(*verb, "-o", "bill.json", "--json")
    assert drafted.code == 0
    assert not drafted.data["submitted"]
    assert drafted.data["file"] == "bill.json"
    assert keys["carrier"]["address"] in json.dumps(drafted.data["missing"])
    assert len(fake.submitted) == 2

    shown = horoi("tx", "show", "bill.json")
    assert "hands over 600 bbl of crude" in shown.out
    assert "still to agree" in shown.out
    early = horoi("tx", "submit", "bill.json", "--json")
    assert early.code == 4
    assert early.error["rule"] == "authority.missing"
    wrong = horoi("tx", "sign", "bill.json", "--key", "shop")
    assert wrong.code == 9

    signed = horoi("tx", "sign", "bill.json", "--key", "carrier", "--submit", "--json").data
    assert signed["submitted"]
    office, carrier = key_of(keys, "office"), key_of(keys, "carrier")
    holder = AnyOf((carrier, AllOf((AfterHeight(900), office))))
    assert holdings(fake) == {(office, office): 4_000, (office, holder): 6_000}
    assert horoi("tx", "wait", "bill.json", "--json").data["id"] == signed["id"]


def test_copies_that_went_different_ways_are_merged(horoi: Runner, fake: FakeNode, crude: str) -> None:
    verb = ("asset", "hand-over", "crude", "600", "--to", "carrier", "--owner", "office", "--custodian", "office")
    assert horoi(*verb, "--key", "office", "--no-submit", "-o", "a.json").code == 0
    unsigned = json.loads(Path("a.json").read_text())
    assert horoi("tx", "sign", "a.json", "--key", "carrier", "-o", "b.json").code == 0
    assert horoi("tx", "merge", "a.json", "b.json", "-o", "both.json").code == 0
    assert json.loads(Path("a.json").read_text()) == unsigned
    assert horoi("tx", "submit", "both.json", "--wait", "--json").data["confirmed"]


def test_both_keys_here_sign_at_once(horoi: Runner, fake: FakeNode, crude: str) -> None:
    verb = ("asset", "hand-over", "crude", "600", "--to", "carrier", "--key", "office", "--key", "carrier")
    assert horoi(*verb, "--json").data["submitted"]


def test_license_transform_refine_retire(horoi: Runner, fake: FakeNode, keys: dict[str, Any], crude: str) -> None:
    for product in ("petrol", "diesel"):
        horoi("asset", "define", product, "--limit", "5000", "--key", "shop")
        licensed = horoi("asset", "license", product, "900", "--to", "office", "--recipe", "1=crude:2", "--key", "shop")
        assert licensed.code == 0, licensed.err
    made = horoi("asset", "transform", "petrol", "10", "--consume", "crude:25", "--key", "office")
    assert made.code == 0, made.err
    into = ("--into", "petrol:20", "--into", "diesel:10")
    refined = horoi("asset", "refine", "crude", "70", *into, "--loss-reason", "refining loss", "--key", "office")
    assert refined.code == 0, refined.err
    assert horoi("asset", "retire", "crude", "5", "--reason", "spilt", "--key", "office").code == 0
    by_asset: dict[str, int] = {}
    for content in fake.unspent.values():
        if isinstance(content, Holding):
            name = fake.definitions[content.asset.hex()].name
            by_asset[name] = by_asset.get(name, 0) + content.quantity
    assert by_asset == {"crude": 9_000, "petrol": 30, "diesel": 10}
    assert [r.quantity for t in fake.submitted for r in t.body.retires] == [100, 50]


def test_split_merge_and_reclaim(horoi: Runner, fake: FakeNode, keys: dict[str, Any], crude: str) -> None:
    assert horoi("asset", "split", "crude", "300", "200", "--key", "office").code == 0
    pieces = sorted(content.quantity for content in fake.unspent.values() if isinstance(content, Holding))
    assert pieces == [2_000, 3_000, 5_000]
    assert horoi("asset", "merge", "crude", "--key", "office").code == 0
    verb = ("asset", "hand-over", "crude", "600", "--to", "carrier", "--reclaim-at-height", "1")
    assert horoi(*verb, "--key", "office", "--key", "carrier").code == 0
    assert horoi("asset", "reclaim", "crude", "--from", "carrier", "--key", "office").code == 0
    office = key_of(keys, "office")
    assert holdings(fake) == {(office, office): 10_000}


def test_post_with_a_document(horoi: Runner, fake: FakeNode, keys: dict[str, Any], crude: str) -> None:
    Path("bill.txt").write_text("600 barrels\n")
    digest = horoi("document", "hash", "bill.txt").out.strip()
    assert horoi("post", "loaded", "--about", "crude", "--document", "bill.txt", "--key", "office").code == 0
    (post,) = fake.submitted[-1].body.posts
    assert (post.text, post.about, post.document) == ("loaded", bytes.fromhex(crude), bytes.fromhex(digest))
    assert horoi("post", "--key", "office").code == 2


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["transfer", "crude", "1", "--to", "shop"], 2),  # three keys, none named
        (["transfer", "crude", "1", "--to", "nobody", "--key", "office"], 2),
        (["transfer", "crude", "1,5", "--to", "shop", "--key", "office"], 2),
        (["transfer", "crude", "0.05", "--to", "shop", "--key", "office"], 2),
        (["transfer", "crude", "1000.1", "--to", "shop", "--key", "office"], 10),
        (["transfer", "crude", "1", "--to", "shop", "--key", "shop"], 10),
        (["transfer", "gold", "1", "--to", "shop", "--key", "office"], 8),
        (["transfer", HEX_32, "1", "--to", "shop", "--key", "office"], 8),
        (["transfer", "crude", "1", "--to", "shop", "--key", "nobody"], 8),
        (["transfer", "crude", "1", "--to", "shop", "--key", "office", "--node-key"], 2),
        (["issue", "crude", "4000.1", "--key", "office"], 10),
        (["license", "crude", "1", "--to", "shop", "--recipe", "crude", "--key", "office"], 2),
        (["transform", "crude", "1", "--consume", "crude", "--key", "office"], 2),
        (["define", "x", "--limit", "1", "--terms", "no-such-file", "--key", "office"], 2),
        (["transfer", "crude", "1", "--to", "shop", "--key", "office", "--no-submit", "-o", "no/such/dir"], 2),
    ],
)
@pytest.mark.usefixtures("crude")
def test_refusals_hand_nothing_in(horoi: Runner, fake: FakeNode, arguments: list[str], code: int) -> None:
    count = len(fake.submitted)
    refused = horoi("asset", *arguments, "--json")
    assert refused.code == code, refused.err
    assert refused.out == ""
    assert refused.error["message"]
    assert len(fake.submitted) == count


def test_two_assets_of_one_name_are_told_apart(horoi: Runner, fake: FakeNode, crude: str) -> None:
    horoi("asset", "define", "crude", "--limit", "1", "--key", "shop")
    refused = horoi("asset", "transfer", "crude", "1", "--to", "shop", "--key", "office")
    assert refused.code == 2
    assert crude in refused.err
    assert horoi("asset", "transfer", crude, "1", "--to", "shop", "--key", "office").code == 0


def test_the_nodes_own_key_signs_where_asked(
    horoi: Runner, fake: FakeNode, keys: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    fake.wallet_answer = WalletAnswer(
        id=HEX_32, submitted=True, words=["done"], missing=[], partial={}, hex="", fee="0", assets=[]
    )
    verb = ("asset", "transfer", "coin", "5", "--to", "shop", "--node-key", "--fee", "3", "--json")
    assert horoi(*verb).code == 5  # no token
    monkeypatch.setenv("HOROI_TOKEN", "secret")
    assert horoi(*verb).data["submitted"]
    request = fake.asked[-1]
    assert request.url.path == "/v1/wallet/transfer"
    assert request.headers["authorization"] == "Bearer secret"
    assert request.url.params["fee"] == "3"
    assert msgspec.json.decode(request.content)["to"] == keys["shop"]["address"]


def test_what_others_wrote_cannot_steer_the_terminal(horoi: Runner, fake: FakeNode, crude: str) -> None:
    item = horoi("asset", "transfer", "crude", "1", "--to", "shop", "--key", "office", "--json").data["id"]
    shown = horoi("tx", "show", item)
    assert "\x1b" not in shown.out
    assert r"said \x1b[31m red" in shown.out
