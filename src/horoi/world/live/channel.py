"""The channel between two nodes: who is at the other end, and of which network. Bytes in, bytes out, no socket.

TLS 1.3 gives secrecy and proves the *listener*: its certificate is self-signed by its node key, and in TLS 1.3 the
listener signs the handshake with the certificate's key (RFC 8446 section 4.4.3), which the dialer's library checks even
where it checks no certificate chain. So the dialer reads the key out of the certificate and refuses any but the one it
dialed. Then, inside TLS:

    listener -> dialer   32 fresh random bytes, the challenge
    dialer -> listener   its node key (32) and its signature (64) over
                         "horoi/dialer/1" || network id || challenge || listener's key || dialer's key
    listener -> dialer   control frame ACCEPTED, or REFUSED with why

Nothing else is read or sent before. The challenge defeats replay; naming the listener defeats relaying (a listener that
passes another's challenge on gets a signature that names *it*, useless elsewhere); the network's id keeps ledgers apart.
The signature is exactly over fixed sizes, so no two different inputs make the same bytes. A refusal names the listener's
network, so the dialer can tell "another network" from "a bad signature".
"""

from __future__ import annotations

import os
import ssl
import tempfile
from enum import IntEnum

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from horoi.base.errors import NetworkError
from horoi.world.live.frames import ControlKind, control_frame, is_control, open_control
from horoi.world.live.node_key import (
    NODE_KEY_SIZE_BYTES,
    NODE_SIGNATURE_SIZE_BYTES,
    NodeKey,
    may_be_node_key,
    node_id_of,
    verify_node,
)

CHALLENGE_SIZE_BYTES = 32
NETWORK_ID_SIZE_BYTES = 32
ANSWER_SIZE_BYTES = NODE_KEY_SIZE_BYTES + NODE_SIGNATURE_SIZE_BYTES

_PURPOSE = b"horoi/dialer/1"


class HandshakeError(NetworkError):
    """The other end is not who it should be. The message is one clear phrase."""


class Refusal(IntEnum):
    """Why a listener refuses; one byte on the wire."""

    BAD_ANSWER = 1
    SELF = 2
    FULL = 3
    DUPLICATE = 4


_REFUSAL_TEXTS = {
    Refusal.BAD_ANSWER: "the listener could not verify this node's signature",
    Refusal.SELF: "the address is this node's own",
    Refusal.FULL: "the listener has no room for another link; try again later",
    Refusal.DUPLICATE: "already linked to this node",
}


def check_network_id(network_id: bytes) -> bytes:
    """Return ``network_id``; raise ValueError unless it has 32 bytes."""
    if len(network_id) != NETWORK_ID_SIZE_BYTES:
        raise ValueError(f"a network id has {NETWORK_ID_SIZE_BYTES} bytes, this one {len(network_id)}")
    return network_id


def _signed_bytes(network_id: bytes, challenge: bytes, listener_key: bytes, dialer_key: bytes) -> bytes:
    return _PURPOSE + network_id + challenge + listener_key + dialer_key


class ListenerHandshake:
    """The listener's side. Send ``challenge``, hand what comes to ``receive``, send ``accepted`` or ``refused``.

    ``challenge`` is 32 bytes, fresh and random for every link (``os.urandom``).
    """

    def __init__(self, key: NodeKey, network_id: bytes, challenge: bytes) -> None:
        if len(challenge) != CHALLENGE_SIZE_BYTES:
            raise ValueError(f"a challenge has {CHALLENGE_SIZE_BYTES} bytes, this one {len(challenge)}")
        self._key = key
        self._network_id = check_network_id(network_id)
        self.challenge = challenge
        self._received = b""

    def receive(self, data: bytes) -> bytes | None:
        """Take bytes; return the dialer's proven key, or None while more are needed; raise HandshakeError."""
        self._received += data
        if len(self._received) < ANSWER_SIZE_BYTES:
            return None
        if len(self._received) > ANSWER_SIZE_BYTES:
            raise HandshakeError("the dialer sent more than its answer before it was accepted")
        dialer_key = self._received[:NODE_KEY_SIZE_BYTES]
        signature = self._received[NODE_KEY_SIZE_BYTES:]
        signed = _signed_bytes(self._network_id, self.challenge, self._key.public, dialer_key)
        if not verify_node(dialer_key, signed, signature):
            raise HandshakeError("the dialer's signature is wrong: another network, or not the owner of its key")
        return dialer_key

    def accepted(self) -> bytes:
        """The frame that ends the handshake well."""
        return control_frame(ControlKind.ACCEPTED)

    def refused(self, why: Refusal) -> bytes:
        """The frame that says why not, and which network this is."""
        return control_frame(ControlKind.REFUSED, bytes((why,)) + self._network_id)


