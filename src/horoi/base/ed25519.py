"""Ed25519 signatures of nodes (RFC 8032): checking them, without a node's secret at hand.

Owners' signatures are another matter (keys.py). Nodes have Ed25519 keys because a TLS 1.3 certificate can carry them, and
because transparency logs sign with them (C2SP signed-note).
"""

from __future__ import annotations

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from horoi.base.hashing import tagged

NODE_KEY_SIZE_BYTES = 32
NODE_SIGNATURE_SIZE_BYTES = 64

node_id_of = tagged("horoi/node-id")
"""Node id (32 bytes) of a node's public key."""

_FIELD = 2**255 - 19  # RFC 8032 section 5.1: p, and below d of the curve -x^2 + y^2 = 1 + d x^2 y^2
_D = -121665 * pow(121666, -1, _FIELD) % _FIELD


def may_be_node_key(public: bytes) -> bool:
    """False for a key that needs no secret: a point of small order, or a second spelling of a point.

    OpenSSL takes such keys (RFC 8032 does not forbid them), and one signature of zeros verifies under them for a quarter of
    all messages. The points whose order divides 8 have y = 1, -1 or 0, or double to y = 0, that is x^2 = -y^2, which the
    curve's equation turns into d y^4 + 2 y^2 = 1.
    """
    if len(public) != NODE_KEY_SIZE_BYTES:
        return False
    y = int.from_bytes(public, "little") & (2**255 - 1)  # the top bit is the sign of x
    if y >= _FIELD or y in (0, 1, _FIELD - 1):
        return False
    return (_D * pow(y, 4, _FIELD) + 2 * y * y - 1) % _FIELD != 0


def verify_node(public: bytes, data: bytes, signature: bytes) -> bool:
    """True if ``signature`` (64 bytes) over ``data`` is by the node key ``public`` (32 bytes). Never an exception."""
    if not may_be_node_key(public):
        return False
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, data)
    except (InvalidSignature, ValueError):
        return False
    return True
