"""Permits to write: a peer stores something only for an address that has shown that it receives what is sent there.

As BEP 5's tokens ("the SHA1 hash of the IP address concatenated onto a secret that changes"): the permit is a keyed hash of the
address, handed out in an answer and shown with the write. Nothing is kept per address.
"""

from __future__ import annotations

import hashlib
import hmac
from random import Random

from horoi.lookup.common.wire import pack_address
from horoi.lookup.vocabulary import Address

CHANGE_S = 300.0  # BEP 5: "changes every five minutes and tokens up to ten minutes old are accepted"
PERMIT_BYTES = 8


class Permits:
    """Makes and checks permits. ``dice`` gives the secret, from which those of all times follow."""

    __slots__ = ("_secret",)

    def __init__(self, dice: Random) -> None:
        self._secret = dice.getrandbits(256).to_bytes(32, "big")

    def make(self, address: Address, now: float) -> bytes:
        """The permit of an address, 8 bytes."""
        return self._at(address, int(now // CHANGE_S))

    def check(self, address: Address, permit: bytes, now: float) -> bool:
        """True for a permit of this address made at most ten minutes ago, and surely if at most five."""
        period = int(now // CHANGE_S)
        same = hmac.compare_digest
        return same(permit, self._at(address, period)) or same(permit, self._at(address, period - 1))

    def _at(self, address: Address, period: int) -> bytes:
        data = pack_address(address) + period.to_bytes(8, "big", signed=True)
        return hashlib.blake2b(data, key=self._secret, digest_size=PERMIT_BYTES).digest()
