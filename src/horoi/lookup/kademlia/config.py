"""What may be chosen about a Kademlia network. All of its peers share ``bits`` and the wire; the rest is each peer's own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from horoi.base.ids import ID_BITS, check_bits
from horoi.lookup.kademlia.messages import MAX_CONTACTS
from horoi.lookup.kademlia.node_ids import is_node_id_of
from horoi.lookup.kademlia.table import MAX_FAILURES
from horoi.lookup.vocabulary import Contact

HOUR_S = 3600.0


@dataclass(frozen=True)
class KademliaConfig:
    """Numbers of the paper where it gives them.

    ``digit_bits`` is b of accelerated lookups (section 4.2), ``disjoint`` the number of disjoint paths (S/Kademlia, section
    4.4). ``is_bound`` says whether a contact's id belongs to its address or key (base.ids; BEP 42); contacts for which it
    is False enter no table and no lookup. None: ids are taken on trust, for closed networks and simulations. ``mainline``:
    this peer speaks KRPC, so values are bencoded and named by BEP 44. ``read_only``: ask, but answer nothing (BEP 43).
    ``replicas``: how many peers keep a value, k if None. ``refresh_s``: a bucket in which nothing was looked up for so long
    is looked up; ``refresh_k`` is how many nearest such a lookup is content with, k if None: fewer cost less where peers
    come and go so fast that a full bucket does not stay full. ``republish_s``: how often who keeps a value brings it to the
    peers that are nearest by then; None: never, as in Mainline, where those who need an item put it again. ``verify``: a
    stranger who asks is pinged before it is believed; an experiment without forged addresses may save that. ``upkeep``
    switches off all that happens unasked, and what is kept for later: replacement caches, and the tokens of others.
    """

    bits: int = ID_BITS
    k: int = (
        20  # section 2.3: "chosen such that any given k nodes are very unlikely to fail within an hour, e.g. k = 20"
    )
    alpha: int = 3  # section 2.3
    digit_bits: int = 1
    disjoint: int = 1
    replicas: int | None = None
    mainline: bool = False
    read_only: bool = False
    is_bound: Callable[[Contact], bool] | None = None
    max_failures: int = MAX_FAILURES
    refresh_s: float = HOUR_S  # section 2.3
    refresh_k: int | None = None
    republish_s: float | None = HOUR_S  # section 2.5
    test_s: float = 60.0
    """A full bucket's oldest contact is tested at most this often for the sake of newcomers. A guess."""
    verify: bool = True
    upkeep: bool = True
    rate_per_s: float | None = 100.0  # queries served per second and source (common.rates); None: no limit

    def __post_init__(self) -> None:
        check_bits(self.bits)
        if not 1 <= self.k <= MAX_CONTACTS:
            raise ValueError(f"k is from 1 to {MAX_CONTACTS}, what an answer has room for, not {self.k}")
        if not 1 <= self.alpha <= self.k:
            raise ValueError(f"alpha is from 1 to k = {self.k}, not {self.alpha}")
        if not 1 <= self.digit_bits <= 8:
            raise ValueError(f"digit_bits, b, is from 1 to 8, not {self.digit_bits}")
        if not 1 <= self.disjoint <= 8:
            raise ValueError(f"disjoint is from 1 to 8 paths, not {self.disjoint}")
        if self.replicas is not None and not 1 <= self.replicas <= self.k:
            raise ValueError(f"replicas is from 1 to k = {self.k}, not {self.replicas}")
        if self.refresh_k is not None and not 1 <= self.refresh_k <= self.k:
            raise ValueError(f"refresh_k is from 1 to k = {self.k}, not {self.refresh_k}")
        if self.mainline and self.bits != ID_BITS:
            raise ValueError(f"Mainline has ids of {ID_BITS} bits, not {self.bits}")
        if not (self.refresh_s > 0 and self.test_s > 0 and (self.republish_s is None or self.republish_s > 0)):
            raise ValueError("periods are more than 0 s")

    @property
    def copies(self) -> int:
        """How many peers keep a value."""
        return self.replicas or self.k


def mainline(*, read_only: bool = False, rate_per_s: float | None = 100.0) -> KademliaConfig:
    """As peers of BitTorrent's DHT are set up: k = 8 and a refresh every 15 minutes (BEP 5), ids from addresses (BEP 42)."""
    return KademliaConfig(
        k=8,
        mainline=True,
        read_only=read_only,
        is_bound=_follows_from_address,
        max_failures=3,  # BEP 5: bad after it "failed to respond to multiple queries in a row"
        refresh_s=900.0,
        republish_s=None,
        rate_per_s=rate_per_s,
    )


def _follows_from_address(contact: Contact) -> bool:
    return is_node_id_of(contact.id, contact.address)
