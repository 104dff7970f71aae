"""The way into an overlay, held still: who founds one, through whom it is entered, which ring wins, who is behind an address."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from horoi.lookup.vocabulary import (
    JOIN,
    NOT_JOINED,
    UNREACHABLE,
    Contact,
    Failed,
    FindProviders,
    Get,
    Join,
    Joined,
    Leave,
    Left,
    Providers,
    Value,
)
from horoi.machine import Action, Arm, Asked, Event, Fired, Received, Send, Tell
from horoi.machine.host import Started
from horoi.node.lookup import overlay_peer
from horoi.node.lookup.messages import IAm, WhoAreYou
from horoi.node.lookup.overlay_peer import OWN, OverlayPeer, Self
from horoi.node.lookup.requests import Doors, Entered, FindHolders, Holder, Holders, Outside

HERE = ("192.0.2.1", 7700)
A, B, C, D = ((f"198.51.100.{number}", 7700) for number in (1, 2, 3, 4))
ME = Self(b"m" * 32, 7701)
SMALL, LARGE = b"a" * 32, b"z" * 32
R1, R2 = b"ring-one", b"ring-two"


class Inner:
    """An overlay's machine that does as it is told: ``answers`` are the notices to the next events of these kinds."""

    def __init__(self) -> None:
        self.heard: list[Any] = []
        self.joins = True

    def handle(self, event: Event, now: float) -> list[Action]:
        self.heard.append(event)
        request = getattr(event, "request", None)
        if isinstance(request, Join) and self.joins:
            return [Arm("upkeep", 5.0), Tell(Joined(Contact(1, HERE)))]
        if isinstance(request, Leave):
            return [Send(A, "bye"), Tell(Left())]
        return []


class Bench:
    """A peer and what it did; ``inners`` are the machines that it made."""

    def __init__(self, address: Any = HERE, *, joins: bool = True) -> None:
        self.inners: list[Inner] = []
        self.joins = joins
        self.now = 0.0
        self.actions: list[Action] = []
        self.peer = OverlayPeer(self._make, ME, random.Random(1), address=address)
        self.give(Asked(Started()))

    def _make(self, address: Any, dice: random.Random) -> Inner:
        inner = Inner()
        inner.joins = self.joins
        self.inners.append(inner)
        return inner

    def give(self, event: Event) -> list[Action]:
        actions = self.peer.handle(event, self.now)
        self.actions += actions
        return actions

    def doors(self, *addresses: Any) -> None:
        self.give(Asked(Doors(addresses)))

    def round(self, answers: dict[Any, tuple[bytes, bytes]], seen: Any = HERE) -> list[Action]:
        """One round: the doors that are in ``answers`` say (node id, ring)."""
        self.give(Fired((OWN, "round")))
        asked = {a.peer: a.message for a in self.actions if isinstance(a, Send) and isinstance(a.message, WhoAreYou)}
        for address, (node_id, ring) in answers.items():
            self.give(Received(address, IAm(asked[address].nonce, node_id, 7700, seen, ring)))
        return self.give(Fired((OWN, "decide")))

    def told(self, kind: type) -> list[Any]:
        return [a.notice for a in self.actions if isinstance(a, Tell) and isinstance(a.notice, kind)]

    def joins_heard(self) -> list[Join]:
        return [
            e.request for inner in self.inners for e in inner.heard if isinstance(getattr(e, "request", None), Join)
        ]


def entered(ring: bytes = R2) -> Bench:
    """A peer that entered through A, which is in ``ring``."""
    bench = Bench()
    bench.doors(A)
    bench.round({A: (SMALL, ring)})
    assert bench.peer.ring == ring
    return bench


def test_it_enters_through_a_door_that_is_in_a_ring() -> None:
    bench = Bench()
    bench.doors(A, B)
    bench.round({A: (SMALL, b""), B: (LARGE, R1)})
    assert bench.joins_heard() == [Join((B,))]
    assert bench.told(Entered) == [Entered(HERE, R1)]


