"""Sessions over datagrams, held still: who is believed, what is thrown away, and that no answer is longer than its question."""

from __future__ import annotations

import hashlib
import itertools
from collections import deque
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from horoi.world.live import secure_handshake as handshake
from horoi.world.live import secure_sessions
from horoi.world.live.node_key import NodeKey
from horoi.world.live.secure_session import OVERHEAD_BYTES, WINDOW, ReplayWindow
from horoi.world.live.secure_sessions import SecureSessions

A, B, EVE = ("192.0.2.1", 7700), ("192.0.2.2", 7700), ("198.51.100.9", 53)
CONTEXT = handshake.context_of(b"n" * 32, "test")


def counting(seed: str) -> Callable[[int], bytes]:
    """Bytes that are different every time and the same in every run."""
    numbers = itertools.count()
    return lambda size: hashlib.shake_128(f"{seed}/{next(numbers)}".encode()).digest(size)


class Wire:
    """Two ends and the network between them. ``log`` has every datagram: (from, to, bytes)."""

    def __init__(self, context_a: bytes = CONTEXT, context_b: bytes = CONTEXT) -> None:
        self.ends = {
            A: SecureSessions(NodeKey(b"a" * 32), context_a, 0.0, random=counting("a")),
            B: SecureSessions(NodeKey(b"b" * 32), context_b, 0.0, random=counting("b")),
        }
        self.heard: list[tuple[tuple[str, int], bytes]] = []
        self.log: list[tuple[tuple[str, int], tuple[str, int], bytes]] = []
        self.loses: Callable[[bytes], bool] = lambda _: False

    def put(self, source: tuple[str, int], out: secure_sessions.Out, now: float = 0.0) -> None:
        """Deliver, and deliver the answers, until nobody has anything to say."""
        queue = deque((source, to, data) for data, to in out)
        while queue:
            source, to, data = queue.popleft()
            self.log.append((source, to, data))
            if to not in self.ends or self.loses(data):
                continue
            payload, answers = self.ends[to].receive(data, source, now)
            if payload is not None:
                self.heard.append((to, payload))
            queue.extend((to, where, answer) for answer, where in answers)

    def say(self, source: tuple[str, int], to: tuple[str, int], payload: bytes, now: float = 0.0) -> None:
        self.put(source, self.ends[source].send(payload, to, now), now)

    def kinds(self) -> list[int]:
        return [data[0] for _, _, data in self.log]


def test_what_waits_for_the_handshake_arrives_in_order_and_both_ways() -> None:
    wire = Wire()
    wire.put(A, [*wire.ends[A].send(b"one", B, 0.0), *wire.ends[A].send(b"two", B, 0.0)])
    wire.say(B, A, b"three")
    assert wire.heard == [(B, b"one"), (B, b"two"), (A, b"three")]
    assert wire.kinds() == [1, 2, 3, 4, 5, 5, 5]
    assert wire.ends[A].public_of(B) == NodeKey(b"b" * 32).public
    assert wire.ends[B].public_of(A) == NodeKey(b"a" * 32).public
    assert not any(b"one" in data or b"three" in data for _, _, data in wire.log)


def test_both_may_begin_at_once() -> None:
    wire = Wire()
    first, second = wire.ends[A].send(b"from a", B, 0.0), wire.ends[B].send(b"from b", A, 0.0)
    wire.put(A, first)
    wire.put(B, second)
    wire.say(A, B, b"again")
    wire.say(B, A, b"and back")
    assert sorted(wire.heard) == sorted([(B, b"from a"), (A, b"from b"), (B, b"again"), (A, b"and back")])


@pytest.mark.parametrize("kind", [1, 2, 3, 4])
def test_a_lost_datagram_of_the_handshake_is_said_again(kind: int) -> None:
    wire = Wire()
    lost: list[bytes] = []

    def loses(data: bytes) -> bool:
        if data[0] == kind and not lost:
            lost.append(data)
            return True
        return False

    wire.loses = loses
    wire.say(A, B, b"hello")
    assert wire.heard == []
    wire.put(A, wire.ends[A].tick(0.6), 0.6)
    assert wire.heard == [(B, b"hello")]
    assert len(wire.ends[B]) == 1


def test_who_is_not_there_is_given_up() -> None:
    wire = Wire()
    wire.put(A, wire.ends[A].send(b"hello", EVE, 0.0))
    said = sum(len(wire.ends[A].tick(now / 4)) for now in range(1, 40))
    assert said == len(secure_sessions.RETRY_S) - 1
    assert wire.ends[A].counters["no answer"] == 1


def test_what_was_heard_is_not_heard_again() -> None:
    wire = Wire()
    wire.say(A, B, b"pay 10")
    for source, to, data in list(wire.log):
        wire.put(source, [(data, to)])
    assert wire.heard == [(B, b"pay 10")]
    assert wire.ends[B].counters["forged or replayed"] == 1


