"""A light client: follows the heaviest of the chains that it is shown, goes on after a restart, and refuses what is light."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import msgspec
import pytest
from tests.ledger.proof.proofs import story
from tests.node.chains import small_genesis

from horoi.base.errors import NetworkError, StorageError
from horoi.ledger.block import Header, block_hash, genesis_block
from horoi.ledger.consensus.nakamoto.puzzle import Search
from horoi.ledger.consensus.nakamoto.tree import HeaderTree, Known, expected_target
from horoi.ledger.proof.form import ProofError
from horoi.node.light import chain as light_chain
from horoi.node.light.chain import HEADERS_FILE, LightChain
from horoi.node.light.follow import follow
from horoi.node.light.proven import check_followed
from horoi.node.light.store import PAGE_HEADERS, RECORD_SIZE_BYTES, HeaderStore
from horoi.world.sim.disk import SimDisk

GENESIS = small_genesis("light", hashes=2)
NOW_MS = 2**45
INTERVAL_MS = 60_000


class Source:
    """A node that gives these headers; ``fails`` ends the link."""

    def __init__(self, headers: Sequence[Header]) -> None:
        self.headers = [genesis_block(GENESIS).header, *headers]
        self.asked = 0
        self.fails = False

    def header_records(self, start: int, count: int) -> Sequence[Header]:
        self.asked += 1
        if self.fails:
            raise NetworkError("does not answer")
        return self.headers[start : start + count]


def grow(count: int, seed: int, *, below: Sequence[Header] = (), every_ms: int = INTERVAL_MS) -> list[Header]:
    """``below`` and so many headers more that keep every rule."""
    dice = Random(seed)
    tree = HeaderTree(GENESIS, genesis_block(GENESIS))
    tip: Known = tree.root
    for header in below:
        tip = tree.restore(header)
    made = list(below)
    for _ in range(count):
        time_ms = tip.header.time_ms + every_ms
        header = Header(
            tip.height + 1,
            tip.name,
            dice.randbytes(32),
            dice.randbytes(32),
            time_ms,
            expected_target(GENESIS.consensus, tip),
            bytes(8),
        )
        solved = Search(header, 0, 10**6).run()
        assert solved is not None
        tip = tree.restore(solved)
        made.append(solved)
    return made


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Settled after so few headers that tests are quick."""
    monkeypatch.setattr(light_chain, "SETTLED", 100)
    monkeypatch.setattr(light_chain, "SETTLE_EVERY", 50)


def disk() -> SimDisk:
    return SimDisk(Random(1))


LONG = grow(400, 1)


def test_it_follows_and_goes_on_after_a_restart() -> None:
    place = disk()
    chain = LightChain(GENESIS, place)
    assert follow(chain, Source(LONG[:250]), "a", place, NOW_MS).height == 250
    assert chain.tip.name == block_hash(LONG[249])
    assert chain.tree.root.height == 150
    chain.close()
    again = LightChain(GENESIS, place)
    assert again.tip.name == block_hash(LONG[249])
    assert again.tree.root.height == 150
    assert follow(again, Source(LONG), "a", place, NOW_MS).refused is None
    whole = HeaderTree(GENESIS, genesis_block(GENESIS))
    for header in LONG:
        whole.restore(header)
    assert (again.tip.work, again.tip.median_time_ms) == (whole.best.work, whole.best.median_time_ms)
    assert again.check_all().name == whole.best.name
    assert again.name_at(7) == block_hash(LONG[6])


def test_the_heaviest_of_several_chains_is_followed() -> None:
    place = disk()
    chain = LightChain(GENESIS, place)
    fork = LONG[:40]
    lighter, heavier = grow(10, 2, below=fork), grow(30, 3, below=fork)
    for name, headers in (("light", lighter), ("heavy", heavier), ("light again", lighter)):
        follow(chain, Source(headers), name, place, NOW_MS)
    assert chain.tip.name == block_hash(heavier[-1])
    assert chain.name_at(45) == block_hash(heavier[44])


def test_a_liar_first_does_not_keep_the_truth_out() -> None:
    """What it showed is settled by then; the heavier chain leaves far below, and is judged whole."""
    place = disk()
    chain = LightChain(GENESIS, place)
    false = grow(300, 9, every_ms=4 * INTERVAL_MS)
    assert follow(chain, Source(false), "liar", place, NOW_MS).refused is None
    assert chain.tree.root.height > 0
    assert follow(chain, Source(LONG), "honest", place, NOW_MS).refused is None
    assert chain.tip.name == block_hash(LONG[-1])
    refused = follow(chain, Source(false), "liar", place, NOW_MS).refused
    assert refused is not None
    assert "less work" in refused
    chain.close()
    assert LightChain(GENESIS, place).tip.name == block_hash(LONG[-1])


def test_an_endless_light_chain_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("horoi.node.light.follow.MAX_LIGHT_HEADERS", 20)
    monkeypatch.setattr("horoi.node.light.follow.BATCH", 10)
    place = disk()
    chain = LightChain(GENESIS, place)
    follow(chain, Source(LONG[:140]), "a", place, NOW_MS)
    light = grow(60, 5, below=LONG[:60], every_ms=3 * INTERVAL_MS)
    source = Source(light)
    refused = follow(chain, source, "light", place, NOW_MS).refused
    assert refused is not None
    assert "less work" in refused
    assert chain.tip.name == block_hash(LONG[139])


class Again(Source):
    """Gives the last ten of its headers, whatever it is asked for."""

    def header_records(self, start: int, count: int) -> Sequence[Header]:
        assert self.asked < 100, "asked for ever"
        found = super().header_records(start, count)
        return found if count == 1 else self.headers[-10:]


