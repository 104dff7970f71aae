"""What the world tells the discovery machine."""

from __future__ import annotations

import msgspec

from horoi.lookup.vocabulary import Address


class Bootstraps(msgspec.Struct, frozen=True, gc=False):
    """Request: enter the DHT through these addresses; with none, be its first peer."""

    addresses: tuple[Address, ...]
