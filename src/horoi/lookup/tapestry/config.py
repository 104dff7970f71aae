"""What may be chosen about a Tapestry. All peers share ``bits``, ``digit_bits`` and ``roots``; the rest is each peer's own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from horoi.base.ids import ID_BITS, check_bits
from horoi.lookup.vocabulary import Contact

MAX_ROOTS = 8  # a guess: more salts than anyone needs


@dataclass(frozen=True)
class TapestryConfig:
    """Numbers of the papers where they give them.

    ``roots`` is how many salted keys a published thing has (TR; optional there), ``replicas`` how many of those
    roots keep a value that is put. ``routes`` is how many diverse routes a lookup takes at once; the best claim wins.
    ``is_bound`` says whether a contact's id belongs to its address or key (base.ids); None: ids are taken on trust, for closed
    networks and simulations. ``upkeep`` switches off every periodic work, for experiments on a network at rest.
    """

    bits: int = ID_BITS  # JSAC, section III: 160 bits
    digit_bits: int = 4  # JSAC, section III: hexadecimal
    roots: int = 1
    replicas: int = 3  # a guess
    proximity: bool = True
    routes: int = 1
    probe_s: float = 30.0  # of primary neighbours, a guess
    probe_backups_s: float = 90.0  # a guess: a dead backup costs nothing until it is needed
    gossip_s: float = 30.0  # a guess: how often a level is compared with a peer of that level
    refresh_s: float = 120.0  # a guess: how often whoever keeps a value sees that its next replica is kept too
    is_bound: Callable[[Contact], bool] | None = None
    upkeep: bool = True
    rate_per_s: float | None = 100.0  # requests served per second and source (common.rates); None: no limit
    doubt: float = 16.0
    """A root this many times farther from the key (``surrogate.distance``) than peers usually are is doubted, and the lookup
    repeated on another route (Castro et al. 2002, section 5.2, for this metric). An honest one is doubted once in e**16."""

    def __post_init__(self) -> None:
        check_bits(self.bits)
        if not (1 <= self.digit_bits <= 4 and self.bits % self.digit_bits == 0):
            raise ValueError(f"digit_bits, b, is 1 to 4 and divides {self.bits} bits, not {self.digit_bits}")
        if not (1 <= self.roots <= MAX_ROOTS and 1 <= self.replicas <= MAX_ROOTS):
            raise ValueError(f"roots and replicas are from 1 to {MAX_ROOTS}, not {self.roots} and {self.replicas}")
        if not 1 <= self.routes <= 16:
            raise ValueError(f"routes is from 1 to 16, not {self.routes}")
        if not min(self.probe_s, self.probe_backups_s, self.gossip_s, self.refresh_s) > 0:
            raise ValueError(f"periods are more than 0 s: {self.probe_s=} {self.probe_backups_s=} {self.gossip_s=}")
