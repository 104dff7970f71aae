"""Who announced what, whom it was asked of, and whom to ask next (after Bitcoin Core's TxRequestTracker).

Invariants: a transaction is asked of one peer at a time; a peer owes at most its window; what a peer announced and nobody
delivered yet is at most MAX_ANNOUNCED. The window grows with every delivery and halves when one is late (as TCP's does), so
whoever announces fast and delivers nothing delays few transactions, and each of them once.
"""

from __future__ import annotations

import msgspec

from horoi.machine.contract import Peer

MAX_IN_FLIGHT = 4_000  # a guess: half a second of 8,000 a second, so a link with 200 ms round trip is not the limit
FIRST_WINDOW = 256  # asked at once of a peer that has delivered nothing yet; a guess
LEAST_WINDOW = 16  # asked at once of a peer that was late again and again; a guess
MAX_ANNOUNCED = 50_000  # a guess, about 8 MB; Bitcoin Core has 5,000 for its 7 transactions a second
TIMEOUT_S = 2.0  # a guess: ten round trips of 200 ms; Bitcoin Core has 60 s for blocks of 10 minutes
FORGIVE_S = 60.0  # a late delivery is welcome for so long


class _Want(msgspec.Struct, gc=False):
    """A transaction that is wanted: who announced it, and whom it was asked of. ``judged``: it came, and is being checked."""

    announcers: dict[Peer, None]
    asked: Peer | None = None
    judged: bool = False


class _Debtor(msgspec.Struct, gc=False):
    """What one peer offers and owes."""

    offers: dict[bytes, None]
    """Announced, perhaps not asked of anyone yet, oldest first."""
    owes: dict[bytes, float]
    """Asked of it, with the time by which it should come, earliest first."""
    late: dict[bytes, float]
    """Asked of it and late, with the time when that is forgiven, earliest first."""
    excused: dict[bytes, float]
    """Asked of it, and not needed any more before it came; with the time when that is forgotten."""
    window: int = FIRST_WINDOW
    announced: int = 0
    """Wants that name it as announcer."""


