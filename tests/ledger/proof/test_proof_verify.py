"""Proofs of every kind hold, and whatever is changed in one breaks a link that has a name."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.ledger.proof.proofs import WITNESSES, story
from tests.node.chains import COMPANIES, small_genesis

from horoi.base.codec import encode
from horoi.base.hashing import sha256
from horoi.ledger.block import block_hash, header_codec
from horoi.ledger.checkpoint import witness_key
from horoi.ledger.consensus.nakamoto.puzzle import Search
from horoi.ledger.proof.form import MAX_PROOF_SIZE_BYTES, Proof, ProofError, read, write
from horoi.ledger.proof.verify import Verdict, verify
from horoi.world.live.node_key import NodeKey

KINDS = ("transaction", "post", "document", "asset", "holding", "grant", "far", "whole")
KEYS = [witness_key(pair.public) for pair in WITNESSES]


def file_of(kind: str) -> bytes:
    return write(story().proofs()[kind])


def check(data: bytes, **how: Any) -> Verdict:
    return verify(read(data), how.pop("genesis", story().chain.genesis), **how)


def edited(kind: str, edit: Any) -> bytes:
    """The file of a proof after ``edit`` changed its JSON, in the one form of what it says then."""
    form = json.loads(file_of(kind))
    edit(form)
    return json.dumps(form, indent=2, ensure_ascii=False).encode() + b"\n"


def broken(data: bytes, **how: Any) -> str:
    """The name of the link that is broken."""
    with pytest.raises(ProofError) as caught:
        check(data, **how)
    return caught.value.rule


@pytest.mark.parametrize("kind", KINDS)
def test_a_proof_of_every_kind_holds(kind: str) -> None:
    verdict = check(file_of(kind))
    assert verdict.network == story().chain.network
    assert verdict.proven
    assert verdict.assumed
    assert check(file_of(kind), genesis=None).claim == verdict.claim
    assert any("network that you mean" in said for said in check(file_of(kind), genesis=None).assumed)


def test_what_a_proof_says() -> None:
    tip = story().chain.tip
    verdict = check(file_of("transaction"))
    assert verdict.items[0].height == 4
    assert verdict.items[0].signers == (COMPANIES[0].public,)
    assert verdict.blocks_on_top == 20
    assert check(file_of("whole")).work_on_top == tip.work - story().chain.active[3].work
    assert check(file_of("whole")).is_whole
    asset = check(file_of("asset"))
    assert asset.unspent_height is not None
    assert asset.unspent_height <= tip.height - 6
    assert sorted(content.quantity for *_, content in asset.unspent if hasattr(content, "quantity")) == [300, 600]
    far = check(file_of("far"))
    assert far.anchored is not None
    assert far.anchored.size == tip.height - 1


def test_only_the_spent_output_cannot_be_proven() -> None:
    from horoi.base.errors import NotFoundError

    with pytest.raises(NotFoundError, match="is spent as of block"):
        story().prover().holding(story().issued, 1)


values = st.sampled_from(KINDS).flatmap(lambda kind: st.tuples(st.just(kind), st.integers(0, 10**9)))


def leaves_of(form: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where the values stand in a JSON document."""
    if isinstance(form, dict):
        return [place for key, inner in form.items() for place in leaves_of(inner, (*at, key))]
    if isinstance(form, list):
        return [place for number, inner in enumerate(form) for place in leaves_of(inner, (*at, number))]
    return [at]


@given(st.sampled_from(KINDS), st.data())
@settings(max_examples=400, deadline=None)
def test_any_changed_value_breaks_a_link(kind: str, data: st.DataObject) -> None:
    def edit(form: Any) -> None:
        *way, last = data.draw(st.sampled_from([place for place in leaves_of(form) if place]))
        inner = form
        for step in way:
            inner = inner[step]
        value = inner[last]
        if isinstance(value, int):
            inner[last] = data.draw(st.integers(0, 2**16).filter(lambda other: other != value))
        elif isinstance(value, str):
            at = data.draw(st.integers(0, len(value) - 1))
            inner[last] = value[:at] + data.draw(st.sampled_from("0123456789abcdefLR+/\n")) + value[at + 1 :]
        else:
            inner[last] = "00" * 32

    changed = edited(kind, edit)
    if changed != file_of(kind):
        assert broken(changed)


@given(st.sampled_from(KINDS), st.integers(0, 10**6), st.integers(1, 255))
@settings(max_examples=200, deadline=None)
def test_any_changed_byte_of_the_file_breaks_a_link(kind: str, at: int, flip: int) -> None:
    data = bytearray(file_of(kind))
    data[at % len(data)] ^= flip
    assert broken(bytes(data))


@given(st.binary(max_size=300))
def test_any_bytes_are_a_proof_or_refused_by_name(data: bytes) -> None:
    assert broken(data) == "form"


def test_a_file_has_one_form_and_a_bounded_size() -> None:
    data = file_of("post")
    assert broken(data + b" ") == "form"
    assert broken(json.dumps(json.loads(data)).encode()) == "form"
    assert broken(b" " * (MAX_PROOF_SIZE_BYTES + 1)) == "form"
    assert broken(data.replace(b'"horoi_proof": 1', b'"horoi_proof": 2')) == "form"


def test_a_line_break_at_the_end_of_a_value_makes_another_file() -> None:
    """Python's patterns and ``bytes.fromhex`` both overlook one."""

    form = json.loads(file_of("holding"))
    places = [place for place in leaves_of(form) if isinstance(value_at(form, place), str)]
    assert len(places) > 20
    for place in places:
        changed = edited("holding", lambda inner, place=place: append_at(inner, place, "\n"))
        assert broken(changed) == "form", place


