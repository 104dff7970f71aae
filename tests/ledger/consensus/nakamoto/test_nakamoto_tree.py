"""The tree of headers: each rule of a header, and which chain is the truth."""

from __future__ import annotations

from random import Random

import pytest
from tests.ledger.histories import CREATED_MS, INTERVAL_MS, consensus, genesis, rule_of

from horoi.ledger.block import Header, block_hash, genesis_block
from horoi.ledger.consensus.nakamoto import tree as tree_module
from horoi.ledger.consensus.nakamoto.puzzle import Search, compact, expand, target_for, work
from horoi.ledger.consensus.nakamoto.tree import MEDIAN_SPAN, HeaderTree, Known, expected_target
from horoi.ledger.genesis import Nakamoto

FAR = 10**15
"""A clock so late that nothing is in its future."""

MODERATE = compact(target_for(16))
RULES = consensus(first_target=MODERATE, easiest_target=0x2100FFFF, half_life_ms=10 * INTERVAL_MS)


def new_tree(rules: Nakamoto = RULES) -> HeaderTree:
    start = genesis(rules=rules)
    return HeaderTree(start, genesis_block(start))


def child(tree: HeaderTree, parent: Known, *, after_ms: int = INTERVAL_MS, mark: int = 0, **changes: object) -> Header:
    """A mined header on ``parent``; ``mark`` makes siblings differ."""
    fields: dict[str, object] = {
        "height": parent.height + 1,
        "parent": parent.name,
        "content_root": mark.to_bytes(32, "big"),
        "state_root": bytes(32),
        "time_ms": parent.header.time_ms + after_ms,
        "target": expected_target(tree.consensus, parent),
        "nonce": bytes(8),
    }
    found = Search(Header(**{**fields, **changes}), 0, 1_000_000).run()  # type: ignore[arg-type]
    assert found is not None
    return found


def grow(tree: HeaderTree, parent: Known, blocks: int, *, after_ms: int = INTERVAL_MS, mark: int = 0) -> Known:
    for _ in range(blocks):
        parent = tree.add(child(tree, parent, after_ms=after_ms, mark=mark), FAR)
    return parent


def changed(header: Header, **changes: object) -> Header:
    """The header with some fields changed, and not mined again."""
    return Header(*[changes.get(name, getattr(header, name)) for name in Header.__struct_fields__])  # type: ignore[arg-type]


# ---- the rules of a header -----------------------------------------------------------------------------------


def test_a_header_follows_its_parent() -> None:
    tree = new_tree()
    tip = grow(tree, tree.root, 3)
    assert rule_of(lambda: tree.add(child(tree, tip, height=5), FAR)) == "header.parent"
    assert rule_of(lambda: tree.add(child(tree, tip, height=3), FAR)) == "header.parent"
    assert rule_of(lambda: tree.add(changed(child(tree, tip), parent=b"\x05" * 32), FAR)) == "header.orphan"
    other = genesis_block(genesis(name="other"))
    assert (
        rule_of(lambda: tree.add(changed(child(tree, tip), parent=block_hash(other.header), height=1), FAR))
        == "header.orphan"
    )


