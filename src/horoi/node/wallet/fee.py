"""The fee of a transaction before anybody signed it.

The ledger asks for so much per 1000 bytes, witness included (ledger.prepare). The witness is reckoned at its largest: every
key named in a condition that must agree signs, and every preimage is shown at full length, so whoever signs in the end,
the fee suffices. For plain keys that is exact; of 2 of 3 keys it pays for the third.
"""

from __future__ import annotations

from horoi.base.codec import encode
from horoi.base.keys import SIGNATURE_SIZE_BYTES
from horoi.ledger.authority import required
from horoi.ledger.conditions import MAX_PREIMAGE_SIZE_BYTES, hashes_named, keys_named
from horoi.ledger.transaction import Body, Signature, Witness


def signed_size_bytes(body: Body) -> int:
    """The size of the transaction with the largest witness that its signers may give it (as ``ledger.prepare`` counts)."""
    need = required(body)
    keys: dict[bytes, None] = {}
    hashes: dict[bytes, None] = {}
    for condition in (*need.acting, *need.receiving):
        keys.update(dict.fromkeys(keys_named(condition)))
        hashes.update(dict.fromkeys(hashes_named(condition)))
    signatures = tuple(Signature(key, bytes(SIGNATURE_SIZE_BYTES)) for key in keys)
    witness = Witness(signatures, (bytes(MAX_PREIMAGE_SIZE_BYTES),) * len(hashes))
    return 1 + len(encode(body)) + len(encode(witness))


def needed_fee(size_bytes: int, fee_floor: int) -> int:
    """The least fee, in the coin's smallest unit, at ``fee_floor`` per 1000 bytes: rounded up.

    >>> needed_fee(250, 10), needed_fee(250, 0)
    (3, 0)
    """
    return -(-fee_floor * size_bytes // 1000)
