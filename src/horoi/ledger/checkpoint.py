"""Checkpoints: what a witness signs of a chain, in the form of transparency logs (C2SP tlog-checkpoint, tlog-cosignature).

The log of a network is the list of its encoded headers, from the genesis on; its tree is that of RFC 9162. So a checkpoint of
size n names one chain of n headers, an inclusion path shows that a header is on it, and a consistency path that a later
checkpoint goes on from an earlier one. The origin line is ``horoi/`` and the network's id in hexadecimal.

    horoi/<network id>            a cosignature is Ed25519 over     cosignature/v1
    <size>                                                          time <seconds since 1970>
    <base64 of the root>                                            <the three lines>

    -- <name> <base64 of key id || time (8 bytes) || signature>     (with an em dash; key id: tlog-cosignature, type 0x04)

Nobody operates the log, so there is no operator's signature: a note is as good as the witnesses that the reader chose.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Sequence
from typing import NamedTuple

from horoi.base.ed25519 import NODE_KEY_SIZE_BYTES, NODE_SIGNATURE_SIZE_BYTES, may_be_node_key, node_id_of, verify_node
from horoi.base.errors import DecodeError
from horoi.ledger.merkle import HASH_SIZE_BYTES

ORIGIN_PREFIX = "horoi/"
COSIGNATURE_TYPE = b"\x04"  # C2SP signed-note, "Signature types": timestamped Ed25519 witness cosignatures
KEY_ID_SIZE_BYTES = 4
TIME_SIZE_BYTES = 8
MAX_TIME_S = 2**63 - 1  # tlog-cosignature, "Format"
MAX_COSIGNATURES = 16  # C2SP signed-note: verifiers accept at least so many
MAX_NAME_LENGTH = 100  # a guess
MAX_VKEY_LENGTH = 200
MAX_NOTE_SIZE_BYTES = 8_000  # three lines, and 16 of at most 300 bytes
MAX_ANY_NOTE_SIZE_BYTES = (
    200_000  # with signatures of other kinds: post-quantum ones have "nearly 5kB" (signed-note, "Format")
)
MAX_ANY_SIGNATURES = 64  # a guess
DASH = "\u2014"


class Checkpoint(NamedTuple):
    """The first ``size`` headers of a network's chain, by the root over them."""

    network: bytes
    size: int
    root: bytes

    @property
    def text(self) -> str:
        """The body of the note."""
        return f"{ORIGIN_PREFIX}{self.network.hex()}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


