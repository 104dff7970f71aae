"""What nodes say to one another so that an overlay forms among them: one message on links, two on the overlay's own datagrams."""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import Meta

from horoi.lookup.vocabulary import Address
from horoi.machine.wire import Message, Wire

MIN_VERSION: Final = 2  # of the peers' protocol: the first whose nodes know ``lookup-at``
MAX_NAME_LENGTH: Final = 16
NODE_ID_BYTES: Final = 32
RING_BYTES: Final = 8

Port = Annotated[int, Meta(ge=0, le=65535)]
Nonce = Annotated[int, Meta(ge=0, le=2**63 - 1)]


class LookupAt(Message, frozen=True, tag="lookup-at"):
    """On a link, once: the sender speaks this overlay on this UDP port of the host that it is seen at."""

    overlay: Annotated[str, Meta(max_length=MAX_NAME_LENGTH, pattern=r"\A[a-z]+\Z")]
    port: Annotated[int, Meta(ge=1, le=65535)]


LINK_WIRE: Final = Wire([LookupAt], max_size_bytes=64)


class WhoAreYou(Message, frozen=True, tag="who are you"):
    """On datagrams: which node is at this address?"""

    nonce: Nonce


class IAm(Message, frozen=True, tag="I am"):
    """The answer. ``port`` is where the node takes links (0: nowhere), ``seen`` the address that the question came from.

    ``ring`` names the overlay that the node is in, by its founder's choice; empty if it is in none. Two of one network that were
    founded apart are told apart by it.
    """

    nonce: Nonce
    node_id: Annotated[bytes, Meta(min_length=NODE_ID_BYTES, max_length=NODE_ID_BYTES)]
    port: Port
    seen: Address
    ring: Annotated[bytes, Meta(max_length=RING_BYTES)]


DATAGRAMS: Final = (WhoAreYou, IAm)