def test_the_ring_that_most_doors_are_in_is_entered() -> None:
    bench = Bench()
    bench.doors(A, B, C)
    bench.round({A: (SMALL, R1), B: (SMALL, R2), C: (LARGE, R2)})
    assert sorted(bench.joins_heard()[0].bootstrap) == [B, C]
    assert bench.peer.ring == R2


def test_nobody_there_it_founds_one_after_a_while() -> None:
    bench = Bench()
    bench.round({})
    assert not bench.inners
    bench.now = overlay_peer.FOUND_AFTER_S
    bench.round({})
    assert bench.joins_heard() == [Join(())]
    assert len(bench.told(Entered)[0].ring) == 8


def test_the_smallest_id_founds_and_the_others_give_way_for_so_long() -> None:
    bench = Bench()
    bench.doors(A, B)
    bench.now = overlay_peer.FOUND_AFTER_S + 1
    bench.round({A: (SMALL, b""), B: (LARGE, b"")})
    assert not bench.inners
    bench.now = overlay_peer.GIVE_WAY_S
    bench.round({A: (SMALL, b""), B: (LARGE, b"")})
    assert bench.joins_heard() == [Join(())]


def test_its_address_is_what_most_say_if_nobody_knows_it() -> None:
    bench = Bench(address=None)
    bench.doors(A, B, C)
    bench.round({A: (SMALL, R1)}, seen=("192.0.2.66", 1))
    assert bench.peer.address == ("192.0.2.66", 1)
    lonely = Bench(address=None)
    lonely.now = 100.0
    lonely.round({})
    assert not lonely.inners  # nobody can say where it is, so nobody could find it
    bench = Bench(address=None, joins=False)
    bench.doors(A, B, C)
    bench.round({A: (SMALL, R1)}, seen=("192.0.2.66", 1))
    bench.give(Fired((OWN, "entry")))
    bench.round({A: (SMALL, R1), B: (SMALL, R1), C: (SMALL, R1)}, seen=HERE)
    assert bench.peer.address == HERE  # asked again until an entry succeeds


def test_a_door_through_which_nobody_gets_in_is_passed_over() -> None:
    bench = Bench(joins=False)
    bench.doors(A, B)
    bench.round({A: (SMALL, R1)})
    bench.give(Fired((OWN, "entry")))
    assert bench.peer.inner is None
    bench.joins = True
    bench.round({A: (SMALL, R1), B: (LARGE, R1)})
    assert bench.joins_heard()[-1] == Join((B,))


def test_of_two_rings_the_smaller_wins_where_half_of_the_doors_are_in_it() -> None:
    bench = entered(R2)
    bench.doors(A, B)
    bench.round({A: (SMALL, R2), B: (LARGE, R1)})
    assert bench.peer.ring == R1
    assert [event for event in bench.inners[0].heard if getattr(event, "request", None) == Leave()]
    assert bench.told(Outside)
    assert bench.told(Entered)[-1] == Entered(HERE, R1)
    stays = entered(R1)
    stays.doors(A, B)
    stays.round({A: (SMALL, R1), B: (LARGE, R2)})
    assert stays.peer.ring == R1


def test_one_liar_moves_nobody_with_three_links() -> None:
    bench = entered(R2)
    bench.doors(A, B, C)
    bench.round({A: (SMALL, R2), B: (SMALL, R2), C: (LARGE, bytes(8))})
    assert bench.peer.ring == R2