class VerifierKey(NamedTuple):
    """A witness: its name and its Ed25519 key. As text: ``name+key id+base64`` (C2SP signed-note, "Verifier keys")."""

    name: str
    public: bytes

    @property
    def key_id(self) -> bytes:
        data = self.name.encode() + b"\n" + COSIGNATURE_TYPE + self.public
        return hashlib.sha256(data).digest()[:KEY_ID_SIZE_BYTES]

    def __str__(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{base64.b64encode(COSIGNATURE_TYPE + self.public).decode()}"


class Cosignature(NamedTuple):
    """One witness's statement about a checkpoint: at ``time_s`` this was the largest that it had seen."""

    key: VerifierKey
    time_s: int
    signature: bytes


def witness_key(public: bytes) -> VerifierKey:
    """The name and key under which a node is a witness."""
    return VerifierKey(f"horoi-node/{node_id_of(public).hex()[:16]}", public)


def read_verifier_key(text: str) -> VerifierKey:
    """A witness's key from its text form; DecodeError says what is wrong."""
    name, _, rest = text.partition("+")
    key_id, _, encoded = rest.partition("+")
    data = _unbase64(encoded, "verifier key")
    if not _is_name(name) or data[:1] != COSIGNATURE_TYPE or len(data) != 1 + NODE_KEY_SIZE_BYTES:
        raise DecodeError("verifier key: it reads name+key id+base64, of a timestamped Ed25519 witness (type 04)")
    key = VerifierKey(name, data[1:])
    if not may_be_node_key(key.public):
        raise DecodeError(f"verifier key {name}: no Ed25519 key that a secret belongs to")
    if str(key) != text:
        raise DecodeError(f"verifier key {name}: its key id is {key.key_id.hex()}, not {key_id[:20]}")
    return key


def signed_message(checkpoint: Checkpoint, time_s: int) -> bytes:
    """What a cosignature covers."""
    return f"cosignature/v1\ntime {time_s}\n{checkpoint.text}".encode()


def is_valid(checkpoint: Checkpoint, cosignature: Cosignature) -> bool:
    """True if the witness signed this."""
    message = signed_message(checkpoint, cosignature.time_s)
    return verify_node(cosignature.key.public, message, cosignature.signature)


def write_note(checkpoint: Checkpoint, cosignatures: Sequence[Cosignature]) -> str:
    """The signed note."""
    lines = []
    for made in cosignatures:
        blob = made.key.key_id + made.time_s.to_bytes(TIME_SIZE_BYTES, "big") + made.signature
        lines.append(f"{DASH} {made.key.name} {base64.b64encode(blob).decode()}\n")
    return checkpoint.text + "\n" + "".join(lines)


class Note(NamedTuple):
    """A signed note that was read, its signatures not yet checked: (name, key id, time, signature) each."""

    checkpoint: Checkpoint
    signatures: tuple[tuple[str, bytes, int, bytes], ...]

    def by(self, key: VerifierKey) -> Cosignature | None:
        """The cosignature of this witness, if there is one; checked by nobody."""
        for name, key_id, time_s, signature in self.signatures:
            if name == key.name and key_id == key.key_id:
                return Cosignature(key, time_s, signature)
        return None


def read_note(text: str) -> Note:
    """A note of this module's one form, as nodes and proofs have it; DecodeError says what is wrong."""
    checkpoint, lines = _split(text, MAX_NOTE_SIZE_BYTES)
    if len(lines) > MAX_COSIGNATURES:
        raise DecodeError(f"checkpoint: {len(lines)} signatures, at most {MAX_COSIGNATURES} are read")
    return Note(checkpoint, tuple(map(_signature, lines)))


def read_any_note(text: str) -> Note:
    """A checkpoint of a network as any program of C2SP may have written it on. Signatures of other kinds are passed over, as
    verifiers must ignore those of keys that they do not know (C2SP signed-note, "Signatures")."""
    checkpoint, lines = _split(text, MAX_ANY_NOTE_SIZE_BYTES)
    if len(lines) > MAX_ANY_SIGNATURES:
        raise DecodeError(f"checkpoint: {len(lines)} signatures, at most {MAX_ANY_SIGNATURES} are read")
    return Note(checkpoint, tuple(_signature(line) for line in lines if _is_cosignature(line)))


def _split(text: str, max_size_bytes: int) -> tuple[Checkpoint, list[str]]:
    """The checkpoint, and the lines of signatures."""
    body, found, rest = text.partition("\n\n")
    lines = body.split("\n")
    if not found or len(lines) != 3 or len(text.encode("utf-8", "replace")) > max_size_bytes:
        raise DecodeError("checkpoint: three lines, an empty one, then signatures")
    checkpoint = Checkpoint(_network(lines[0]), _size(lines[1]), _unbase64(lines[2], "checkpoint root"))
    if len(checkpoint.root) != HASH_SIZE_BYTES:
        raise DecodeError(f"checkpoint: a root of {len(checkpoint.root)} bytes, it has {HASH_SIZE_BYTES}")
    if rest and not rest.endswith("\n"):
        raise DecodeError("checkpoint: the last line does not end")
    return checkpoint, rest.split("\n")[:-1]


def _network(line: str) -> bytes:
    name = line.removeprefix(ORIGIN_PREFIX)
    if name == line or len(name) != 2 * HASH_SIZE_BYTES or any(letter not in "0123456789abcdef" for letter in name):
        raise DecodeError(f"checkpoint: the origin {line[:80]!r} is not {ORIGIN_PREFIX} and a network's id")
    return bytes.fromhex(name)


def _size(line: str) -> int:
    if not (line.isascii() and line.isdigit() and len(line) <= 10 and str(int(line)) == line and int(line) > 0):
        raise DecodeError(f"checkpoint: {line[:20]!r} is no number of headers")
    return int(line)


def _is_cosignature(line: str) -> bool:
    """True if the line has the size of a timestamped Ed25519 cosignature; DecodeError if it is no signature at all."""
    blob = _unbase64(line.rpartition(" ")[2], "signature")
    return len(blob) == KEY_ID_SIZE_BYTES + TIME_SIZE_BYTES + NODE_SIGNATURE_SIZE_BYTES


def _signature(line: str) -> tuple[str, bytes, int, bytes]:
    dash, _, rest = line.partition(" ")
    name, _, encoded = rest.partition(" ")
    blob = _unbase64(encoded, "cosignature")
    if dash != DASH or not _is_name(name):
        raise DecodeError(f"checkpoint: {line[:40]!r} is no signature line")
    if len(blob) != KEY_ID_SIZE_BYTES + TIME_SIZE_BYTES + NODE_SIGNATURE_SIZE_BYTES:
        raise DecodeError(f"checkpoint: the signature of {name} is no timestamped Ed25519 cosignature")
    time_s = int.from_bytes(blob[KEY_ID_SIZE_BYTES : KEY_ID_SIZE_BYTES + TIME_SIZE_BYTES], "big")
    if time_s > MAX_TIME_S:
        raise DecodeError(f"checkpoint: the signature of {name} has a time over 2**63")
    return name, blob[:KEY_ID_SIZE_BYTES], time_s, blob[KEY_ID_SIZE_BYTES + TIME_SIZE_BYTES :]


def _is_name(name: str) -> bool:
    return 0 < len(name) <= MAX_NAME_LENGTH and name.isprintable() and not any(c.isspace() or c == "+" for c in name)


def _unbase64(text: str, what: str) -> bytes:
    """Decode strictly: what decodes is written again the same."""
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except (ValueError, binascii.Error):
        raise DecodeError(f"{what}: not base64") from None
    if base64.b64encode(data).decode() != text:
        raise DecodeError(f"{what}: not the one base64 form of what it says")
    return data
