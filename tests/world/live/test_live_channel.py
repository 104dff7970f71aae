"""The handshake, without a socket: who is believed, and who is not."""

from __future__ import annotations

import datetime
import os
import ssl
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import given, settings
from hypothesis import strategies as st

from horoi.base.errors import HoroiError, KeyFileError
from horoi.world.live.channel import (
    ANSWER_SIZE_BYTES,
    DialerHandshake,
    HandshakeError,
    ListenerHandshake,
    Refusal,
    dialer_context,
    key_of_certificate,
    listener_context,
)
from horoi.world.live.frames import ControlKind, control_frame
from horoi.world.live.node_key import NodeKey, may_be_node_key, node_id_of

NETWORK, OTHER_NETWORK = b"n" * 32, b"o" * 32
CHALLENGE = bytes(range(32))
ALICE, BOB, MALLORY = (NodeKey(bytes([n]) * 32) for n in (1, 2, 3))  # Alice listens, Bob dials


def payload(framed: bytes) -> bytes:
    return framed[4:]


def listener(key: NodeKey = ALICE, network: bytes = NETWORK, challenge: bytes = CHALLENGE) -> ListenerHandshake:
    return ListenerHandshake(key, network, challenge)


def dialer(listener_key: bytes = ALICE.public, expect: bytes | None = None) -> DialerHandshake:
    return DialerHandshake(BOB, NETWORK, listener_key, expect)


def test_both_are_who_they_say() -> None:
    alice, bob = listener(), dialer(expect=ALICE.node_id)
    answer = bob.receive(alice.challenge)
    assert answer is not None
    assert alice.receive(answer) == BOB.public
    bob.check_verdict(payload(alice.accepted()))


@given(st.integers(0, 32), st.integers(0, ANSWER_SIZE_BYTES))
@settings(deadline=None)
def test_the_stream_may_be_cut_anywhere(first: int, second: int) -> None:
    alice, bob = listener(), dialer()
    parts = (
        [bob.receive(CHALLENGE[:first]), bob.receive(CHALLENGE[first:])] if 0 < first < 32 else [bob.receive(CHALLENGE)]
    )
    assert parts[:-1] == [None] * (len(parts) - 1)
    answer = parts[-1]
    assert answer is not None
    if 0 < second < ANSWER_SIZE_BYTES:
        assert alice.receive(answer[:second]) is None
        assert alice.receive(answer[second:]) == BOB.public
    else:
        assert alice.receive(answer) == BOB.public


def test_the_dialer_refuses_another_than_it_dialed() -> None:
    with pytest.raises(
        HandshakeError, match=f"the listener is node {MALLORY.node_id.hex()}, not {ALICE.node_id.hex()}"
    ):
        dialer(MALLORY.public, expect=ALICE.node_id)


def test_the_dialer_refuses_itself() -> None:
    with pytest.raises(HandshakeError, match="own"):
        dialer(BOB.public)


def test_another_network_is_refused_and_named() -> None:
    alice, bob = listener(network=OTHER_NETWORK), dialer()
    answer = bob.receive(alice.challenge)
    assert answer is not None
    with pytest.raises(HandshakeError, match="another network"):
        alice.receive(answer)
    with pytest.raises(HandshakeError, match=f"another network: the listener is of {OTHER_NETWORK.hex()}"):
        bob.check_verdict(payload(alice.refused(Refusal.BAD_ANSWER)))


def test_a_relayed_signature_is_refused() -> None:
    """Mallory listens, passes Alice's challenge to Bob, and Bob's answer to Alice: it names Mallory."""
    alice = listener()
    answer = dialer(MALLORY.public).receive(alice.challenge)
    assert answer is not None
    with pytest.raises(HandshakeError, match="signature is wrong"):
        alice.receive(answer)


def test_a_replayed_signature_is_refused() -> None:
    answer = dialer().receive(CHALLENGE)
    assert answer is not None
    with pytest.raises(HandshakeError, match="signature is wrong"):
        listener(challenge=os.urandom(32)).receive(answer)


def test_another_key_over_the_same_signature_is_refused() -> None:
    answer = dialer().receive(CHALLENGE)
    assert answer is not None
    with pytest.raises(HandshakeError, match="signature is wrong"):
        listener().receive(MALLORY.public + answer[32:])


@given(st.binary(min_size=ANSWER_SIZE_BYTES, max_size=200))
@settings(deadline=None)
def test_garbage_is_refused(data: bytes) -> None:
    with pytest.raises(HandshakeError):
        listener().receive(data)