def test_a_stolen_datagram_from_another_address_is_refused() -> None:
    wire = Wire()
    wire.say(A, B, b"hello")
    wire.heard.clear()
    out = wire.ends[A].send(b"fresh", B, 0.0)
    wire.put(EVE, out)
    assert wire.heard == []
    assert wire.ends[B].counters["wrong address"] == 1
    wire.put(A, out)
    assert wire.heard == [(B, b"fresh")]


def test_a_changed_byte_anywhere_is_refused() -> None:
    wire = Wire()
    wire.say(A, B, b"hello")
    (good, _), *_ = wire.ends[A].send(b"fresh", B, 0.0)
    for place in range(len(good)):
        bad = bytearray(good)
        bad[place] ^= 1
        assert wire.ends[B].receive(bytes(bad), A, 0.0)[0] is None, place
    assert wire.ends[B].receive(good, A, 0.0)[0] == b"fresh"


def test_a_spoofed_source_costs_no_memory_and_gets_less_than_it_sent() -> None:
    wire = Wire()
    end = wire.ends[B]
    stranger = SecureSessions(NodeKey(b"e" * 32), CONTEXT, 0.0, random=counting("e"))
    for port in range(1, 1000):
        ((hello, _),) = stranger.send(b"x", ("203.0.113.7", port), 0.0)[:1] or [(b"", None)]
        if not hello:
            break
        _, answers = end.receive(hello, (f"203.0.113.{port % 200}", port), 0.0)
        assert sum(len(answer) for answer, _ in answers) < len(hello)
    assert len(end) == 0


def test_a_cookie_is_good_for_its_address_alone() -> None:
    wire = Wire()
    wire.loses = lambda data: data[0] == handshake.PROVE
    wire.say(A, B, b"hello")
    proof = next(data for _, _, data in wire.log if data[0] == handshake.PROVE)
    assert wire.ends[B].receive(proof, EVE, 0.0) == (None, [])
    assert wire.ends[B].counters["wrong cookie"] == 1
    assert len(wire.ends[B]) == 0


def test_amplification_is_at_most_one_everywhere() -> None:
    """Every datagram that either end ever answers is at least as long as its answer, unless a session carries it."""
    wire = Wire()
    wire.say(A, B, b"hello")
    data = [data for _, _, data in wire.log]
    for source, to, datagram in list(wire.log):
        for address in (source, EVE):
            _, answers = wire.ends[to].receive(datagram, address, 0.0)
            assert sum(len(answer) for answer, _ in answers) <= len(datagram)
    assert handshake.COOKIE_DATAGRAM_BYTES < handshake.HELLO_BYTES
    assert handshake.ACCEPT_BYTES < handshake.PROVE_BYTES
    assert [len(datagram) for datagram in data[:4]] == [
        handshake.HELLO_BYTES,
        handshake.COOKIE_DATAGRAM_BYTES,
        handshake.PROVE_BYTES,
        handshake.ACCEPT_BYTES,
    ]


def test_a_restarted_end_is_met_anew() -> None:
    wire = Wire()
    wire.say(A, B, b"hello")
    wire.ends[B] = SecureSessions(NodeKey(b"b" * 32), CONTEXT, 0.0, random=counting("b2"))
    wire.say(A, B, b"lost, and known to be")
    wire.say(A, B, b"there again")
    assert wire.heard == [(B, b"hello"), (B, b"there again")]


def test_an_end_whose_router_gave_it_another_port_is_met_anew() -> None:
    wire = Wire()
    wire.say(A, B, b"hello")
    moved = ("192.0.2.1", 60_001)
    wire.ends[moved] = wire.ends.pop(A)
    wire.say(moved, B, b"lost, and known to be")
    wire.say(moved, B, b"there again")
    assert wire.heard == [(B, b"hello"), (B, b"there again")]


def test_nobody_ends_a_session_whose_name_he_does_not_know() -> None:
    wire = Wire()
    wire.say(A, B, b"hello")
    wire.ends[A].receive(bytes([handshake.UNKNOWN]) + bytes(8), B, 0.0)
    wire.log.clear()
    wire.say(A, B, b"still there")
    assert wire.kinds() == [5]


def test_another_network_is_not_answered() -> None:
    wire = Wire(context_b=handshake.context_of(b"m" * 32, "test"))
    wire.say(A, B, b"hello")
    assert wire.kinds() == [1]
    assert handshake.context_of(b"n" * 32, "other") != CONTEXT


