"""What may be chosen about a Chord ring. All peers of a ring share ``bits``; the rest is each peer's own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from horoi.base.ids import ID_BITS, check_bits
from horoi.lookup.chord.messages import MAX_SUCCESSORS
from horoi.lookup.vocabulary import Contact


@dataclass(frozen=True)
class ChordConfig:
    """Numbers of the paper where it gives them (ToN 2003: section VI).

    ``successors`` is r, the length of the successor list; ``successors_in_lookups`` searches it for the key and for the
    closest preceding node, as section IV.E.3 suggests, where the plain pseudo-code (figure 5) looks at fingers and the
    first successor alone. ``recursive`` forwards lookups from node to node instead of asking each in turn (section IV.B
    has both). ``replicas`` is how many peers keep a value, the owner included. ``is_bound`` says whether a contact's id
    belongs to its address or key (base.ids); None: ids are taken on trust, for closed networks and simulations.
    ``upkeep`` switches off every periodic repair, for experiments on a ring that stands still.
    """

    bits: int = ID_BITS
    successors: int = 20  # ToN, section VI.D
    successors_in_lookups: bool = True
    recursive: bool = False
    replicas: int = 3  # a guess; DHash on top of Chord kept 6 copies
    stabilise_s: float = 5.0  # the paper's 30 s suit sessions of an hour; this suits sessions of minutes
    fix_finger_s: float = 5.0  # one finger at a time, so a table takes log2 N of it
    is_bound: Callable[[Contact], bool] | None = None
    upkeep: bool = True
    rate_per_s: float | None = 100.0  # requests served per second and source (common.rates); None: no limit
    doubt: float = 32.0
    """An owner this many times farther from the key than peers usually are apart is doubted (Castro et al. 2002, section
    5.2). Gaps of a ring are exponential: the largest of N is about ln N times the mean, 14 at a million, and the mean is
    estimated from one successor list, which may be half the truth."""

    def __post_init__(self) -> None:
        check_bits(self.bits)
        if not 1 <= self.successors <= MAX_SUCCESSORS:
            raise ValueError(f"successors, r, is from 1 to {MAX_SUCCESSORS}, not {self.successors}")
        if not 1 <= self.replicas <= self.successors + 1:
            raise ValueError(f"replicas is from 1 to successors + 1 = {self.successors + 1}, not {self.replicas}")
        if not (self.stabilise_s > 0 and self.fix_finger_s > 0):
            raise ValueError(f"periods are more than 0 s, not {self.stabilise_s} and {self.fix_finger_s}")
