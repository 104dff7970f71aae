"""What all overlays' peers share: refusals, the dead, and what a peer provides, each said again in every period."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Any

import pytest

from horoi.lookup.common.peer import (
    BURIED_S,
    MAX_BURIED,
    MAX_OWN_WORDS,
    PROVIDE,
    PROVIDE_AGAIN_S,
    PROVIDE_PORTION,
    RPC,
    Peer,
)
from horoi.lookup.common.pending import MAX_PENDING
from horoi.lookup.common.refusals import refusal
from horoi.lookup.common.taking import Taking
from horoi.lookup.vocabulary import (
    BAD_KEY,
    BUSY,
    MAX_LOOKUPS,
    MAX_VALUE_BYTES,
    NOT_JOINED,
    PROVIDER_TTL_S,
    TOO_LARGE,
    Contact,
    Get,
    Put,
    Route,
)
from horoi.machine.contract import Arm, Asked, Fired, Received, Send, Tell


@dataclass(frozen=True)
class Config:
    bits: int = 32
    rate_per_s: float | None = None
    is_bound: Any = None


def peer() -> Peer:
    return Peer(Config(), Random(1))


@pytest.mark.parametrize(
    ("request_", "state", "why"),
    [
        (Get(1, 5), {}, ""),
        (Get(1, 5), {"is_joined": False}, NOT_JOINED),
        (Get(1, 2**32), {}, BAD_KEY),
        (Get(1, -1), {}, BAD_KEY),
        (Put(1, 5, bytes(MAX_VALUE_BYTES)), {}, ""),
        (Put(1, 5, bytes(MAX_VALUE_BYTES + 1)), {}, TOO_LARGE),
        (Route(1, 5, bytes(1001)), {}, TOO_LARGE),
        (Get(1, 5), {"under_way": MAX_LOOKUPS}, BUSY),
    ],
)
def test_refusals(request_: Any, state: dict[str, Any], why: str) -> None:
    assert refusal(request_, **{"is_joined": True, "bits": 32, "under_way": 0, **state}) == why


def test_a_silent_peer_is_not_believed_in_for_a_while() -> None:
    core, dead = peer(), Contact(1, 1)
    core.bury(dead, 0.0)
    assert core.is_buried(dead, BURIED_S - 1)
    assert not core.is_buried(dead, BURIED_S)
    core.bury(dead, 0.0)
    core.exhume(dead)
    assert not core.is_buried(dead, 1.0)
    for number in range(MAX_BURIED + 1):
        core.bury(Contact(number, number), 0.0)
    assert not core.is_buried(Contact(0, 0), 1.0)  # the oldest grave is given up
    assert core.is_buried(Contact(MAX_BURIED, MAX_BURIED), 1.0)


def test_words_are_all_said_within_the_life_of_one_and_few_at_once() -> None:
    core = peer()
    total = 10 * PROVIDE_PORTION + 3
    for key in range(total):
        core.remember_word(key)
    assert core.out == [Arm(PROVIDE, PROVIDE_AGAIN_S)]
    now, last_said = PROVIDE_AGAIN_S, dict.fromkeys(range(total), 0.0)
    while now < 4 * PROVIDER_TTL_S:
        core.out = []
        said = core.words_to_say()
        assert len(said) <= PROVIDE_PORTION
        for key in said:
            assert now - last_said[key] < PROVIDER_TTL_S
            last_said[key] = now
        (armed,) = core.out
        assert isinstance(armed, Arm)
        assert armed.after_s is not None
        now += armed.after_s
    assert min(last_said.values()) > 3 * PROVIDER_TTL_S


def test_words_are_bounded_and_forgotten() -> None:
    core = peer()
    for key in range(MAX_OWN_WORDS + 1):
        core.remember_word(key)
    assert core.own_words is not None
    assert len(core.own_words) == MAX_OWN_WORDS
    for key in range(MAX_OWN_WORDS):
        core.forget_word(key)
    core.out = []
    assert core.words_to_say() == []
    assert core.out == []  # no timer: nothing is to be said


def test_requests_under_way_are_bounded_and_end_by_the_one_timer() -> None:
    core = peer()
    lost: list[float] = []
    for _ in range(MAX_PENDING):
        assert core.open(Contact(1, 1), lambda _reply, _now: None, lost.append, 0.0, 1.0) is not None
    assert core.open(Contact(1, 1), lambda _reply, _now: None, lost.append, 0.0, 1.0) is None
    assert core.out == [Arm(RPC, 1.0)]
    core.expire(1.0)
    assert lost == [1.0] * MAX_PENDING


class Parrot(Peer, Taking):
    """Says what it hears."""

    def asked(self, request: Any, now: float) -> None:
        self.tell(request)

    def _fired(self, timer: Any, now: float) -> None:
        self.arm(timer, now)

    def _received(self, source: Any, message: Any, now: float) -> None:
        self.send(source, message)


def test_an_answer_is_the_worlds_and_an_idle_peer_keeps_nothing_of_it() -> None:
    parrot = Parrot(Config(), Random(1))
    for event, action in (
        (Asked("what"), Tell("what")),
        (Fired("tick"), Arm("tick", 2.0)),
        (Received("bob", "hello"), Send("bob", "hello")),
    ):
        assert parrot.handle(event, 2.0) == [action]
        assert parrot.out == []
