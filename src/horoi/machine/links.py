"""What worlds with connections say about them, in the words of the contract.

On datagrams a peer is an address and ``Send`` suffices. On links (TCP) a machine asks the world to dial with
``Tell(Dial(address))`` and hears ``Asked(Linked(...))`` or ``Asked(Unlinked(...))``; a link that somebody else dialed
is announced by ``Linked`` too. The end of a link is the event ``Lost``.
"""

from __future__ import annotations

import msgspec

from horoi.machine.contract import Peer


class Dial(msgspec.Struct, frozen=True, gc=False):
    """Notice to the world: connect to ``address``; if ``expect`` is given, only to the peer of that name."""

    address: str
    expect: Peer = None


class Linked(msgspec.Struct, frozen=True, gc=False):
    """Request from the world: a link to ``peer`` is up, its handshake done. ``outbound`` if this side dialed.

    ``address`` is where it was dialed; for an inbound link, the host and the ephemeral port that it came from.
    """

    peer: Peer
    address: str
    outbound: bool


class Unlinked(msgspec.Struct, frozen=True, gc=False):
    """Request from the world: dialing ``address`` failed. ``reason`` is one clear phrase."""

    address: str
    reason: str
