"""The lookup lab: its figures against the papers', its determinism, its command."""

from __future__ import annotations

import json
import math
import os
import random
import subprocess
import sys
from typing import Any

import pytest
from click.testing import CliRunner

from horoi.base.errors import UsageError
from horoi.cli.lab import LATENCIES, OVERLAYS, lab
from horoi.lab import lookup
from horoi.lab.lookup import network
from horoi.lab.lookup.measure import Sizes, key_counts, key_load, percentile
from horoi.lab.lookup.run import make_overlay, settings_of
from horoi.lookup.chord import messages
from horoi.lookup.chord.codec import chord_wire
from horoi.lookup.vocabulary import Contact

TIMES = ("seconds", "events_per_s", "rss_mb", "bytes_per_peer")


def figures(**options: Any) -> dict[str, Any]:
    return lookup.run(overlay="chord", **options)


# Chord's paper. Hops count the last one, to the owner; the paper's tables leave it out.


@pytest.mark.parametrize("peers", [64, 256, 1024])
def test_a_path_is_half_of_log2_n_and_the_last_hop(peers: int) -> None:
    result = figures(peers=peers, lookups=2000, start="converged", seed=3)
    assert result["hops_mean"] == pytest.approx(0.5 * math.log2(peers) + 0.86, abs=0.3)
    assert result["completed"] == result["correct"] == 1.0
    assert result["rpcs_per_lookup"] == pytest.approx(result["hops_mean"])
    assert result["messages_per_lookup"] == pytest.approx(2 * result["hops_mean"])
    assert sum(result["hops_histogram"]) == 2000


@pytest.mark.parametrize(("fail", "published"), [(0.0, 3.84), (0.2, 4.22), (0.4, 4.69), (0.5, 5.09)])
def test_no_lookup_fails_when_half_of_the_peers_do(fail: float, published: float) -> None:
    result = figures(peers=1000, lookups=3000, successors=20, fail=fail, seed=2)
    assert result["hops_mean"] == pytest.approx(published + 1, abs=0.3)
    assert result["completed"] == result["correct"] == 1.0
    assert (result["timeouts_per_lookup"] > 0) == (fail > 0)


def test_keys_fall_unevenly_and_virtual_nodes_even_them_out() -> None:
    one = figures(peers=10_000, lookups=10)
    assert one["keys_p99_over_mean"] == pytest.approx(4.6, rel=0.1)
    assert one["keys_max_over_mean"] == pytest.approx(9, rel=0.25)
    twenty = figures(peers=2000, virtual=20, lookups=10)
    assert twenty["keys_p99_over_mean"] == pytest.approx(1.65, rel=0.1)


def test_lookups_are_right_under_churn_within_the_bytes_of_bamboo() -> None:
    result = figures(peers=200, lookups=600, median_session_s=84.0, minutes=5)
    assert result["correct"] >= 0.95
    assert 0 < result["maintenance_bytes_per_s_per_peer"] < 900


def test_a_fifth_of_liars_mislead_nobody() -> None:
    result = figures(peers=1000, lookups=1000, adversaries=0.2)
    assert result["correct"] >= 0.95


def test_newcomers_find_their_place_though_a_fifth_lies() -> None:
    """A liar tells whoever joins through it that it is the successor; a place implausibly far behind is looked for again."""
    result = figures(peers=200, lookups=300, median_session_s=300.0, minutes=3, adversaries=0.2, seed=3)
    assert result["correct"] >= 0.97


def test_lost_datagrams_cost_time_and_not_answers() -> None:
    result = figures(peers=500, lookups=1000, loss=0.05)
    assert result["completed"] >= 0.99
    assert result["correct"] >= 0.99


@pytest.mark.parametrize("overlay", sorted(OVERLAYS))
def test_whoever_came_in_vain_because_of_lost_datagrams_comes_again(overlay: str) -> None:
    settings = settings_of({"overlay": overlay, "peers": 8, "loss": 0.4})
    peers = network.LookupNetwork(
        settings, make_overlay(overlay)(settings, random.Random(1)), upkeep=True, count_bytes=False
    )
    peers.join(8)
    peers.universe.run_while(lambda: len(peers.up) < 8, 600.0)
    assert sorted(peers.up) == list(range(8))


# The lab itself


def test_joined_and_settled_networks_measure_the_same() -> None:
    joined, settled = (figures(peers=60, lookups=1500, start=start) for start in ("joins", "converged"))
    assert joined["correct"] == settled["correct"] == 1.0
    assert joined["hops_mean"] == pytest.approx(settled["hops_mean"], abs=0.1)
    assert joined["state_entries_mean"] == settled["state_entries_mean"]
    assert joined["keys_max_over_mean"] == pytest.approx(settled["keys_max_over_mean"], rel=0.1)


PROGRAM = """
import json
from horoi.lab.lookup import run
for options in ({"peers": 40}, {"peers": 100, "fail": 0.3}, {"peers": 60, "median_session_s": 84.0, "minutes": 3}):
    result = run(overlay="chord", lookups=100, loss=0.01, seed=5, **options)
    print(json.dumps({name: value for name, value in result.items() if name not in %r}))
"""


def test_one_seed_is_one_result_in_every_process() -> None:
    runs = [
        subprocess.run(
            [sys.executable, "-c", PROGRAM % (TIMES,)],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
            timeout=120,
        ).stdout
        for seed in ("1", "2")
    ]
    assert runs[0] == runs[1]
    assert len({json.loads(line)["digest"] for line in runs[0].splitlines()}) == 3


