"""From words to keys, offline: a mnemonic (BIP 39) gives a seed, a seed gives a tree of keys (BIP 32).

Every key is reached by *hardened* steps only: m / 44' / 1213157967' / account' (BIP 44's first three levels; the shape
that Stellar's SEP-0005 uses). Hardened, because from one leaked child secret and an extended public key the parent of an
unhardened child can be computed, and nobody here needs public derivation. The ledger's accounts are reused keys, known
to their partners by name, so BIP 44's last two levels, which make fresh receiving addresses, have no use.

Test vectors: BIP 39 (Trezor's), BIP 32 numbers 1 and 4.
"""

from __future__ import annotations

import hashlib
import hmac
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from horoi.base.errors import KeyFileError, UsageError
from horoi.base.hashing import tagged
from horoi.base.keys import SECRET_SIZE_BYTES, KeyPair

if TYPE_CHECKING:
    from mnemonic import Mnemonic

WORDS_TO_BITS = {12: 128, 24: 256}  # BIP 39, "Generating the mnemonic"; the two lengths in common use
RESTORABLE_WORDS = (12, 15, 18, 21, 24)  # BIP 39: all lengths that there are
HARDENED = 2**31  # BIP 32, "Extended keys"
PURPOSE = 44  # BIP 43 and BIP 44
COIN = int.from_bytes(b"HORO", "big")  # BIP 44, "Coin type". Not registered in SLIP-0044: the letters HORO, 1213157967
MAX_ACCOUNT = HARDENED - 1
ROOT_ID_SIZE_BYTES = 8  # a guess: enough to tell the mnemonics of one folder apart

_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141  # of secp256k1 (SEC 2, section 2.4.1)
_root_hash = tagged("horoi/wallet-root")


class Extended(NamedTuple):
    """A node of the tree: 32 secret bytes and 32 bytes of chain code."""

    secret: bytes
    chain: bytes


def new_mnemonic(words: int = 12) -> str:
    """Fresh words from the operating system's randomness: 12 (128 bits) or 24 (256 bits)."""
    if words not in WORDS_TO_BITS:
        raise UsageError(f"a mnemonic of {words} words; it has 12 or 24")
    return _english().generate(WORDS_TO_BITS[words])


def check_mnemonic(text: str) -> str:
    """The words in lower case with single spaces; KeyFileError says which word is wrong, never what it is."""
    words = text.lower().split()
    if len(words) not in RESTORABLE_WORDS:
        raise KeyFileError(f"{len(words)} words; a mnemonic has {', '.join(map(str, RESTORABLE_WORDS))}")
    known = _english().wordlist
    for position, word in enumerate(words, start=1):
        if word not in known:
            raise KeyFileError(f"word {position} is not in the English list of BIP 39; compare it with what you wrote")
    mnemonic = " ".join(words)
    if not _english().check(mnemonic):
        raise KeyFileError("the words do not fit together: one is another word of the list, or their order is changed")
    return mnemonic


def seed_of(mnemonic: str, extra_passphrase: str = "") -> bytes:
    """The 64-byte seed of a mnemonic. Another ``extra_passphrase`` gives another, equally valid tree (BIP 39)."""
    return _english().to_seed(check_mnemonic(mnemonic), extra_passphrase)


def root_of(seed: bytes) -> Extended:
    """The root of a seed's tree (BIP 32, "Master key generation")."""
    digest = hmac.digest(b"Bitcoin seed", seed, hashlib.sha512)
    if not 0 < int.from_bytes(digest[:SECRET_SIZE_BYTES], "big") < _ORDER:
        raise KeyFileError("this seed has no tree (a chance of 2**-127): make a new mnemonic")
    return Extended(digest[:SECRET_SIZE_BYTES], digest[SECRET_SIZE_BYTES:])


def hardened_child(parent: Extended, index: int) -> Extended:
    """Child ``index``' of a node (BIP 32, "Private parent key to private child key", the hardened case)."""
    if not 0 <= index < HARDENED:
        raise UsageError(f"child {index}: a number from 0 to {HARDENED - 1}")
    data = b"\0" + parent.secret + (index + HARDENED).to_bytes(4, "big")
    digest = hmac.digest(parent.chain, data, hashlib.sha512)
    tweak = int.from_bytes(digest[:SECRET_SIZE_BYTES], "big")
    secret = (tweak + int.from_bytes(parent.secret, "big")) % _ORDER
    if tweak >= _ORDER or secret == 0:
        raise KeyFileError(f"child {index} does not exist (a chance of 2**-127): take the next")
    return Extended(secret.to_bytes(SECRET_SIZE_BYTES, "big"), digest[SECRET_SIZE_BYTES:])


def derive(root: Extended, path: tuple[int, ...]) -> Extended:
    """Walk hardened steps from a node."""
    for index in path:
        root = hardened_child(root, index)
    return root


def account_path(account: int) -> tuple[int, int, int]:
    """The hardened path of an account: 44', 1213157967', account'."""
    return (PURPOSE, COIN, account)


def account_key(mnemonic: str, account: int = 0, extra_passphrase: str = "") -> KeyPair:
    """The key pair of an account of a mnemonic."""
    return KeyPair(derive(root_of(seed_of(mnemonic, extra_passphrase)), account_path(account)).secret)


def root_id(mnemonic: str, extra_passphrase: str = "") -> bytes:
    """8 bytes that are the same for all accounts of a mnemonic, and tell nothing of its secret."""
    root = root_of(seed_of(mnemonic, extra_passphrase))
    return _root_hash(KeyPair(root.secret).public)[:ROOT_ID_SIZE_BYTES]


@lru_cache(maxsize=1)
def _english() -> Mnemonic:
    from mnemonic import Mnemonic

    return Mnemonic("english")
