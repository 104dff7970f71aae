"""The routing table: k-buckets (paper, sections 2.2 and 2.4), in few bytes.

Bucket i holds peers that share exactly i leading bits with this peer, "sorted by time last seen: least-recently seen node at
the head". A full bucket takes a newcomer only when an old contact fails to answer, since "the longer a node has been up, the
more likely it is to remain up another hour" (section 2.1); until then the newcomer waits in the replacement cache (section 4.1).

"Kademlia nodes keep all valid contacts in a subtree of size at least k nodes" (section 2.4): where the buckets nearer to this
peer hold less than k together, a bucket may grow beyond k, so that everybody knows the k peers around itself.

With ``digit_bits`` b > 1 (section 4.2, accelerated lookups) a level of b bits has 2**b - 1 buckets, one for each digit that is
not this peer's own, and each step of a lookup gains b bits.

All buckets stand one after the other in one array of numbers, and a ``ContactBook`` says who a number is: about 1.4 kB for the
330 contacts of a peer among a million. In a simulation all peers share one book, live each has its own.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from itertools import islice

from horoi.base.ids import ID_BITS
from horoi.lookup.vocabulary import Contact

NEAR_FACTOR = 4  # how many times k a bucket near this peer may hold: a guess that a fair coin exceeds once in 10**9
CACHE_SIZE = 8  # candidates per full bucket, as in Mainline implementations; a guess
MAX_FAILURES = 5  # paper, section 4.1: "fails to respond to 5 RPCs in a row"


HEAD_BITS = 64  # what an array('Q') holds


class ContactBook:
    """Numbers for contacts, one for each id. A ``shared`` book (of a simulation) never forgets a number.

    ``heads`` are the first 64 bits of the ids: enough to tell who is nearer, unless two share them, and side by side in memory.
    """

    __slots__ = ("_free", "contacts", "heads", "number_of", "shared", "shift")

    def __init__(self, bits: int = ID_BITS, *, shared: bool = False) -> None:
        self.shared = shared
        self.contacts: list[Contact] = []
        self.heads = array("Q")
        self.shift = max(0, bits - HEAD_BITS)
        self.number_of: dict[int, int] = {}
        self._free: list[int] = []

    def add(self, contact: Contact) -> int:
        """The number of a contact. In a shared book an id has one address, the first."""
        number = self.number_of.get(contact.id)
        if number is not None:
            return number
        if self._free:
            number = self._free.pop()
            self.contacts[number] = contact
            self.heads[number] = contact.id >> self.shift
        else:
            number = len(self.contacts)
            self.contacts.append(contact)
            self.heads.append(contact.id >> self.shift)
        self.number_of[contact.id] = number
        return number

    def release(self, number: int) -> None:
        """The table does not need this number any more."""
        if not self.shared:
            del self.number_of[self.contacts[number].id]
            self._free.append(number)


class RoutingTable:
    """The k-buckets of one peer. ``failed`` counts requests in a row that a contact did not answer, where there were any.

    Without ``caches`` nobody waits for a place in a full bucket.
    """

    __slots__ = ("_book", "_cache", "_counts", "_numbers", "bits", "caches", "digit_bits", "failed", "id", "k")

    def __init__(
        self,
        own_id: int,
        bits: int,
        k: int,
        *,
        digit_bits: int = 1,
        book: ContactBook | None = None,
        caches: bool = True,
    ) -> None:
        self.id = own_id
        self.bits = bits
        self.k = k
        self.digit_bits = digit_bits
        self.caches = caches
        self._book = book if book is not None else ContactBook(bits)
        self._numbers = array("I")
        self._counts = bytearray()  # contacts per bucket; as long as the deepest bucket in use
        self._cache: dict[int, dict[int, Contact]] | None = None
        self.failed: dict[int, int] | None = None

    # Where a contact belongs

    def bucket_of(self, number: int) -> int:
        """The bucket of an id that is not this peer's own."""
        distance = self.id ^ number
        if self.digit_bits == 1:
            return self.bits - distance.bit_length()
        b = self.digit_bits
        row = (self.bits - distance.bit_length()) // b
        shift = self.bits - (row + 1) * b
        digit = distance >> shift if shift >= 0 else distance << -shift
        # The digit of the distance is never 0. Larger ones first: a deeper bucket is always a nearer one.
        return row * ((1 << b) - 1) + (1 << b) - 1 - (digit & (1 << b) - 1)

    def range_of(self, bucket: int) -> tuple[int, int]:
        """(first distance, one past the last) from this peer of the ids that belong into a bucket."""
        b = self.digit_bits
        row, place = divmod(bucket, (1 << b) - 1)
        digit = (1 << b) - 1 - place
        shift = self.bits - (row + 1) * b
        if shift >= 0:
            return digit << shift, digit + 1 << shift
        return digit >> -shift, (digit >> -shift) + 1

    def _start(self, bucket: int) -> int:
        return sum(self._counts[:bucket])

    def _find(self, contact_id: int, bucket: int) -> int:
        """Where in the array a contact of this id stands; -1 if it does not."""
        number = self._book.number_of.get(contact_id)
        if number is None or bucket >= len(self._counts):
            return -1
        start = sum(self._counts[:bucket])
        members = self._numbers[start : start + self._counts[bucket]]
        try:
            return start + members.index(number)
        except ValueError:
            return -1

    def get(self, contact_id: int) -> Contact | None:
        """The contact of this id, if it is in a bucket."""
        at = self._find(contact_id, self.bucket_of(contact_id)) if contact_id != self.id else -1
        return self._book.contacts[self._numbers[at]] if at >= 0 else None

    # What was seen

    def seen(self, contact: Contact) -> bool:
        """A contact has answered. True if it is new in the table, or there again at another address; False if it was there,
        or its bucket is full and it waits in the cache.

        A known id at another address is not believed while the old address answers.
        """
        if contact.id == self.id:
            return False
        bucket = self.bucket_of(contact.id)
        at = self._find(contact.id, bucket)
        if at >= 0:
            return self._refresh(contact, bucket, at)
        if self.has_room(bucket):
            self._insert(bucket, self._book.add(contact))
            return True
        if self.failed:
            stale = self._stale_in(bucket)
            if stale is not None:
                self._remove_at(bucket, stale)
                self._insert(bucket, self._book.add(contact))
                return True
        self._remember(bucket, contact)
        return False

    def asked_by(self, contact: Contact) -> bool | None:
        """A contact has asked, which is no proof that it is there.

        None: it is known, and if it is at this address, it is the last seen now. True: it would be taken if it answered.
        False: its bucket is full.
        """
        if contact.id == self.id:
            return None
        bucket = self.bucket_of(contact.id)
        at = self._find(contact.id, bucket)
        if at < 0:
            return self.wants(bucket)
        if self.failed and contact.id in self.failed:
            return True
        self._refresh(contact, bucket, at)
        return None

    def _refresh(self, contact: Contact, bucket: int, at: int) -> bool:
        """The contact that stands there is the last seen of its bucket. True if it takes the place of a dead one of its id."""
        numbers = self._numbers
        number = numbers[at]
        known = self._book.contacts[number]
        if known.address != contact.address:
            if not (self.failed and contact.id in self.failed):
                return False
            self._remove_at(bucket, at)
            self._insert(bucket, self._book.add(contact))
            return True
        if self.failed:
            self.failed.pop(contact.id, None)
        end = sum(self._counts[: bucket + 1])
        if at != end - 1:
            numbers[at : end - 1] = numbers[at + 1 : end]
            numbers[end - 1] = number
        return False

    def has_room(self, bucket: int) -> bool:
        """Whether a newcomer to this bucket is taken at once."""
        counts = self._counts
        if bucket >= len(counts) or counts[bucket] < self.k:
            return True
        return sum(counts[bucket + 1 :]) < self.k and counts[bucket] < min(255, NEAR_FACTOR * self.k)

    def wants(self, bucket: int) -> bool:
        """Whether a newcomer that answers is taken: there is room, or somebody fails to answer."""
        return self.has_room(bucket) or (bool(self.failed) and self._stale_in(bucket) is not None)

    def wait(self, contact: Contact) -> None:
        """A stranger has asked, and its bucket is full: let it wait in the replacement cache."""
        self._remember(self.bucket_of(contact.id), contact)

    def _insert(self, bucket: int, number: int) -> None:
        if bucket >= len(self._counts):
            self._counts.extend(bytes(bucket + 1 - len(self._counts)))
        self._numbers.insert(self._start(bucket) + self._counts[bucket], number)
        self._counts[bucket] += 1

    def _remove_at(self, bucket: int, at: int) -> None:
        number = self._numbers.pop(at)
        self._counts[bucket] -= 1
        if self.failed:
            self.failed.pop(self._book.contacts[number].id, None)
        self._book.release(number)

    def _stale_in(self, bucket: int) -> int | None:
        """Where the contact of a bucket stands that failed to answer most often in a row; None if none did."""
        start = self._start(bucket)
        failed = self.failed or {}
        worst, worst_at = 0, None
        for at in range(start, start + self._counts[bucket]):
            failures = failed.get(self._book.contacts[self._numbers[at]].id, 0)
            if failures > worst:
                worst, worst_at = failures, at
        return worst_at

    def _remember(self, bucket: int, contact: Contact) -> None:
        if not self.caches:
            return
        if self._cache is None:
            self._cache = {}
        waiting = self._cache.setdefault(bucket, {})
        waiting.pop(contact.id, None)
        waiting[contact.id] = contact  # the most recently seen last
        if len(waiting) > CACHE_SIZE:
            del waiting[next(iter(waiting))]

    # What failed

    def failure(self, contact: Contact, limit: int = MAX_FAILURES) -> Contact | None:
        """A contact did not answer. Returns who waits for its place and should be asked now, if anybody does.

        It leaves after ``limit`` failures in a row. Until then it is not named to others, and the first that answers takes
        its place; a bucket whose whole world is unreachable for a while keeps its contacts (section 4.1).
        """
        if contact.id == self.id:
            return None
        bucket = self.bucket_of(contact.id)
        at = self._find(contact.id, bucket)
        if at < 0 or self._book.contacts[self._numbers[at]].address != contact.address:
            if self._cache and bucket in self._cache:
                self._cache[bucket].pop(contact.id, None)
            return None
        if self.failed is None:
            self.failed = {}
        failures = self.failed.get(contact.id, 0) + 1
        self.failed[contact.id] = failures
        if failures >= limit:
            self._remove_at(bucket, at)
        return self._next_waiting(bucket)

    def _next_waiting(self, bucket: int) -> Contact | None:
        waiting = self._cache.get(bucket) if self._cache else None
        return waiting.popitem()[1] if waiting else None

    def remove(self, contact: Contact) -> None:
        """A contact says that it leaves."""
        bucket = self.bucket_of(contact.id)
        at = self._find(contact.id, bucket)
        if at >= 0:
            self._remove_at(bucket, at)

    def is_failing(self, contact_id: int) -> bool:
        """Whether the last request to this contact was not answered."""
        return bool(self.failed) and contact_id in (self.failed or ())

    def least_recently_seen(self, bucket: int) -> Contact | None:
        """The contact at the head of a bucket: who is tested when a newcomer finds it full."""
        if bucket >= len(self._counts) or not self._counts[bucket]:
            return None
        return self._book.contacts[self._numbers[self._start(bucket)]]

    # Who is near

    def closest(self, target: int, count: int, without: int | None = None) -> list[Contact]:
        """The ``count`` known contacts nearest to ``target``, in no order; those that fail only if there are no others.

        ``without``: an id to leave out.
        """
        book = self._book
        numbers = self._around(target, count)
        if without is not None:
            number = book.number_of.get(without)
            if number is not None and number in numbers:
                if len(numbers) <= count:
                    numbers = self._around(target, count + 1)
                numbers.remove(number)
        contacts = book.contacts
        if self.failed:
            return self._nearest_alive([contacts[number] for number in numbers], target, count, without)
        if len(numbers) <= count:
            return [contacts[number] for number in numbers]
        heads, head = book.heads, target >> book.shift
        by_distance = {heads[number] ^ head: number for number in numbers}
        if len(by_distance) < len(numbers):  # two ids with the same head
            return _nearest([contacts[number] for number in numbers], target, count)
        return [contacts[by_distance[distance]] for distance in sorted(by_distance)[:count]]

    def _around(self, target: int, count: int) -> array[int]:
        """The numbers of the ``count`` nearest and of some others.

        The target's own bucket is nearest. All that is nearer to this peer comes next; then the buckets outwards.
        """
        counts = self._counts
        depth = len(counts)
        bucket = self.bucket_of(target) if target != self.id else depth
        if bucket < depth and counts[bucket] >= count:
            start = sum(counts[:bucket])
            return self._numbers[start : start + counts[bucket]]
        per_row = (1 << self.digit_bits) - 1
        row = min(bucket, depth) // per_row * per_row  # where the target's row begins
        start = sum(counts[:row])
        end = len(self._numbers)
        while end - start < count and row > 0:
            row -= per_row
            start -= sum(counts[row : row + per_row])
        return self._numbers[start:]

    def _nearest_alive(self, found: list[Contact], target: int, count: int, without: int | None) -> list[Contact]:
        failed = self.failed or {}
        alive = [contact for contact in found if contact.id not in failed]
        if len(alive) < count:
            alive = [contact for contact in self._enough(found, alive) if contact.id != without]
        return _nearest(alive, target, count)

    def _enough(self, found: list[Contact], alive: list[Contact]) -> list[Contact]:
        """So many have failed that the neighbouring buckets must help out."""
        failed = self.failed or {}
        everybody = list(self)
        if len(found) == len(everybody):
            return alive or found
        others = [contact for contact in everybody if contact.id not in failed]
        return others or found

    def __iter__(self) -> Iterator[Contact]:
        contacts = self._book.contacts
        return (contacts[number] for number in self._numbers)

    def __len__(self) -> int:
        return len(self._numbers)

    # For upkeep and experiments

    @property
    def depth(self) -> int:
        """How many buckets are in use: one more than the number of the deepest that is not empty."""
        return len(self._counts.rstrip(b"\0"))

    def bucket(self, index: int) -> list[Contact]:
        """The contacts of a bucket, least recently seen first."""
        if index >= len(self._counts):
            return []
        start = self._start(index)
        contacts = self._book.contacts
        return [contacts[number] for number in islice(self._numbers, start, start + self._counts[index])]

    def fill(self, counts: bytes, numbers: array[int]) -> None:
        """Take all buckets at once, so many in each: how an experiment makes a converged table."""
        self._counts = bytearray(counts)
        self._numbers = numbers

    @property
    def size_bytes(self) -> int:
        """What the array takes, without Python's headers."""
        return self._numbers.itemsize * len(self._numbers) + len(self._counts)


def _nearest(contacts: list[Contact], target: int, count: int) -> list[Contact]:
    if len(contacts) <= count:
        return contacts
    by_distance = {contact.id ^ target: contact for contact in contacts}  # sorting numbers is twice as quick
    return [by_distance[distance] for distance in sorted(by_distance)[:count]]