def test_one_liar_with_many_ports_moves_nobody_and_does_not_say_where_he_is() -> None:
    liars = [("203.0.113.9", port) for port in range(1, overlay_peer.MAX_GUESTS + 1)]
    bench = entered(R2)
    bench.doors(A, B, C)
    for liar in liars:
        bench.give(Received(liar, WhoAreYou(1)))
    bench.round(dict.fromkeys((A, B, C), (SMALL, R2)) | dict.fromkeys(liars, (LARGE, bytes(8))))
    assert bench.peer.ring == R2
    outside = Bench(address=None, joins=False)
    outside.doors(A)
    for liar in liars:
        outside.give(Received(liar, WhoAreYou(1)))
    outside.round({A: (SMALL, R1)})
    outside.give(Fired((OWN, "entry")))
    outside.round(dict.fromkeys(liars, (LARGE, R2)), seen=("192.0.2.66", 1))
    assert outside.peer.address == HERE


def test_timers_of_an_earlier_machine_are_void() -> None:
    bench = entered(R2)
    bench.doors(A)
    bench.round({A: (SMALL, R1)})
    old, new = bench.inners
    before = len(old.heard), len(new.heard)
    bench.give(Fired((1, "upkeep")))
    bench.give(Fired((2, "upkeep")))
    assert (len(old.heard), len(new.heard)) == (before[0], before[1] + 1)


def test_outside_requests_fail_and_inside_they_pass() -> None:
    bench = Bench()
    bench.give(Asked(Get("t", 1)))
    bench.give(Asked(FindHolders("u", 1)))
    assert bench.told(Failed) == [Failed("t", NOT_JOINED), Failed("u", NOT_JOINED)]
    inside = entered()
    inside.give(Asked(Get("t", 1)))
    assert inside.inners[0].heard[-1] == Asked(Get("t", 1))


# Who is behind an address


def seek(bench: Bench) -> tuple[Inner, Any]:
    bench.give(Asked(FindHolders("t", 5, 3)))
    inner = bench.inners[-1]
    asked = inner.heard[-1].request
    assert (type(asked), asked.key, asked.limit) == (FindProviders, 5, 3)
    return inner, asked.token


def answer_with(bench: Bench, notice: Any) -> None:
    """The overlay's machine tells this."""
    bench.inners[-1].handle = lambda event, now: [Tell(notice)]  # type: ignore[method-assign]
    bench.give(Fired((bench.peer._life, "any")))


def test_providers_are_asked_who_they_are() -> None:
    bench = entered()
    _, token = seek(bench)
    contacts = tuple(Contact(number, address) for number, address in enumerate((B, C, HERE, B)))
    answer_with(bench, Providers(token, 5, contacts))
    asked = {a.peer: a.message for a in bench.actions if isinstance(a, Send) and isinstance(a.message, WhoAreYou)}
    bench.give(Received(B, IAm(asked[B].nonce, LARGE, 7777, HERE, R2)))
    assert bench.told(Holders) == []
    bench.give(Received(C, IAm(asked[C].nonce, SMALL, 0, HERE, R2)))  # it takes no links: nobody can fetch from it
    (found,) = bench.told(Holders)
    assert found == Holders("t", 5, (Holder("198.51.100.2:7777", LARGE), Holder("192.0.2.1:7701", ME.node_id)))


def test_who_does_not_answer_is_left_out_in_time() -> None:
    bench = entered()
    _, token = seek(bench)
    answer_with(bench, Providers(token, 5, (Contact(1, B),)))
    bench.give(Fired((OWN, token[1])))
    assert bench.told(Holders) == [Holders("t", 5, ())]


def test_an_overlay_that_does_not_answer_is_a_failure() -> None:
    bench = entered()
    _, token = seek(bench)
    bench.give(Fired((OWN, token[1])))
    assert bench.told(Failed) == [Failed("t", UNREACHABLE)]


def test_answers_that_nobody_asked_for_are_nothing() -> None:
    bench = entered()
    said = bench.peer.handle(Received(D, IAm(7, LARGE, 7700, HERE, bytes(8))), 0.0)
    assert said == []
    asked = next(a for a in bench.give(Fired((OWN, "round"))) if isinstance(a, Send))
    bench.give(Received(D, IAm(asked.message.nonce, LARGE, 7700, HERE, bytes(8))))  # a right nonce, from elsewhere
    bench.give(Fired((OWN, "decide")))
    assert bench.peer.ring == R2


