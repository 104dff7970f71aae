"""What may be chosen about a CAN. All its peers share the first block; the rest is each peer's own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from horoi.base.ids import ID_BITS
from horoi.lookup.can.landmarks import MAX_LANDMARKS
from horoi.lookup.can.messages import MAX_MATES, MAX_REALITIES
from horoi.lookup.can.zone import Space
from horoi.lookup.vocabulary import Address, Contact

MAX_HASHES = 8  # a guess: the paper plays with up to 5


@dataclass(frozen=True)
class CanConfig:
    """The paper's knobs by section; without them it is the "bare bones" CAN.

    ``dimensions`` d (3.1), ``realities`` r (3.2), ``rtt_weighted`` routing (3.3), ``max_peers`` of a zone, MAXPEERS (3.4),
    ``hashes`` functions k under which a value is kept (3.5), ``landmarks`` to join near (3.6), ``uniform_reach``: whose zone
    is split, 0 the occupant's, 1 the largest among its neighbours (3.7), 2 among theirs too, which updates tell anyway.

    ``recursive``: messages are forwarded from peer to peer as in the paper; otherwise the asker takes every step
    itself and checks it (``walk``). ``takeover_s`` is the takeover timer of a peer whose zone is as large as the failed
    one. ``is_bound`` says whether a contact's id belongs to its address or key; None: ids are taken on trust, for closed
    networks and simulations. ``upkeep`` switches off everything periodic, for experiments on a space that stands still.
    """

    bits: int = ID_BITS
    dimensions: int = 2
    realities: int = 1
    max_peers: int = 1
    hashes: int = 3  # a guess: a value survives two failures between refreshes
    landmarks: tuple[Address, ...] = ()

    uniform_reach: int = 0
    rtt_weighted: bool = False
    recursive: bool = True
    update_s: float = 5.0  # a guess for sessions of minutes; the paper gives no figure
    takeover_s: float = 1.0  # a guess: several round trips, so that the first TAKEOVER arrives before the next timer
    reassign_s: float = 20.0  # how often a peer with several zones looks for a better home for one, a guess
    reunion_s: float = 30.0  # how often an acquaintance is asked whether it knows another owner of our zone, a guess
    refresh_s: float = 300.0  # how often kept values are offered to their other owners, a guess
    cache_s: float = 60.0  # how long a value that passed by may be served, a guess; 0: no cache
    hot_per_s: float = 10.0  # fetches of one key beyond which its neighbours share the load, a guess
    patience_s: float = 4.0  # how long an asker waits for an owner, next to what the way there takes; a guess
    is_bound: Callable[[Contact], bool] | None = None
    upkeep: bool = True
    rate_per_s: float | None = 100.0  # requests served per second and source (common.rates); None: no limit

    def __post_init__(self) -> None:
        Space(self.dimensions, self.bits)
        for name, most in (("realities", MAX_REALITIES), ("max_peers", MAX_MATES), ("hashes", MAX_HASHES)):
            if not 1 <= getattr(self, name) <= most:
                raise ValueError(f"{name} is from 1 to {most}, not {getattr(self, name)}")
        if self.uniform_reach not in (0, 1, 2):
            raise ValueError(f"uniform_reach is 0, 1 or 2, not {self.uniform_reach}")
        if len(self.landmarks) > MAX_LANDMARKS:
            raise ValueError(f"at most {MAX_LANDMARKS} landmarks, not {len(self.landmarks)}")
        for name in ("update_s", "takeover_s", "reassign_s", "reunion_s", "refresh_s", "patience_s"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} is more than 0, not {getattr(self, name)}")
