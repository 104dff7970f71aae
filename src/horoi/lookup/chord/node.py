"""A node of the ring: predecessor, successor list, finger table. One per virtual node; a record with the paper's rules.

Node n is responsible for the keys of (predecessor, n]. ``finger[i]`` is the first node that succeeds n by at least 2**i
(the paper counts from 1: its finger[i] is ours [i-1]); finger[i] equals the successor as long as 2**i is not beyond it, so only
the others, about log2 N, are kept: entry j of ``FingerTable.entries`` is finger[low + j].
"""

from __future__ import annotations

from bisect import bisect_left

import msgspec

from horoi.base.ids import in_half_open, in_open
from horoi.lookup.chord.messages import MAX_CLOSER
from horoi.lookup.vocabulary import Contact


class FingerTable:
    """The fingers of one node that lie beyond its successor."""

    __slots__ = ("bits", "entries", "id", "low", "mask")

    def __init__(self, node_id: int, bits: int) -> None:
        self.id = node_id
        self.bits = bits
        self.mask = (1 << bits) - 1
        self.low = bits
        self.entries: list[Contact | None] = []

    def start(self, i: int) -> int:
        """Where finger[i] begins: n + 2**i."""
        return (self.id + (1 << i)) & self.mask

    def follow(self, successor: Contact | None) -> None:
        """The successor is this one now: keep exactly the fingers that begin beyond it. If there is none, keep all."""
        if successor is None:
            return
        low = ((successor.id - self.id) & self.mask).bit_length()
        if low < self.low:
            self.entries[:0] = [None] * (self.low - low)
        elif low > self.low:
            del self.entries[: low - self.low]
        self.low = low

    def set(self, i: int, contact: Contact | None) -> None:
        """finger[i] is ``contact``, and so is every later finger that begins before it."""
        while self.low <= i < self.bits:
            self.entries[i - self.low] = contact
            i += 1
            if contact is None or (contact.id - self.id) & self.mask < 1 << i:
                return

    def get(self, i: int) -> Contact | None:
        """finger[i]; None if not known, or if it is the successor."""
        return self.entries[i - self.low] if self.low <= i < self.bits else None

    def next_missing(self) -> int | None:
        """The lowest finger that is not known, or None."""
        return self.low + self.entries.index(None) if None in self.entries else None

    def remove(self, contact: Contact) -> None:
        """Forget a contact wherever it stands."""
        if contact in self.entries:
            self.entries = [None if entry == contact else entry for entry in self.entries]

    def preceding(self, distance: int, count: int) -> list[Contact]:
        """At most ``count`` different fingers in (n, n + distance), the farthest first."""
        found: list[Contact] = []
        node_id, mask = self.id, self.mask
        # finger[i] is at least 2**i away, so none from the bit length of distance - 1 on is nearer than distance
        first = (distance - 1).bit_length() - self.low - 1
        if first < 0:
            return found
        last = None
        for entry in self.entries[first::-1]:
            if entry is None or entry is last:
                continue
            last = entry
            if (entry.id - node_id) & mask < distance and entry.id != node_id:
                found.append(entry)
                if len(found) == count:
                    break
        return found


FEW = 4  # successors that tell roughly how far apart peers are: what a stranger is told of them. A guess


class Hop(msgspec.Struct, frozen=True, gc=False):
    """One step: whether this node owns the key, who is closer before it, who is behind it (``messages.NextHop``)."""

    is_owner: bool
    closer: tuple[Contact, ...]
    behind: tuple[Contact, ...]