class Requests:
    """The tracker."""

    def __init__(self, *, timeout_s: float = TIMEOUT_S) -> None:
        self.timeout_s = timeout_s
        self.in_flight = 0
        """Asked of somebody and not late."""
        self._wants: dict[bytes, _Want] = {}
        self._debtors: dict[Peer, _Debtor] = {}

    def __len__(self) -> int:
        return len(self._wants)

    def __contains__(self, item: bytes) -> bool:
        return item in self._wants

    @property
    def busy(self) -> bool:
        """True while time matters: something is in flight or late."""
        return self.in_flight > 0 or any(debtor.late or debtor.excused for debtor in self._debtors.values())

    def join(self, peer: Peer) -> None:
        """A peer that may announce."""
        self._debtors.setdefault(peer, _Debtor({}, {}, {}, {}))

    def announce(self, peer: Peer, item: bytes) -> None:
        """``peer`` says that it can deliver ``item``. Beyond MAX_ANNOUNCED it is not remembered."""
        debtor = self._debtors[peer]
        want = self._wants.get(item)
        if want is None:
            if debtor.announced >= MAX_ANNOUNCED:
                return
            want = self._wants[item] = _Want({peer: None})
        elif peer in want.announcers or debtor.announced >= MAX_ANNOUNCED:
            return
        else:
            want.announcers[peer] = None
        debtor.announced += 1
        if want.asked is None and not want.judged:
            debtor.offers[item] = None

    def take(self, room: int, now: float) -> list[tuple[Peer, list[bytes]]]:
        """What to ask of whom now, at most ``room`` in all; it is then in flight."""
        asks: list[tuple[Peer, list[bytes]]] = []
        if room <= 0:
            return asks
        for peer, debtor in self._debtors.items():
            if not debtor.offers:
                continue
            most = min(room, debtor.window - len(debtor.owes), MAX_IN_FLIGHT - len(debtor.owes) - len(debtor.late))
            ids: list[bytes] = []
            while len(ids) < most and debtor.offers:
                item = next(iter(debtor.offers))
                del debtor.offers[item]
                want = self._wants.get(item)
                if want is None or want.asked is not None or want.judged or peer not in want.announcers:
                    continue
                want.asked = peer
                debtor.late.pop(item, None)
                debtor.excused.pop(item, None)
                debtor.owes[item] = now + self.timeout_s
                ids.append(item)
            if ids:
                asks.append((peer, ids))
                room -= len(ids)
                self.in_flight += len(ids)
        return asks

    def owes_any(self, peer: Peer) -> bool:
        """True if ``peer`` was asked for something that it did not deliver yet."""
        debtor = self._debtors[peer]
        return bool(debtor.owes or debtor.late or debtor.excused)

    def delivered(self, peer: Peer, item: bytes) -> bool:
        """``item`` came from ``peer``: it is being judged until ``settle`` or ``retry``. False if it was not asked for."""
        debtor = self._debtors[peer]
        if debtor.owes.pop(item, None) is not None:
            self.in_flight -= 1
            debtor.window = min(debtor.window + 1, MAX_IN_FLIGHT)
        elif debtor.late.pop(item, None) is None and debtor.excused.pop(item, None) is None:
            return False
        want = self._wants.get(item)
        if want is not None:
            self._release(want, item)
            want.judged = True
            self._unname(want, item, peer)
        return True

    def not_found(self, peer: Peer, item: bytes) -> None:
        """``peer`` cannot deliver it after all."""
        debtor = self._debtors[peer]
        debtor.offers.pop(item, None)
        debtor.late.pop(item, None)
        debtor.excused.pop(item, None)
        if debtor.owes.pop(item, None) is not None:
            self.in_flight -= 1
        want = self._wants.get(item)
        if want is not None:
            self._next_announcer(want, item, peer)

    def settle(self, item: bytes) -> None:
        """Nobody has to be asked for it any more: it is here, or refused for good."""
        want = self._wants.pop(item, None)
        if want is None:
            return
        self._release(want, item)
        for peer in want.announcers:
            debtor = self._debtors[peer]
            debtor.announced -= 1
            debtor.offers.pop(item, None)

    def retry(self, item: bytes) -> None:
        """What came was not good, through the fault of whoever brought it: ask the next announcer."""
        want = self._wants.get(item)
        if want is None:
            return
        want.judged = False
        self._offer_again(want, item)

    def expire(self, now: float) -> None:
        """Give up waiting for what is late, so that it is asked of the next announcer."""
        for peer, debtor in self._debtors.items():
            late = _take_due(debtor.owes, now)
            if late:
                debtor.window = max(LEAST_WINDOW, debtor.window // 2)
                self.in_flight -= len(late)
            for item in late:
                debtor.late[item] = now + FORGIVE_S
                want = self._wants.get(item)
                if want is not None:
                    self._next_announcer(want, item, peer)
            _take_due(debtor.late, now)
            _take_due(debtor.excused, now)

    def lose(self, peer: Peer) -> None:
        """The peer is gone: what it owes is asked of others."""
        debtor = self._debtors.pop(peer, None)
        if debtor is None:
            return
        self.in_flight -= len(debtor.owes)
        for item, want in list(self._wants.items()) if debtor.announced else ():
            if peer in want.announcers or want.asked == peer:
                self._next_announcer(want, item, peer)

    # ---- inside ----------------------------------------------------------------------------------

    def _release(self, want: _Want, item: bytes) -> None:
        """Whoever is being asked needs not hurry; that it comes all the same is no fault."""
        if want.asked is None:
            return
        debtor = self._debtors.get(want.asked)
        if debtor is not None and (due_s := debtor.owes.pop(item, None)) is not None:
            self.in_flight -= 1
            debtor.excused[item] = due_s + FORGIVE_S
            if len(debtor.excused) > MAX_IN_FLIGHT:
                del debtor.excused[next(iter(debtor.excused))]
        want.asked = None

    def _unname(self, want: _Want, item: bytes, peer: Peer) -> None:
        """Peer is no announcer of it any more."""
        if peer not in want.announcers:
            return
        del want.announcers[peer]
        debtor = self._debtors.get(peer)
        if debtor is not None:
            debtor.announced -= 1
            debtor.offers.pop(item, None)

    def _next_announcer(self, want: _Want, item: bytes, failed: Peer) -> None:
        self._unname(want, item, failed)
        if want.asked == failed:
            want.asked = None
        self._offer_again(want, item)

    def _offer_again(self, want: _Want, item: bytes) -> None:
        if want.asked is not None or want.judged:
            return
        if not want.announcers:
            del self._wants[item]
            return
        for peer in want.announcers:
            self._debtors[peer].offers[item] = None


def _take_due(owed: dict[bytes, float], now: float) -> list[bytes]:
    """Take out what is due, from the front."""
    due = []
    for item, due_s in owed.items():
        if due_s > now:
            break
        due.append(item)
    for item in due:
        del owed[item]
    return due
