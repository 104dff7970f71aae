"""Key pairs and digital signatures: BIP 340 Schnorr over secp256k1, through coincurve (libsecp256k1).

Concept of the lectures: *asymmetric cryptography* identifies the owner, a *digital signature* states agreement with
the content. One library for all, because two Ed25519 libraries disagree on 165 of 914 public edge vectors, and a
disagreement splits the ledger (docs/decisions/signatures.md).
"""

from __future__ import annotations

from functools import lru_cache

from coincurve import PrivateKey, PublicKeyXOnly

from horoi.base.errors import KeyFileError

PUBLIC_KEY_SIZE_BYTES = 32
SIGNATURE_SIZE_BYTES = 64
SECRET_SIZE_BYTES = 32


PARSED_KEYS = 16_384  # a guess: the companies of a large network; about 3 MB

_parsed = lru_cache(maxsize=PARSED_KEYS)(PublicKeyXOnly)
"""Lifting an x coordinate to a point is a tenth of a verification, and a company signs more than once."""


def verify(public_key: bytes, digest: bytes, signature: bytes) -> bool:
    """True if ``signature`` (64 bytes) is by ``public_key`` (32 bytes, x-only) over ``digest`` (32 bytes).

    Anything malformed (a key that is not on the curve, a wrong length) is False, never an exception: BIP 340,
    "Verification" fails rather than errs.
    """
    if len(public_key) != PUBLIC_KEY_SIZE_BYTES or len(signature) != SIGNATURE_SIZE_BYTES:
        return False
    try:
        return bool(_parsed(public_key).verify(signature, digest))
    except ValueError:
        return False


def is_public_key(data: bytes) -> bool:
    """True if ``data`` is the x coordinate of a point of the curve: an owner that can exist."""
    if len(data) != PUBLIC_KEY_SIZE_BYTES:
        return False
    try:
        _parsed(data)
    except ValueError:
        return False
    return True


class KeyPair:
    """A secret and its x-only public key.

    >>> pair = KeyPair(bytes(31) + bytes([1]))
    >>> verify(pair.public, bytes(32), pair.sign(bytes(32)))
    True
    """

    __slots__ = ("_private", "public")

    def __init__(self, secret: bytes) -> None:
        if len(secret) != SECRET_SIZE_BYTES:
            raise KeyFileError(f"a secret key has {SECRET_SIZE_BYTES} bytes, this one {len(secret)}")
        try:
            self._private = PrivateKey(secret)
        except ValueError as error:
            raise KeyFileError(f"not a secret key of secp256k1: {error}") from None
        self.public: bytes = PublicKeyXOnly.from_secret(secret).format()

    @property
    def secret(self) -> bytes:
        """The 32 secret bytes. Handle with care: whoever has them owns what the key owns."""
        return bytes(self._private.secret)

    def sign(self, digest: bytes, aux_randomness: bytes = bytes(32)) -> bytes:
        """Sign a 32-byte digest. Deterministic by default (BIP 340 allows zero auxiliary randomness)."""
        return bytes(self._private.sign_schnorr(digest, aux_randomness))

    def __repr__(self) -> str:
        return f"KeyPair(public={self.public.hex()})"
