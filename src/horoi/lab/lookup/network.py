"""A simulated network of one overlay: peers by number, joined for real or settled, failing, leaving and coming.

Peers are numbered 0, 1, 2, ...; the number is the address. Strangers that churn brings go on counting.

What happens to a network is a *trace* that depends on the seed and not on the overlay: who asks for which key, who fails, when
sessions end. Each has dice of its own, which the peers' behaviour cannot disturb, so that overlays are compared on one trace. A
peer has a *seat*, which the stranger that replaces it takes over: so "who asks" means the same where peers come and go.
"""

from __future__ import annotations

import random
from array import array
from collections.abc import Callable
from functools import partial
from typing import Any

from horoi.base.errors import UsageError
from horoi.base.ids import MAX_ID_BITS
from horoi.lab.lookup.measure import Sizes
from horoi.lab.lookup.overlay import Overlay, Settings, Truth
from horoi.lookup.vocabulary import JOIN, Failed, Join, Joined, Lookup
from horoi.machine.contract import Machine
from horoi.world.sim.churn import Exponential
from horoi.world.sim.crowd import Crowd
from horoi.world.sim.latency import Constant, King, Latency, Plane, Regions, Uniform
from horoi.world.sim.network import Network

LATENCIES: dict[str, Callable[[int], Latency]] = {
    "constant": lambda _seed: Constant(50.0),
    "uniform": lambda _seed: Uniform(20.0, 120.0),
    "regions": lambda _seed: Regions(),
    "king": lambda seed: King(seed=seed),
    "plane": lambda _seed: Plane(torus=True),
}
"""The models by name; their figures and sources are in ``world.sim.latency``."""

JOIN_AGAIN_S = 5.0  # whose join came to nothing tries again so much later, as a node does; a guess
JOIN_GAP_S = 0.2  # between two joins, a guess: several are under way at once
SETTLE_S = 180.0  # after the last join, a guess: every finger is looked at several times
BOOTSTRAPS = 3  # addresses that a newcomer knows, a guess