def test_a_proof_by_another_key_is_refused() -> None:
    """Eve takes A's proof, puts her own key in and signs: A refuses an answer that names her."""
    wire = Wire()
    wire.loses = lambda data: data[0] == handshake.PROVE
    wire.say(A, B, b"hello")
    wire.loses = lambda _: False
    proof = next(data for _, _, data in wire.log if data[0] == handshake.PROVE)
    prove = handshake.Prove.unpack(proof, CONTEXT)
    assert prove is not None
    eve = NodeKey(b"e" * 32)
    hers = prove._replace(public=eve.public).sign(eve, CONTEXT)
    assert wire.ends[B].receive(prove._replace(public=eve.public).pack(CONTEXT), A, 0.0) == (None, [])
    _, ((accept, _),) = wire.ends[B].receive(hers.pack(CONTEXT), A, 0.0)
    assert wire.ends[A].receive(accept, B, 0.0) == (None, [])
    assert wire.ends[A].counters["wrong proof"] == 1
    assert wire.ends[A].public_of(B) is None


def test_old_cookies_and_idle_sessions_are_forgotten() -> None:
    wire = Wire()
    wire.say(A, B, b"hello")
    proof = next(data for _, _, data in wire.log if data[0] == handshake.PROVE)
    for now in (121.0, 242.0):
        wire.ends[B].tick(now)
    assert wire.ends[B].receive(proof, A, 242.0) == (None, [])
    wire.ends[B].tick(700.0)
    assert len(wire.ends[B]) == 0


def test_a_session_grows_old_and_is_replaced_while_it_goes_on() -> None:
    wire = Wire()
    wire.say(A, B, b"one")
    wire.log.clear()
    later = secure_sessions.REKEY_S + 1
    wire.say(A, B, b"two", later)
    wire.say(A, B, b"three", later)
    assert wire.heard == [(B, b"one"), (B, b"two"), (B, b"three")]
    assert wire.kinds().count(handshake.ACCEPT) == 1


def test_one_host_has_so_many_sessions_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secure_sessions, "MAX_SESSIONS_PER_HOST", 3)
    wire = Wire()
    end = wire.ends[B]
    for port in range(1, 6):
        address = ("192.0.2.77", port)
        wire.ends[address] = SecureSessions(NodeKey(bytes([port]) * 32), CONTEXT, 0.0, random=counting(str(port)))
        wire.say(address, B, b"hello")
    assert len(end) == 3
    wire.say(A, B, b"room for others")
    assert wire.heard[-1] == (B, b"room for others")


def test_a_network_of_ipv6_is_one_host(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secure_sessions, "MAX_SESSIONS_PER_HOST", 3)
    wire = Wire()
    for number in range(1, 6):
        address = (f"2001:db8::{number:x}:1", 7700)
        wire.ends[address] = SecureSessions(NodeKey(bytes([number]) * 32), CONTEXT, 0.0, random=counting(str(number)))
        wire.say(address, B, b"hello")
    assert len(wire.ends[B]) == 3


def test_a_proof_that_comes_again_makes_other_keys() -> None:
    """The nonce is a counter, which begins anew with the session: under the same key it would be used twice."""
    wire = Wire()
    wire.say(A, B, b"hello")
    proof = next(data for _, _, data in wire.log if data[0] == handshake.PROVE)
    end = wire.ends[B]
    (first,) = end._by_id.values()
    end._forget(first)
    assert end.receive(proof, A, 0.0)[1]
    (second,) = end._by_id.values()
    aad = b"the same header"
    sealed = first._seal.encrypt(bytes(12), b"the same words", aad)
    assert second._seal.encrypt(bytes(12), b"the same words", aad) != sealed


def test_a_responder_does_not_make_the_initiator_sign_without_end() -> None:
    wire = Wire()
    ((hello, _),) = wire.ends[A].send(b"hello", B, 0.0)
    session = hello[9:17]
    cookies = [handshake.Cookie(session, bytes([number]) * 16, bytes(32)).pack() for number in range(100)]
    proofs = {data for cookie in cookies for data, _ in wire.ends[A].receive(cookie, B, 0.0)[1]}
    assert len(proofs) == secure_sessions.MAX_PROOFS
    assert wire.ends[A].counters["too many cookies"] == 100 - secure_sessions.MAX_PROOFS


def test_what_waits_is_bounded() -> None:
    wire = Wire()
    for number in range(100):
        wire.ends[A].send(b"%d" % number, EVE, 0.0)
    assert wire.ends[A].counters["queue"] == 100 - secure_sessions.MAX_WAITING
    for port in range(2 * secure_sessions.MAX_HANDSHAKES):
        wire.ends[A].send(b"x", ("203.0.113.1", port + 1), 0.0)
    assert wire.ends[A].counters["too many handshakes"] == secure_sessions.MAX_HANDSHAKES + 1
    assert len(wire.ends[A]._attempts) == secure_sessions.MAX_HANDSHAKES


