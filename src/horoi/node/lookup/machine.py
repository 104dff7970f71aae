"""The node's side of lookups: who provides a document, and that this node does.

*Meeting.* Linked nodes tell each other once on which UDP port they speak which overlay (``messages.LookupAt``); those that speak
this node's are the doors through which its ``overlay_peer`` enters.

*Asking.* A document's key is the hash of its hash (``base.ids.key_of``), so that a key tells strangers nothing. It is asked of
the overlay, and of the DHT where there is no overlay or the overlay knows nobody.

*Providing.* What this node provides is kept on disk, said at every entry, and again where saying it failed. The DHT is told
only where there is no overlay: it is the whole world.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import msgspec

from horoi.base.hashing import HASH_SIZE_BYTES
from horoi.base.ids import ID_BITS, key_of
from horoi.lookup.kademlia.requests import Announce
from horoi.lookup.vocabulary import Failed, Joined, Provide, Providers, Stored, Unprovide
from horoi.lookup.vocabulary import FindProviders as Find
from horoi.machine.contract import Action, Arm, Asked, Event, Fired, Lost, Peer, Received, Save, Tell
from horoi.machine.links import Linked
from horoi.machine.wire import Wire
from horoi.node.events import Misbehaved, PeerReady
from horoi.node.lookup.meeting import Meeting
from horoi.node.lookup.messages import LINK_WIRE, LookupAt
from horoi.node.lookup.record import MAX_PROVIDING, ProvidingRecord
from horoi.node.lookup.requests import (
    DHT,
    NO_ANSWER,
    NO_LOOKUP,
    NO_ROOM,
    NOT_ENTERED,
    OVERLAY,
    TOO_MANY,
    Doors,
    Entered,
    FindHolders,
    FindProviders,
    FromSide,
    Holders,
    LookupFailed,
    Outside,
    ProviderAt,
    ProvidersFound,
    ProvidingStarted,
    SideDown,
    SideUp,
    StartProviding,
    StopProviding,
    ToSide,
)
from horoi.node.peers.addresses import LOCAL, group_of

ANSWER_S = 30.0  # for both sides together, a guess: an answer after it helps nobody who waits
SAY_AGAIN_S = 30.0  # after saying failed, a guess
SAY_PER_S = 20  # words said per second after an entry, a guess: a lookup each
SAVE_S = 1.0  # changes of a second are written together, a guess
MAX_ASKED = 1024  # requests at once, a guess
SECOND_LOOKUP_AT_POINTS = 20  # as a second hello


class LookupStatus(msgspec.Struct, frozen=True, gc=False):
    """What an operator sees. Addresses as "host:port"; None: not (yet)."""

    overlay: str
    listen: str | None
    address: str | None
    doors: int
    providing: int
    dht: bool
    dht_listen: str | None
    dht_joined: bool


class Side:
    """What is known of one side: has it a port, is it part of its network, how wide are its keys."""

    def __init__(self, bits: int) -> None:
        self.bits = bits
        self.listen: str | None = None
        self.address: Any = None
        self.is_in = False


class Waiting:
    """A request of the application under way: the request, and the sides that are asked after the one that is asked now."""

    def __init__(self, request: Any, sides: Sequence[str]) -> None:
        self.request = request
        self.sides = list(sides)


class NodeLookup:
    """The machine. ``overlay``: a name of ``overlays`` or "", with keys of ``bits`` bits; ``port``: of its links.

    What the DHT says is a stranger's word: it may name local addresses only if it is itself local (``dht_is_local``).
    """

    wire: Wire | None = LINK_WIRE

    def __init__(
        self,
        *,
        overlay: str = "",
        bits: int = ID_BITS,
        dht: bool = False,
        dht_is_local: bool = False,
        port: int = 0,
        saved: Sequence[bytes] = (),
    ) -> None:
        self.overlay = overlay
        self._port = port
        self._dht_is_local = dht_is_local
        self._sides: dict[str, Side] = {}
        if overlay:
            self._sides[OVERLAY] = Side(bits)
        if dht:
            self._sides[DHT] = Side(ID_BITS)
        self._meeting = Meeting(overlay)
        self._providing: dict[bytes, None] = dict.fromkeys(saved[:MAX_PROVIDING])
        self._unsaid: dict[bytes, None] = {}
        self._asked: dict[int, Waiting] = {}
        self._number = 0
        self._save_is_armed = False

    # For the application, from the same thread

    @property
    def providing(self) -> tuple[bytes, ...]:
        """The hashes of what this node provides."""
        return tuple(self._providing)

    @property
    def is_on(self) -> bool:
        """False if the node looks nothing up."""
        return bool(self._sides)

    def status(self) -> LookupStatus:
        """For people."""
        overlay, dht = self._sides.get(OVERLAY), self._sides.get(DHT)
        address = overlay.address if overlay is not None and overlay.is_in else None
        return LookupStatus(
            overlay=self.overlay,
            listen=overlay.listen if overlay else None,
            address=_to_text(address) if address is not None else None,
            doors=len(self._meeting.doors()),
            providing=len(self._providing),
            dht=dht is not None,
            dht_listen=dht.listen if dht else None,
            dht_joined=dht is not None and dht.is_in,
        )

    def record(self) -> ProvidingRecord:
        """What ``Save`` saves; also for a clean stop."""
        return ProvidingRecord(self.providing)

    # The machine

    def handle(self, event: Event, now: float) -> list[Action]:
        if isinstance(event, Received):
            return self._hear_lookup_at(event.peer, event.message)
        if isinstance(event, Fired):
            return self._fire(event.timer)
        if isinstance(event, Lost):
            return self._lose(event.peer)
        if isinstance(event, Asked):
            on_request = self._on_request.get(type(event.request))
            return on_request(self, event.request) if on_request else []
        return []

    def _fire(self, timer: Any) -> list[Action]:
        if timer == "say":
            return self._say_some()
        if timer == "save":
            self._save_is_armed = False
            return [Save(self.record())]
        return self._give_up(timer, NO_ANSWER)

    # Links

    def _link(self, linked: Linked) -> list[Action]:
        self._meeting.linked(linked.peer, linked.address)
        return []

    def _peer_ready(self, ready: PeerReady) -> list[Action]:
        self._meeting.ready(ready.peer, ready.version)
        return self._meeting.introduce()

    def _hear_lookup_at(self, peer: Peer, message: LookupAt) -> list[Action]:
        if not self._meeting.hear(peer, message):
            return [Tell(Misbehaved(peer, SECOND_LOOKUP_AT_POINTS, "a second lookup-at"))]
        return self._tell_doors()

    def _lose(self, peer: Peer) -> list[Action]:
        return self._tell_doors() if self._meeting.lose(peer) else []

    def _tell_doors(self) -> list[Action]:
        side = self._sides.get(OVERLAY)
        return [Tell(ToSide(OVERLAY, Doors(self._meeting.doors())))] if side is not None and side.listen else []

    # The sides

    def _hear_side(self, heard: FromSide) -> list[Action]:
        side = self._sides.get(heard.side)
        if side is None:
            return []
        notice = heard.notice
        if isinstance(notice, SideUp):
            return self._side_is_up(heard.side, side, notice)
        if isinstance(notice, SideDown):
            side.listen = None
            side.is_in = False
            return []
        if isinstance(notice, Entered) or (isinstance(notice, Joined) and heard.side == DHT):
            side.is_in = True
            side.address = notice.address if isinstance(notice, Entered) else notice.contact.address
            return self._say_all() if heard.side == self._told_side else []
        if isinstance(notice, Outside):
            side.is_in = False
            return []
        token = getattr(notice, "token", None)
        return self._answered(token[1], heard.side, notice) if isinstance(token, tuple) and token[0] == "lookup" else []

    def _side_is_up(self, name: str, side: Side, up: SideUp) -> list[Action]:
        side.listen = up.listen
        if name != OVERLAY:
            return []
        self._meeting.port = up.port
        return [*self._tell_doors(), *self._meeting.introduce()]

    @property
    def _told_side(self) -> str:
        """Where this node says what it provides."""
        return OVERLAY if OVERLAY in self._sides else DHT

    # Finding

    def _find(self, request: FindProviders) -> list[Action]:
        sides = [name for name in (OVERLAY, DHT) if name in self._sides and self._sides[name].is_in]
        refusal = self._refusal(request.hash)
        if refusal or not sides:
            return [Tell(LookupFailed(request.token, refusal or NOT_ENTERED))]
        return self._ask_next(self._note(Waiting(request, sides)))

    def _refusal(self, hash_: bytes) -> str:
        if not self._sides:
            return NO_LOOKUP
        if len(hash_) != HASH_SIZE_BYTES:
            return f"a hash has {HASH_SIZE_BYTES} bytes, not {len(hash_)}"
        return TOO_MANY if len(self._asked) >= MAX_ASKED else ""

    def _note(self, waiting: Waiting) -> int:
        self._number += 1
        self._asked[self._number] = waiting
        return self._number

    def _ask_next(self, number: int) -> list[Action]:
        waiting = self._asked[number]
        side, request = waiting.sides.pop(0), waiting.request
        key = key_of(request.hash, self._sides[side].bits)
        kind: Any = FindHolders if side == OVERLAY else Find
        asking = kind(("lookup", number), key, request.limit)
        return [Arm(number, ANSWER_S), Tell(ToSide(side, asking))]

    def _answered(self, number: int, side: str, notice: Any) -> list[Action]:
        waiting = self._asked.get(number)
        if waiting is None:
            return []
        if isinstance(waiting.request, FindProviders):
            return self._found(number, waiting, side, notice)
        return self._said(number, waiting.request, notice)

    def _found(self, number: int, waiting: Waiting, side: str, notice: Any) -> list[Action]:
        found: tuple[ProviderAt, ...] = ()
        if isinstance(notice, Holders):
            found = tuple(ProviderAt(holder.address, holder.node_id, self.overlay) for holder in notice.holders)
        elif isinstance(notice, Providers):
            named = (_to_text(contact.address) for contact in notice.providers)
            found = tuple(ProviderAt(name, None, DHT) for name in named if self._may_name(name))
        if not found and waiting.sides:
            return self._ask_next(number)
        if isinstance(notice, Failed):
            return self._give_up(number, notice.why)
        del self._asked[number]
        request = waiting.request
        return [Arm(number, None), Tell(ProvidersFound(request.token, request.hash, found))]

    def _may_name(self, address: str) -> bool:
        return self._dht_is_local or group_of(address) != LOCAL

    def _give_up(self, number: int, why: str) -> list[Action]:
        waiting = self._asked.pop(number, None)
        if waiting is None:
            return []
        request = waiting.request
        if isinstance(request, StartProviding):  # it provides all the same, and says so again
            return [Arm(number, None), *self._will_say_again(request.hash), *_started(request, 0)]
        return [Arm(number, None), Tell(LookupFailed(request.token, why))]

    # Providing

    def _provide(self, request: StartProviding) -> list[Action]:
        refusal = self._refusal(request.hash)
        if not refusal and request.hash not in self._providing and len(self._providing) >= MAX_PROVIDING:
            refusal = NO_ROOM
        if refusal:
            return [Tell(LookupFailed(request.token, refusal))]
        is_new = request.hash not in self._providing
        self._providing[request.hash] = None
        saved = self._save_soon() if is_new else []
        if self._sides[self._told_side].is_in:
            return [*saved, *self._say(request)]
        return [*saved, Tell(ProvidingStarted(request.token, request.hash, 0))]

    def _stop_providing(self, request: StopProviding) -> list[Action]:
        if request.hash not in self._providing:
            return []
        del self._providing[request.hash]
        self._unsaid.pop(request.hash, None)
        told = []
        if self._sides:
            side = self._told_side
            told = [Tell(ToSide(side, Unprovide(key_of(request.hash, self._sides[side].bits))))]
        return [*told, *self._save_soon()]

    def _say(self, request: StartProviding) -> list[Action]:
        number = self._note(Waiting(request, ()))
        side = self._told_side
        key = key_of(request.hash, self._sides[side].bits)
        token = ("lookup", number)
        word = Provide(token, key) if side == OVERLAY else Announce(token, key, self._port)
        return [Arm(number, ANSWER_S), Tell(ToSide(side, word))]

    def _said(self, number: int, request: StartProviding, notice: Any) -> list[Action]:
        if not isinstance(notice, Stored):
            return self._give_up(number, getattr(notice, "why", NO_ANSWER))
        del self._asked[number]
        return [Arm(number, None), *_started(request, notice.copies)]

    def _say_all(self) -> list[Action]:
        self._unsaid = dict(self._providing)
        return [Arm("say", 0.0)] if self._unsaid else []

    def _will_say_again(self, hash_: bytes) -> list[Action]:
        if hash_ not in self._providing:
            return []
        is_armed = bool(self._unsaid)
        self._unsaid[hash_] = None
        return [] if is_armed else [Arm("say", SAY_AGAIN_S)]  # never later: the others would wait for each that fails

    def _say_some(self) -> list[Action]:
        """A few of what is to be said; nobody waits for the answers."""
        if not self._sides or not self._sides[self._told_side].is_in:
            return []
        some = [hash_ for hash_, _ in zip(self._unsaid, range(SAY_PER_S), strict=False)]
        actions: list[Action] = []
        for hash_ in some if len(self._asked) < MAX_ASKED else []:
            del self._unsaid[hash_]
            actions += self._say(StartProviding(None, hash_))
        return [*actions, Arm("say", 1.0)] if self._unsaid else actions

    def _save_soon(self) -> list[Action]:
        if self._save_is_armed:
            return []
        self._save_is_armed = True
        return [Arm("save", SAVE_S)]

    _on_request: ClassVar[dict[type, Callable[[NodeLookup, Any], list[Action]]]] = {
        Linked: _link,
        PeerReady: _peer_ready,
        FromSide: _hear_side,
        FindProviders: _find,
        StartProviding: _provide,
        StopProviding: _stop_providing,
    }
    hears: tuple[type, ...] = tuple(_on_request)


def _started(request: StartProviding, copies: int) -> list[Action]:
    """The answer, if somebody waits for one."""
    return [] if request.token is None else [Tell(ProvidingStarted(request.token, request.hash, copies))]


def _to_text(address: Any) -> str:
    ip, port = address
    return f"[{ip}]:{port}" if ":" in ip else f"{ip}:{port}"