def test_a_header_is_after_the_median_of_eleven() -> None:
    """The median of the parent and the ten before it, as BIP 113 has it; not after the parent."""
    tree = new_tree()
    tip = tree.root
    dice = Random(3)
    for _ in range(30):
        times = []
        at: Known | None = tip
        while at is not None and len(times) < MEDIAN_SPAN:
            times.append(at.header.time_ms)
            at = at.parent
        median = sorted(times)[len(times) // 2]
        assert tip.median_time_ms == median
        at_median, after_median = child(tree, tip, time_ms=median), child(tree, tip, time_ms=median + 1)
        assert rule_of(lambda header=at_median: tree.add(header, FAR)) == "header.time"
        tree.add(after_median, FAR)
        ahead_ms = dice.choice([1, INTERVAL_MS, 40 * INTERVAL_MS])  # so that times stand in any order
        tip = tree.add(child(tree, tip, time_ms=median + ahead_ms, mark=1), FAR)


def test_block_one_may_be_any_time_after_the_genesis() -> None:
    tree = new_tree()
    assert rule_of(lambda: tree.add(child(tree, tree.root, after_ms=0), FAR)) == "header.time"
    early = tree.add(child(tree, tree.root, after_ms=1), FAR)
    late = tree.add(child(tree, tree.root, after_ms=10**9), FAR)
    assert early.anchor_time_ms == CREATED_MS + 1
    assert late.anchor_time_ms == CREATED_MS + 10**9
    for first in (early, late):  # whenever the network started, the schedule counts from there
        second = tree.add(child(tree, first), FAR)
        assert second.header.target == MODERATE
        assert second.anchor_time_ms == first.header.time_ms
        assert expected_target(tree.consensus, second) == MODERATE


def test_a_header_is_not_too_far_in_the_future() -> None:
    tree = new_tree()
    header = child(tree, tree.root, after_ms=5_000_000)
    limit_ms = RULES.future_limit * RULES.interval_ms
    assert rule_of(lambda: tree.add(header, header.time_ms - limit_ms - 1)) == "header.future"
    assert header.parent in tree
    assert not tree.invalid  # it may be right later
    assert tree.add(header, header.time_ms - limit_ms).header == header


def test_the_target_is_what_asert_asks() -> None:
    tree = new_tree()
    tip = grow(tree, tree.root, 3, after_ms=2 * INTERVAL_MS)
    wanted = expected_target(tree.consensus, tip)
    assert expand(wanted) > expand(MODERATE)  # a late chain is easier
    for target in (wanted + 1, wanted - 1, MODERATE, 0x2100FFFF, 0x207FFFFF):
        assert rule_of(lambda target=target: tree.add(child(tree, tip, target=target), FAR)) == "header.target"
    assert rule_of(lambda: tree.add(changed(child(tree, tip), target=0), FAR)) == "header.target"
    tree.add(child(tree, tip), FAR)


def test_the_puzzle_is_solved() -> None:
    tree = new_tree()
    solved = child(tree, tree.root)
    unsolved = [changed(solved, nonce=n.to_bytes(8, "big")) for n in range(40)]
    unsolved = [h for h in unsolved if int.from_bytes(block_hash(h), "big") > expand(MODERATE)]
    assert len(unsolved) > 20
    for header in unsolved:
        assert rule_of(lambda header=header: tree.add(header, FAR)) == "puzzle.unsolved"
    assert len(tree.by_name) == 1


def test_a_header_known_is_known() -> None:
    tree = new_tree()
    header = child(tree, tree.root)
    assert tree.add(header, FAR) is tree.add(header, 0)
    assert block_hash(header) in tree


def test_restore_asks_no_clock() -> None:
    tree, again = new_tree(), new_tree()
    tip = grow(tree, tree.root, 12)
    for known in list(tree.chain(tip))[::-1][1:]:
        again.restore(known.header)
    assert again.best.name == tip.name


# ---- which chain is the truth -----------------------------------------------------------------------------------


def test_most_work_not_most_blocks() -> None:
    tree = new_tree()
    start = grow(tree, tree.root, 1)
    few = grow(tree, start, 4, after_ms=INTERVAL_MS // 10, mark=1)  # in a hurry, so harder and harder
    many = grow(tree, start, 7, after_ms=20 * INTERVAL_MS, mark=2)  # late, so easier and easier
    assert many.height > few.height
    assert many.work < few.work
    assert tree.best is few
    again = new_tree()  # in the other order as well
    start = grow(again, again.root, 1)
    grow(again, start, 7, after_ms=20 * INTERVAL_MS, mark=2)
    assert grow(again, start, 4, after_ms=INTERVAL_MS // 10, mark=1) is again.best


def test_work_adds_up() -> None:
    tree = new_tree()
    tip = grow(tree, tree.root, 6, after_ms=2 * INTERVAL_MS)
    total = sum(work(expand(known.header.target)) for known in tree.chain(tip) if known.parent)
    assert tip.work == total
    assert tree.root.work == 0


def test_first_seen_on_ties() -> None:
    for first, second in ((1, 2), (2, 1)):
        tree = new_tree()
        start = grow(tree, tree.root, 2)
        one = tree.add(child(tree, start, mark=first), FAR)
        two = tree.add(child(tree, start, mark=second), FAR)
        assert one.work == two.work
        assert tree.best is one
        more = tree.add(child(tree, two), FAR)
        assert tree.best is more
        tree.mark_invalid(more, "block.state")
        assert tree.best is one  # also when chosen anew


def test_a_block_that_broke_a_rule_takes_its_descendants_with_it() -> None:
    tree = new_tree()
    start = grow(tree, tree.root, 2)
    side = grow(tree, start, 1, mark=1)
    bad = grow(tree, start, 1, mark=2)
    after = grow(tree, bad, 3, mark=2)
    assert tree.best is after
    tree.mark_invalid(bad, "conservation")
    assert tree.best is side
    assert after.name not in tree
    assert tree.invalid[bad.name] == tree.invalid[after.name] == "conservation"
    assert rule_of(lambda: tree.add(bad.header, FAR)) == "header.invalid"
    assert rule_of(lambda: tree.add(after.header, FAR)) == "header.invalid"
    assert rule_of(lambda: tree.add(child(tree, after), FAR)) == "header.invalid"
    tree.mark_invalid(bad, "conservation")  # twice is once
    assert side.name in tree
    assert start.name in tree


def test_fork_and_locator() -> None:
    tree = new_tree(consensus())
    trunk = grow(tree, tree.root, 40)
    one, two = grow(tree, trunk, 3, mark=1), grow(tree, trunk, 5, mark=2)
    assert tree.fork(one, two) is tree.fork(two, one) is trunk
    assert tree.fork(two, trunk) is trunk
    assert tree.fork(one, one) is one
    assert tree.fork(one, tree.root) is tree.root
    heights = [tree.by_name[name].height for name in tree.locator(two)]
    assert heights[:10] == list(range(45, 35, -1))
    assert heights[-1] == 0
    assert len(heights) < 20
    assert heights == sorted(set(heights), reverse=True)


# ---- bounds ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> HeaderTree:
    monkeypatch.setattr(tree_module, "MAX_SIDE_HEADERS", 20)
    return new_tree(consensus())


def test_side_headers_are_bounded_and_the_lightest_go(small: HeaderTree) -> None:
    trunk = list(small.chain(grow(small, small.root, 30)))[::-1]
    heavy = grow(small, trunk[25], 4, mark=1)
    for number in range(60):
        grow(small, trunk[1 + number % 5], 1, mark=100 + number)
        assert len(small.by_name) <= 31 + 20 + 1
    assert heavy.name in small
    assert trunk[-1] is small.best
    assert all(known.name in small for known in trunk)
    for known in small.by_name.values():
        assert known.parent is None or known.parent.name in small


def test_a_longer_history_can_be_read_however_deep_the_fork(small: HeaderTree) -> None:
    """Its first headers are the lightest of all side headers, and it has more of them than there is room for."""
    trunk = list(small.chain(grow(small, small.root, 60)))[::-1]
    for number in range(15):
        grow(small, trunk[55], 1, mark=100 + number)
    other = grow(small, small.root, 61, mark=7)
    assert small.best is other


def test_the_chain_that_the_state_is_on_stays_known(small: HeaderTree) -> None:
    """The state may still be on it: it is left block by block."""
    old = small.held = grow(small, small.root, 50)
    new = grow(small, small.root, 90, mark=7)
    assert small.best is new
    for number in range(30):
        grow(small, new, 1, mark=100 + number)
    assert all(known.name in small for known in small.chain(old))


def test_condemned_names_are_bounded(small: HeaderTree) -> None:
    for number in range(50):
        small.mark_invalid(grow(small, small.root, 1, mark=number), "block.state")
    assert len(small.invalid) == 20
    assert small.best is small.root