class LookupNetwork:
    """The peers of a run and what is known about them."""

    def __init__(self, settings: Settings, overlay: Overlay, *, upkeep: bool, count_bytes: bool) -> None:
        if settings.latency not in LATENCIES:
            raise UsageError(f"latency must be one of {', '.join(LATENCIES)}, not {settings.latency!r}")
        self.overlay = overlay
        self.settings = settings
        self.upkeep = upkeep
        self.latency = LATENCIES[settings.latency](settings.seed)
        self.bytes = 0
        self._sizes = Sizes(overlay.wire)
        self.messages = 0
        self.universe = Crowd(
            f"lookup/{settings.seed}",
            network=Network(latency=self.latency, loss=settings.loss),
            sizes=self._size if count_bytes else None,
            on_notice=self._told,
        )
        self._keys = self.universe.dice("keys")
        self._askers = self.universe.dice("askers")
        self._failures = self.universe.dice("failures")
        self._bootstraps = self.universe.dice("bootstraps")
        self._seats = array("q", range(settings.peers))  # seat -> address
        self.machines: list[Machine] = []
        self.up: list[int] = []  # joined and alive
        self._place: dict[int, int] = {}  # address -> index in up
        self._honest = 0  # of those in up
        self.has_churn = False
        self.truth: Truth = overlay.truth([])
        self.on_answer: Callable[[Any, float], None] = lambda _notice, _now_s: None
        self.on_gone: Callable[[int], None] = lambda _address: None
        self.liars: dict[int, None] = {}
        self._next_address = settings.peers

    def _size(self, message: Any) -> None:
        self.bytes += self._sizes.of(message)
        self.messages += 1

    def _told(self, address: int, notice: Any) -> None:
        if isinstance(notice, Joined):
            self._is_up(address)
        elif isinstance(notice, Failed) and notice.token == JOIN:
            self.universe.after(JOIN_AGAIN_S, partial(self._join, address))
        else:
            self.on_answer(notice, self.universe.now)

    # Beginning

    def add(self, address: int) -> Machine:
        """Bring a peer up; it has not joined."""
        machine = self.overlay.machine(address, upkeep=self.upkeep)
        if address in self.liars:
            machine = self.overlay.liar(machine)
        self.universe.add(address, machine)
        return machine

    def settle(self, count: int) -> None:
        """``count`` peers in the state that joins converge to. With upkeep each resumes as soon as time passes."""
        self.machines = [self.add(address) for address in range(count)]
        self.overlay.settle(self.machines, joined=not self.upkeep)
        self.truth = self.overlay.truth(range(count))
        for address in range(count):
            self._is_up(address)
            if self.upkeep:
                self.universe.ask(address, Join())
        self.universe.run_for(0.0)

    def join(self, count: int) -> None:
        """``count`` peers that join one after the other, each through a random one that is there; then they settle."""
        for address in range(count):
            self.machines.append(self.add(address))
            self._join(address)
            self.universe.run_for(JOIN_GAP_S)
        self.universe.run_for(SETTLE_S)

    def _join(self, address: int) -> None:
        """Let a peer that is there and outside come in through random ones that are in; if nobody is, it is the first."""
        if self.universe.is_up(address) and address not in self._place:
            bootstrap = tuple(self._bootstraps.sample(self.up, min(BOOTSTRAPS, len(self.up))))
            self.universe.ask(address, Join(bootstrap))

    # Coming and going

    def _is_up(self, address: int) -> None:
        if address not in self._place:
            self._place[address] = len(self.up)
            self._honest += address not in self.liars
            self.up.append(address)
            self.truth.add(address)

    def _is_down(self, address: int) -> None:
        place = self._place.pop(address, None)
        if place is None:
            return
        self._honest -= address not in self.liars
        last = self.up.pop()
        if last != address:
            self.up[place] = last
            self._place[last] = place
        self.truth.remove(address)

    def fail(self, share: float) -> None:
        """Let a share of the peers fail at once, without a word."""
        for address in self._failures.sample(sorted(self.up), round(share * len(self.up))):
            self.universe.remove(address)
            self._is_down(address)

    def begin_churn(self, median_s: float) -> None:
        """Sessions end at exponential times, by crash; a stranger joins in each one's place at once (Rhea et al. 2004)."""
        self.has_churn = True
        self._session = Exponential.of_median(median_s)
        self._churn_dice = self.universe.dice("churn")
        self.machines = []  # a list of strangers would only grow
        for seat in range(len(self._seats)):
            self._begin_session(seat)

    def _begin_session(self, seat: int) -> None:
        self.universe.after(self._session.draw_s(self._churn_dice), partial(self._end_session, seat))

    def _end_session(self, seat: int) -> None:
        address = self._seats[seat]
        self.universe.remove(address)
        self._is_down(address)
        self.on_gone(address)
        stranger, self._next_address = self._next_address, self._next_address + 1
        self._seats[seat] = stranger
        if self.liars.pop(address, self) is None:
            self.liars[stranger] = None  # a seat lies, so the share of liars stays
        self.add(stranger)
        self._join(stranger)
        self._begin_session(seat)

    def close(self) -> None:
        """Let go of everything at once, so that a million peers need not wait for the garbage collector."""
        self.on_answer = lambda _notice, _now_s: None
        self.on_gone = lambda _address: None
        self.universe.close()
        self.machines = []

    # Asking

    @property
    def has_honest(self) -> bool:
        """Whether a peer is up that does not lie."""
        return self._honest > 0

    def honest_peer(self) -> int:
        """A random peer that is up and no liar; there must be one. One draw of the trace for each, however many seats are
        tried: a newcomer that has joined one overlay already and another not yet makes no difference to the next lookup."""
        dice = random.Random(self._askers.getrandbits(64))
        while True:
            address = self._seats[dice.randrange(len(self._seats))]
            if address in self._place and address not in self.liars:
                return address

    def key(self) -> int:
        """A random key. Where ids are shorter it is the same key, cut."""
        return self._keys.getrandbits(MAX_ID_BITS) >> (MAX_ID_BITS - self.overlay.bits)

    def lookup(self, token: int, address: int, key: int) -> None:
        """Have a peer look a key up."""
        self.universe.ask(address, Lookup(token, key))


def pick_liars(peers: int, share: float, dice: random.Random) -> dict[int, None]:
    """Which peers lie."""
    return dict.fromkeys(sorted(dice.sample(range(peers), round(share * peers))))