def test_addresses_where_nobody_is_keep_nobody_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """A liar tells of more addresses than handshakes may be under way; then an honest peer is to be met."""
    monkeypatch.setattr(secure_sessions, "MAX_HANDSHAKES", 8)
    wire = Wire()
    begun = wire.ends[A].send(b"under way", B, 0.0)
    _, cookie = wire.ends[B].receive(begun[0][0], A, 0.0)
    _, prove = wire.ends[A].receive(cookie[0][0], B, 0.0)
    for port in range(1, 20):
        wire.ends[A].send(b"anybody?", ("203.0.113.1", port), 0.0)
    wire.put(A, prove)
    assert wire.heard == [(B, b"under way")]
    wire.ends[EVE] = SecureSessions(NodeKey(b"e" * 32), CONTEXT, 0.0, random=counting("e"))
    wire.say(A, EVE, b"met at once")
    assert wire.heard[-1] == (EVE, b"met at once")


def test_proofs_are_checked_so_many_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secure_sessions, "PROOFS_PER_HOST_PER_S", 2)
    wire = Wire()
    for port in range(1, 5):
        address = ("192.0.2.77", port)
        wire.ends[address] = SecureSessions(NodeKey(bytes([port]) * 32), CONTEXT, 0.0, random=counting(str(port)))
        wire.say(address, B, b"hello")
    assert len(wire.heard) == 2
    wire.ends[B].tick(1.5)
    wire.put(("192.0.2.77", 4), wire.ends["192.0.2.77", 4].tick(1.5), 1.5)
    assert len(wire.heard) == 3


def test_a_flood_of_unknown_sessions_silences_nobody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """One flooding address, then one flooding network, and an honest peer whose session was lost in a restart."""
    monkeypatch.setattr(secure_sessions, "UNKNOWN_PER_HOST_PER_S", 3)
    monkeypatch.setattr(secure_sessions, "UNKNOWN_PER_GROUP_PER_S", 8)
    wire = Wire()
    wire.say(A, B, b"before the restart")
    wire.ends[B] = SecureSessions(NodeKey(b"b" * 32), CONTEXT, 0.0, random=counting("b again"))
    end, flood = wire.ends[B], b"\x05" + bytes(40)
    assert sum(bool(end.receive(flood, EVE, 0.0)[1]) for _ in range(50)) == 3
    neighbours = [(f"198.51.{number}.9", 53) for number in range(50)]
    assert sum(bool(end.receive(flood, address, 0.0)[1]) for address in neighbours for _ in range(2)) == 5
    wire.say(A, B, b"after it")  # is not heard, but answered: so there is a new handshake
    wire.say(A, B, b"met anew")
    assert wire.heard[-1] == (B, b"met anew")
    end.tick(1.5)
    assert end.receive(flood, EVE, 1.5)[1]


def test_who_has_many_addresses_pushes_himself_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secure_sessions, "MAX_SESSIONS", 4)
    wire = Wire()
    wire.say(A, B, b"an honest peer, silent from now on")
    for number in range(1, 9):
        address = (f"198.51.100.{number}", 53)
        wire.ends[address] = SecureSessions(NodeKey(bytes([number]) * 32), CONTEXT, 0.0, random=counting(str(number)))
        wire.say(address, B, b"hello", now=float(number))
    end = wire.ends[B]
    assert len(end) == 4
    assert end.public_of(A) is not None
    assert [number for number in range(1, 9) if end.public_of((f"198.51.100.{number}", 53))] == [6, 7, 8]


@given(st.binary(max_size=250), st.booleans())
def test_no_bytes_do_harm(data: bytes, is_shaped: bool) -> None:
    wire = Wire()
    wire.say(A, B, b"hello")
    datagram = bytes([data[0] % 8]) + data[1:] if is_shaped and data else data
    for address in (A, EVE):
        payload, answers = wire.ends[B].receive(datagram, address, 0.0)
        assert payload is None
        assert sum(len(answer) for answer, _ in answers) <= len(datagram)
    wire.say(A, B, b"fine")
    assert wire.heard[-1] == (B, b"fine")


@given(st.lists(st.integers(0, 3 * WINDOW), max_size=60))
def test_the_window_takes_each_number_once(numbers: list[int]) -> None:
    window = ReplayWindow()
    taken: list[int] = []
    for number in numbers:
        if window.is_new(number):
            window.add(number)
            taken.append(number)
        else:
            assert number in taken or number <= max(taken) - WINDOW
    assert len(taken) == len(set(taken))


def test_the_overhead_is_what_the_host_counts_with() -> None:
    wire = Wire()
    wire.say(A, B, bytes(100))
    assert len(wire.log[-1][2]) == 100 + OVERHEAD_BYTES