class DialerHandshake:
    """The dialer's side, from the moment that TLS has proven ``listener_key``.

    Raises HandshakeError if that is this node itself, or not ``expect`` (a node id; None takes any).
    """

    def __init__(self, key: NodeKey, network_id: bytes, listener_key: bytes, expect: bytes | None = None) -> None:
        self._key = key
        self._network_id = check_network_id(network_id)
        self._listener_key = listener_key
        self._received = b""
        found = node_id_of(listener_key)
        if listener_key == key.public:
            raise HandshakeError("the address is this node's own")
        if expect is not None and found != expect:
            raise HandshakeError(f"the listener is node {found.hex()}, not {expect.hex()}")

    def receive(self, data: bytes) -> bytes | None:
        """Take bytes; return the answer to send (96 bytes), or None while more are needed; raise HandshakeError."""
        self._received += data
        if len(self._received) < CHALLENGE_SIZE_BYTES:
            return None
        if len(self._received) > CHALLENGE_SIZE_BYTES:
            raise HandshakeError("the listener sent more than its challenge before it had the answer")
        signed = _signed_bytes(self._network_id, self._received, self._listener_key, self._key.public)
        return self._key.public + self._key.sign(signed)

    def check_verdict(self, payload: bytes) -> None:
        """Take the payload of the first frame; return if accepted, raise HandshakeError with why not."""
        kind, body = open_control(payload) if is_control(payload) else (0, b"")
        if kind == ControlKind.ACCEPTED:
            return
        if kind != ControlKind.REFUSED or len(body) != 1 + NETWORK_ID_SIZE_BYTES:
            raise HandshakeError("the listener answered neither accepted nor refused")
        network_id = body[1:]
        if network_id != self._network_id:
            raise HandshakeError(
                f"another network: the listener is of {network_id.hex()}, this node of {self._network_id.hex()}"
            )
        try:
            why = Refusal(body[0])
        except ValueError:
            raise HandshakeError(f"the listener refused for a reason unknown here, number {body[0]}") from None
        raise HandshakeError(_REFUSAL_TEXTS[why])


def key_of_certificate(certificate_der: bytes | None) -> bytes:
    """The node key (32 bytes) in a listener's certificate; raise HandshakeError if it is not an Ed25519 key."""
    if not certificate_der:
        raise HandshakeError("the listener showed no certificate")
    try:
        public = x509.load_der_x509_certificate(certificate_der).public_key()
    except Exception as error:  # the library documents no closed list of what malformed input raises
        raise HandshakeError(f"the listener's certificate cannot be read ({type(error).__name__})") from None
    if not isinstance(public, Ed25519PublicKey):
        raise HandshakeError("the listener's certificate has no Ed25519 key; it is not a node of this kind")
    key = public.public_bytes_raw()
    if not may_be_node_key(key):
        raise HandshakeError("the listener's key is one that anybody can sign with (a point of small order)")
    return key


def listener_context(key: NodeKey) -> ssl.SSLContext:
    """TLS 1.3 for listening with ``key``.

    No session tickets: a resumed session would skip the proof. Python loads keys from files only, so the key lies for an
    instant in a file that only this user can read.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.num_tickets = 0
    handle, path = tempfile.mkstemp(prefix="horoi-", suffix=".pem")  # mode 0600
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(key.certificate_pem())
        context.load_cert_chain(path)
    finally:
        os.unlink(path)
    return context


def dialer_context() -> ssl.SSLContext:
    """TLS 1.3 for dialing: no chain and no host name is checked, because the node key itself is."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    return context
