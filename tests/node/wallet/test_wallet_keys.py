"""Published vectors: BIP 39 (Trezor's), BIP 32 numbers 1 and 4 as extended private keys."""

import hashlib

import pytest

from horoi.base.errors import KeyFileError, UsageError
from horoi.node.wallet import keys

ABANDON = "abandon " * 11 + "about"
_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


def extended(xprv: str) -> keys.Extended:
    """Secret and chain code of a serialised extended private key (BIP 32, "Serialization format")."""
    number = 0
    for letter in xprv:
        number = number * 58 + _BASE58.index(letter)
    data = number.to_bytes(82, "big")
    body, checksum = data[:78], data[78:]
    assert hashlib.sha256(hashlib.sha256(body).digest()).digest()[:4] == checksum
    assert body[45] == 0
    return keys.Extended(body[46:], body[13:45])


VECTORS = [
    (
        "000102030405060708090a0b0c0d0e0f",
        [
            (
                (),
                "xprv9s21ZrQH143K3QTDL4LXw2F7HEK3wJUD2nW2nRk4stbPy6cq3jPPqjiChkVvvNKmPGJxWUtg6LnF5kejMRNNU3TGtRBeJgk33yuGBxrMPHi",
            ),
            (
                (0,),
                "xprv9uHRZZhk6KAJC1avXpDAp4MDc3sQKNxDiPvvkX8Br5ngLNv1TxvUxt4cV1rGL5hj6KCesnDYUhd7oWgT11eZG7XnxHrnYeSvkzY7d2bhkJ7",
            ),
        ],
    ),
    (  # leading zeros
        "3ddd5602285899a946114506157c7997e5444528f3003f6134712147db19b678",
        [
            (
                (0,),
                "xprv9vB7xEWwNp9kh1wQRfCCQMnZUEG21LpbR9NPCNN1dwhiZkjjeGRnaALmPXCX7SgjFTiCTT6bXes17boXtjq3xLpcDjzEuGLQBM5ohqkao9G",
            ),
            (
                (0, 1),
                "xprv9xJocDuwtYCMNAo3Zw76WENQeAS6WGXQ55RCy7tDJ8oALr4FWkuVoHJeHVAcAqiZLE7Je3vZJHxspZdFHfnBEjHqU5hG1Jaj32dVoS6XLT1",
            ),
        ],
    ),
]


@pytest.mark.parametrize(("seed", "nodes"), VECTORS)
def test_bip_32(seed: str, nodes: list[tuple[tuple[int, ...], str]]) -> None:
    root = keys.root_of(bytes.fromhex(seed))
    for path, xprv in nodes:
        assert keys.derive(root, path) == extended(xprv)


def test_bip_39() -> None:
    assert keys.seed_of(ABANDON, "TREZOR").hex() == (
        "c55257c360c07c72029aebc1b53c05ed0362ada38ead3e3e9efa3708e53495531f09a6987599d18264c1e1c92f2cf141"
        "630c7a3c4ab7c81b2f001698e7463b04"
    )


def test_words_are_read_as_people_type_them() -> None:
    assert keys.seed_of(f"\n {ABANDON.upper().replace(' ', '   ')} ") == keys.seed_of(ABANDON)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("abandon", "1 words; a mnemonic has 12"),
        ("abandon " * 10 + "horoi about", "word 11 is not in the English list"),
        ("abandon " * 12, "do not fit together"),
    ],
)
def test_words_that_are_wrong(text: str, why: str) -> None:
    with pytest.raises(KeyFileError, match=why) as raised:
        keys.check_mnemonic(text)
    assert "horoi" not in str(raised.value)


@pytest.mark.parametrize("words", [12, 24])
def test_new_words(words: int) -> None:
    mnemonic = keys.new_mnemonic(words)
    assert len(mnemonic.split()) == words
    assert keys.check_mnemonic(mnemonic) == mnemonic != keys.new_mnemonic(words)


def test_accounts_differ_and_are_the_same_every_time() -> None:
    publics = [keys.account_key(ABANDON, account).public for account in range(3)]
    assert len(set(publics)) == 3
    assert publics[1] == keys.account_key(ABANDON, 1).public
    assert publics[0] != keys.account_key(ABANDON, 0, "extra").public
    assert keys.root_id(ABANDON) != keys.root_id(ABANDON, "extra")


def test_limits() -> None:
    with pytest.raises(UsageError, match="12 or 24"):
        keys.new_mnemonic(13)
    for account in (-1, 2**31):
        with pytest.raises(UsageError, match="a number from 0"):
            keys.account_key(ABANDON, account)
