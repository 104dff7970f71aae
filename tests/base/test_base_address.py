"""Addresses are bech32m (BIP 350): one text for one key, and a slip of the hand is noticed."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from horoi.base.address import address_of, bech32m_decode, bech32m_encode, public_key_of
from horoi.base.errors import UsageError

# BIP 350, "Test vectors for Bech32m".
VALID = [
    "A1LQFN3A",
    "a1lqfn3a",
    "an83characterlonghumanreadablepartthatcontainsthetheexcludedcharactersbioandnumber11sg7hg6",
    "abcdef1l7aum6echk45nj3s0wdvt2fg8x9yrzpqzd3ryx",
    "11llllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllludsr8",
    "split1checkupstagehandshakeupstreamerranterredcaperredlc445v",
    "?1v759aa",
]
INVALID = [
    "\x201xj0phk",
    "\x7f1g6xzxy",
    "\x801vctc34",
    "an84characterslonghumanreadablepartthatcontainsthetheexcludedcharactersbioandnumber11d6pts4",
    "qyrz8wqd2c9m",
    "1qyrz8wqd2c9m",
    "y1b0jsk6g",
    "lt1igcx5c0",
    "in1muywd",
    "mm1crxm3i",
    "au1s5cgom",
    "M1VUXWEZ",
    "16plkw9",
    "1p2gdwpf",
    "a12uel5l",  # BIP 173's older checksum
]

keys = st.binary(min_size=32, max_size=32)


@pytest.mark.parametrize("text", VALID)
def test_bip350_valid(text: str) -> None:
    decoded = bech32m_decode(text)
    assert decoded is not None
    assert bech32m_encode(*decoded) == text.lower()


@pytest.mark.parametrize("text", INVALID)
def test_bip350_invalid(text: str) -> None:
    assert bech32m_decode(text) is None


@given(keys)
@settings(deadline=None, max_examples=50)
def test_an_address_names_its_key(key: bytes) -> None:
    address = address_of(key)
    assert address.startswith("horoi1q")
    assert public_key_of(address) == key
    assert public_key_of(address.upper()) == key


@given(keys, st.data())
@settings(deadline=None, max_examples=100)
def test_up_to_four_wrong_letters_are_noticed(key: bytes, data: st.DataObject) -> None:
    address = list(address_of(key))
    places = data.draw(st.lists(st.integers(6, len(address) - 1), min_size=1, max_size=4, unique=True))
    for place in places:
        letter = data.draw(
            st.sampled_from("qpzry9x8gf2tvdw0s3jn54khce6mua7l").filter(lambda c, p=place: c != address[p])
        )
        address[place] = letter
    with pytest.raises(UsageError, match="checksum"):
        public_key_of("".join(address))


@given(keys, st.integers(6, 60))
@settings(deadline=None, max_examples=50)
def test_an_inserted_or_doubled_letter_is_noticed(key: bytes, place: int) -> None:
    """What BIP 173's checksum missed."""
    address = address_of(key)
    with pytest.raises(UsageError):
        public_key_of(address[:place] + "q" + address[place:])


def test_no_second_text_for_a_key() -> None:
    address = address_of(bytes(range(32)))
    assert "K" in address.upper()
    for other in (
        address.upper().replace("K", "\u212a"),  # the Kelvin sign, which becomes k in lower case
        address[:-1] + address[-1].upper(),
        address + " ",
        " " + address,
        address.replace("s", "\u017f"),
    ):
        with pytest.raises(UsageError):
            public_key_of(other)


def test_another_prefix_version_or_length_is_refused() -> None:
    groups = bech32m_decode(address_of(bytes(32)))
    assert groups is not None
    data = groups[1]
    for text, why in [
        (bech32m_encode("bc", data), "begin with horoi1"),
        (bech32m_encode("horoi", [1, *data[1:]]), "version 0"),
        (bech32m_encode("horoi", data[:-2]), "version 0"),
        (bech32m_encode("horoi", [*data[:-1], 1]), "version 0"),  # padding that is not zero
        (bech32m_encode("horoi", []), "version 0"),
        (bech32m_encode("horoi", [*data, 0, 0]), "version 0"),
    ]:
        with pytest.raises(UsageError, match=why):
            public_key_of(text)


@given(st.text(max_size=100))
@settings(deadline=None, max_examples=200)
def test_any_text_is_an_answer(text: str) -> None:
    with pytest.raises(UsageError):
        public_key_of(text)
