"""Pages of the explorer: a key, who signed what, a block's tree, the overlay, the node's own checks, charts."""

from __future__ import annotations

from typing import Any

import pytest
from tests.web.test_web_books import define, issue
from tests.web.web_api import Api, running_api
from tests.web.web_node import ALICE, BOB, CARRIER

from horoi.base.address import address_of
from horoi.ledger.merkle import leaf_hash, verify_inclusion
from horoi.node.events import PeerUseful
from horoi.node.index.records import IndexMarker
from horoi.web import observed
from horoi.web.routes.network import _cut

ALICE_ADDRESS, BOB_ADDRESS, CARRIER_ADDRESS = (address_of(pair.public) for pair in (ALICE, BOB, CARRIER))


# ---- keys ---------------------------------------------------------------------------------------------------------------


def test_a_key_has_its_books_its_history_and_its_posts(api: Api) -> None:
    crude = define(api)
    issue(api, crude, "10.5")
    api.post("/v1/wallet/post", {"text": "name: Alice"})
    api.host.mine()
    api.post("/v1/wallet/post", {"text": "hello"})
    api.host.mine()
    page = api.get(f"/v1/keys/{ALICE_ADDRESS}")
    assert page["party"]["source"] == "own"
    assert [claim["name"] for claim in page["claims"]] == ["Alice"]
    assert page["claims"][0]["transaction"] == page["posts"][1]["transaction"]
    assert {row["owned"]["name"]: row["owned"]["amount"] for row in page["sums"]}["crude oil"] == "10.5"
    assert [right["kind"] for right in page["rights"]] == ["right"]
    assert [entry["post"]["text"] for entry in page["posts"]] == ["hello", "name: Alice"]
    assert [line["kind"] for line in page["lines"]] == ["posted", "posted", "issued", "defined"]
    first = api.get("/v1/keys/alice", limit=2)
    rest = api.get(f"/v1/keys/{ALICE.public.hex()}", limit=2, before=first["next"])
    assert first["lines"] + rest["lines"] == page["lines"]
    assert (rest["posts"], rest["next"]) == ([], None)


def test_a_key_that_nobody_saw_has_empty_books_and_a_name_that_nobody_knows_is_not_found(api: Api) -> None:
    page = api.get(f"/v1/keys/{CARRIER_ADDRESS}")
    assert (page["lines"], page["sums"], page["claims"], page["truncated"]) == ([], [], [], False)
    api.get("/v1/keys/nobody", 404)
    api.get(f"/v1/keys/{CARRIER_ADDRESS[:-1]}q", 400)
    for address in (BOB_ADDRESS, CARRIER_ADDRESS):
        api.post("/v1/names", {"address": address, "name": "Twin"})
    assert "2 keys are called" in api.get("/v1/keys/twin", 400)["detail"]


# ---- transactions -------------------------------------------------------------------------------------------------------


def test_a_transaction_says_who_agreed_to_what() -> None:
    with running_api(keys={"alice": ALICE, "carrier": CARRIER}) as api:
        crude = define(api, "crude", decimals=0)
        issue(api, crude, "100")
        handed = api.post("/v1/wallet/hand-over", {"asset": crude, "amount": "60", "to": CARRIER_ADDRESS})["id"]
        waiting = api.get(f"/v1/transactions/{handed}")
        assert set(waiting["output_states"]) == {"waiting"}
        api.host.mine()
        view = api.get(f"/v1/transactions/{handed}")
        assert view["digest"] == handed
        assert [line["kind"] for line in view["lines"]] == ["handed-over"]
        assert set(view["output_states"]) == {"unspent"}
        agreed = {row["party"]["text"]: row for row in view["agreements"]}
        assert agreed["alice"]["role"] == "acting"
        assert agreed["carrier"]["role"] == "receiving"
        assert agreed["carrier"]["why"] == ["alice handed 60 bbl of crude to carrier"]
        assert all(row["satisfied"] for row in view["agreements"])
        signers = {row["party"]["text"]: row for row in view["signers"]}
        assert signers["carrier"]["covers"] == [agreed["carrier"]["id"]]
        assert [row["signature"] for row in view["signers"]] == [row["signature"] for row in view["signatures"]]


# ---- blocks -------------------------------------------------------------------------------------------------------------


def test_a_block_knows_its_puzzle_and_its_neighbours(api: Api) -> None:
    api.host.mine(2)
    first, second = api.get("/v1/blocks/1"), api.get("/v1/blocks/2")
    assert first["neighbours"] == {
        "parent": api.get("/v1/blocks/0")["header"]["hash"],
        "next": second["header"]["hash"],
        "stale": [],
    }
    assert second["neighbours"]["next"] is None
    puzzle = first["puzzle"]
    assert puzzle["is_solved"]
    assert int(puzzle["hash"], 16) <= int(puzzle["target"], 16)
    assert puzzle["margin"] >= 1
    summary = api.get("/v1/blocks")["blocks"][0]
    assert (summary["size_bytes"], summary["transaction_count"]) == (second["size_bytes"], 0)