def value_at(form: Any, place: tuple[Any, ...]) -> Any:
    for step in place:
        form = form[step]
    return form


def append_at(form: Any, place: tuple[Any, ...], more: str) -> None:
    value_at(form, place[:-1])[place[-1]] += more


def test_another_networks_genesis_is_named() -> None:
    assert broken(file_of("post"), genesis=small_genesis("another")) == "other network"


def test_the_broken_link_is_named() -> None:
    def set_at(*way: Any) -> Any:
        *steps, last, value = way

        def edit(form: Any) -> None:
            inner = form
            for step in steps:
                inner = inner[step]
            inner[last] = value(inner[last])

        return edit

    def flip(text: str) -> str:
        return text[:-1] + ("0" if text[-1] != "0" else "1")

    other = sha256(b"x").hex()
    assert broken(edited("transaction", set_at("records", 0, "path", 0, flip))) == "merkle path"
    assert broken(edited("transaction", set_at("records", 0, "path", 0, lambda s: "LR"[s[0] == "L"] + s[1:])))
    assert broken(edited("transaction", set_at("claim", "id", lambda _: other))) == "claim"
    assert broken(edited("transaction", set_at("tip", lambda _: other))) == "tip"
    assert broken(edited("transaction", set_at("headers", 0, 2, flip))) in ("puzzle of header 6", "header 7")
    assert broken(edited("transaction", lambda form: form["headers"][0].pop(3))) == "header 7"
    assert broken(edited("holding", set_at("unspent", "chunks", 0, "bits", flip))) == "path of the bits"
    assert broken(edited("holding", set_at("unspent", "count", lambda n: n + 1))) == "state root of header 19"
    assert broken(edited("document", set_at("checkpoint", "rungs", 0, "path", 0, flip))) == "path to the checkpoint"
    assert broken(edited("document", set_at("claim", "id", lambda _: other))) == "claim"
    assert broken(edited("document", lambda form: form.update(unspent=json.loads(file_of("holding"))["unspent"])))


def test_a_bit_that_says_spent_is_named() -> None:
    def spent_one(form: Any) -> None:
        form["claim"]["number"] = 1
        form["unspent"]["outputs"][0]["index"] = 1

    assert broken(edited("holding", spent_one)) == "bit says spent"


def test_a_signature_that_is_not_valid_is_named() -> None:
    """Witnesses are under the content root: so a miner would have had to put it there. Then the signature itself fails."""
    from horoi.ledger.block import content_leaf
    from horoi.ledger.proof.content import climb
    from horoi.ledger.transaction import Signature, Transaction, Witness, transaction_codec

    def forge(form: Any) -> None:
        part = form["records"][0]
        real = transaction_codec.decode(bytes.fromhex(part["transaction"]))
        (signature,) = real.witness.signatures
        fake = Transaction(real.body, Witness((Signature(signature.key, bytes(64)),)))
        part["transaction"] = encode(fake).hex()
        leaf = content_leaf(part["first_output"], bytes.fromhex(form["claim"]["id"]), encode(fake.witness))
        run = [header_codec.decode(bytes.fromhex(text)) for text in form["headers"][0]]
        place = part["height"] - run[0].height
        header = run[place]
        import msgspec

        mined = Search(msgspec.structs.replace(header, content_root=climb(leaf, part["path"])), 0, 10**6).run()
        assert mined is not None
        form["headers"] = [[*form["headers"][0][:place], encode(mined).hex()]]
        form["tip"] = block_hash(mined).hex()

    assert broken(edited("transaction", forge)) == f"signature of {COMPANIES[0].public.hex()}"


def test_chosen_witnesses_must_have_signed() -> None:
    verdict = check(file_of("document"), witnesses=KEYS)
    assert verdict.anchored is not None
    assert [made.key for made in verdict.anchored.chosen] == KEYS
    assert any("witnesses you chose" in said for said in verdict.assumed)
    stranger = witness_key(NodeKey(bytes([9]) * 32).public)
    assert broken(file_of("document"), witnesses=[KEYS[0], stranger]) == f"cosignature of {stranger.name}"
    assert broken(file_of("post"), witnesses=KEYS) == f"cosignature of {KEYS[0].name}"


def test_a_checkpoint_vouches_for_nothing_above_itself() -> None:
    """A run that goes on past the checkpoint is grafted on: only what is below the rung is signed."""

    def lower(form: Any) -> None:
        shown = story().log
        rung = form["checkpoint"]["rungs"][0]
        rung["height"] = 4
        rung["path"] = [step.hex() for step in shown.path(4, story().chain.tip.height - 1)]

    assert broken(edited("document", lower)) == "path to the checkpoint"


def test_nothing_stands_in_a_proof_that_no_link_needs() -> None:
    def extra_bits(form: Any) -> None:
        form["records"][0]["before"] = {"count": 1, "chunks_root": "00" * 32}

    def twice(form: Any) -> None:
        form["records"].append(form["records"][0])

    assert broken(edited("transaction", extra_bits)) == "form"
    assert broken(edited("transaction", twice)) == "form"


def test_headers_that_break_the_genesiss_rules_are_named() -> None:
    """A chain of easy puzzles from the first block on: links and puzzles hold, ASERT's targets do not."""
    import msgspec

    proof: Proof = story().proofs()["whole"]
    headers = [header_codec.decode(bytes.fromhex(text)) for text in proof.headers[0]]
    easy = msgspec.structs.replace(headers[-1], target=0x20010000)
    mined = Search(easy, 0, 10**6).run()
    assert mined is not None
    forged = msgspec.structs.replace(
        proof,
        headers=((*proof.headers[0][:-1], encode(mined).hex()),),
        tip=block_hash(mined).hex(),
    )
    assert broken(write(forged)) == f"target of header {mined.height}"
