import json
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wallet_ledger import AUDITOR, CARRIER, FIELD, PAIRS, REFINERY, World

from horoi.base.errors import DecodeError, ForbiddenError, HoroiError, RuleError, UsageError
from horoi.base.hashing import sha256
from horoi.ledger.conditions import AllOf, AnyOf, Key, Preimage, Threshold
from horoi.ledger.rules import UNSHOWABLE
from horoi.ledger.transaction import Body, Holding, Input, Post, Signature, Witness
from horoi.node.wallet.builder import Draft
from horoi.node.wallet.partial import (
    PartialTransaction,
    check,
    finalize,
    from_json,
    keys_asked,
    merge,
    missing,
    show_preimage,
    sign,
    to_json,
)
from horoi.node.wallet.pools import Spendable

OIL = b"\x07" * 32
NETWORK = sha256(b"network")
SIGNERS = ["field", "refinery", "carrier"]


def sale() -> PartialTransaction:
    """The field sells to the refinery, the carrier takes over, the refinery states something: three sign."""
    lot = Spendable(sha256(b"lot"), 0, Holding(OIL, 10, FIELD, FIELD), 1, False)
    draft = Draft([lot], height=9).transfer(OIL, 6, owner=FIELD, to=REFINERY, new_custodian=CARRIER)
    return PartialTransaction(NETWORK, draft.post(REFINERY, "received in order").build())


@pytest.mark.parametrize("order", list(permutations(SIGNERS)))
def test_the_order_of_signing_does_not_matter(order: tuple[str, ...]) -> None:
    partial = sale()
    for name in order:
        partial = sign(from_json(to_json(partial)), PAIRS[name])
    expected = sale()
    for name in SIGNERS:
        expected = sign(expected, PAIRS[name])
    assert finalize(partial) == finalize(expected)


@settings(deadline=None)
@given(*[st.lists(st.sampled_from(SIGNERS), unique=True)] * 3)
def test_merge_is_commutative_associative_and_idempotent(a: list[str], b: list[str], c: list[str]) -> None:
    copies = []
    for names in (a, b, c):
        copy = sale()
        for name in names:
            copy = sign(copy, PAIRS[name])
        copies.append(copy)
    x, y, z = copies
    assert merge(x, y) == merge(y, x)
    assert merge(merge(x, y), z) == merge(x, merge(y, z))
    assert merge(x, x) == x
    assert len(merge(x, y).witness.signatures) == len({*a, *b})


def test_merge_of_two_valid_signatures_of_one_key() -> None:
    partial = sale()
    one, two = (
        PartialTransaction(
            NETWORK, partial.body, Witness((Signature(p.public, p.sign(partial.id, bytes([salt]) * 32)),))
        )
        for p in [PAIRS["field"]]
        for salt in (1, 2)
    )
    assert one != two
    assert merge(one, two) == merge(two, one)
    check(merge(one, two))


def test_merge_refuses_another_transaction_and_a_forged_signature() -> None:
    partial = sale()
    other = PartialTransaction(sha256(b"elsewhere"), partial.body)
    with pytest.raises(UsageError, match="two transactions"):
        merge(partial, other)
    forged = PartialTransaction(NETWORK, partial.body, Witness((Signature(FIELD.public, bytes(64)),)))
    with pytest.raises(RuleError, match=r"witness\.signature"):
        merge(partial, forged)


def test_missing_shrinks_with_every_signature() -> None:
    partial = sale()
    assert missing(partial, 9, 0) == [FIELD, REFINERY, CARRIER]
    assert keys_asked(partial) == [PAIRS[name].public for name in SIGNERS]
    partial = sign(partial, PAIRS["refinery"])
    assert missing(partial, 9, 0) == [FIELD, CARRIER]
    with pytest.raises(RuleError, match=r"authority\.missing: 2 agreement"):
        finalize(partial)


def test_a_key_that_is_not_asked_does_not_sign() -> None:
    with pytest.raises(ForbiddenError, match="is not asked to agree"):
        sign(sale(), PAIRS["auditor"])


def test_signing_twice_changes_nothing() -> None:
    once = sign(sale(), PAIRS["field"])
    assert sign(once, PAIRS["field"]) == once


def test_a_body_that_breaks_a_rule_is_not_signed() -> None:
    more = Body((Input(NETWORK, 0, Holding(OIL, 1, FIELD, FIELD)),), (Holding(OIL, 2, FIELD, FIELD),))
    with pytest.raises(RuleError, match="conservation"):
        sign(PartialTransaction(NETWORK, more), PAIRS["field"])


def test_time_locks() -> None:
    world = World()
    oil = world.defined("crude oil")
    draft = world.draft().issue(oil, 10, issuer=FIELD)
    world.play(draft.hand_over(oil, 10, owner=FIELD, to=CARRIER, reclaim_after_ms=5_000).build(), "field", "carrier")
    partial = PartialTransaction(world.network, world.draft().reclaim(oil, owner=FIELD, held_by=CARRIER).build())
    partial = sign(partial, PAIRS["field"])
    assert len(missing(partial, 9, 4_999)) == 1
    assert missing(partial, 9, 5_000) == []
    with pytest.raises(RuleError, match=r"authority\.missing"):
        finalize(partial, 9, 4_999)
    assert finalize(partial) == finalize(partial, 9, 5_000)


