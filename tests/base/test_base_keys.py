"""Signatures are BIP 340's, and nothing malformed is an exception."""

from __future__ import annotations

import csv

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.base.vectors import vectors

from horoi.base.errors import KeyFileError
from horoi.base.keys import KeyPair, is_public_key, verify

ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141  # of secp256k1's group, SEC 2


def test_bip340_vectors() -> None:
    with vectors("bip340.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 19
    for row in rows:
        public, message = bytes.fromhex(row["public key"]), bytes.fromhex(row["message"])
        signature = bytes.fromhex(row["signature"])
        assert verify(public, message, signature) is (row["verification result"] == "TRUE"), row["index"]
        if row["secret key"]:
            pair = KeyPair(bytes.fromhex(row["secret key"]))
            assert pair.public == public
            if len(message) == 32:
                assert pair.sign(message, bytes.fromhex(row["aux_rand"])) == signature, row["index"]
    off_curve = [row for row in rows if "not on the curve" in row["comment"] and "public key" in row["comment"]]
    assert off_curve
    for row in off_curve:
        assert not is_public_key(bytes.fromhex(row["public key"]))


@given(st.binary(max_size=40), st.binary(max_size=40), st.binary(max_size=70))
@settings(deadline=None, max_examples=100)
def test_verify_never_raises(public: bytes, digest: bytes, signature: bytes) -> None:
    assert verify(public, digest, signature) is False


@given(st.integers(1, ORDER - 1), st.binary(min_size=32, max_size=32), st.integers(0, 64 * 8 - 1))
@settings(deadline=None, max_examples=50)
def test_a_signature_is_of_one_key_and_one_digest(secret: int, digest: bytes, bit: int) -> None:
    pair = KeyPair(secret.to_bytes(32, "big"))
    signature = pair.sign(digest)
    assert verify(pair.public, digest, signature)
    assert is_public_key(pair.public)
    changed = bytearray(signature)
    changed[bit // 8] ^= 1 << bit % 8
    assert not verify(pair.public, digest, bytes(changed))
    other = bytearray(digest)
    other[bit % 32] ^= 1
    assert not verify(pair.public, bytes(other), signature)


@pytest.mark.parametrize("secret", [b"", bytes(31), bytes(33), bytes(32), ORDER.to_bytes(32, "big"), b"\xff" * 32])
def test_what_is_no_secret_is_refused(secret: bytes) -> None:
    with pytest.raises(KeyFileError):
        KeyPair(secret)


def test_a_secret_is_not_printed() -> None:
    pair = KeyPair(bytes(31) + b"\x07")
    assert pair.secret == bytes(31) + b"\x07"
    assert pair.secret.hex() not in repr(pair)


def test_lengths_of_public_keys() -> None:
    assert not is_public_key(b"")
    assert not is_public_key(KeyPair(bytes(31) + b"\x01").public + b"\x00")
