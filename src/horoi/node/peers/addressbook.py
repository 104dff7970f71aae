"""The address book: where peers may be found, kept so that an attacker cannot fill it.

Two tables (Heilman et al. 2015, section 2.2, with the countermeasures of section 7 as Bitcoin Core has them):

- ``tried``: addresses that once answered as nodes of this network. An address has one bucket, chosen by a keyed hash from
  the 8 that its network group can reach.
- ``new``: addresses that were only heard of. The bucket is chosen by the groups of the address and of who told it: all
  that one source group tells lands in 64 buckets of 1024, and what it tells of one network group in a single one.

The slot in a bucket follows from the address alone. Who would come into a taken slot of ``tried`` waits until the address
in it was tested, and gets it only if that one does not answer (test before evict). In ``new`` the older stands, unless it
is hopeless or stands elsewhere too. ``pick`` prefers nothing fresh: an attacker's addresses are always the freshest.

What comes in is a time of hearing of our own; times that peers claim are not kept at all.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Annotated

from msgspec import Meta

from horoi.base.codec import Codec, Record, encode
from horoi.base.errors import DecodeError
from horoi.base.hashing import tagged
from horoi.node.peers.addresses import LOCAL, canonical, group_of
from horoi.node.peers.buckets import BUCKET_SIZE, Buckets, Place

TRIED_BUCKETS = 256  # Bitcoin Core; the paper's countermeasure 6 (more buckets) quadrupled 64
NEW_BUCKETS = 1024  # likewise from 256
TRIED_BUCKETS_PER_GROUP = 8  # Bitcoin Core
NEW_BUCKETS_PER_SOURCE = 64  # Bitcoin Core
NEW_BUCKETS_PER_ADDRESS = 8  # Bitcoin Core
MAX_COLLISIONS = 10  # Bitcoin Core: what waits for a test; more would let an attacker keep us testing
HORIZON_S = 30 * 86_400.0  # Bitcoin Core: not heard of for so long is hopeless
RETRIES = 3  # Bitcoin Core: as many failures without a success are hopeless
MAX_FAILURES = 10  # Bitcoin Core: as many failures in a row, the last success a week ago, are hopeless
MIN_FAIL_S = 7 * 86_400.0
JUST_TRIED_S = 60.0  # Bitcoin Core: an attempt may still be under way
RECENTLY_TRIED_S = 600.0  # Bitcoin Core: picked a hundred times less often
PROVEN_S = 4 * 3600.0  # Bitcoin Core: who answered within it needs no test
TEST_WINDOW_S = 40 * 60.0  # Bitcoin Core: a collision that could not be tested within it is decided for the newcomer
DRAWS = 100  # a guess: one free address among thirty is missed in 3 % of all picks, and picks are repeated
SHARE = 0.23  # Bitcoin Core: of the book, in one answer, so that books cannot be copied
ALWAYS_SHARED = 32  # a guess: in a network this small everybody knows everybody anyway
SECRET_SIZE_BYTES = 32
MAX_DUMP_SIZE_BYTES = 32 * 1024 * 1024

Exclude = Callable[[str], bool]


def _excludes_nothing(_: str) -> bool:
    return False


class Entry:
    """An address and its history here. Times in seconds, 0 for never."""

    __slots__ = ("address", "attempt_s", "failures", "group", "heard_s", "places", "source_group", "success_s", "tried")

    def __init__(self, address: str, source_group: str, heard_s: int) -> None:
        self.address = address
        self.group = group_of(address)
        self.source_group = source_group
        self.heard_s = heard_s
        self.attempt_s = 0
        self.success_s = 0
        self.failures = 0
        self.tried = False
        self.places: list[Place] = []
        """Where it stands: one place in ``tried``, or up to 8 in ``new``."""

    def is_terrible(self, now: float) -> bool:
        """True if it need not be kept or passed on (Bitcoin Core's word)."""
        if self.attempt_s and now - self.attempt_s < JUST_TRIED_S:
            return False
        if now - self.heard_s > HORIZON_S and now - self.success_s > HORIZON_S:
            return True
        if not self.success_s:
            return self.failures >= RETRIES
        return self.failures >= MAX_FAILURES and now - self.success_s > MIN_FAIL_S

    def chance(self, now: float) -> float:
        """How likely a draw is accepted, relative to an address without failures (Bitcoin Core, ``GetChance``)."""
        recently = 0.01 if self.attempt_s and now - self.attempt_s < RECENTLY_TRIED_S else 1.0
        return recently * 0.66 ** min(self.failures, 8)


Seconds = Annotated[int, Meta(ge=0, le=2**53)]


class SavedEntry(Record, frozen=True):
    """An entry of the dump. ``buckets`` are those of ``new``; empty for an address in ``tried``."""

    address: str
    source_group: str
    heard_s: Seconds
    attempt_s: Seconds
    success_s: Seconds
    failures: Annotated[int, Meta(ge=0, le=2**31)]
    buckets: Annotated[tuple[Annotated[int, Meta(ge=0, lt=NEW_BUCKETS)], ...], Meta(max_length=NEW_BUCKETS_PER_ADDRESS)]


class SavedBook(Record, frozen=True):
    """The dump. The secret is in it: with another one every address would have to move."""

    secret: Annotated[bytes, Meta(min_length=SECRET_SIZE_BYTES, max_length=SECRET_SIZE_BYTES)]
    entries: tuple[SavedEntry, ...]


_codec: Codec[SavedBook] = Codec(SavedBook, max_size_bytes=MAX_DUMP_SIZE_BYTES)


class AddressBook:
    """See the module. ``dice`` choose the secret of a new book (in the live world: unpredictable ones) and every pick.

    At most 82 000 addresses: 256 x 64 in ``tried`` and 1024 x 64 in ``new``.
    """

    def __init__(self, dice: random.Random, secret: bytes | None = None) -> None:
        self._dice = dice
        self._secret = dice.randbytes(SECRET_SIZE_BYTES) if secret is None else secret
        self._digest = tagged("horoi/peers/bucket", self._secret)
        self._entries: dict[str, Entry] = {}
        self.tried: Buckets[Entry] = Buckets()
        self.new: Buckets[Entry] = Buckets()
        self._collisions: dict[str, float] = {}
        """Addresses that answered and would come into a taken slot of ``tried``, with the time of their answer."""

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[str]:
        """Every address, the oldest entry first."""
        return iter(self._entries)

    def __contains__(self, address: str) -> bool:
        return address in self._entries

    def is_tried(self, address: str) -> bool:
        """True if the address once answered and has a place in ``tried``."""
        entry = self._entries.get(address)
        return entry is not None and entry.tried

    # What happens to addresses

    def add(self, address: str, source: str, now: float) -> bool:
        """Somebody at the address ``source`` told of ``address``. True if it is new to the book and was kept.

        A malformed address is not kept, nor a local one from a source that is not local.
        """
        name = canonical(address)
        source_group = group_of(source)
        if name is None or (group_of(name) == LOCAL and source_group != LOCAL):
            return False
        entry = self._entries.get(name)
        if entry is not None:
            entry.heard_s = int(now)
            # Each further place is half as likely: what many sources tell counts more, but not in proportion.
            full = entry.tried or len(entry.places) >= NEW_BUCKETS_PER_ADDRESS
            if not full and self._dice.randrange(2 ** len(entry.places)) == 0:
                self._stand_in_new(entry, source_group, now)
            return False
        entry = Entry(name, source_group, int(now))
        self._stand_in_new(entry, source_group, now)
        if entry.places:
            self._entries[name] = entry
        return bool(entry.places)

    def attempt(self, address: str, now: float) -> None:
        """The address is being dialed; it counts as failed until ``good``."""
        entry = self._entries.get(address)
        if entry is not None:
            entry.attempt_s = int(now)
            entry.failures += 1

    def good(self, address: str, now: float) -> None:
        """The address answered as a node of this network: it belongs into ``tried``, if need be after a test."""
        entry = self._entries.get(address)
        if entry is None:
            return
        entry.attempt_s = entry.success_s = int(now)
        entry.failures = 0
        if entry.tried:
            return
        if self.tried.get(self._tried_place(entry)) is None:
            self._move_to_tried(entry)
        elif len(self._collisions) < MAX_COLLISIONS or address in self._collisions:
            self._collisions[address] = now

    def bad(self, address: str) -> None:
        """The address is of no use (another network, ourselves, a banned peer): forget it."""
        entry = self._entries.pop(address, None)
        if entry is None:
            return
        self._leave(entry)
        self._collisions.pop(address, None)

    # Test before evict

    def next_test(self) -> str | None:
        """An address in ``tried`` whose slot another one waits for: to be dialed. None if nothing waits."""
        waiting = [name for name in self._collisions if name in self._entries]
        if not waiting:
            return None
        incumbent = self.tried.get(self._tried_place(self._entries[self._dice.choice(waiting)]))
        return incumbent.address if incumbent else None

    def resolve_collisions(self, now: float) -> None:
        """Decide those collisions whose test is over, or could not be made."""
        for name, since in list(self._collisions.items()):
            entry = self._entries.get(name)
            if entry is None or entry.tried:
                del self._collisions[name]
                continue
            incumbent = self.tried.get(self._tried_place(entry))
            if incumbent is None:
                verdict = True
            elif now - incumbent.success_s < PROVEN_S:
                verdict = False
            elif incumbent.attempt_s > max(since, incumbent.success_s) and now - incumbent.attempt_s > JUST_TRIED_S:
                verdict = True  # it was tested, and had time to answer
            elif now - since > TEST_WINDOW_S:
                verdict = True
            else:
                continue
            del self._collisions[name]
            if not verdict:
                continue
            if incumbent is not None:
                self._back_to_new(incumbent)
            self._move_to_tried(entry)

    # Choice

    def pick(self, now: float, exclude: Exclude = _excludes_nothing, *, only_new: bool = False) -> str | None:
        """An address to dial: a coin decides the table, then every bucket is as likely. None if nothing was found.

        Addresses with failures are taken less often, but ever more readily the longer the search goes on. ``only_new``
        is for feelers. Costs at most DRAWS draws.
        """
        eagerness = 1.0
        for _ in range(DRAWS):
            table = self._table(only_new=only_new)
            if not table:
                return None
            entry = table.draw(self._dice)
            if self._dice.random() < entry.chance(now) * eagerness and not exclude(entry.address):
                return entry.address
            eagerness *= 1.2
        return None

    def _table(self, *, only_new: bool) -> Buckets[Entry]:
        if only_new or not self.tried:
            return self.new
        if not self.new:
            return self.tried
        return self.new if self._dice.random() < 0.5 else self.tried

    def sample(self, now: float, most: int, *, local: bool) -> tuple[str, ...]:
        """Up to ``most`` addresses to pass on, and at most 23 % of a large book. Local ones only if ``local``."""
        most = min(most, max(ALWAYS_SHARED, int(SHARE * len(self._entries))))
        names = list(self._entries)
        drawn = self._dice.sample(names, min(len(names), 4 * most))  # some of them are not fit to be passed on
        fit = (self._entries[name] for name in drawn)
        good = [entry.address for entry in fit if not entry.is_terrible(now) and (local or entry.group != LOCAL)]
        return tuple(good[:most])

    # Places

    def _number(self, *parts: str | int) -> int:
        return int.from_bytes(self._digest("\0".join(map(str, parts)).encode())[:8], "big")

    def _tried_place(self, entry: Entry) -> Place:
        branch = self._number("tried", entry.address) % TRIED_BUCKETS_PER_GROUP
        bucket = self._number("tried bucket", entry.group, branch) % TRIED_BUCKETS
        return Place(bucket, self._number("tried slot", bucket, entry.address) % BUCKET_SIZE)

    def _new_place(self, entry: Entry, source_group: str) -> Place:
        # Local addresses have no network groups to tell them apart: they spread over all that their source may fill.
        group = entry.address if entry.group == LOCAL else entry.group
        branch = self._number("new", group, source_group) % NEW_BUCKETS_PER_SOURCE
        return self._slot_in_new(entry, self._number("new bucket", source_group, branch) % NEW_BUCKETS)

    def _slot_in_new(self, entry: Entry, bucket: int) -> Place:
        return Place(bucket, self._number("new slot", bucket, entry.address) % BUCKET_SIZE)

    def _stand_in_new(self, entry: Entry, source_group: str, now: float) -> None:
        place = self._new_place(entry, source_group)
        older = self.new.get(place)
        if older is entry:
            return
        if older is not None:
            if not older.is_terrible(now) and (len(older.places) == 1 or entry.places):
                return
            self._vacate_new(place, older)
        self.new.put(place, entry)
        entry.places.append(place)

    def _vacate_new(self, place: Place, entry: Entry) -> None:
        self.new.clear(place)
        entry.places.remove(place)
        if not entry.places:
            del self._entries[entry.address]
            self._collisions.pop(entry.address, None)

    def _leave(self, entry: Entry) -> None:
        table = self.tried if entry.tried else self.new
        for place in entry.places:
            table.clear(place)
        entry.places = []
        entry.tried = False

    def _move_to_tried(self, entry: Entry) -> None:
        self._leave(entry)
        place = self._tried_place(entry)
        self.tried.put(place, entry)
        entry.places = [place]
        entry.tried = True

    def _back_to_new(self, entry: Entry) -> None:
        """It had a place in ``tried`` that another one gets; who stands in its place in ``new`` only was heard of."""
        self._leave(entry)
        place = self._new_place(entry, entry.source_group)
        older = self.new.get(place)
        if older is not None:
            self._vacate_new(place, older)
        self.new.put(place, entry)
        entry.places = [place]

    # Restarts

    def dump(self) -> bytes:
        """The book as bytes. Collisions that wait are left out: those addresses will answer again."""
        saved = tuple(
            SavedEntry(
                entry.address,
                entry.source_group,
                entry.heard_s,
                entry.attempt_s,
                entry.success_s,
                entry.failures,
                () if entry.tried else tuple(place.bucket for place in entry.places),
            )
            for entry in self._entries.values()
        )
        return encode(SavedBook(self._secret, saved))

    @classmethod
    def load(cls, data: bytes, dice: random.Random) -> AddressBook:
        """The book that was dumped; raise DecodeError if ``data`` is none."""
        saved = _codec.decode(data)
        book = cls(dice, saved.secret)
        for item in saved.entries:
            if canonical(item.address) != item.address or item.address in book._entries:
                raise DecodeError(f"address book: {item.address[:80]!r} is malformed or stands twice; remove the file")
            book._restore(item)
        return book

    def _restore(self, item: SavedEntry) -> None:
        entry = Entry(item.address, item.source_group, item.heard_s)
        entry.attempt_s, entry.success_s, entry.failures = item.attempt_s, item.success_s, item.failures
        table = self.new if item.buckets else self.tried
        places = [self._slot_in_new(entry, bucket) for bucket in item.buckets] or [self._tried_place(entry)]
        for place in places:
            if table.get(place) is not None:
                raise DecodeError(f"address book: {item.address!r} stands in a place that is taken; remove the file")
            table.put(place, entry)
        entry.places = places
        entry.tried = table is self.tried
        self._entries[entry.address] = entry


def open_book(dump: bytes | None, dice: random.Random) -> AddressBook:
    """The book of an earlier life, or an empty one: peers can be found again; not to start would be worse."""
    try:
        return AddressBook(dice) if dump is None else AddressBook.load(dump, dice)
    except DecodeError:
        return AddressBook(dice)
