from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from horoi.node.relay import requests
from horoi.node.relay.requests import FIRST_WINDOW, LEAST_WINDOW, Requests

A, B, C = (bytes([i]) * 32 for i in range(3))


def joined(*peers: str) -> Requests:
    tracker = Requests(timeout_s=2.0)
    for peer in peers:
        tracker.join(peer)
    return tracker


def test_asks_one_announcer_and_falls_back_to_the_next() -> None:
    tracker = joined("p", "q", "r")
    tracker.announce("p", A)
    assert tracker.take(100, 0.0) == [("p", [A])]
    tracker.announce("q", A)
    tracker.announce("r", A)
    assert tracker.take(100, 0.0) == []
    tracker.expire(1.9)
    assert tracker.take(100, 1.9) == []
    tracker.expire(2.0)
    assert tracker.take(100, 2.0) == [("q", [A])]
    tracker.not_found("q", A)
    assert tracker.take(100, 2.0) == [("r", [A])]
    tracker.lose("r")
    assert tracker.take(100, 2.0) == []
    assert A not in tracker


def test_a_late_delivery_is_welcome_and_an_unasked_one_is_not() -> None:
    tracker = joined("p", "q")
    tracker.announce("p", A)
    tracker.announce("q", A)
    tracker.take(100, 0.0)
    assert not tracker.delivered("q", A)
    tracker.expire(2.0)
    tracker.take(100, 2.0)
    assert tracker.delivered("p", A)
    assert not tracker.delivered("p", A), "only once"
    assert tracker.delivered("q", A), "it was asked too"
    tracker.settle(A)
    assert len(tracker) == 0
    assert tracker.in_flight == 0


def test_a_bad_copy_is_asked_of_the_next() -> None:
    tracker = joined("p", "q")
    tracker.announce("p", A)
    tracker.announce("q", A)
    tracker.take(100, 0.0)
    tracker.delivered("p", A)
    assert tracker.take(100, 0.0) == [], "it is being judged"
    tracker.retry(A)
    assert tracker.take(100, 0.0) == [("q", [A])]


def test_the_window_grows_with_deliveries_and_shrinks_with_lateness() -> None:
    tracker = joined("p")
    ids = [i.to_bytes(32, "big") for i in range(5_000)]
    for item in ids:
        tracker.announce("p", item)
    ((_, first),) = tracker.take(10_000, 0.0)
    assert len(first) == FIRST_WINDOW
    for item in first:
        assert tracker.delivered("p", item)
        tracker.settle(item)
    ((_, second),) = tracker.take(10_000, 0.0)
    assert len(second) == 2 * FIRST_WINDOW
    for round_ in range(1, 7):
        tracker.expire(2.0 * round_)
        asked = tracker.take(10_000, 2.0 * round_)
    assert [len(part) for _, part in asked] == [LEAST_WINDOW]


def test_room_and_announcements_are_bounded() -> None:
    tracker = joined("p")
    tracker.announce("p", A)
    tracker.announce("p", B)
    assert tracker.take(0, 0.0) == []
    assert tracker.take(1, 0.0) == [("p", [A])]
    for i in range(requests.MAX_ANNOUNCED + 10):
        tracker.announce("p", i.to_bytes(32, "little"))
    assert len(tracker) == requests.MAX_ANNOUNCED


@settings(deadline=None, max_examples=150)
@given(st.lists(st.tuples(st.sampled_from("atdnsrelj"), st.integers(0, 2), st.integers(0, 3)), max_size=80))
def test_counts_hold_and_nothing_is_forgotten(steps: list[tuple[str, int, int]]) -> None:
    tracker = joined("0", "1", "2")
    asked: dict[bytes, str] = {}
    for now, (what, who, which) in enumerate(steps):
        peer, item = str(who), bytes([which]) * 32
        there = peer in tracker._debtors
        if what == "a" and there:
            tracker.announce(peer, item)
        elif what == "t":
            for whom, ids in tracker.take(2, now / 4):
                for one in ids:
                    assert one not in asked or tracker._wants[one].asked == whom
        elif what == "d" and there:
            tracker.delivered(peer, item)
        elif what == "n" and there:
            tracker.not_found(peer, item)
        elif what == "s":
            tracker.settle(item)
        elif what == "r":
            tracker.retry(item)
        elif what == "e":
            tracker.expire(now / 4)
        elif what == "l":
            tracker.lose(peer)
        elif what == "j":
            tracker.join(peer)
        debtors = tracker._debtors
        assert tracker.in_flight == sum(len(debtor.owes) for debtor in debtors.values())
        for name, debtor in debtors.items():
            assert debtor.announced == sum(name in want.announcers for want in tracker._wants.values())
        for one, want in tracker._wants.items():
            if want.judged:
                continue
            if want.asked is not None:
                assert one in debtors[want.asked].owes
            else:
                assert want.announcers, "somebody can still be asked"
                assert any(one in debtors[name].offers for name in want.announcers), "and will be"