SMALL_ORDER_Y = [  # the five y of order 1, 2, 4 and 8, and the two of them that have a second spelling (y + p)
    0,
    1,
    2**255 - 20,
    2**255 - 19,
    2**255 - 18,
    int.from_bytes(bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"), "little"),
    int.from_bytes(bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"), "little"),
]


@pytest.mark.parametrize("y", SMALL_ORDER_Y)
@pytest.mark.parametrize("sign", [0, 1])
def test_a_key_that_needs_no_secret_is_refused(y: int, sign: int) -> None:
    """OpenSSL verifies a signature of zeros under the point of order 4 for one message in four."""
    key = (y | sign << 255).to_bytes(32, "little")
    assert not may_be_node_key(key)
    for n in range(16):
        with pytest.raises(HandshakeError, match="signature is wrong"):
            listener(challenge=bytes([n]) * 32).receive(key + bytes(64))


@given(st.binary(min_size=32, max_size=32))
@settings(deadline=None)
def test_every_real_key_may_be_a_node_key(secret: bytes) -> None:
    assert may_be_node_key(NodeKey(secret).public)


def test_nobody_speaks_out_of_turn() -> None:
    answer = dialer().receive(CHALLENGE)
    assert answer is not None
    with pytest.raises(HandshakeError, match="more than its answer"):
        listener().receive(answer + b"x")
    with pytest.raises(HandshakeError, match="more than its challenge"):
        dialer().receive(CHALLENGE + b"x")


@pytest.mark.parametrize("why", list(Refusal))
def test_every_refusal_has_words(why: Refusal) -> None:
    with pytest.raises(HandshakeError) as caught:
        dialer().check_verdict(payload(listener().refused(why)))
    assert "network" not in str(caught.value)
    assert " " in str(caught.value)


@given(st.binary(min_size=1, max_size=80))
@settings(deadline=None)
def test_a_garbage_verdict_is_refused(data: bytes) -> None:
    if data == payload(listener().accepted()):
        return
    with pytest.raises(HoroiError):
        dialer().check_verdict(data)


def test_an_unknown_refusal_is_refused() -> None:
    with pytest.raises(HandshakeError, match="number 99"):
        dialer().check_verdict(payload(control_frame(ControlKind.REFUSED, bytes([99]) + NETWORK)))


@pytest.mark.parametrize("size", [0, 31, 33])
def test_sizes_are_checked(size: int) -> None:
    with pytest.raises(ValueError, match="network id has 32 bytes"):
        listener(network=bytes(size))
    with pytest.raises(ValueError, match="challenge has 32 bytes"):
        listener(challenge=bytes(size))
    with pytest.raises(KeyFileError):
        NodeKey(bytes(size))


def tls_in_memory(server: ssl.SSLContext) -> ssl.SSLObject:
    """Let the two contexts shake hands over memory; return the dialer's side."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    client_tls = dialer_context().wrap_bio(to_client, to_server)
    server_tls = server.wrap_bio(to_server, to_client, server_side=True)
    waiting = [client_tls, server_tls]
    for _ in range(10):
        for side in list(waiting):
            try:
                side.do_handshake()
                waiting.remove(side)
            except ssl.SSLWantReadError:
                pass
    assert not waiting
    return client_tls


def test_tls_shows_the_listeners_key_and_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    client = tls_in_memory(listener_context(ALICE))
    assert key_of_certificate(client.getpeercert(binary_form=True)) == ALICE.public
    assert client.version() == "TLSv1.3"
    assert list(tmp_path.iterdir()) == []


def test_older_tls_is_refused() -> None:
    old = listener_context(ALICE)
    old.minimum_version = ssl.TLSVersion.TLSv1_2
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises(ssl.SSLError):
        tls_in_memory(old)


def certificate_of_another_kind() -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "x")])
    day = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
    builder = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
    )
    certificate = builder.not_valid_before(day).not_valid_after(day).sign(key, hashes.SHA256())
    return certificate.public_bytes(serialization.Encoding.DER)


def test_only_an_ed25519_certificate_names_a_node() -> None:
    with pytest.raises(HandshakeError, match="no Ed25519 key"):
        key_of_certificate(certificate_of_another_kind())
    with pytest.raises(HandshakeError, match="no certificate"):
        key_of_certificate(None)
    with pytest.raises(HandshakeError, match="cannot be read"):
        key_of_certificate(b"garbage")


def test_a_node_key_survives_in_its_file(tmp_path: Path) -> None:
    path = tmp_path / "node" / "key"
    made = NodeKey.generate()
    made.keep(path)
    assert path.stat().st_mode & 0o777 == 0o600
    again = NodeKey.load(path)
    assert again.node_id == made.node_id == node_id_of(made.public)
    assert made.secret.hex() not in repr(made)
    path.write_text("not a key")
    with pytest.raises(KeyFileError, match="64 hexadecimal letters"):
        NodeKey.load(path)
