"""What the rooms of lookup share: requests under way, values, providers, rates, permits, the wire of ids."""

from __future__ import annotations

import random
from typing import Annotated

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Meta

from horoi.base.codec import Record
from horoi.base.errors import DecodeError
from horoi.base.ids import key_of
from horoi.lookup.common import pending, providers, rates, values
from horoi.lookup.common.pending import Pending, RoundTrips
from horoi.lookup.common.permits import CHANGE_S, Permits
from horoi.lookup.common.providers import ProviderStore
from horoi.lookup.common.rates import TokenBuckets
from horoi.lookup.common.values import ValueStore
from horoi.lookup.common.wire import IdWire
from horoi.lookup.vocabulary import MAX_VALUE_BYTES, Address, Contact, Id
from horoi.machine.wire import Message

ALICE, BOB = Contact(1, ("10.0.0.1", 1)), Contact(2, ("10.0.0.2", 2))


# Requests under way


def table(**options: int) -> Pending:
    return Pending(random.Random(1), **options)


def test_an_answer_counts_once_and_only_from_where_it_was_asked() -> None:
    open_requests = table()
    nonce = open_requests.open(ALICE, "what for", 0.0)
    assert open_requests.close(nonce, BOB.address, 0.1) is None
    assert open_requests.close(nonce + 1, ALICE.address, 0.1) is None
    request = open_requests.close(nonce, ALICE.address, 0.1)
    assert request is not None
    assert request.context == "what for"
    assert open_requests.close(nonce, ALICE.address, 0.1) is None


def test_one_timer_serves_all_requests() -> None:
    open_requests = table()
    assert open_requests.wake_s(0.0) is None
    open_requests.open(ALICE, "slow", 0.0, timeout_s=3.0)
    assert open_requests.wake_s(0.0) == 3.0
    open_requests.open(ALICE, "later", 0.5, timeout_s=3.0)
    assert open_requests.wake_s(0.5) is None  # the timer comes first anyway
    open_requests.open(BOB, "fast", 1.0, timeout_s=0.5)
    assert open_requests.wake_s(1.0) == 0.5
    assert [request.context for request in open_requests.expire(1.5)] == ["fast"]
    assert open_requests.wake_s(1.5) == 1.5
    assert [request.context for request in open_requests.expire(3.0)] == ["slow"]
    assert open_requests.wake_s(3.0) == 0.5
    assert [request.context for request in open_requests.expire(3.5)] == ["later"]
    assert open_requests.wake_s(3.5) is None


def test_whoever_knows_a_ticket_may_answer_it() -> None:
    open_requests = table()
    ticket = open_requests.open(None, "route", 0.0)
    assert open_requests.close(ticket, ("1.2.3.4", 5), 9.0) is not None
    assert open_requests.round_trips.timeout_s == pending.FIRST_TIMEOUT_S  # no round trip of one peer


def test_the_table_is_bounded() -> None:
    open_requests = table(limit=2)
    open_requests.open(ALICE, 1, 0.0)
    assert not open_requests.full
    open_requests.open(ALICE, 2, 0.0)
    assert open_requests.full
    assert [request.context for request in open_requests.clear()] == [1, 2]
    assert not open_requests.full


@given(measured=st.lists(st.floats(0.001, 10), min_size=1, max_size=50))
@settings(deadline=None)
def test_timeouts_stay_in_bounds_and_above_a_steady_round_trip(measured: list[float]) -> None:
    trips = RoundTrips()
    for round_trip_s in measured:
        trips.add(round_trip_s)
        assert pending.MIN_TIMEOUT_S <= trips.timeout_s <= pending.MAX_TIMEOUT_S
    for _ in range(200):
        trips.add(measured[-1])
    assert trips.timeout_s == pytest.approx(
        min(max(measured[-1], pending.MIN_TIMEOUT_S), pending.MAX_TIMEOUT_S), rel=0.05
    )


# Values


def test_values_are_kept_until_they_expire() -> None:
    store = ValueStore(160)
    assert store.put(5, b"a", 10.0, now=0.0) is None
    assert store.put(5, b"b", 10.0, now=1.0) is None
    kept = store.get(5, 10.9)
    assert kept is not None
    assert kept.value == b"b"
    assert store.get(5, 11.0) is None
    assert len(store) == 0


