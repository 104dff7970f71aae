"""The five overlays by name, as the nodes of a network run them: the papers' figures, and ids that nobody chooses.

A peer's id is the hash of its address (Chord, section 4.2), which everybody who hears of the peer can check, and its address is
one at which it was shown to receive (``world.live.secure_sessions``). So who wants to sit beside a key needs addresses, not luck.
"""

from __future__ import annotations

import functools
import random
from collections.abc import Callable
from typing import Any, NamedTuple

from horoi.base.ids import ID_BITS, id_of_address
from horoi.lookup.common.wire import IdWire
from horoi.lookup.vocabulary import Address, Contact
from horoi.machine.contract import Machine
from horoi.node.lookup.messages import DATAGRAMS

MAX_DATAGRAM_BYTES = 1400  # of every room's messages

Bound = Callable[[Contact], bool]
Make = Callable[[Contact, Bound, random.Random], Machine]


class Room(NamedTuple):
    """What a room says and how a peer of it is made."""

    messages: tuple[Any, ...]
    make: Make


class Overlay(NamedTuple):
    """One of the five, and the width of its ids. Its room is imported when it is used: a node runs one of them."""

    name: str
    bits: int
    room: Callable[[], Room]

    def peer(self, address: Address, dice: random.Random) -> Machine:
        """A peer at ``address`` that has not joined."""
        return self.room().make(Contact(id_of_address(address, self.bits), address), self.is_bound, dice)

    def is_bound(self, contact: Contact) -> bool:
        """Whether a contact's id is the one of its address."""
        return contact.id == id_of_address(contact.address, self.bits)

    def wire(self) -> IdWire:
        """What is spoken on the port: the overlay's messages, and those by which nodes meet."""
        return IdWire([*self.room().messages, *DATAGRAMS], bits=self.bits, max_size_bytes=MAX_DATAGRAM_BYTES)


def _chord() -> Room:
    from horoi.lookup.chord.config import ChordConfig
    from horoi.lookup.chord.machine import Chord
    from horoi.lookup.chord.messages import MESSAGES

    return Room(MESSAGES, lambda contact, is_bound, dice: Chord([contact], ChordConfig(is_bound=is_bound), dice))


def _can() -> Room:
    from horoi.lookup.can.config import CanConfig
    from horoi.lookup.can.machine import Can
    from horoi.lookup.can.messages import MESSAGES

    return Room(MESSAGES, lambda contact, is_bound, dice: Can(contact, CanConfig(is_bound=is_bound), dice))


def _pastry() -> Room:
    from horoi.lookup.pastry.config import PastryConfig
    from horoi.lookup.pastry.machine import Pastry
    from horoi.lookup.pastry.messages import MESSAGES

    return Room(MESSAGES, lambda contact, is_bound, dice: Pastry(contact, PastryConfig(is_bound=is_bound), dice))


def _tapestry() -> Room:
    from horoi.lookup.tapestry.config import TapestryConfig
    from horoi.lookup.tapestry.machine import Tapestry
    from horoi.lookup.tapestry.messages import MESSAGES

    # Few peers, each of whom holds many roots: a dead one must not stand in the way for half a minute.
    config = functools.partial(TapestryConfig, probe_s=10.0, probe_backups_s=30.0)
    return Room(MESSAGES, lambda contact, is_bound, dice: Tapestry(contact, config(is_bound=is_bound), dice))


def _kademlia() -> Room:
    from horoi.lookup.kademlia.config import KademliaConfig
    from horoi.lookup.kademlia.machine import Kademlia
    from horoi.lookup.kademlia.messages import MESSAGES

    return Room(MESSAGES, lambda contact, is_bound, dice: Kademlia(contact, KademliaConfig(is_bound=is_bound), dice))


PASTRY_BITS = 128  # Pastry, section 2: "each node is assigned a 128-bit node identifier"

OVERLAYS: dict[str, Overlay] = {
    overlay.name: overlay
    for overlay in (
        Overlay("chord", ID_BITS, _chord),
        Overlay("can", ID_BITS, _can),
        Overlay("pastry", PASTRY_BITS, _pastry),
        Overlay("tapestry", ID_BITS, _tapestry),
        Overlay("kademlia", ID_BITS, _kademlia),
    )
}