class Node:
    """One node: what it is, and whom it knows."""

    __slots__ = ("contact", "copied", "fingers", "heard_s", "id", "mask", "next_finger", "predecessor", "successors")

    def __init__(self, contact: Contact, bits: int) -> None:
        self.contact = contact
        self.id = contact.id
        self.mask = (1 << bits) - 1
        self.predecessor: Contact | None = None
        self.heard_s = 0.0  # when the predecessor was last heard
        self.successors: list[Contact] = []  # nearest first; empty: alone
        self.fingers = FingerTable(contact.id, bits)
        self.next_finger = 0
        self.copied: tuple[
            Contact | None, ...
        ] = ()  # the predecessor and the replicas when all values were copied last

    @property
    def successor(self) -> Contact | None:
        """The next node on the ring; None if this one is alone."""
        return self.successors[0] if self.successors else None

    def owns(self, key: int) -> bool:
        """Whether the key is in (predecessor, n]. Without a predecessor only a lonely node is sure of more than its own id."""
        if self.predecessor is None:
            return not self.successors or key == self.id
        return in_half_open(key, self.predecessor.id, self.id)

    def spacing(self, least: int = 8) -> float:
        """How far apart peers are, by the successor list; 0 if it is too short to tell. The way to the first successor does not
        count: it is long where this node is not in its place yet."""
        successors = self.successors
        if len(successors) < least:
            return 0.0
        return ((successors[-1].id - successors[0].id) & self.mask) / (len(successors) - 1)

    def is_far(self, behind: int, doubt: float) -> bool:
        """Whether an owner so far behind its key is implausible: ``doubt`` times farther than peers are apart."""
        spacing = self.spacing(FEW)
        return 0 < doubt * spacing < behind

    def set_successors(self, contacts: list[Contact], limit: int) -> None:
        """Take a successor list: those of ``contacts`` that go forward around the ring, each farther than the last."""
        kept: list[Contact] = []
        reached = 0
        for contact in contacts:
            distance = (contact.id - self.id) & self.mask
            if distance > reached and len(kept) < limit:
                kept.append(contact)
                reached = distance
        self.successors = kept
        self.fingers.follow(kept[0] if kept else None)

    def remove(self, contact: Contact) -> None:
        """Forget a contact wherever it stands."""
        if contact in self.successors:
            self.successors = [known for known in self.successors if known != contact]
            self.fingers.follow(self.successor)
        self.fingers.remove(contact)
        if self.predecessor == contact:
            self.predecessor = None

    def admits(self, contact: Contact) -> bool:
        """Whether notify(contact) should make it the predecessor: there is none, or it is closer."""
        if contact.id == self.id:
            return False
        return self.predecessor is None or in_open(contact.id, self.predecessor.id, self.id)

    def next_hop(self, key: int, *, all_successors: bool) -> Hop:
        """find_successor(key), one step of it at this node: see ``Hop``.

        closest_preceding_node looks at the fingers (figure 5), and with ``all_successors`` at the successor list too (IV.E.3).
        """
        successors = self.successors
        if not successors:
            return Hop(True, (), ())
        predecessor = self.predecessor
        node_id, mask = self.id, self.mask
        if key == node_id or (predecessor is not None and in_half_open(key, predecessor.id, node_id)):
            return Hop(True, (), tuple(successors[:MAX_CLOSER]))
        distance = (key - node_id) & mask
        if (successors[0].id - node_id) & mask >= distance:
            return Hop(False, (), tuple(successors[:MAX_CLOSER]))
        closer = self.fingers.preceding(distance, MAX_CLOSER)
        if (successors[-1].id - node_id) & mask >= distance:
            return self._hop_within_reach(distance, closer, all_successors)
        if all_successors:
            self._add(closer, successors, 0)
        elif not closer:
            closer = successors[:1]
        return Hop(False, tuple(closer), ())

    def _hop_within_reach(self, distance: int, closer: list[Contact], all_successors: bool) -> Hop:
        """The key is among the successors: some are before it, some behind."""
        successors = self.successors
        split = bisect_left(successors, distance, key=self._distance)
        if all_successors:
            self._add(closer, successors, split)
        elif not closer:
            closer = successors[:1]
        return Hop(False, tuple(closer), tuple(successors[split : split + MAX_CLOSER]))

    def _add(self, closer: list[Contact], successors: list[Contact], split: int) -> None:
        """Put the last of the successors before ``split`` (0: all) among the fingers, where they are nearer to the key."""
        stop = split or len(successors)
        if len(closer) == MAX_CLOSER and self._distance(successors[stop - 1]) <= self._distance(closer[-1]):
            return
        last = successors[max(0, stop - MAX_CLOSER) : stop]
        closer += [known for known in last if known not in closer]
        closer.sort(key=self._distance, reverse=True)
        del closer[MAX_CLOSER:]

    def _distance(self, contact: Contact) -> int:
        return (contact.id - self.id) & self.mask

    def entries(self) -> int:
        """How many different peers are in the tables."""
        known = {contact.id for contact in self.successors}
        known.update(entry.id for entry in self.fingers.entries if entry is not None)
        if self.predecessor is not None:
            known.add(self.predecessor.id)
        return len(known)
