"""A secret under a passphrase: Argon2id (RFC 9106) makes the key, ChaCha20-Poly1305 (RFC 8439) seals.

Argon2id makes each guess of a passphrase cost memory and time. The seal is authenticated: a wrong passphrase or a
changed byte, in the secret or in what stands openly beside it, is noticed and nothing is returned.
"""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from horoi.base.errors import KeyFileError

PASSPHRASE_VARIABLE = "HOROI_PASSPHRASE"
MAX_PASSPHRASE_SIZE_BYTES = 4_096  # a guess: longer ones are files given by mistake
SALT_SIZE_BYTES = 16  # RFC 9106 section 4
KEY_SIZE_BYTES = 32  # RFC 8439 section 2.8
NONCE_SIZE_BYTES = 12  # RFC 8439 section 2.8


class Argon2id(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The cost of one guess. Default: the second recommended option of RFC 9106 section 4 (64 MiB, about 0.2 s).

    The upper bounds are guesses: a key file from elsewhere must not be able to take the machine's memory.
    """

    passes: Annotated[int, Meta(ge=1, le=64)] = 3
    memory_kib: Annotated[int, Meta(ge=8, le=2**21)] = 2**16
    lanes: Annotated[int, Meta(ge=1, le=16)] = 4


DEFAULT_COST = Argon2id()


class Sealed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A sealed secret; bytes in hexadecimal."""

    argon2id: Argon2id
    salt: str
    nonce: str
    chacha20poly1305: str


def seal(secret: bytes, passphrase: str, beside: bytes, cost: Argon2id = DEFAULT_COST) -> Sealed:
    """Seal ``secret``; ``beside`` is what stands openly next to it and must not be changed either."""
    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

    salt, nonce = os.urandom(SALT_SIZE_BYTES), os.urandom(NONCE_SIZE_BYTES)
    box = ChaCha20Poly1305(_stretch(passphrase, salt, cost)).encrypt(nonce, secret, beside)
    return Sealed(cost, salt.hex(), nonce.hex(), box.hex())


def unseal(sealed: Sealed, passphrase: str, beside: bytes) -> bytes:
    """Open a seal; KeyFileError if the passphrase is wrong or anything was changed."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

    try:
        salt, nonce, box = (bytes.fromhex(text) for text in (sealed.salt, sealed.nonce, sealed.chacha20poly1305))
    except ValueError:
        raise KeyFileError(
            "the seal is damaged: not hexadecimal; restore the file from a copy or the mnemonic"
        ) from None
    if len(salt) != SALT_SIZE_BYTES or len(nonce) != NONCE_SIZE_BYTES:
        raise KeyFileError("the seal is damaged: salt or nonce is cut; restore the file from a copy or the mnemonic")
    try:
        return ChaCha20Poly1305(_stretch(passphrase, salt, sealed.argon2id)).decrypt(nonce, box, beside)
    except InvalidTag:
        raise KeyFileError(
            "wrong passphrase, or the file was changed; try again, or restore from a copy or the mnemonic"
        ) from None


def check_passphrase(passphrase: str) -> bytes:
    """The bytes of a passphrase, in one Unicode form whatever the keyboard (NFKD, as BIP 39). Refuses an empty one."""
    data = unicodedata.normalize("NFKD", passphrase).encode("utf-8", "surrogatepass")
    if not data:
        raise KeyFileError("the passphrase is empty; choose one, or ask for no passphrase explicitly")
    if len(data) > MAX_PASSPHRASE_SIZE_BYTES:
        raise KeyFileError(f"a passphrase of {len(data)} bytes; at most {MAX_PASSPHRASE_SIZE_BYTES} are read")
    return data


def find_passphrase(environment: Mapping[str, str], file: Path | None = None) -> str | None:
    """The passphrase in ``file`` (its first line) if one is named, else in HOROI_PASSPHRASE, else None: then ask."""
    if file is None:
        return environment.get(PASSPHRASE_VARIABLE)
    try:
        with file.open("rb") as opened:
            data = opened.read(MAX_PASSPHRASE_SIZE_BYTES + 2)
        lines = data.decode("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise KeyFileError(f"passphrase file {file}: cannot be read: {error}") from None
    if not lines or not lines[0]:
        raise KeyFileError(f"passphrase file {file}: its first line is empty; write the passphrase there")
    return lines[0]


def _stretch(passphrase: str, salt: bytes, cost: Argon2id) -> bytes:
    from argon2.exceptions import HashingError
    from argon2.low_level import Type, hash_secret_raw

    data = check_passphrase(passphrase)
    try:
        return hash_secret_raw(data, salt, cost.passes, cost.memory_kib, cost.lanes, KEY_SIZE_BYTES, Type.ID)
    except HashingError as error:
        raise KeyFileError(f"Argon2id with {cost.memory_kib} KiB and {cost.lanes} lanes failed: {error}") from None