def test_an_old_copy_never_replaces_a_newer_value() -> None:
    store = ValueStore(160)
    store.put(5, b"new", 100.0, now=0.0)
    assert store.merge(5, b"old", 50.0, now=0.0) is None
    kept = store.get(5, 0.0)
    assert kept is not None
    assert kept.value == b"new"
    store.merge(5, b"newest", 200.0, now=0.0)
    kept = store.get(5, 0.0)
    assert kept is not None
    assert kept.value == b"newest"


def test_a_value_that_proves_itself_stays() -> None:
    store = ValueStore(160)
    key = key_of(b"deed")
    store.put(key, b"squatter", 10.0, now=0.0)
    assert store.put(key, b"deed", 10.0, now=0.0) is None
    assert "hash of the value" in (store.put(key, b"squatter", 10.0, now=0.0) or "")


def test_values_are_bounded_and_room_is_made_by_what_has_expired() -> None:
    store = ValueStore(160, limit=2)
    assert "at most" in (store.put(1, bytes(MAX_VALUE_BYTES + 1), 10.0, now=0.0) or "")
    assert "more than 0" in (store.put(1, b"", 0.0, now=0.0) or "")
    assert "more than 0" in (store.put(1, b"", float("nan"), now=0.0) or "")
    store.put(1, b"", 10.0, now=0.0)
    store.put(2, b"", 99e9, now=0.0)
    assert "2 values" in (store.put(3, b"", 10.0, now=0.0) or "")
    assert store.put(3, b"", 10.0, now=10.0) is None
    assert [key for key, _ in store.items(10.0)] == [2, 3]
    assert store.expire(values.MAX_TTL_S) == 2


# Providers


def test_providers_speak_again_or_are_forgotten() -> None:
    store = ProviderStore()
    store.add(7, ALICE, 0.0)
    store.add(7, BOB, 1.0)
    store.add(7, ALICE, 100.0)
    assert store.get(7, 200.0) == (ALICE, BOB)
    assert store.get(7, 200.0, limit=1) == (ALICE,)
    assert store.get(7, 1.0 + providers.PROVIDER_TTL_S) == (ALICE,)
    assert store.get(8, 0.0) == ()
    assert store.expire(1e6) == 1
    assert len(store) == 0


def test_providers_are_bounded_per_key_and_in_all() -> None:
    store = ProviderStore()
    for n in range(150):
        store.add(1, Contact(n, n), float(n))
    assert len(store.get(1, 150.0, limit=1000)) == providers.MAX_PER_KEY
    store = ProviderStore(limit=2)
    store.add(1, ALICE, 150.0)
    store.add(2, ALICE, 150.0)
    assert "2 words" in (store.add(3, ALICE, 150.0) or "")
    assert store.add(3, ALICE, 1e6) is None
    assert len(store) == 1


# Rates


def test_a_source_spends_what_it_has_and_earns_it_again() -> None:
    buckets = TokenBuckets(10.0, 20.0)
    assert sum(buckets.take(("a", port), 0.0) for port in range(100)) == 20
    assert buckets.take(("b", 1), 0.0)
    assert sum(buckets.take(("a", 1), 1.0) for _ in range(100)) == 10


def test_sources_are_bounded_and_the_longest_silent_goes() -> None:
    buckets = TokenBuckets(1.0, 1.0, limit=10)
    for n in range(1000):
        buckets.take(n, 0.0)
    assert len(buckets) == 10
    assert not buckets.take(999, 0.0)
    assert buckets.take(0, 0.0)  # forgotten, so it has a full bucket
    assert rates.MAX_SOURCES == 10_000


# Permits


def test_a_permit_is_for_one_address_and_ten_minutes() -> None:
    permits = Permits(random.Random(1))
    permit = permits.make(ALICE.address, 1000.0)
    assert permits.check(ALICE.address, permit, 1000.0 + CHANGE_S)
    assert not permits.check(BOB.address, permit, 1000.0)
    assert not permits.check(ALICE.address, permit, 1000.0 + 2 * CHANGE_S)
    assert not permits.check(ALICE.address, b"", 1000.0)
    assert not Permits(random.Random(2)).check(ALICE.address, permit, 1000.0)