def test_who_asks_is_answered_within_a_rate_and_remembered_within_a_bound() -> None:
    bench = Bench()
    answered = 0
    for number in range(1000):
        answered += len(bench.give(Received((f"203.0.113.{number % 200}", number + 1), WhoAreYou(number))))
    assert answered == 1000  # five of each host
    for number in range(1000):
        answered += len(bench.give(Received(("203.0.113.250", number + 1), WhoAreYou(number))))
    assert answered == 1000 + overlay_peer.ANSWERS_BURST
    sends = [a for a in bench.give(Fired((OWN, "round"))) if isinstance(a, Send)]
    assert len(sends) == overlay_peer.MAX_GUESTS


def test_it_leaves_for_good() -> None:
    bench = entered()
    actions = bench.give(Asked(Leave()))
    assert Send(A, "bye") in actions
    assert bench.told(Outside)
    assert bench.peer.ring == b""
    nobody = Bench()
    nobody.give(Asked(Leave()))
    assert nobody.told(Outside)


ADDRESSES = st.sampled_from([A, B, C, D, HERE])
SAID = st.builds(
    IAm, st.integers(0, 5), st.binary(min_size=32, max_size=32), st.integers(0, 65535), ADDRESSES, st.binary(max_size=8)
)
EVENTS = st.one_of(
    st.builds(Received, ADDRESSES, SAID),
    st.builds(lambda peer, nonce: Received(peer, WhoAreYou(nonce)), ADDRESSES, st.integers(0, 5)),
    st.builds(lambda doors: Asked(Doors(tuple(doors))), st.lists(ADDRESSES, max_size=4)),
    st.builds(lambda name: Fired((OWN, name)), st.sampled_from(["round", "decide", "entry", 1, 2])),
    st.builds(lambda life: Fired((life, "upkeep")), st.integers(0, 3)),
    st.builds(lambda token: Asked(FindHolders(token, 5)), st.integers()),
    st.sampled_from([Asked(Leave()), Asked(Get("t", 1)), Asked(Started())]),
    st.builds(lambda peer: Received(peer, "a message of the overlay"), ADDRESSES),
)


@given(st.lists(st.tuples(EVENTS, st.booleans()), max_size=80), st.sampled_from([HERE, None]))
def test_nothing_raises_whatever_others_say(events: list[tuple[Any, bool]], address: Any) -> None:
    bench = Bench(address)
    for event, is_answer in events:
        given_event = event
        if is_answer and isinstance(event, Received) and isinstance(event.message, IAm):
            asked = [a for a in bench.actions if isinstance(a, Send) and isinstance(a.message, WhoAreYou)]
            if asked:  # a liar answers rightly, in form
                last = asked[-1]
                fields = (event.message.node_id, event.message.port, event.message.seen, event.message.ring)
                given_event = Received(last.peer, IAm(last.message.nonce, *fields))
        bench.now += 1.0
        bench.give(given_event)
    assert len(bench.peer._guests) <= overlay_peer.MAX_GUESTS


@pytest.mark.parametrize("notice", [Value("x", 1, b"", Contact(1, A)), Failed("x", "why")])
def test_what_the_overlay_tells_is_told(notice: Any) -> None:
    bench = entered()
    answer_with(bench, notice)
    assert bench.told(type(notice)) == [notice]


def test_a_failed_join_is_not_told_and_tried_again() -> None:
    bench = Bench(joins=False)
    bench.doors(A)
    bench.round({A: (SMALL, R1)})
    answer_with(bench, Failed(JOIN, "nobody answered"))
    assert bench.told(Failed) == []
    assert [a.timer for a in bench.actions if isinstance(a, Arm) and a.after_s is not None][-1] == (OWN, "round")
