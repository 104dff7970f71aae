"""What the lab needs to know about an overlay: how to boot a peer, how to settle a network, and what the truth is.

An adapter is written once per room, in ``overlays/``; everything that is measured is common.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from horoi.lookup.vocabulary import Found, Id
from horoi.machine.contract import Machine
from horoi.machine.wire import Wire


@dataclass(frozen=True)
class Settings:
    """What was asked for. Defaults are the papers': b = 4, L = 16, k = 20, alpha = 3, d = 2, r = 20."""

    overlay: str = "chord"
    peers: int = 1000
    lookups: int = 1000
    seed: int = 1
    fail: float = 0.0
    median_session_s: float | None = None
    minutes: float = 10.0
    loss: float = 0.0
    latency: str = "regions"
    dimensions: int = 2
    digit_bits: int = 4
    leaf_set: int = 16
    k: int = 20
    alpha: int = 3
    successors: int | None = None
    virtual: int = 1
    adversaries: float = 0.0
    disjoint: int | None = None  # Kademlia: paths of a lookup; None: 1, or 4 where some peers lie
    free_ids: bool = False  # Kademlia: where some peers lie, ids are taken on trust
    start: str | None = None  # "joins", "converged", or None: joins up to JOINED_PEERS
    pace: float = 1.0  # how often upkeep is done: 2 is twice as often, for twice the bytes or so


class Truth(Protocol):
    """Who really owns what, among the peers that are up. The simulator knows."""

    def add(self, address: int) -> None:
        """This peer is part of the overlay now."""

    def remove(self, address: int) -> None:
        """This peer is gone; one that never came is gone too."""

    def owner(self, key: Id) -> int:
        """The address of the key's true owner."""


class Overlay(Protocol):
    """An adapter. Made for one run; ``dice`` are shared by all its machines, which saves 2.5 kB a peer."""

    bits: int
    wire: Wire
    """For the sizes of messages."""

    def machine(self, address: int, *, upkeep: bool) -> Machine:
        """A fresh machine, not joined. Without ``upkeep`` it repairs nothing."""

    def settle(self, machines: Sequence[Any], *, joined: bool) -> None:
        """Bring all of them into the state that joins converge to. Not ``joined``: each is sent a Join afterwards."""

    def truth(self, addresses: Sequence[int]) -> Truth:
        """The truth of a network of these peers."""

    def is_right(self, found: Found, owner: int) -> bool:
        """Whether the answer names the peer at ``owner`` as the one responsible."""

    def liar(self, machine: Machine) -> Machine:
        """The same peer, lying about who owns what."""

    def entries(self, machine: Any) -> int:
        """How many other peers the machine's tables hold."""


Make = Callable[[Settings, random.Random], Overlay]
