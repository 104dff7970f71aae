"""The vectors that BEP 33, 42 and 44 publish."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from horoi.lookup.kademlia.bloom import BLOOM_BYTES, bloom_of, estimate, union
from horoi.lookup.kademlia.node_ids import crc32c, is_local, is_node_id_of, node_id
from horoi.lookup.kademlia.signing import immutable_target, is_signed, mutable_target, public_key_of, sign, signed_bytes

# BEP 33, "Test vectors": 192.0.2.0 to 192.0.2.255 and 2001:DB8:: to 2001:DB8::3E7
BEP_33_BLOOM = (
    "F6C3F5EAA07FFD91BDE89F777F26FB2BFF37BDB8FB2BBAA2FD3DDDE7BACFFF75EE7CCBAEFE5EEDB1FBFAFF67F6ABFF5E43DDBCA3FD9B9FFD"
    "F4FFD3E9DFF12D1BDF59DB53DBE9FA5B7FF3B8FDFCDE1AFB8BEDD7BE2F3EE71EBBBFE93BCDEEFE148246C2BC5DBFF7E7EFDCF24FD8DC7ADF"
    "FD8FFFDFDDFFF7A4BBEEDF5CB95CE81FC7FCFF1FF4FFFFDFE5F7FDCBB7FD79B3FA1FC77BFE07FFF905B7B7FFC7FEFEFFE0B8370BB0CD3F5B"
    "7F2BD93FEB4386CFDD6F7FD5BFAF2E9EBFFFFEECD67ADBF7C67F17EFD5D75EBA6FFEBA7FFF47A91EB1BFBB53E8ABFB5762ABE8FF237279BF"
    "EFBFEEF5FFC5FEBFDFE5ADFFADFEE1FB737FFFFBFD9F6AEFFEEE76B6FD8F72EF"
)
BEP_44_KEY = bytes.fromhex("77ff84905a91936367c01360803104f92432fcd904a43511876df5cdf3e7e548")
BEP_44_VALUE = b"12:Hello World!"


def test_bep_33_filter_and_estimate() -> None:
    four = [f"192.0.2.{i}" for i in range(256)]
    six = [f"2001:db8::{i:x}" for i in range(0x3E8)]
    assert bloom_of(four + six) == bytes.fromhex(BEP_33_BLOOM)
    assert union([bloom_of(four), bloom_of(six), bloom_of(four[:9])]) == bytes.fromhex(BEP_33_BLOOM)
    assert estimate(bytes.fromhex(BEP_33_BLOOM)) == pytest.approx(1224.9308, abs=1e-4)
    assert estimate(bytes(BLOOM_BYTES)) == 0
    assert estimate(b"\xff" * BLOOM_BYTES) > 5000


@pytest.mark.parametrize(
    ("ip", "rand", "prefix"),
    [
        ("124.31.75.21", 1, "5fbfbf"),
        ("21.75.31.124", 86, "5a3ce9"),
        ("65.23.51.170", 22, "a5d432"),
        ("84.124.73.14", 65, "1b0321"),
        ("43.213.53.83", 90, "e56f6c"),
    ],
)
def test_bep_42_ids(ip: str, rand: int, prefix: str) -> None:
    number = node_id(ip, Random(1), rand)
    assert number >> 139 == int(prefix, 16) >> 3  # the first 21 bits
    assert number & 0xFF == rand
    assert is_node_id_of(number, (ip, 6881))
    assert not is_node_id_of(number ^ 1 << 140, (ip, 6881))
    assert not is_node_id_of(number ^ 1, (ip, 6881))


def test_crc32c_check_value() -> None:
    assert crc32c(b"123456789") == 0xE3069283  # RFC 3720, appendix B.4, and every catalogue of CRCs


@given(st.ip_addresses(), st.integers(0, 2**32))
@settings(deadline=None)
def test_every_address_may_have_the_ids_that_follow_from_it(ip: object, seed: int) -> None:
    assert is_node_id_of(node_id(str(ip), Random(seed)), (str(ip), 1))


def test_local_networks_may_have_any_id() -> None:
    for ip in ("127.0.0.1", "10.1.2.3", "172.31.0.1", "192.168.1.1", "169.254.0.1", "::1", "fe80::1", "fd00::1"):
        assert is_local(ip), ip
        assert is_node_id_of(12345, (ip, 1))
    for ip in ("8.8.8.8", "172.32.0.1", "2001:db8::1"):
        assert not is_local(ip), ip


def test_bep_44_targets_and_signatures() -> None:
    assert immutable_target(BEP_44_VALUE) == 0xE5F96F6F38320F0F33959CB4D3D656452117AADB
    assert mutable_target(BEP_44_KEY) == 0x4A533D47EC9C7D95B1AD75F576CFFC641853B750
    assert mutable_target(BEP_44_KEY, b"foobar") == 0x411EBA73B6F087CA51A3795D9C8C938D365E32C1
    assert signed_bytes(BEP_44_VALUE, 1) == b"3:seqi1e1:v12:Hello World!"
    assert signed_bytes(BEP_44_VALUE, 1, b"foobar") == b"4:salt6:foobar3:seqi1e1:v12:Hello World!"
    plain = bytes.fromhex(
        "305ac8aeb6c9c151fa120f120ea2cfb923564e11552d06a5d856091e5e853cff"
        "1260d3f39e4999684aa92eb73ffd136e6f4f3ecbfda0ce53a1608ecd7ae21f01"
    )
    salted = bytes.fromhex(
        "6834284b6b24c3204eb2fea824d82f88883a3d95e8b4a21b8c0ded553d17d17d"
        "df9a8a7104b1258f30bed3787e6cb896fca78c58f8e03b5f18f14951a87d9a08"
    )
    assert is_signed(BEP_44_KEY, plain, BEP_44_VALUE, 1)
    assert is_signed(BEP_44_KEY, salted, BEP_44_VALUE, 1, b"foobar")
    assert not is_signed(BEP_44_KEY, plain, BEP_44_VALUE, 2)
    assert not is_signed(BEP_44_KEY, plain, BEP_44_VALUE, 1, b"foobar")


def test_own_signatures_hold_and_malformed_ones_do_not() -> None:
    secret = bytes(range(32))
    signature = sign(secret, b"1:x", 7, b"s")
    assert is_signed(public_key_of(secret), signature, b"1:x", 7, b"s")
    for key, sig in ((b"", signature), (b"\xff" * 32, signature), (public_key_of(secret), b""), (bytes(33), bytes(65))):
        assert not is_signed(key, sig, b"1:x", 7, b"s")
