"""What the machines of a node tell one another, and what the application asks of them."""

from __future__ import annotations

import msgspec

from horoi.ledger.block import Block
from horoi.ledger.consensus.nakamoto.tree import Known
from horoi.ledger.ledger import Prepared, Undo
from horoi.ledger.transaction import Transaction
from horoi.machine.contract import Peer
from horoi.node.offers.offer import Offer


class ConnectedBlock(msgspec.Struct, frozen=True, gc=False):
    """A block on its way into the chain or out of it, with what was learned about it."""

    known: Known
    block: Block
    prepared: tuple[Prepared, ...]
    undo: Undo


class TipChanged(msgspec.Struct, frozen=True, gc=False):
    """The chain's tip moved: blocks taken back (last first), then blocks connected (in order)."""

    tip: Known
    disconnected: tuple[ConnectedBlock, ...]
    connected: tuple[ConnectedBlock, ...]


class PeerReady(msgspec.Struct, frozen=True, gc=False):
    """A peer passed the node's handshake: from now on it may be spoken to.

    ``version`` is the protocol's that it speaks: a message that came with a later one ends the link.
    """

    peer: Peer
    outbound: bool
    height: int
    version: int = 1


class Misbehaved(msgspec.Struct, frozen=True, gc=False):
    """A peer broke a rule that costs it points; the peers machine drops it at 100."""

    peer: Peer
    points: int
    why: str


class PeerHeight(msgspec.Struct, frozen=True, gc=False):
    """A peer showed that its chain reaches this height."""

    peer: Peer
    height: int


class PeerUseful(msgspec.Struct, frozen=True, gc=False):
    """Notice: a peer was the first with something valid; when room is short, such peers stay."""

    peer: Peer


class AddressesHeard(msgspec.Struct, frozen=True, gc=False):
    """Notice: addresses of nodes, "host:port", found otherwise than by gossip. ``source`` stands for who told, as an address:
    the address book keeps no more of one source than has a place for its network group."""

    source: str
    addresses: tuple[str, ...]


class ConnectTo(msgspec.Struct, frozen=True, gc=False):
    """Request: link to this address, and stay linked to it. A failure is told by ``ConnectFailed``."""

    address: str


class DisconnectFrom(msgspec.Struct, frozen=True, gc=False):
    """Request: end the link to this peer, and do not stay linked to its address."""

    peer: Peer


class Visit(msgspec.Struct, frozen=True, gc=False):
    """Request: link to this address for a while, until ``EndVisit``. A stranger named it, so it is tried once, bans hold, and it
    takes no place of a link that this node chose."""

    address: str


class EndVisit(msgspec.Struct, frozen=True, gc=False):
    """Request: end the link that ``Visit`` made to this address, if there is one; a link of another purpose stays."""

    address: str


class ConnectFailed(msgspec.Struct, frozen=True, gc=False):
    """Notice: a peer that the operator named is not reached; ``reason`` says why, and it is tried again if it can be."""

    address: str
    reason: str


class PeerBanned(msgspec.Struct, frozen=True, gc=False):
    """Notice: a peer misbehaved once too often and is refused for ``for_s`` seconds."""

    peer: Peer
    address: str
    why: str
    for_s: float


class Submit(msgspec.Struct, frozen=True, gc=False):
    """Request: admit these transactions. Answered by ``Submitted`` with the same token."""

    token: int
    transactions: tuple[Transaction, ...]
    source: Peer | None = None


class WaitAgain(msgspec.Struct, frozen=True, gc=False):
    """Notice: these were in blocks that are not on the chain; they wait again if they still can. Nobody is answered."""

    transactions: tuple[Transaction, ...]


class SubmitResult(msgspec.Struct, frozen=True, gc=False):
    """What became of one transaction; ``rule`` and ``detail`` are empty if it was accepted."""

    id: bytes
    accepted: bool
    rule: str = ""
    detail: str = ""


class Submitted(msgspec.Struct, frozen=True, gc=False):
    """Notice: the answer to a ``Submit``, in its order."""

    token: int
    results: tuple[SubmitResult, ...]


class TransactionAccepted(msgspec.Struct, frozen=True, gc=False):
    """Notice: a transaction entered the mempool."""

    prepared: Prepared


class TransactionRemoved(msgspec.Struct, frozen=True, gc=False):
    """Notice: a transaction left the mempool: "confirmed", "conflict", "evicted", "expired"."""

    id: bytes
    why: str


class ConflictFound(msgspec.Struct, frozen=True, gc=False):
    """Notice: a transaction can never confirm on this chain, because another one spent the same."""

    id: bytes
    by: bytes


class SubmitBlock(msgspec.Struct, frozen=True, gc=False):
    """Request: a block made here (mined)."""

    block: Block


class PutOffer(msgspec.Struct, frozen=True, gc=False):
    """Request: keep this offer, or what this copy of a known one states, and tell the peers. Answered by ``OfferPut``."""

    token: int
    offer: Offer


class OfferPut(msgspec.Struct, frozen=True, gc=False):
    """Notice: the answer to a ``PutOffer``; ``rule`` and ``detail`` are empty if it was accepted, and ``id`` is the offer's."""

    token: int
    id: bytes
    rule: str = ""
    detail: str = ""


class OfferSeen(msgspec.Struct, frozen=True, gc=False):
    """Notice: an offer that was not known here."""

    id: bytes


class OfferChanged(msgspec.Struct, frozen=True, gc=False):
    """Notice: somebody signed, refused or withdrew a known offer, or its state changed."""

    id: bytes
