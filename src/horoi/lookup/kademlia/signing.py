"""What is signed in a mutable item of Mainline, and where items are kept (BEP 44).

An immutable item is kept under SHA-1 of its bencoded value; a mutable one under SHA-1 of its public key and salt, and its
owner signs salt, sequence number and value with Ed25519.
"""

from __future__ import annotations

import hashlib

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

MAX_ITEM_BYTES = 1000  # BEP 44: of the bencoded value
MAX_SALT_BYTES = 64  # BEP 44
SECRET_BYTES = 32
PUBLIC_KEY_BYTES = 32
SIGNATURE_BYTES = 64


def immutable_target(value: bytes) -> int:
    """The key of an immutable item; ``value`` is bencoded."""
    return _sha1(value)


def mutable_target(public_key: bytes, salt: bytes = b"") -> int:
    """The key of a mutable item."""
    return _sha1(public_key + salt)


def _sha1(data: bytes) -> int:
    return int.from_bytes(hashlib.sha1(data, usedforsecurity=False).digest(), "big")


def signed_bytes(value: bytes, seq: int, salt: bytes = b"") -> bytes:
    """What the signature covers: the bencoded pairs of a dictionary, without its d and e. ``value`` is bencoded."""
    prefix = b"4:salt%d:%b" % (len(salt), salt) if salt else b""
    return prefix + b"3:seqi%de1:v%b" % (seq, value)


def public_key_of(secret: bytes) -> bytes:
    """The public key of a 32-byte secret."""
    return Ed25519PrivateKey.from_private_bytes(secret).public_key().public_bytes_raw()


def sign(secret: bytes, value: bytes, seq: int, salt: bytes = b"") -> bytes:
    """Sign a mutable item with a 32-byte secret."""
    return Ed25519PrivateKey.from_private_bytes(secret).sign(signed_bytes(value, seq, salt))


def is_signed(public_key: bytes, signature: bytes, value: bytes, seq: int, salt: bytes = b"") -> bool:
    """Whether the owner of the key signed this. Malformed keys and signatures are False, never an exception."""
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, signed_bytes(value, seq, salt))
    except (InvalidSignature, ValueError):
        return False
    return True