def test_another_seed_is_another_universe() -> None:
    assert figures(peers=50, lookups=50, seed=1)["digest"] != figures(peers=50, lookups=50, seed=2)["digest"]


@pytest.mark.parametrize("latency", LATENCIES)
def test_every_latency_model_runs(latency: str) -> None:
    result = figures(peers=20, lookups=20, latency=latency, start="converged")
    assert result["correct"] == 1.0
    assert result["stretch_p50"] >= 0.9


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"overlay": "token-ring"}, "overlay must be one of"),
        ({"peers": 0}, "peers must be at least 1"),
        ({"fail": 1.0}, "fail is a share"),
        ({"loss": -0.1}, "loss is a share"),
        ({"successors": 99}, "between 1 and 32"),
        ({"latency": "light"}, "latency must be one of"),
        ({"median_session_s": 0.0}, "more than 0 s"),
        ({"median_session_s": 84.0, "minutes": 1}, "minutes must be more than 2"),
        ({"start": "joins", "fail": 0.5}, "real joins need upkeep"),
        ({"start": "magic"}, "start must be"),
        ({"overlay": "pastry", "digit_bits": 7}, "pastry: digit_bits, b, is 1 to 4"),
        ({"overlay": "pastry", "leaf_set": 3}, "pastry: leaf_set, L, is even"),
        ({"overlay": "tapestry", "digit_bits": 40}, "tapestry: digit_bits, b, is 1 to 4"),
        ({"overlay": "can", "dimensions": 100}, "can: a space has 1 to 16 dimensions"),
        ({"overlay": "kademlia", "k": 300}, "kademlia: k is from 1 to 32"),
        ({"peers": 2, "fail": 0.9}, "leaves none of 2 peers"),
        ({"peers": 3, "adversaries": 0.9}, "makes all of 3 peers lie"),
        ({"peers": 4, "adversaries": 0.5, "fail": 0.7, "seed": 5}, "nobody who is honest is left"),
        ({"colour": "red"}, "no colour"),
    ],
)
def test_what_cannot_be_meant_is_refused(options: dict[str, Any], why: str) -> None:
    with pytest.raises(UsageError, match=why):
        lookup.run(**options)


def test_a_network_of_two_is_asked_only_while_somebody_is_there() -> None:
    result = figures(peers=2, lookups=50, median_session_s=20.0, minutes=3, seed=3)
    assert result["completed"] > 0.5


def test_percentiles_are_by_nearest_rank() -> None:
    assert [percentile(range(1, 101), share) for share in (0.0, 0.01, 0.5, 0.99, 1.0)] == [1, 1, 50, 99, 100]
    assert percentile([], 0.5) == 0.0


def test_load_counts_peers_without_keys() -> None:
    class Two:
        def add(self, address: int) -> None: ...

        def remove(self, address: int) -> None: ...

        def owner(self, key: int) -> int:
            return key % 2

    assert key_load(key_counts(Two(), 4, [0, 1, 2, 4])) == {"keys_max_over_mean": 3.0, "keys_p99_over_mean": 3.0}


def test_sizes_are_those_of_encoded_datagrams() -> None:
    wire = chord_wire()
    sizes = Sizes(wire)
    contact = Contact(1 << 150, 7)
    large = 1 << 62
    for message in (
        messages.Ping(large, 5),
        messages.NextHop(large, False, (contact, contact), (), None),
        messages.NextHop(large, False, (contact,), (contact,), contact),
        messages.Transfer(large, 5, (messages.Item(1, b"value", 1.0),), (), b"12345678"),
        messages.Transfer(large, 5, (messages.Item(1, b"a longer value", 1.0),), (), b"12345678"),
    ):
        for _ in range(2):
            assert sizes.of(message) == len(wire.encode(message)) + 28


# The command


def test_the_choices_of_the_command_are_those_of_the_lab() -> None:
    assert tuple(lookup.OVERLAYS) == OVERLAYS
    assert tuple(network.LATENCIES) == LATENCIES


def test_json_is_one_object_with_exactly_the_figures() -> None:
    options = ["--overlay", "chord", "--peers", "30", "--lookups", "50", "--seed", "1", "--json"]
    ran = CliRunner().invoke(lab, ["lookup", *options])
    assert ran.exit_code == 0, ran.stderr
    result = json.loads(ran.stdout)
    assert tuple(result) == lookup.FIELDS
    assert result["peers"] == 30
    again = json.loads(CliRunner().invoke(lab, ["lookup", *options]).stdout)
    assert again["digest"] == result["digest"]


def test_people_read_a_table() -> None:
    ran = CliRunner().invoke(lab, ["lookup", "--peers", "20", "--lookups", "10", "--start", "converged"])
    assert ran.exit_code == 0, ran.stderr
    assert "hops mean" in ran.stdout


def test_help_says_what_a_hop_is() -> None:
    assert "count the final hop" in CliRunner().invoke(lab, ["lookup", "--help"]).stdout


def test_an_error_is_one_sentence() -> None:
    ran = CliRunner().invoke(lab, ["lookup", "--fail", "2", "--json"])
    assert ran.exit_code == 2
    assert "fail is a share" in json.loads(ran.stderr)["error"]["message"]
