"""The handshake of two nodes over datagrams: four of them, after SIGMA (Krawczyk 2003) with a cookie (RFC 9147, section 5.1).

    HELLO   initiator  0x01 | context 8 | session 8 | ephemeral 32 | padding 15                              64 bytes
    COOKIE  responder  0x02 | session 8 | cookie 16 | ephemeral 32                                           57
    PROVE   initiator  0x03 | context 8 | session 8 | ephemeral 32 | responder's ephemeral 32 | cookie 16
                            | node key 32 | signature 64                                                    193
    ACCEPT  responder  0x04 | session 8 | responder's session 8 | node key 32 | signature 64                113

*No amplification*: every answer is shorter than its question, and the responder keeps nothing and computes nothing dear
before the cookie came back, which only who receives at the address can bring. *No impersonation*: each end signs both
ephemeral keys; the responder signs both node keys too. *No transplant*: ``context`` is a hash of the network's id and of what
is spoken, and is under both signatures and in the keys; so are both node keys. *No key twice*: the session's names are
in the keys, and the responder's is new for every session, so a proof that comes again after its session was forgotten makes
other keys, and no counter (which is the nonce) begins again under the same one.

The responder's ephemeral key is one for all handshakes of two minutes, so that it need not be kept per stranger.
"""

from __future__ import annotations

from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from horoi.base.hashing import tagged
from horoi.world.live.node_key import NodeKey, verify_node
from horoi.world.live.secure_session import SESSION_ID_BYTES

HELLO, COOKIE, PROVE, ACCEPT, UNKNOWN = 0x01, 0x02, 0x03, 0x04, 0x06
CONTEXT_TAG_BYTES = 8
KEY_BYTES = 32
COOKIE_BYTES = 16
SIGNATURE_BYTES = 64
HELLO_BYTES = 64  # padded, so that the cookie is shorter
COOKIE_DATAGRAM_BYTES = 1 + SESSION_ID_BYTES + COOKIE_BYTES + KEY_BYTES
PROVE_BYTES = 1 + CONTEXT_TAG_BYTES + SESSION_ID_BYTES + 2 * KEY_BYTES + COOKIE_BYTES + KEY_BYTES + SIGNATURE_BYTES
ACCEPT_BYTES = 1 + 2 * SESSION_ID_BYTES + KEY_BYTES + SIGNATURE_BYTES

_INITIATOR = b"horoi/datagram/1 initiator"
_RESPONDER = b"horoi/datagram/1 responder"
_KEYS = b"horoi/datagram/1 keys"
_context = tagged("horoi/datagram/context")


def context_of(network_id: bytes, speech: str) -> bytes:
    """What a session is about: a network, and what is spoken in it. 32 bytes."""
    return _context(network_id + speech.encode())


class Hello(NamedTuple):
    """Fields of HELLO."""

    session: bytes
    ephemeral: bytes

    def pack(self, context: bytes) -> bytes:
        head = bytes([HELLO]) + context[:CONTEXT_TAG_BYTES] + self.session + self.ephemeral
        return head.ljust(HELLO_BYTES, b"\0")

    @classmethod
    def unpack(cls, data: bytes, context: bytes) -> Hello | None:
        if len(data) != HELLO_BYTES or data[1:9] != context[:CONTEXT_TAG_BYTES]:
            return None
        return cls(data[9:17], data[17:49])


class Cookie(NamedTuple):
    """Fields of COOKIE."""

    session: bytes
    cookie: bytes
    ephemeral: bytes

    def pack(self) -> bytes:
        return bytes([COOKIE]) + self.session + self.cookie + self.ephemeral

    @classmethod
    def unpack(cls, data: bytes) -> Cookie | None:
        if len(data) != COOKIE_DATAGRAM_BYTES:
            return None
        return cls(data[1:9], data[9:25], data[25:57])


class Prove(NamedTuple):
    """Fields of PROVE."""

    session: bytes
    ephemeral: bytes
    responder_ephemeral: bytes
    cookie: bytes
    public: bytes
    signature: bytes

    def pack(self, context: bytes) -> bytes:
        return bytes([PROVE]) + context[:CONTEXT_TAG_BYTES] + b"".join(self)

    @classmethod
    def unpack(cls, data: bytes, context: bytes) -> Prove | None:
        if len(data) != PROVE_BYTES or data[1:9] != context[:CONTEXT_TAG_BYTES]:
            return None
        return cls(data[9:17], data[17:49], data[49:81], data[81:97], data[97:129], data[129:193])

    def is_signed(self, context: bytes) -> bool:
        """Whether the initiator holds the node key that it names."""
        return verify_node(self.public, self._signed(context), self.signature)

    def sign(self, key: NodeKey, context: bytes) -> Prove:
        """The same, signed."""
        return self._replace(signature=key.sign(self._signed(context)))

    def _signed(self, context: bytes) -> bytes:
        return _INITIATOR + context + self.ephemeral + self.responder_ephemeral + self.public


class Accept(NamedTuple):
    """Fields of ACCEPT."""

    session: bytes
    responder_session: bytes
    public: bytes
    signature: bytes

    def pack(self) -> bytes:
        return bytes([ACCEPT]) + b"".join(self)

    @classmethod
    def unpack(cls, data: bytes) -> Accept | None:
        if len(data) != ACCEPT_BYTES:
            return None
        return cls(data[1:9], data[9:17], data[17:49], data[49:113])

    def sign(self, key: NodeKey, prove: Prove, context: bytes) -> Accept:
        """The same, signed as the answer to ``prove``."""
        return self._replace(signature=key.sign(self._signed(prove, context)))

    def is_signed(self, prove: Prove, context: bytes) -> bool:
        """Whether it answers ``prove`` and the responder holds the node key that it names."""
        return verify_node(self.public, self._signed(prove, context), self.signature)

    def _signed(self, prove: Prove, context: bytes) -> bytes:
        ids = self.session + self.responder_session
        return _RESPONDER + context + ids + prove.ephemeral + prove.responder_ephemeral + prove.public + self.public


class Keys(NamedTuple):
    """One key for each direction."""

    from_initiator: bytes
    from_responder: bytes


def derive_keys(own: X25519PrivateKey, other: bytes, prove: Prove, accept: Accept, context: bytes) -> Keys | None:
    """The keys of a session; None if the other's ephemeral key is none (a point of small order, RFC 7748, section 6.1)."""
    try:
        shared = own.exchange(X25519PublicKey.from_public_bytes(other))
    except ValueError:
        return None
    ids = accept.session + accept.responder_session
    info = _KEYS + ids + prove.ephemeral + prove.responder_ephemeral + prove.public + accept.public
    both = HKDF(SHA256(), 2 * KEY_BYTES, salt=context, info=info).derive(shared)
    return Keys(both[:KEY_BYTES], both[KEY_BYTES:])
