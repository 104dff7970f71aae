"""Who is refused, and until when.

A ban names the node id, which is cheap to change, and the host, which is not. Hosts on local networks are shared by many
nodes (all nodes of a test have one), so there it names host and port. Bans are written down, so that a restart (an attacker may
make a node crash, or wait for an upgrade) forgives nobody; an operator takes the file ``bans`` away.
"""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

from msgspec import Meta

from horoi.base.codec import Codec, Record, encode
from horoi.node.peers.addresses import LOCAL, group_of, host_of
from horoi.node.peers.link import Link

MAX_BANS = 1000  # a guess: the ban that ends first makes room
BANS_FILE = "bans"
BANS_FIRST_S = 1.0  # until it is written down, so that a ban outlives a crash; a guess
BANS_EVERY_S = 10.0  # a guess: a crowd of bans does not keep the disk busy

Key = tuple[Literal["peer", "address"], Any]


class SavedBan(Record, frozen=True):
    """One key of a ban, and when it ends. A node has its id; a peer of a simulation a name."""

    kind: Literal["node", "name", "address"]
    who: bytes
    until_s: Annotated[int, Meta(ge=0, le=2**53)]


class BansRecord(Record, frozen=True):
    """What the node saves of its bans."""

    bans: Annotated[tuple[SavedBan, ...], Meta(max_length=MAX_BANS)]

    def file(self) -> tuple[str, bytes]:
        """The name of the file that it becomes the whole content of, and the content (``BANS_CODEC`` reads it)."""
        return BANS_FILE, encode(self)


BANS_CODEC: Codec[BansRecord] = Codec(BansRecord, max_size_bytes=512 * 1024)
"""1000 keys of at most 259 letters."""


class Bans:
    """Bounded: at most MAX_BANS keys, two of which a peer takes. ``saved`` are those of an earlier life."""

    def __init__(self, saved: BansRecord | None = None) -> None:
        self._until_s: dict[Key, float] = {_key_in(ban): ban.until_s for ban in saved.bans} if saved else {}

    def __len__(self) -> int:
        return len(self._until_s)

    def add(self, link: Link, until_s: float) -> None:
        """Refuse this peer until then; of two bans of one key the longer stands."""
        for key in _keys_of(link):
            if key not in self._until_s and len(self._until_s) >= MAX_BANS:
                del self._until_s[min(self._until_s, key=self._until_s.__getitem__)]
            self._until_s[key] = max(until_s, self._until_s.get(key, until_s))

    def record(self) -> BansRecord:
        """What ``Save`` saves; also for a clean stop."""
        return BansRecord(tuple(_saved(key, end_s) for key, end_s in self._until_s.items()))

    def settle(self, now: float, longest_s: float) -> None:
        """After a restart: those that are over go, and none lasts longer than one made now (the clock may have been off)."""
        self._until_s = {key: min(end, now + longest_s) for key, end in self._until_s.items() if end > now}

    def refuse(self, link: Link, now: float) -> bool:
        """True if this link is to a banned peer."""
        return any(self._holds(key, now) for key in _keys_of(link))

    def refuse_address(self, address: str, now: float) -> bool:
        """True if this address need not be dialed."""
        return self._holds(_address_key(address), now)

    def _holds(self, key: Key, now: float) -> bool:
        until_s = self._until_s.get(key)
        if until_s is None:
            return False
        if until_s <= now:
            del self._until_s[key]
            return False
        return True


def _saved(key: Key, until_s: float) -> SavedBan:
    kind, who = key
    if isinstance(who, bytes):
        return SavedBan("node", who, math.ceil(until_s))
    return SavedBan("name" if kind == "peer" else kind, str(who).encode(), math.ceil(until_s))


def _key_in(ban: SavedBan) -> Key:
    if ban.kind == "node":
        return "peer", ban.who
    return "peer" if ban.kind == "name" else ban.kind, ban.who.decode(errors="replace")


def _address_key(address: str) -> Key:
    return ("address", address if group_of(address) == LOCAL else host_of(address))


def _keys_of(link: Link) -> list[Key]:
    if link.outbound or group_of(link.address) != LOCAL:
        return [("peer", link.peer), _address_key(link.address)]
    # The port that a local peer came from says nothing; the one where it listens does, once it is known.
    listens_at = [] if link.listen_address is None else [_address_key(link.listen_address)]
    return [("peer", link.peer), *listens_at]
