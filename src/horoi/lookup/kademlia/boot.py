"""How a world starts a peer: on Horoi's own wire, or in Mainline."""

from __future__ import annotations

from horoi.base.ids import id_of_address
from horoi.lookup.kademlia.codec import kademlia_wire
from horoi.lookup.kademlia.config import KademliaConfig
from horoi.lookup.kademlia.machine import Kademlia
from horoi.lookup.kademlia.node_ids import node_id
from horoi.lookup.vocabulary import Address, Contact
from horoi.machine.host import Boot, Hosted, Place


def boot_kademlia(config: KademliaConfig, *, address: Address | None = None) -> Boot:
    """Boots a peer whose name is its address (``address`` where others reach it elsewhere).

    Its id follows from the address: by BEP 42 in Mainline, by ``base.ids`` otherwise.
    """

    def boot(place: Place) -> Hosted:
        where = address if address is not None else place.name
        own_id = node_id(where[0], place.dice) if config.mainline else id_of_address(where, config.bits)
        machine = Kademlia(Contact(own_id, where), config, place.dice)
        return Hosted(machine, None if config.mainline else kademlia_wire(config.bits))

    return boot