@pytest.mark.parametrize("posts", [0, 1, 6, 90])
def test_a_tree_is_drawn_from_its_root_and_its_paths_verify(posts: int) -> None:
    with running_api() as api:
        for number in range(posts):
            api.post("/v1/wallet/post", {"text": f"number {number}"})
        api.host.mine()
        header = api.get("/v1/blocks/1")["header"]
        tree = api.get("/v1/blocks/1/tree", leaf=posts)
        assert tree["root"] == tree["levels"][0][0]["hash"] == header["content_root"]
        assert tree["leaves"] == posts + 1
        assert all(len(level) <= 64 for level in tree["levels"])
        assert (tree["omitted_levels"] == 0) == (posts < 64)
        assert len(tree["items"]) == min(posts + 1, 64)
        path = tree["path"]
        leaf = leaf_hash(bytes.fromhex(path["preimage"]))
        siblings = [bytes.fromhex(name) for name in path["siblings"]]
        assert verify_inclusion(leaf, posts, posts + 1, siblings, bytes.fromhex(tree["root"]))
        api.get("/v1/blocks/1/tree", 404, leaf=posts + 1)


def test_a_tree_is_right_while_the_index_is_on_another_branch() -> None:
    with running_api() as api:
        api.post("/v1/wallet/post", {"text": "in the block that won"})
        api.host.mine()
        block, tree, index = api.get("/v1/blocks/1"), api.get("/v1/blocks/1/tree"), api.access.index
        index.store.put(b"w" + (1).to_bytes(4, "big"), bytes(64))
        index.marker = IndexMarker(bytes(32), 1, 2, 0)
        assert api.get("/v1/blocks/1") == block
        assert api.get("/v1/blocks/1/tree") == tree


# ---- the network --------------------------------------------------------------------------------------------------------


def test_the_overlay_is_a_graph_of_this_node_and_its_peers(api: Api) -> None:
    peer = bytes([9]) * 32
    api.host.link(peer, "192.0.2.1:9000")
    api.host.tell(PeerUseful(peer))
    graph = api.get("/v1/network")
    own, other = graph["nodes"][:2]
    assert (own["kind"], own["state"], own["height"]) == ("self", "agrees", 0)
    assert (other["id"], other["agent"], other["first_blocks"]) == (peer.hex(), "test/1", 1)
    assert (other["state"], other["height"], other["behind"]) == ("unknown", 5, -5)
    assert {"source": "self", "target": peer.hex(), "kind": "linked"} in graph["links"]
    assert graph["agreement"]["unknown"] == graph["agreement"]["peers"] == 1
    api.host.mine()  # the peer is told of the new tip, and says nothing against it
    graph = api.get("/v1/network")
    assert graph["nodes"][1]["state"] == "agrees"
    assert not graph["nodes"][1]["tip_said"]
    assert graph["agreement"]["agreed"]
    names = {node["id"] for node in graph["nodes"]}
    assert all(link["source"] in names and link["target"] in names for link in graph["links"])


def test_the_node_looks_at_itself(api: Api) -> None:
    found = api.get("/v1/diagnostics")
    checks = {check["name"]: check for check in found["checks"]}
    assert checks["Python"]["verdict"] == checks["chain"]["verdict"] == checks["index"]["verdict"] == "ok"
    assert checks["peers"]["verdict"] == "warn"
    assert checks["faults"]["verdict"] == found["worst"] == "fail"  # the test's host counted one
    assert all(check["advice"] for check in found["checks"] if check["verdict"] != "ok")
    assert all(check["code"] for check in found["checks"]), "whatever is found can be said in another language"
    assert checks["chain"]["values"] == {"height": api.host.node.chain.tip.height}
    assert api.access.last_checkup is not None
    kept = api.access.last_checkup
    api.get("/v1/diagnostics")
    assert api.access.last_checkup is kept


# ---- charts -------------------------------------------------------------------------------------------------------------


def test_charts_cover_the_chain_in_runs(api: Api) -> None:
    for number in range(5):
        api.post("/v1/wallet/post", {"text": f"number {number}"})
        api.host.mine(2)
    whole = api.get("/v1/charts", points=500)
    assert whole["points"] == 11
    assert whole["height"] == list(range(11))
    assert sum(whole["transactions"]) == 5
    assert [wait is not None for wait in whole["confirmation_ms"]] == [False, *[True, False] * 5]
    coarse = api.get("/v1/charts", points=3)
    assert sum(coarse["blocks"]) == 11
    assert sum(coarse["transactions"]) == 5
    assert coarse["height"][-1] == 10
    lists: list[list[Any]] = [value for value in coarse.values() if isinstance(value, list)]
    assert {len(values) for values in lists} == {3}
    part = api.get("/v1/charts", **{"from": 4, "to": 5})
    assert (part["from"], part["to"], part["height"]) == (4, 5, [4, 5])
    assert api.get("/v1/charts", **{"from": 10**9})["points"] == 1


class Counted(list[Any]):
    """A list that counts what is read of it."""

    reads = 0

    def __getitem__(self, place: Any) -> Any:
        self.reads += 1
        return super().__getitem__(place)


def test_a_chart_of_a_long_chain_reads_a_few_blocks_of_it(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(observed, "MAX_BLOCKS", 2)
    api.post("/v1/wallet/post", {"text": "so that a wait is remembered"})
    api.host.mine(30)
    counted = Counted(api.access.node.chain.active)
    monkeypatch.setattr(api.access.node.chain, "active", counted)
    assert api.get("/v1/charts", points=2)["blocks"] == [15, 16]
    assert counted.reads < 15


@pytest.mark.parametrize(("first", "last", "points"), [(0, 0, 1), (0, 9, 3), (5, 1004, 500), (7, 8, 100)])
def test_runs_are_whole_and_even(first: int, last: int, points: int) -> None:
    runs = _cut(first, last, points)
    assert len(runs) <= points
    assert [height for start, end in runs for height in range(start, end + 1)] == list(range(first, last + 1))
    lengths = {end - start for start, end in runs}
    assert max(lengths) - min(lengths) <= 1
