"""The key of a node: Ed25519, because a TLS 1.3 certificate can carry it (RFC 8446 section 4.2.3, RFC 8410).

It says which *node* speaks and nothing about who owns what; owners' keys are another matter (``horoi.base.keys``). A
node's id, its name among peers, is the tagged SHA-256 of the public key.
"""

from __future__ import annotations

import datetime
import os
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.x509.oid import NameOID

from horoi.base.ed25519 import (
    NODE_KEY_SIZE_BYTES,
    NODE_SIGNATURE_SIZE_BYTES,
    may_be_node_key,
    node_id_of,
    verify_node,
)
from horoi.base.errors import KeyFileError
from horoi.base.files import PRIVATE, replace_file

_NOT_BEFORE = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)  # the key is what counts: dates are never looked at
_NOT_AFTER = datetime.datetime(9999, 12, 31, tzinfo=datetime.UTC)  # RFC 5280 section 4.1.2.5: no expiration


class NodeKey:
    """A node's secret (32 bytes) with its public key and node id."""

    __slots__ = ("_private", "node_id", "public", "secret")

    def __init__(self, secret: bytes) -> None:
        if len(secret) != NODE_KEY_SIZE_BYTES:
            raise KeyFileError(f"a node key has {NODE_KEY_SIZE_BYTES} bytes, this one {len(secret)}")
        self._private = Ed25519PrivateKey.from_private_bytes(secret)
        self.secret = secret
        self.public: bytes = self._private.public_key().public_bytes_raw()
        self.node_id: bytes = node_id_of(self.public)

    @classmethod
    def generate(cls) -> NodeKey:
        """A fresh key from the operating system's randomness."""
        return cls(os.urandom(NODE_KEY_SIZE_BYTES))

    @classmethod
    def load(cls, path: Path) -> NodeKey:
        """The key in the file ``path`` (64 hexadecimal letters)."""
        try:
            text = path.read_text("ascii")
        except (OSError, UnicodeDecodeError) as error:
            raise KeyFileError(f"node key {path}: cannot be read: {error}") from None
        try:
            return cls(bytes.fromhex(text))
        except (ValueError, KeyFileError):
            raise KeyFileError(
                f"node key {path}: not 64 hexadecimal letters; move it away and the node makes a new one (a new node id)"
            ) from None

    def keep(self, path: Path) -> None:
        """Write it to a file, for the owner's eyes only."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            replace_file(path, self.secret.hex().encode() + b"\n", PRIVATE)
        except OSError as error:
            raise KeyFileError(f"node key {path}: cannot be written: {error}") from None

    def sign(self, data: bytes) -> bytes:
        """Sign ``data``; 64 bytes, deterministic (RFC 8032)."""
        return self._private.sign(data)

    def certificate_pem(self) -> bytes:
        """Secret key and self-signed certificate, as TLS libraries want them: two PEM blocks in one file."""
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "horoi node")])
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(self._private.public_key())
            .serial_number(1)
            .not_valid_before(_NOT_BEFORE)
            .not_valid_after(_NOT_AFTER)
            .sign(self._private, None)
        )
        secret = self._private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return secret + certificate.public_bytes(serialization.Encoding.PEM)

    def __repr__(self) -> str:
        return f"NodeKey(node_id={self.node_id.hex()})"


__all__ = [
    "NODE_KEY_SIZE_BYTES",
    "NODE_SIGNATURE_SIZE_BYTES",
    "NodeKey",
    "may_be_node_key",
    "node_id_of",
    "verify_node",
]