# The wire


class Inner(Record, frozen=True):
    key: Id
    note: str


class Everything(Message, frozen=True, tag="all"):
    nonce: int
    key: Id
    who: Contact
    maybe: Contact | None
    many: Annotated[tuple[Contact, ...], Meta(max_length=3)]
    inners: tuple[Inner, ...]
    seen: Address
    plain: tuple[int, ...]


class Plain(Message, frozen=True, tag="plain"):
    nonce: int


WIRE = IdWire([Everything, Plain], bits=160, max_size_bytes=1000)
IDS = st.integers(0, (1 << 160) - 1)
ADDRESSES = st.one_of(
    st.integers(0, 2**64 - 1),
    st.tuples(st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)).map(str), st.integers(1, 65535)),
)
CONTACTS = st.builds(Contact, IDS, ADDRESSES)


@given(
    message=st.builds(
        Everything,
        st.integers(0, 99),
        IDS,
        CONTACTS,
        st.none() | CONTACTS,
        st.lists(CONTACTS, max_size=3).map(tuple),
        st.lists(st.builds(Inner, IDS, st.text(max_size=9)), max_size=3).map(tuple),
        ADDRESSES,
        st.lists(st.integers(0, 9), max_size=3).map(tuple),
    )
)
@settings(deadline=None)
def test_ids_and_addresses_travel_wherever_they_stand(message: Everything) -> None:
    assert WIRE.decode(WIRE.encode(message)) == message


def test_an_id_takes_its_width_and_an_address_six_bytes() -> None:
    small, large = (
        WIRE.encode(Everything(1, key, ALICE, None, (), (), ("10.0.0.1", 80), ())) for key in (0, (1 << 160) - 1)
    )
    assert len(small) == len(large)
    assert bytes([10, 0, 0, 1, 0, 80]) in small


def test_a_contact_is_one_string_of_id_and_address() -> None:
    """As BEP 5's "compact node info": 26 bytes for IPv4."""
    message = Everything(1, 2, Contact(3, ("10.0.0.1", 80)), None, (), (), 5, ())
    assert (3).to_bytes(20, "big") + bytes([10, 0, 0, 1, 0, 80]) in WIRE.encode(message)


@given(st.binary(min_size=26, max_size=38))
def test_a_contact_of_any_bytes_is_one_or_is_refused(packed: bytes) -> None:
    message = Everything(1, 2, Contact(3, ("10.0.0.1", 80)), None, (), (), 5, ())
    plain = (3).to_bytes(20, "big") + bytes([10, 0, 0, 1, 0, 80])
    data = WIRE.encode(message).replace(b"\xc4\x1a" + plain, b"\xc4" + bytes([len(packed)]) + packed)
    try:
        found = WIRE.decode(data).who
    except DecodeError:
        assert len(packed) not in (26, 28, 38) or packed[-2:] == b"\0\0"
    else:
        assert found.id == int.from_bytes(packed[:20], "big")


def test_what_needs_no_translation_is_left_alone() -> None:
    assert WIRE.decode(WIRE.encode(Plain(7))) == Plain(7)


def test_another_width_does_not_decode() -> None:
    other = IdWire([Everything, Plain], bits=64, max_size_bytes=1000)
    data = other.encode(Everything(1, 2, Contact(3, 4), None, (), (), 5, ()))
    with pytest.raises(DecodeError):
        WIRE.decode(data)


def test_bounds_of_the_message_hold_on_the_wire() -> None:
    data = WIRE.encode(Everything(1, 2, ALICE, None, (ALICE,) * 4, (), 5, ()))
    with pytest.raises(DecodeError):
        WIRE.decode(data)
    with pytest.raises(ValueError, match="the limit is 1000"):
        WIRE.encode(Everything(1, 2, ALICE, None, (), (Inner(1, "x" * 1000),), 5, ()))


def test_port_zero_is_no_address() -> None:
    data = WIRE.encode(Everything(1, 2, ALICE, None, (), (), ("10.0.0.1", 80), ()))
    with pytest.raises(DecodeError, match="port that is not 0"):
        WIRE.decode(data.replace(bytes([10, 0, 0, 1, 0, 80]), bytes([10, 0, 0, 1, 0, 0])))