@pytest.mark.parametrize("has_them", [False, True])
def test_a_source_that_says_the_same_again_is_refused(monkeypatch: pytest.MonkeyPatch, has_them: bool) -> None:
    monkeypatch.setattr("horoi.node.light.follow.BATCH", 10)
    place = disk()
    chain = LightChain(GENESIS, place)
    if has_them:
        follow(chain, Source(LONG[:50]), "a", place, NOW_MS)
    refused = follow(chain, Again(LONG[:50]), "again", place, NOW_MS).refused
    assert refused is not None
    assert refused.startswith("light.answer")


def test_more_than_was_asked_for_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("horoi.node.light.follow.BATCH", 10)
    place = disk()
    chain = LightChain(GENESIS, place)
    source = Source(LONG[:50])
    source.header_records = lambda start, count: source.headers[start:]  # type: ignore[method-assign]
    assert "10 were asked for" in (follow(chain, source, "much", place, NOW_MS).refused or "")


def broken_parent(headers: list[Header]) -> None:
    headers[5] = msgspec.structs.replace(headers[5], parent=bytes(32))


def broken_target(headers: list[Header]) -> None:
    headers[5] = msgspec.structs.replace(headers[5], target=headers[5].target - 1)


def unsolved(headers: list[Header]) -> None:
    headers[5] = msgspec.structs.replace(headers[5], state_root=bytes(32), target=0x1D00FFFF)


def early(headers: list[Header]) -> None:
    headers[5] = msgspec.structs.replace(headers[5], time_ms=headers[0].time_ms)


@pytest.mark.parametrize("forge", [broken_parent, broken_target, unsolved, early])
def test_headers_that_break_a_rule_are_refused(forge: object) -> None:
    place = disk()
    chain = LightChain(GENESIS, place)
    headers = list(LONG[:20])
    forge(headers)  # type: ignore[operator]
    told = follow(chain, Source(headers), "a", place, NOW_MS)
    assert told.refused is not None
    assert told.refused.startswith(("header.", "puzzle."))
    assert chain.tip.height <= 5


def test_a_header_of_the_future_is_refused_for_now() -> None:
    place = disk()
    chain = LightChain(GENESIS, place)
    told = follow(chain, Source(LONG[:20]), "a", place, GENESIS.created_ms)
    assert told.refused is not None
    assert told.refused.startswith("header.future")


def test_a_source_that_fails_is_said_to_have_failed() -> None:
    place = disk()
    chain = LightChain(GENESIS, place)
    source = Source(LONG)
    source.fails = True
    assert follow(chain, source, "a", place, NOW_MS).refused == "does not answer"


# ---- the file -----------------------------------------------------------------------------------------------------------


def test_a_year_of_headers_takes_less_than_60_mb() -> None:
    place = disk()
    store = HeaderStore(place, "x")
    store.append(LONG[: 4 * PAGE_HEADERS])
    per_header = store.size_bytes / (4 * PAGE_HEADERS)
    assert per_header * 365 * 24 * 60 < 45e6


@pytest.mark.parametrize("count", [1, PAGE_HEADERS - 1, PAGE_HEADERS, PAGE_HEADERS + 1, 200])
def test_what_is_written_is_read(count: int) -> None:
    place = disk()
    store = HeaderStore(place, "x")
    store.append(LONG[:count])
    store.close()
    again = HeaderStore(place, "x")
    assert again.count == count
    assert list(again.read(1, count)) == LONG[:count]
    assert list(again.read(count, count)) == [LONG[count - 1]]
    again.truncate(count // 2)
    again.append(LONG[count // 2 : count])
    assert list(again.read(1, count)) == LONG[:count]
    with pytest.raises(StorageError):
        list(again.read(1, count + 1))


def test_a_torn_tail_is_cut_off_and_damage_is_found() -> None:
    place = disk()
    chain = LightChain(GENESIS, place)
    follow(chain, Source(LONG[:90]), "a", place, NOW_MS)
    chain.close()
    file = place.open(HEADERS_FILE)
    file.truncate(file.size_bytes - 30)
    file.close()
    again = LightChain(GENESIS, place)
    assert again.tip.height == 89
    again.close()
    data = bytearray(place.open(HEADERS_FILE).read(0, 10**6))
    data[32 + 20 * RECORD_SIZE_BYTES + 3] ^= 1
    place.replace(HEADERS_FILE, bytes(data))
    cut = LightChain(GENESIS, place)
    assert (cut.tip.height, cut.store.count) == (20, 20)
    assert follow(cut, Source(LONG[:90]), "a", place, NOW_MS).height == 90  # it is fetched again
    assert cut.check_all().height == 90


# ---- proofs -------------------------------------------------------------------------------------------------------------


def test_a_proof_is_held_against_the_chain_that_is_followed() -> None:
    told = story()
    headers = [known.header for known in told.chain.active[1:]]
    place = disk()
    chain = LightChain(told.chain.genesis, place)
    source = Source(headers)
    source.headers[0] = told.chain.first.header
    follow(chain, source, "a", place, NOW_MS)
    assert check_followed(chain, told.prover().transaction(told.issued)) == told.chain.tip.height - 4
    chain.store.truncate(3)
    with pytest.raises(ProofError, match="ask again later"):
        check_followed(chain, told.prover().transaction(told.issued))


def test_a_proof_of_another_chain_is_refused() -> None:
    told = story()
    place = disk()
    chain = LightChain(told.chain.genesis, place)
    chain.store.append([])
    headers = [known.header for known in told.chain.active[1:]]
    changed = msgspec.structs.replace(headers[3], content_root=bytes(32))
    chain.store.append([*headers[:3], changed])
    with pytest.raises(ProofError, match="the proof's is") as caught:
        check_followed(chain, told.prover().transaction(told.issued))
    assert caught.value.rule == "followed chain"
