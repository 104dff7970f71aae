"""The peers machine, event by event."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from horoi.base.errors import DecodeError
from horoi.machine import (
    Action,
    Arm,
    Asked,
    Dial,
    Drop,
    Fired,
    Linked,
    Lost,
    Received,
    Save,
    Send,
    Tell,
    Unlinked,
)
from horoi.machine.host import Started
from horoi.machine.pair import Pair
from horoi.node.events import (
    AddressesHeard,
    ConnectFailed,
    ConnectTo,
    DisconnectFrom,
    EndVisit,
    Misbehaved,
    PeerBanned,
    PeerHeight,
    PeerReady,
    PeerUseful,
    Visit,
)
from horoi.node.peers.addressbook import AddressBook
from horoi.node.peers.bans import BANS_CODEC, BANS_EVERY_S, BANS_FILE, BANS_FIRST_S
from horoi.node.peers.config import PeersConfig
from horoi.node.peers.dialing import BACKOFF_CAP_S, MAX_KEPT, MAX_VISITS
from horoi.node.peers.machine import MAX_ANCHORS, Peers
from horoi.node.peers.messages import (
    MAX_ADDRESSES,
    PROTOCOL_VERSION,
    RECORD_CODEC,
    WIRE,
    AddressBookRecord,
    Addresses,
    GetAddresses,
    Hello,
    Ping,
    Pong,
)

NETWORK = b"n" * 32
SEED_ADDRESS = "20.1.1.1:9000"
NOW = 1_000_000_000.0


def new_peers(*connect: str, seed: int = 1, saved: AddressBookRecord | None = None, **settings_: Any) -> Peers:
    return Peers(PeersConfig(NETWORK, connect, **settings_), random.Random(seed), saved=saved, height=lambda: 7)


def hello(**changes: Any) -> Hello:
    fields: dict[str, Any] = {
        "version": PROTOCOL_VERSION,
        "network_id": NETWORK,
        "nonce": b"12345678",
        "listen_port": 9000,
        "own_address": "",
        "height": 42,
        "agent": "test/1",
    }
    return Hello(**{**fields, **changes})


def kinds(actions: list[Action], kind: type) -> list[Any]:
    return [action for action in actions if isinstance(action, kind)]


def sent(actions: list[Action], kind: type) -> list[Any]:
    return [action.message for action in kinds(actions, Send) if isinstance(action.message, kind)]


def told(actions: list[Action], kind: type) -> list[Any]:
    return [action.notice for action in kinds(actions, Tell) if isinstance(action.notice, kind)]


def dialed(actions: list[Action]) -> list[str]:
    return [dial.address for dial in told(actions, Dial)]


def drops(actions: list[Action]) -> list[str]:
    return [drop.reason for drop in kinds(actions, Drop)]


def armed(actions: list[Action], timer: Any) -> float | None:
    return [action.after_s for action in kinds(actions, Arm) if action.timer == timer][-1]


def join(
    machine: Peers, peer: str, address: str, *, outbound: bool = False, now: float = NOW, **changes: Any
) -> list[Action]:
    """A peer links and greets; returns what the greeting led to."""
    actions = machine.handle(Asked(Linked(peer, address, outbound)), now)
    assert len(sent(actions, Hello)) == 1, actions
    return machine.handle(Received(peer, hello(**changes)), now)


def test_start_dials_the_configured_peers_and_the_anchors_and_the_book() -> None:
    book = AddressBook(random.Random(3))
    for number in range(30):
        book.add(f"{30 + number}.1.1.1:9000", "20.9.9.9:1", NOW)
    saved = AddressBookRecord(book.dump(), ("77.1.1.1:9000",))
    machine = new_peers("Seed.example.org:9000", "5.6.7.8:1", saved=saved)
    addresses = dialed(machine.handle(Asked(Started()), NOW))
    assert addresses[:3] == ["seed.example.org:9000", "5.6.7.8:1", "77.1.1.1:9000"]
    assert len(addresses) == 8
    assert all(address in book for address in addresses[3:])


def test_the_handshake_makes_a_peer_ready() -> None:
    machine = new_peers(SEED_ADDRESS, agent="me/1", listen_port=9000)
    assert dialed(machine.handle(Asked(Started()), NOW)) == [SEED_ADDRESS]
    actions = machine.handle(Asked(Linked("p", SEED_ADDRESS, outbound=True)), NOW)
    greeting = sent(actions, Hello)[0]
    assert (greeting.network_id, greeting.height, greeting.agent, greeting.listen_port) == (NETWORK, 7, "me/1", 9000)
    assert armed(actions, ("hello", "p")) == machine.config.hello_timeout_s
    assert not told(actions, PeerReady)
    actions = machine.handle(Received("p", hello()), NOW + 1)
    assert told(actions, PeerReady) == [PeerReady("p", outbound=True, height=42, version=PROTOCOL_VERSION)]
    assert sent(actions, GetAddresses) == [GetAddresses()]
    assert armed(actions, ("hello", "p")) is None
    assert machine.book.is_tried(SEED_ADDRESS)
    (info,) = machine.peers()
    assert (info.address, info.outbound, info.ready, info.height, info.agent) == (
        SEED_ADDRESS,
        True,
        True,
        42,
        "test/1",
    )
    machine.handle(Asked(PeerHeight("p", 43)), NOW)
    machine.handle(Asked(PeerHeight("nobody", 43)), NOW)
    assert machine.peers()[0].height == 43


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (hello(network_id=b"x" * 32), "wrong network: this node is on 6e6e6e6e6e6e6e6e, the peer on 7878787878787878"),
        (hello(version=0), "version 0 is too old, this node speaks 1 and up"),
    ],
)
def test_a_peer_of_another_kind_is_dropped_with_the_reason(bad: Hello, reason: str) -> None:
    machine = new_peers(SEED_ADDRESS)
    machine.handle(Asked(Started()), NOW)
    machine.handle(Asked(Linked("p", SEED_ADDRESS, outbound=True)), NOW)
    actions = machine.handle(Received("p", bad), NOW)
    assert drops(actions) == [reason]
    assert told(actions, ConnectFailed) == [ConnectFailed(SEED_ADDRESS, reason)]
    assert not told(actions, PeerReady)
    assert SEED_ADDRESS not in machine.book
    assert machine.handle(Received("p", hello()), NOW) == []
    assert machine.peers() == []


def test_a_link_to_itself_is_dropped_and_never_dialed_again() -> None:
    machine = new_peers(SEED_ADDRESS)
    machine.handle(Asked(Started()), NOW)
    own = sent(machine.handle(Asked(Linked("p", SEED_ADDRESS, outbound=True)), NOW), Hello)[0]
    assert drops(machine.handle(Received("p", own), NOW)) == ["linked to itself"]
    machine.handle(Lost("p"), NOW)
    for hour in range(5):
        assert dialed(machine.handle(Fired("dial"), NOW + hour * 3600)) == []


@pytest.mark.parametrize("message", [Ping(b"12345678"), Pong(b"12345678"), GetAddresses(), Addresses(())])
def test_who_speaks_before_hello_is_dropped_and_banned(message: Any) -> None:
    machine = new_peers()
    machine.handle(Asked(Linked("p", "20.1.1.1:50000", outbound=False)), NOW)
    actions = machine.handle(Received("p", message), NOW)
    assert drops(actions) == [f"misbehaved: {type(message).__name__} before hello"]
    assert len(told(actions, PeerBanned)) == 1
    assert machine.handle(Received("stranger", message), NOW) == []


def test_who_says_nothing_is_dropped() -> None:
    machine = new_peers()
    machine.handle(Asked(Linked("p", "20.1.1.1:50000", outbound=False)), NOW)
    assert drops(machine.handle(Fired(("hello", "p")), NOW + 15)) == ["no hello within 15 s"]
    assert machine.handle(Fired(("hello", "gone")), NOW + 15) == []


def test_a_second_hello_costs_points() -> None:
    machine = new_peers()
    join(machine, "p", "20.1.1.1:50000")
    for _ in range(4):
        assert machine.handle(Received("p", hello()), NOW) == []
    assert machine.peers()[0].points == 80
    assert drops(machine.handle(Received("p", hello()), NOW)) == ["misbehaved: a second hello"]


def test_a_frozen_peer_is_dropped_and_a_live_one_is_measured() -> None:
    machine = new_peers()
    join(machine, "p", "20.1.1.1:50000")
    (ping,) = sent(machine.handle(Fired(("ping", "p")), NOW), Ping)
    actions = machine.handle(Received("p", Pong(ping.nonce)), NOW + 0.25)
    assert machine.peers()[0].latency_ms == pytest.approx(250, abs=0.01)
    wait_s = armed(actions, ("ping", "p"))
    assert wait_s is not None
    assert 15 <= wait_s <= 45
    actions = machine.handle(Fired(("ping", "p")), NOW + 30)
    assert armed(actions, ("ping", "p")) == 30
    assert drops(machine.handle(Fired(("ping", "p")), NOW + 60)) == ["no pong within 30 s"]


def test_a_node_that_slept_itself_asks_again() -> None:
    machine = new_peers()
    join(machine, "p", "20.1.1.1:50000")
    machine.handle(Fired(("ping", "p")), NOW)
    actions = machine.handle(Fired(("ping", "p")), NOW + 3600)
    assert drops(actions) == []
    assert len(sent(actions, Ping)) == 1
    assert drops(machine.handle(Fired(("ping", "p")), NOW + 3630)) == ["no pong within 30 s"]


def test_pings_are_answered_within_a_rate() -> None:
    machine = new_peers()
    join(machine, "p", "20.1.1.1:50000")
    answers = [machine.handle(Received("p", Ping(b"abcdefgh")), NOW) for _ in range(30)]
    assert sum(len(sent(actions, Pong)) for actions in answers) == 10
    assert [reason for actions in answers for reason in drops(actions)] == ["misbehaved: too many pings"]


def test_points_add_up_to_a_drop_and_a_ban_that_ends() -> None:
    machine = new_peers(ban_s=1000.0)
    join(machine, "p", "20.1.1.1:50000")
    assert machine.handle(Asked(Misbehaved("p", 60, "bad block")), NOW) == []
    actions = machine.handle(Asked(Misbehaved("p", 40, "bad block")), NOW)
    assert drops(actions) == ["misbehaved: bad block"]
    assert told(actions, PeerBanned) == [PeerBanned("p", "20.1.1.1:50000", "bad block", 1000.0)]
    assert machine.handle(Asked(Misbehaved("p", 100, "again")), NOW) == []
    machine.handle(Lost("p"), NOW)
    actions = machine.handle(Asked(Linked("q", "20.1.1.1:50001", outbound=False)), NOW + 999)
    assert drops(actions) == ["banned for misbehaviour"]
    assert not kinds(actions, Send)
    machine.handle(Lost("q"), NOW + 999)
    assert told(join(machine, "p", "20.1.1.1:50002", now=NOW + 1001), PeerReady)


def test_a_ban_outlives_a_restart_and_ends_in_time() -> None:
    machine = new_peers(ban_s=1000.0)
    for number, peer in enumerate((b"\1" * 32, b"\2" * 32)):
        join(machine, peer, f"20.1.1.{number}:50000")
        actions = machine.handle(Asked(Misbehaved(peer, 100, "bad block")), NOW + number)
        timers = [action.after_s for action in kinds(actions, Arm) if action.timer == "save bans"]
        assert timers == ([BANS_FIRST_S] if number == 0 else [])  # one for both
    (save,) = kinds(machine.handle(Fired("save bans"), NOW + 2), Save)
    name, data = save.record.file()
    assert name == BANS_FILE
    reborn = Peers(PeersConfig(NETWORK, ban_s=1000.0), random.Random(2), bans=BANS_CODEC.decode(data))
    reborn.handle(Asked(Started()), NOW + 10)
    for peer, address in ((b"\1" * 32, "30.1.1.1:1"), (b"\3" * 32, "20.1.1.1:1")):  # the key, and the host
        actions = reborn.handle(Asked(Linked(peer, address, outbound=False)), NOW + 999)
        assert drops(actions) == ["banned for misbehaviour"]
        reborn.handle(Lost(peer), NOW + 999)
    assert told(join(reborn, b"\1" * 32, "20.1.1.0:1", now=NOW + 1002), PeerReady)


def test_a_crowd_of_bans_is_written_now_and_then() -> None:
    machine = new_peers()
    waits = []
    for number in range(30):
        join(machine, f"p{number}", f"20.1.1.{number}:50000", now=NOW + number)
        actions = machine.handle(Asked(Misbehaved(f"p{number}", 100, "bad block")), NOW + number)
        waits += [action.after_s for action in kinds(actions, Arm) if action.timer == "save bans"]
        if number % 5 == 0:
            machine.handle(Fired("save bans"), NOW + number)
    assert waits[0] == BANS_FIRST_S
    assert min(waits[1:]) > BANS_FIRST_S
    assert max(waits) <= BANS_EVERY_S


def test_small_faults_are_forgiven_with_time() -> None:
    machine = new_peers()
    join(machine, "p", "20.1.1.1:50000")
    for hour in range(50):
        assert machine.handle(Asked(Misbehaved("p", 50, "clumsy")), NOW + hour * 3600) == []
    assert machine.handle(Asked(Misbehaved("p", -500, "nonsense")), NOW + 49 * 3600) == []
    assert machine.peers()[0].points == 50


def test_a_peer_that_the_operator_named_is_dropped_but_may_come_back() -> None:
    machine = new_peers(SEED_ADDRESS)
    machine.handle(Asked(Started()), NOW)
    join(machine, "p", SEED_ADDRESS, outbound=True)
    actions = machine.handle(Asked(Misbehaved("p", 100, "bad block")), NOW)
    assert drops(actions)
    assert not told(actions, PeerBanned)
    machine.handle(Lost("p"), NOW)
    assert dialed(machine.handle(Fired("dial"), NOW + 10)) == [SEED_ADDRESS]


def test_a_configured_peer_is_tried_for_ever_with_bounded_waits() -> None:
    machine = new_peers(SEED_ADDRESS)
    machine.handle(Asked(Started()), NOW)
    now, waits = NOW, []
    for _ in range(30):
        failed = machine.handle(Asked(Unlinked(SEED_ADDRESS, "refused")), now)
        assert told(failed, ConnectFailed) == [ConnectFailed(SEED_ADDRESS, "refused")]
        since = now
        while not dialed(machine.handle(Fired("dial"), now)):
            now += 1.0
            assert now - since <= BACKOFF_CAP_S + 1
        waits.append(now - since)
    assert waits[0] <= 2
    assert max(waits[:5]) < min(waits[10:])
    assert min(waits[10:]) >= BACKOFF_CAP_S / 2


def test_a_link_that_ends_at_once_is_a_failed_dial() -> None:
    machine = new_peers(SEED_ADDRESS)
    machine.handle(Asked(Started()), NOW)
    now, dials = NOW, 0
    for _ in range(600):
        now += 1.0
        if dialed(machine.handle(Fired("dial"), now)) or dials == 0:
            dials += 1
            join(machine, "p", SEED_ADDRESS, outbound=True, now=now)
            machine.handle(Lost("p"), now)
    assert dials < 15


def known_book(addresses: list[str]) -> AddressBookRecord:
    book = AddressBook(random.Random(9))
    for number, address in enumerate(addresses):
        book.add(address, f"{20 + number % 50}.9.9.9:1" if not address.startswith("10.") else address, NOW)
    return AddressBookRecord(book.dump(), ())


def test_outbound_links_are_diverse() -> None:
    crowd = [f"66.66.{number}.1:9000" for number in range(60)]
    machine = new_peers(saved=known_book([*crowd, "30.1.1.1:9000", "31.1.1.1:9000"]))
    addresses = dialed(machine.handle(Asked(Started()), NOW))
    assert sum(address.startswith("66.66.") for address in addresses) == 2
    assert "30.1.1.1:9000" in addresses
    assert "31.1.1.1:9000" in addresses
    machine = new_peers(saved=known_book([f"10.0.0.{number + 1}:9000" for number in range(20)]))
    assert len(dialed(machine.handle(Asked(Started()), NOW))) == 8


def test_a_dial_that_fails_is_replaced_and_nobody_is_dialed_twice() -> None:
    everyone = [f"{30 + number}.1.1.1:9000" for number in range(20)]
    machine = new_peers(saved=known_book(everyone))
    first = dialed(machine.handle(Asked(Started()), NOW))
    linked = first[:4]
    for address in linked:
        join(machine, address, address, outbound=True)
    join(machine, "in", "49.1.1.1:50000")  # it listens at 49.1.1.1:9000, which is in the book
    later: list[str] = []
    for address in first[4:]:
        later += dialed(machine.handle(Asked(Unlinked(address, "refused")), NOW))
    assert len(later) == 4
    assert len(dict.fromkeys(first + later)) == 12
    assert "49.1.1.1:9000" not in first + later


def test_inbound_links_are_limited_and_the_protected_stay() -> None:
    machine = new_peers(max_inbound=3)
    for number in range(3):
        join(machine, f"p{number}", f"{20 + number}.1.1.1:50000")
    actions = machine.handle(Asked(Linked("late", "30.1.1.1:50000", outbound=False)), NOW)
    assert drops(actions) == ["no room: 3 peers have dialed this node"]
    assert len(machine.peers()) == 3
    machine.handle(Lost("late"), NOW)
    machine.handle(Lost("p1"), NOW)
    assert told(join(machine, "late", "30.1.1.1:50000"), PeerReady)


def test_a_newcomer_displaces_one_of_a_crowd_but_a_banned_one_does_not() -> None:
    machine = new_peers(max_inbound=50)
    for number in range(50):
        join(machine, f"p{number}", f"66.66.{number}.1:50000", now=NOW + number)
    machine.handle(Asked(PeerUseful("p49")), NOW + 50)
    actions = machine.handle(Asked(Linked("new", "30.1.1.1:50000", outbound=False)), NOW + 60)
    assert [(drop.peer != "p49", drop.reason) for drop in kinds(actions, Drop)] == [
        (True, "room is needed for another peer")
    ]
    assert len(sent(actions, Hello)) == 1
    assert len(machine.peers()) == 50
    machine.handle(Asked(Misbehaved("new", 100, "bad")), NOW + 61)
    machine.handle(Lost("new"), NOW + 61)
    join(machine, "other", "31.1.1.1:50000", now=NOW + 62)
    actions = machine.handle(Asked(Linked("new", "30.1.1.1:50001", outbound=False)), NOW + 63)
    assert [drop.peer for drop in kinds(actions, Drop)] == ["new"]


def test_the_dialer_asks_the_listener_answers_once() -> None:
    machine = new_peers(own_address="20.7.7.7:9000", saved=known_book(["30.1.1.1:9000", "10.0.0.1:9000"]))
    join(machine, "in", "40.1.1.1:50000", listen_port=0)
    (answer,) = sent(machine.handle(Received("in", GetAddresses()), NOW), Addresses)
    assert sorted(answer.addresses) == ["20.7.7.7:9000", "30.1.1.1:9000"]  # and nothing of our intranet
    assert machine.handle(Received("in", GetAddresses()), NOW) == []
    join(machine, "out", "41.1.1.1:9000", outbound=True)
    assert machine.handle(Received("out", GetAddresses()), NOW) == []


def test_news_is_passed_on_to_two_peers_once_and_answers_are_not() -> None:
    machine = new_peers()
    for number in range(6):
        join(machine, f"p{number}", f"{20 + number}.1.1.1:50000", listen_port=0)
    news = Addresses(("99.1.1.1:9000", "garbage", "10.0.0.1:9000"))
    actions = machine.handle(Received("p0", news), NOW)
    assert len(kinds(actions, Send)) == 2
    assert sent(actions, Addresses) == [Addresses(("99.1.1.1:9000",))] * 2
    assert all(send.peer != "p0" for send in kinds(actions, Send))
    assert machine.handle(Received("p1", news), NOW) == []
    many = Addresses(tuple(f"{100 + number}.1.1.1:9000" for number in range(11)))
    assert not sent(machine.handle(Received("p2", many), NOW), Addresses)
    join(machine, "out", "50.1.1.1:9000", outbound=True)
    answer = Addresses(("98.1.1.1:9000",))
    assert not sent(machine.handle(Received("out", answer), NOW), Addresses)
    assert "98.1.1.1:9000" in machine.book


def test_a_peer_that_dials_us_becomes_known_under_its_listening_address() -> None:
    machine = new_peers()
    join(machine, "p", "20.1.1.1:50000", listen_port=9000)
    assert "20.1.1.1:9000" in machine.book
    assert not machine.book.is_tried("20.1.1.1:9000")  # it was not us who reached it
    join(machine, "q", "21.1.1.1:50000", listen_port=0)
    join(machine, "r", "22.1.1.1:50000", own_address="r.example.org:9000")
    join(machine, "s", "23.1.1.1:50000", own_address="127.0.0.1:22")
    assert list(machine.book._entries) == ["20.1.1.1:9000", "r.example.org:9000"]


def test_who_claims_the_address_of_another_does_not_keep_us_from_dialing_it() -> None:
    victim = "30.1.1.1:9000"
    machine = new_peers(saved=known_book([victim]))
    join(machine, "liar", "66.66.1.1:50000", own_address=victim)
    assert victim in dialed(machine.handle(Asked(Started()), NOW))


def test_floods_of_addresses_are_bounded() -> None:
    machine = new_peers()
    join(machine, "p", "20.1.1.1:50000", listen_port=0)
    dice = random.Random(1)
    for _ in range(100):
        flood = tuple(f"{dice.randrange(30, 90)}.{dice.randrange(256)}.1.1:9000" for _ in range(MAX_ADDRESSES))
        machine.handle(Received("p", Addresses(flood)), NOW)
    assert len(machine.book) <= 100


def test_the_own_address_is_told_again_daily() -> None:
    machine = new_peers(own_address="20.7.7.7:9000")
    machine.handle(Asked(Started()), NOW)
    join(machine, "p", "21.1.1.1:50000")
    actions = machine.handle(Fired("advertise"), NOW + 86_400)
    assert sent(actions, Addresses) == [Addresses(("20.7.7.7:9000",))]
    assert armed(actions, "advertise") is not None


def test_a_feeler_tests_an_address_when_all_places_are_taken() -> None:
    everyone = [f"{30 + number}.1.1.1:9000" for number in range(20)]
    machine = new_peers(saved=known_book(everyone), want_outbound=2)
    for address in dialed(machine.handle(Asked(Started()), NOW)):
        join(machine, address, address, outbound=True)
    (target,) = dialed(machine.handle(Fired("feeler"), NOW + 100))
    assert not machine.book.is_tried(target)
    actions = join(machine, "felt", target, outbound=True, now=NOW + 101)
    assert drops(actions) == ["feeler: the address answers, thank you"]
    assert not told(actions, PeerReady)
    assert machine.book.is_tried(target)


def test_a_feeler_that_finds_a_free_place_stays() -> None:
    machine = new_peers(saved=known_book(["30.1.1.1:9000", "31.1.1.1:9000"]), want_outbound=1)
    (first,) = dialed(machine.handle(Asked(Started()), NOW))
    join(machine, "first", first, outbound=True)
    (second,) = dialed(machine.handle(Fired("feeler"), NOW + 100))
    machine.handle(Lost("first"), NOW + 101)
    assert told(join(machine, "second", second, outbound=True, now=NOW + 101), PeerReady)


def test_the_operator_connects_and_disconnects() -> None:
    machine = new_peers()
    (refused,) = told(machine.handle(Asked(ConnectTo("nonsense")), NOW), ConnectFailed)
    assert refused.address == "nonsense"
    assert "host:port" in refused.reason
    assert dialed(machine.handle(Asked(ConnectTo(SEED_ADDRESS)), NOW)) == [SEED_ADDRESS]
    join(machine, "p", SEED_ADDRESS, outbound=True)
    assert drops(machine.handle(Asked(DisconnectFrom("p")), NOW + 1)) == ["the operator disconnected"]
    assert machine.handle(Asked(DisconnectFrom("p")), NOW + 1) == []
    assert dialed(machine.handle(Lost("p"), NOW + 1)) == []
    for number in range(MAX_KEPT):
        assert not told(machine.handle(Asked(ConnectTo(f"20.2.{number}.1:1")), NOW), ConnectFailed)
    assert told(machine.handle(Asked(ConnectTo("20.3.1.1:1")), NOW), ConnectFailed)


def test_a_visit_is_a_strangers_link_for_a_while() -> None:
    machine = new_peers(want_outbound=2)
    assert dialed(machine.handle(Asked(Visit(SEED_ADDRESS)), NOW)) == [SEED_ADDRESS]
    assert told(join(machine, "p", SEED_ADDRESS, outbound=True), PeerReady)
    assert machine.record().anchors == ()
    assert machine._dialer._missing(machine._live()) == 2  # it takes no place of a link that was chosen
    assert drops(machine.handle(Asked(EndVisit(SEED_ADDRESS)), NOW + 1)) == ["the visit is over"]
    assert dialed(machine.handle(Lost("p"), NOW + 1)) == []
    assert machine.handle(Asked(EndVisit(SEED_ADDRESS)), NOW + 2) == []


def test_who_is_visited_is_banned_like_anybody() -> None:
    machine = new_peers()
    machine.handle(Asked(Visit(SEED_ADDRESS)), NOW)
    join(machine, "p", SEED_ADDRESS, outbound=True)
    assert told(machine.handle(Asked(Misbehaved("p", 100, "why")), NOW), PeerBanned)
    machine.handle(Lost("p"), NOW)
    machine.handle(Asked(EndVisit(SEED_ADDRESS)), NOW)
    assert dialed(machine.handle(Asked(Visit(SEED_ADDRESS)), NOW + 1000)) == []


def test_a_visit_that_fails_is_not_tried_again_and_one_called_off_ends() -> None:
    machine = new_peers()
    machine.handle(Asked(Visit(SEED_ADDRESS)), NOW)
    assert dialed(machine.handle(Asked(Unlinked(SEED_ADDRESS, "refused")), NOW)) == []
    assert dialed(machine.handle(Fired("dial"), NOW + 1000)) == []
    other = "20.1.1.2:9000"
    machine.handle(Asked(Visit(other)), NOW)
    machine.handle(Asked(EndVisit(other)), NOW)
    assert drops(join(machine, "q", other, outbound=True)) == ["the visit was called off meanwhile"]


def test_visits_are_bounded_and_end_no_other_link() -> None:
    machine = new_peers(SEED_ADDRESS)
    machine.handle(Asked(Started()), NOW)
    assert dialed(machine.handle(Asked(Visit(SEED_ADDRESS)), NOW)) == []
    join(machine, "p", SEED_ADDRESS, outbound=True)
    assert machine.handle(Asked(EndVisit(SEED_ADDRESS)), NOW) == []
    asked = [machine.handle(Asked(Visit(f"20.2.{number}.1:1")), NOW) for number in range(2 * MAX_VISITS)]
    assert sum(len(dialed(actions)) for actions in asked) == MAX_VISITS


def test_the_book_is_saved_at_bounded_times_and_a_restart_finds_its_peers() -> None:
    machine = new_peers(SEED_ADDRESS)
    machine.handle(Asked(Started()), NOW)
    assert armed(join(machine, "p", SEED_ADDRESS, outbound=True), "save") == 30
    assert not [a for a in kinds(join(machine, "q", "30.1.1.1:50000"), Arm) if a.timer == "save"]
    for number in range(4):
        join(machine, f"o{number}", f"{40 + number}.1.1.1:9000", outbound=True, now=NOW + number)
    (save,) = kinds(machine.handle(Fired("save"), NOW + 30), Save)
    assert save.record.anchors == ("40.1.1.1:9000", "41.1.1.1:9000")
    assert len(save.record.anchors) == MAX_ANCHORS
    assert armed(join(machine, "r", "31.1.1.1:50000", now=NOW + 90), "save") == 840
    name, data = save.record.file()
    assert name == "address-book"
    reborn = new_peers(saved=RECORD_CODEC.decode(data))
    addresses = dialed(reborn.handle(Asked(Started()), NOW + 100))
    assert addresses[:2] == ["40.1.1.1:9000", "41.1.1.1:9000"]
    assert SEED_ADDRESS in addresses


def test_a_newer_link_of_the_same_peer_replaces_the_older() -> None:
    machine = new_peers()
    join(machine, "p", "20.1.1.1:50000")
    assert told(join(machine, "p", "20.1.1.1:50001"), PeerReady)
    (info,) = machine.peers()
    assert info.address == "20.1.1.1:50001"


def test_two_machines_meet_over_the_wire() -> None:
    pair = Pair(new_peers("b:1", seed=1), new_peers(seed=2, listen_port=9000), wire=WIRE, now_s=NOW)
    pair.ask("a", Started())
    pair.ask("b", Started())
    pair.link()
    pair.run_until_quiet()
    assert [n for n in pair.notices["a"] if isinstance(n, PeerReady)] == [
        PeerReady("b", outbound=True, height=7, version=PROTOCOL_VERSION)
    ]
    assert [n for n in pair.notices["b"] if isinstance(n, PeerReady)] == [
        PeerReady("a", outbound=False, height=7, version=PROTOCOL_VERSION)
    ]
    for _ in range(20):
        pair.advance(10)
        pair.run_until_quiet()
    assert pair.linked
    pair.advance(100)  # b answers no more: its messages are not delivered
    assert not pair.linked


def test_the_same_dice_and_events_give_the_same_actions() -> None:
    def life() -> list[list[Action]]:
        machine = new_peers(saved=known_book([f"{30 + number}.1.1.1:9000" for number in range(40)]))
        every = [machine.handle(Asked(Started()), NOW)]
        for number in range(10):
            every.append(join(machine, f"p{number}", f"{90 + number}.1.1.1:50000", now=NOW + number))
            every.append(machine.handle(Fired("feeler"), NOW + number))
        return every

    assert life() == life()


@pytest.mark.parametrize(
    "wrong",
    [
        {"network_id": b"short"},
        {"connect": ("nonsense",)},
        {"own_address": "host"},
        {"agent": "x" * 65},
        {"agent": "new\nline"},
        {"listen_port": 70_000},
        {"connect": tuple(f"h{n}:1" for n in range(MAX_KEPT + 1))},
    ],
)
def test_a_wrong_configuration_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        PeersConfig(**{"network_id": NETWORK, **wrong})


@pytest.mark.parametrize(
    "message",
    [
        hello(network_id=b"short"),
        hello(nonce=b"short"),
        hello(height=-1),
        hello(agent="line\n"),
        hello(agent="x" * 65),
        hello(listen_port=65_536),
        Addresses(("a:1",) * 101),
        Ping(b"123456789"),
    ],
)
def test_the_wire_bounds_what_it_carries(message: Any) -> None:
    with pytest.raises(DecodeError):
        WIRE.decode(WIRE.encode(message))


words = st.text(max_size=30) | st.sampled_from(["10.0.0.1:9000", "99.1.1.1:9000", "[::1]:9", "", ":", SEED_ADDRESS])
nonces = st.binary(min_size=8, max_size=8)
messages = st.one_of(
    st.builds(
        hello,
        version=st.integers(0, 3),
        network_id=st.sampled_from([NETWORK, b"x" * 32]),
        nonce=nonces,
        listen_port=st.integers(0, 65535),
        own_address=words,
        height=st.integers(0, 2**40),
    ),
    st.builds(hello),
    st.just(GetAddresses()),
    st.builds(Addresses, st.lists(words, max_size=12).map(tuple)),
    st.builds(Ping, nonces),
    st.builds(Pong, nonces),
)
names = st.sampled_from(["p", "q", "r"])
events = st.one_of(
    st.builds(Received, names, messages),
    st.builds(Received, names, messages),
    st.builds(lambda p, a, o: Asked(Linked(p, a, o)), names, words, st.booleans()),
    st.builds(Lost, names),
    st.builds(lambda a: Asked(Unlinked(a, "refused")), words),
    st.builds(
        Fired, st.sampled_from(["dial", "feeler", "advertise", "save", ("hello", "p"), ("ping", "p"), ("ping", "q")])
    ),
    st.builds(lambda p, n: Asked(Misbehaved(p, n, "why")), names, st.integers(-5, 50)),
    st.builds(lambda a: Asked(ConnectTo(a)), words),
    st.builds(lambda a: Asked(Visit(a)), words),
    st.builds(lambda a: Asked(EndVisit(a)), words),
    st.builds(lambda p: Asked(DisconnectFrom(p)), names),
)


@settings(deadline=None, max_examples=150)
@given(st.lists(events, max_size=60), st.lists(st.floats(0, 100), min_size=60, max_size=60))
def test_nothing_that_happens_raises_or_grows_without_bound(doings: list[Any], waits: list[float]) -> None:
    machine = new_peers(SEED_ADDRESS, max_inbound=2, own_address="20.7.7.7:9000")
    now = NOW
    machine.handle(Asked(Started()), now)
    for event, wait in zip(doings, waits, strict=False):
        now += wait
        for action in machine.handle(event, now):
            if isinstance(action, Send):
                assert WIRE.decode(WIRE.encode(action.message)) == action.message
        assert sum(not info.outbound for info in machine.peers()) <= 2
        assert len(machine._links) <= 3
        assert all(0 <= info.points < 100 for info in machine.peers())
    AddressBook.load(machine.record().book, random.Random(1))


def test_addresses_found_elsewhere_are_dialed_and_bounded_like_any_strangers_word() -> None:
    machine = new_peers(own_address="77.1.1.1:9000")
    machine.handle(Asked(Started()), NOW)
    found = AddressesHeard("found.elsewhere:1", ("20.2.2.2:9000", "77.1.1.1:9000", "not an address", "10.0.0.7:9000"))
    actions = machine.handle(Asked(found), NOW)
    assert dialed(actions) == ["20.2.2.2:9000"]
    assert list(machine.book.sample(NOW, 10, local=True)) == ["20.2.2.2:9000"]
    assert machine.handle(Asked(found), NOW) == []
    flood = tuple(f"{group >> 8}.{group & 255}.1.1:9000" for group in range(256, 20_000))
    for start in range(0, len(flood), 50):
        machine.handle(Asked(AddressesHeard("found.elsewhere:1", flood[start : start + 50])), NOW)
    assert len(machine.book) <= 64 * 64