def test_an_exchange_by_preimage() -> None:
    secret = b"the secret of the exchange"
    lock = AllOf((Preimage(sha256(secret)), CARRIER))
    lot = Spendable(sha256(b"lot"), 0, Holding(OIL, 10, lock, None), 1, False)
    partial = PartialTransaction(NETWORK, Draft([lot], height=9).transfer(OIL, 10, owner=lock, to=CARRIER).build())
    with pytest.raises(ForbiddenError, match="no condition here asks"):
        show_preimage(partial, b"guess")
    signed, shown = sign(partial, PAIRS["carrier"]), show_preimage(partial, secret)
    assert missing(signed, 9, 0) == missing(shown, 9, 0) == [lock]
    both = from_json(to_json(merge(shown, signed)))
    assert finalize(both).witness.preimages == (secret,)
    assert show_preimage(both, secret) == both


# ---- the file -------------------------------------------------------------------------------------------------------

showable = st.text(min_size=1, max_size=40).filter(lambda text: UNSHOWABLE.search(text) is None)
parties = st.sampled_from([FIELD, REFINERY, CARRIER])
compound = st.one_of(
    parties,
    st.integers(1, 3).map(lambda n: Threshold(n, tuple(sorted(PAIRS[name].public for name in SIGNERS)))),
    st.builds(AnyOf, st.tuples(parties, parties)),
)


@settings(deadline=None)
@given(compound, compound, st.integers(1, 2**64 - 1), showable, st.sets(st.sampled_from(SIGNERS)))
def test_roundtrip(owner: Key, to: Key, quantity: int, text: str, signers: set[str]) -> None:
    lot = Spendable(sha256(b"lot"), 65_535, Holding(OIL, quantity, owner, owner), 1, False)
    draft = Draft([lot], height=9).transfer(OIL, quantity, owner=owner, to=to).post(FIELD, text)
    partial = PartialTransaction(NETWORK, draft.build())
    for name in sorted(signers):
        if PAIRS[name].public in keys_asked(partial):
            partial = sign(partial, PAIRS[name])
    assert from_json(to_json(partial)) == partial


def test_a_changed_byte_is_refused() -> None:
    partial = sign(sign(sale(), PAIRS["field"]), PAIRS["carrier"])
    file = json.loads(to_json(partial))
    for field in ("network", "transaction", "body", "witness"):
        for position in range(0, len(file[field]), 2):
            byte = int(file[field][position : position + 2], 16) ^ 1
            changed = f"{file[field][:position]}{byte:02x}{file[field][position + 2 :]}"
            with pytest.raises((DecodeError, RuleError)):
                from_json(json.dumps({**file, field: changed}).encode())


def test_a_changed_body_with_its_own_id_loses_its_signatures() -> None:
    partial = sign(sale(), PAIRS["field"])
    posts = (Post(REFINERY, "received in ruins", None, None),)
    body = Body(partial.body.inputs, partial.body.outputs, posts=posts)
    with pytest.raises(RuleError, match=r"witness\.signature"):
        from_json(to_json(PartialTransaction(NETWORK, body, partial.witness)))


def test_the_summary_is_not_trusted() -> None:
    file = json.loads(to_json(sale()))
    file["summary"] = ["Nothing at all happens."]
    assert from_json(json.dumps(file).encode()) == sale()


@pytest.mark.parametrize("data", [b"", b"{}", b"null", b"[" * 5000, b"\xff", b" " * 5_000_000], ids=range(6))
def test_not_a_file(data: bytes) -> None:
    with pytest.raises(DecodeError):
        from_json(data)


def test_wrong_version_and_wrong_fields() -> None:
    file = json.loads(to_json(sale()))
    for change in ({"horoi_partial": 2}, {"network": "00"}, {"body": "zz"}, {"body": "80"}, {"witness": ""}, {"x": 1}):
        with pytest.raises(DecodeError):
            from_json(json.dumps({**file, **change}).encode())


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_as_body_end_in_an_error_of_the_house(data: bytes) -> None:
    file = json.loads(to_json(sale()))
    with pytest.raises(HoroiError):
        from_json(json.dumps({**file, "body": data.hex()}).encode())


def test_a_signature_that_nobody_asked_for_is_refused() -> None:
    partial = sale()
    stray = PAIRS["auditor"]
    witness = Witness((Signature(stray.public, stray.sign(partial.id)),))
    with pytest.raises(RuleError, match=r"witness\.stranger"):
        from_json(to_json(PartialTransaction(NETWORK, partial.body, witness)))
    assert AUDITOR.public == stray.public
