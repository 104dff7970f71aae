"""The wire of the peers machine, and the record by which a restart finds its peers."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from horoi.base.codec import Codec, Record, encode
from horoi.machine.wire import Message, Wire
from horoi.node.peers.addresses import MAX_ADDRESS_LENGTH

PROTOCOL_VERSION = 2  # 2: ``node.lookup`` speaks too; who says 1 would drop the link for it
MIN_PROTOCOL_VERSION = 1
NETWORK_ID_SIZE_BYTES = 32
NONCE_SIZE_BYTES = 8
MAX_AGENT_LENGTH = 64
MAX_HEIGHT = 2**40
MAX_ADDRESSES = 100  # per message; a tenth of Bitcoin's 1000, which is sized for ten times as many nodes
MAX_SIZE_BYTES = 32 * 1024  # MAX_ADDRESSES of MAX_ADDRESS_LENGTH letters are 26 kB

Nonce = Annotated[bytes, Meta(min_length=NONCE_SIZE_BYTES, max_length=NONCE_SIZE_BYTES)]
Address = Annotated[str, Meta(max_length=MAX_ADDRESS_LENGTH)]


class Hello(Message, frozen=True, tag="hello"):
    """First on every link, from both ends.

    ``nonce`` is the sender's for its whole life: who hears its own is linked to itself. ``listen_port`` is where the
    sender takes links, at the host that the receiver sees it come from (0: it takes none); ``own_address`` is "" or the
    address that its operator gave it.
    """

    version: Annotated[int, Meta(ge=0, le=2**32 - 1)]
    network_id: Annotated[bytes, Meta(min_length=NETWORK_ID_SIZE_BYTES, max_length=NETWORK_ID_SIZE_BYTES)]
    nonce: Nonce
    listen_port: Annotated[int, Meta(ge=0, le=65535)]
    own_address: Address
    height: Annotated[int, Meta(ge=0, le=MAX_HEIGHT)]
    agent: Annotated[str, Meta(max_length=MAX_AGENT_LENGTH, pattern=r"\A[ -~]*\Z")]


class GetAddresses(Message, frozen=True, tag="get-addresses"):
    """Asked by the dialing end, once per link."""


class Addresses(Message, frozen=True, tag="addresses"):
    """Addresses that the sender has heard of: the answer to ``GetAddresses``, or news."""

    addresses: Annotated[tuple[Address, ...], Meta(max_length=MAX_ADDRESSES)]


class Ping(Message, frozen=True, tag="ping"):
    """Answered by a ``Pong`` of the same nonce: proof that the peer's machine turns, not only its kernel."""

    nonce: Nonce


class Pong(Message, frozen=True, tag="pong"):
    nonce: Nonce


WIRE = Wire([Hello, GetAddresses, Addresses, Ping, Pong], max_size_bytes=MAX_SIZE_BYTES)


class AddressBookRecord(Record, frozen=True):
    """What the node saves: the book (``AddressBook.dump``) and its anchors, the peers to dial first after a restart."""

    book: bytes
    anchors: tuple[str, ...]

    def file(self) -> tuple[str, bytes]:
        """The name of the file that it becomes the whole content of, and the content (``RECORD_CODEC`` reads it)."""
        return RECORD_FILE, encode(self)


RECORD_FILE = "address-book"
MAX_RECORD_SIZE_BYTES = 32 * 1024 * 1024  # 80k addresses, of which an honest one takes some 50 bytes
RECORD_CODEC: Codec[AddressBookRecord] = Codec(AddressBookRecord, max_size_bytes=MAX_RECORD_SIZE_BYTES)
