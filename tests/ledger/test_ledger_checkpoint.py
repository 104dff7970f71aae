"""Checkpoints and cosignatures, in the form of C2SP's notes; the log of headers under them."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from horoi.base.codec import encode
from horoi.base.errors import DecodeError
from horoi.ledger.block import Header
from horoi.ledger.checkpoint import (
    DASH,
    Checkpoint,
    Cosignature,
    VerifierKey,
    is_valid,
    read_any_note,
    read_note,
    read_verifier_key,
    signed_message,
    witness_key,
    write_note,
)
from horoi.ledger.header_log import GROUP, HeaderLog
from horoi.ledger.merkle import leaf_hash, merkle_root, verify_inclusion
from horoi.world.live.node_key import NodeKey

NETWORK = bytes(range(32))
PAIR = NodeKey(bytes([3]) * 32)
KEY = witness_key(PAIR.public)
CHECKPOINT = Checkpoint(NETWORK, 17, bytes([5]) * 32)


def cosigned(time_s: int = 1_679_315_147) -> Cosignature:
    return Cosignature(KEY, time_s, PAIR.sign(signed_message(CHECKPOINT, time_s)))


def test_the_signed_message_is_that_of_the_specification() -> None:
    root = base64.b64encode(CHECKPOINT.root).decode()
    assert signed_message(CHECKPOINT, 7) == f"cosignature/v1\ntime 7\nhoroi/{NETWORK.hex()}\n17\n{root}\n".encode()


def test_a_cosignature_of_the_specifications_form_is_valid() -> None:
    """The key id of C2SP tlog-cosignature: SHA-256(name, line break, 04, key), its first four bytes."""
    import hashlib

    key = VerifierKey("witness.example.com/w1", PAIR.public)
    assert key.key_id == hashlib.sha256(b"witness.example.com/w1\n\x04" + PAIR.public).digest()[:4]
    assert read_verifier_key(str(key)) == key


def test_a_note_goes_there_and_back() -> None:
    note = read_note(write_note(CHECKPOINT, [cosigned()]))
    assert note.checkpoint == CHECKPOINT
    made = note.by(KEY)
    assert made is not None
    assert made == cosigned()
    assert is_valid(note.checkpoint, made)
    assert note.by(VerifierKey("other", PAIR.public)) is None


def test_signatures_of_other_kinds_are_passed_over_where_a_note_may_have_them() -> None:
    """C2SP signed-note: "Verifiers MUST ignore signatures from unknown keys"; a post-quantum one has some 3,300 bytes."""
    others = [f"{DASH} example.com/{size} {base64.b64encode(bytes(4 + size)).decode()}\n" for size in (64, 72, 3309)]
    head, _, own = write_note(CHECKPOINT, [cosigned()]).partition("\n\n")
    text = f"{head}\n\n{others[0]}{others[2]}{own}{others[1]}"
    made = read_any_note(text).by(KEY)
    assert made is not None
    assert is_valid(CHECKPOINT, made)
    for malformed in (f"{text}{DASH} example.com\n", f"{text}nothing\n", f"{head}\n\n" + 65 * others[0]):
        with pytest.raises(DecodeError):
            read_any_note(malformed)
    with pytest.raises(DecodeError):
        read_note(text)


@given(st.integers(0, 10**6), st.characters())
def test_a_changed_note_is_refused_or_not_valid(at: int, letter: str) -> None:
    text = write_note(CHECKPOINT, [cosigned()])
    at %= len(text)
    changed = text[:at] + letter + text[at + 1 :]
    if changed == text:
        return
    try:
        note = read_note(changed)
    except DecodeError:
        return
    made = note.by(KEY)
    assert made is None or not is_valid(note.checkpoint, made)


@given(st.text(max_size=200))
def test_any_text_is_a_note_or_refused(text: str) -> None:
    for read in (read_note, read_verifier_key):
        with pytest.raises(DecodeError):
            read(text)


@pytest.mark.parametrize("text", ["", "a+b", f"x y+00000000+{'A' * 44}", str(KEY).replace("+", "+0", 1)])
def test_a_verifier_key_has_one_form(text: str) -> None:
    with pytest.raises(DecodeError):
        read_verifier_key(text)


def test_a_key_that_needs_no_secret_is_no_witness() -> None:
    with pytest.raises(DecodeError, match="no Ed25519 key"):
        read_verifier_key(str(VerifierKey("easy", bytes(31) + b"\x80")))


def header(height: int) -> Header:
    return Header(height, bytes(32), bytes(32), bytes(32), height, 1, bytes(8))


@pytest.mark.parametrize("size", [1, 2, GROUP - 1, GROUP, GROUP + 1, 2 * GROUP, 3 * GROUP + 7])
def test_the_log_is_the_tree_of_rfc_9162(size: int) -> None:
    log = HeaderLog(header)
    root = log.root(size)
    assert root == merkle_root([encode(header(height)) for height in range(size)])
    for height in {0, 1 % size, size // 2, size - 1}:
        assert verify_inclusion(leaf_hash(encode(header(height))), height, size, log.path(height, size), root)


def test_a_log_forgets_what_was_taken_back() -> None:
    """A reorganisation exchanges headers from a height on."""
    changed: dict[int, Header] = {}
    log = HeaderLog(lambda height: changed.get(height, header(height)))
    log.root(3 * GROUP)
    changed[GROUP + 3] = Header(GROUP + 3, bytes(32), bytes(32), bytes(32), 1, 2, bytes(8))
    log.forget(GROUP + 3)
    fresh = HeaderLog(lambda height: changed.get(height, header(height)))
    assert log.root(3 * GROUP) == fresh.root(3 * GROUP)
