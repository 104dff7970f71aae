"""Proofs that hold and proofs that do not, in numbers, for a test that two verifiers agree on them.

A transaction alone in its block is under the content root without a path, and without a genesis any target will do: so a proof of
whatever bytes costs a hash or two, and what is wrong with them is all that can be wrong with it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from random import Random
from typing import Any, NamedTuple

import msgspec
from tests.ledger.byteforms import second_forms
from tests.ledger.histories import BY_KEY, CREATED_MS, PAIRS, Universe

from horoi.base.codec import encode
from horoi.base.errors import DecodeError
from horoi.base.hashing import sha256
from horoi.base.keys import KeyPair
from horoi.ledger.authority import required
from horoi.ledger.block import Header, block_hash, content_leaf
from horoi.ledger.conditions import (
    AfterHeight,
    AfterTime,
    AllOf,
    AnyOf,
    Condition,
    Key,
    Preimage,
    Threshold,
    hashes_named,
    keys_named,
)
from horoi.ledger.consensus.nakamoto.puzzle import LARGEST_COMPACT, Search
from horoi.ledger.proof.form import FORMAT, Claim, Proof, RecordPart, write
from horoi.ledger.transaction import Body, Signature, Witness, body_codec, transaction_hasher

NETWORK = sha256(b"two verifiers")
HEIGHT = 50
SECRETS = (b"one", b"another")
Form = list[Any]
"""A record as MessagePack has it: lists, numbers, bytes, texts."""


class Case(NamedTuple):
    """A file, and what was done to it."""

    what: str
    file: bytes


# ---- a proof of any bytes --------------------------------------------------------------------------------


def proof_of(body: bytes, witness: bytes, *, height: int = HEIGHT, time_ms: int = CREATED_MS) -> bytes:
    """The file that proves that a block of this height and time records these bytes."""
    digest = transaction_hasher(NETWORK)(body)
    leaf = content_leaf(0, digest, witness)
    header = Search(Header(height, bytes(32), leaf, bytes(32), time_ms, LARGEST_COMPACT, bytes(8)), 0, 10_000).run()
    assert header is not None
    record = RecordPart(height, (b"\x92" + body + witness).hex(), None, 0, (), None)
    claim = Claim("transaction", digest.hex(), 0)
    headers = ((encode(header).hex(),),)
    return write(Proof(FORMAT, NETWORK.hex(), claim, (record,), None, headers, block_hash(header).hex(), None))


def signed_by(body: bytes, pairs: Sequence[KeyPair], preimages: Sequence[bytes] = ()) -> bytes:
    """The encoded witness of these signers."""
    digest = transaction_hasher(NETWORK)(body)
    signatures = [Signature(pair.public, pair.sign(digest)) for pair in sorted(pairs, key=lambda pair: pair.public)]
    return encode(Witness(tuple(signatures), tuple(sorted(preimages))))


def asked(body: bytes) -> tuple[list[KeyPair], list[bytes]]:
    """Everybody, and every secret, that a body's parties name."""
    try:
        need = required(body_codec.decode(body))
    except DecodeError:
        return PAIRS[:2], []
    parties = (*need.acting, *need.receiving)
    named = dict.fromkeys(key for condition in parties for key in keys_named(condition))
    hashes = {digest for condition in parties for digest in hashes_named(condition)}
    return [BY_KEY[key] for key in named if key in BY_KEY], [s for s in SECRETS if sha256(s) in hashes]


# ---- transactions of every verb, under conditions of every kind ----------------------------------------------


def bodies(seed: int, blocks: int = 60) -> list[Body]:
    """Valid bodies of a random history."""
    universe = Universe(seed=seed)
    return [transaction.body for _ in range(blocks) for transaction in universe.advance().block.transactions]


def conditions(dice: Random) -> dict[bytes, Condition]:
    """For each of the first keys of the histories, a condition that it may stand for."""
    a, b, c, d, e, *_ = (Key(pair.public) for pair in PAIRS)
    keys = tuple(sorted(pair.public for pair in PAIRS[:4]))
    secrets = [Preimage(sha256(secret)) for secret in SECRETS]
    height = AfterHeight(HEIGHT + dice.choice((-1, 0, 1)))
    time = AfterTime(CREATED_MS + dice.choice((-1, 0, 1)))
    made: list[Condition] = [
        Threshold(dice.randint(1, 4), keys),
        AnyOf((b, AllOf((time, a)))),
        AnyOf((c, AllOf((height, a, secrets[0])))),
        AllOf((d, secrets[1])),
        AllOf((AnyOf((d, height)), AnyOf((e, Threshold(2, keys))))),
    ]
    return {pair.public: dice.choice((Key(pair.public), made[i])) for i, pair in enumerate(PAIRS[:5])}


def plain_form(record: object) -> Any:
    """A record as MessagePack has it."""
    return msgspec.msgpack.decode(encode(record))


def dressed(form: Any, instead: dict[bytes, Condition]) -> Any:
    """A record with other conditions instead of keys."""
    if not isinstance(form, list):
        return form
    if len(form) == 2 and form[0] == 0 and isinstance(form[1], bytes) and form[1] in instead:
        return plain_form(instead[form[1]])
    return [dressed(part, instead) for part in form]


# ---- what a liar changes ---------------------------------------------------------------------------------


def places(form: Any, at: tuple[int, ...] = ()) -> Iterator[tuple[int, ...]]:
    """Where the values of a record stand."""
    if at:
        yield at
    if isinstance(form, list):
        for number, part in enumerate(form):
            yield from places(part, (*at, number))


def changed_value(value: Any, others: list[Any], dice: Random) -> Any:
    """Another value of the same kind, mostly one that stands elsewhere in the same record; now and then of another kind."""
    if dice.random() < 0.05:
        return dice.choice((None, b"\x01", 2**64 - 1, "x", [], [6, [value, value]], [0, PAIRS[0].public], False))
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return dice.choice((0, value + 1, max(0, value - 1), value * 2, 2**64 - 1)) % 2**64
    if isinstance(value, str):
        return dice.choice(("", value + "\u202e", value + "\n", value * 40, "\u00e9\U0001f600"))
    alike = [other for other in others if _alike(value, other)]
    if isinstance(value, list) and value and dice.random() < 0.3:
        return dice.choice((value[:-1], value + value[-1:], value[::-1]))
    return dice.choice(alike or others)


def _alike(value: Any, other: Any) -> bool:
    """Bytes of one length; conditions and conditions, holdings and holdings."""
    if type(value) is not type(other) or not value or not other:
        return value == other
    return len(value) == len(other) and (isinstance(value, bytes) or type(value[0]) is type(other[0]))


def changed(form: Form, dice: Random) -> Form:
    """A copy of a record in which one value is another."""
    copy = deepcopy(form)
    *way, last = dice.choice(list(places(copy)))
    inner = copy
    others = []
    for place in places(copy):
        found: Any = copy
        for step in place:
            found = found[step]
        others.append(found)
    for step in way:
        inner = inner[step]
    inner[last] = deepcopy(changed_value(inner[last], others, dice))  # a list may be put into itself
    return copy


def signed_somehow(body: bytes, dice: Random) -> tuple[str, bytes]:
    """(what was done, encoded witness): mostly as it has to be, and otherwise."""
    everybody, secrets = asked(body)
    shown = dice.sample(secrets, dice.randint(0, len(secrets)))
    signatures, _ = msgspec.msgpack.decode(signed_by(body, everybody))
    if not signatures or dice.random() < 0.6:
        return "signed by all, some secrets shown", signed_by(body, everybody, shown)
    some = dice.sample(everybody, len(everybody) - 1)
    return dice.choice(
        (
            ("signed by all but one", signed_by(body, some, shown)),
            ("signed by one more", signed_by(body, list(dict.fromkeys([*everybody, dice.choice(PAIRS)])))),
            ("the same signature twice", encode([[*signatures, signatures[-1]], []])),
            ("signatures the other way round", encode([signatures[::-1], []])),
            ("a secret that nobody asked for", signed_by(body, everybody, SECRETS)),
            ("secrets the other way round", encode([signatures, [SECRETS[0], SECRETS[1]]])),
            ("a signature over something else", signed_by(body + b"\x00", everybody)),
            ("a change to the witness", encode(changed([signatures, [b"x"]], dice))),
        )
    )


def transaction_cases(seed: int, count: int) -> list[Case]:
    """So many proofs of transactions: valid ones, and ones with something changed before or after signing."""
    dice = Random(seed)
    plain = [plain_form(body) for body in bodies(seed)]
    cases = []
    for _ in range(count):
        form = dressed(dice.choice(plain), conditions(dice) if dice.random() < 0.7 else {})
        what = "as it was"
        for _ in range(dice.choice((0, 0, 1, 1, 2))):
            form = changed(form, dice)
            what = f"changed: {form}"
        body = encode(form)
        how, witness = signed_somehow(body, dice)
        height = HEIGHT + dice.choice((0, 0, 1))
        cases.append(Case(f"{what}; {how}", proof_of(body, witness, height=height)))
    return cases


def byte_form_cases(seed: int, count: int) -> list[Case]:
    """Transactions in other forms of MessagePack than the one."""
    dice = Random(seed)
    body = encode(max(bodies(seed), key=lambda body: len(encode(body)) % 400))
    return [
        Case(what, proof_of(form, signed_by(form, PAIRS[:2])))
        for what, form in dice.sample(list(second_forms(body)), count)
    ]


# ---- the file itself ------------------------------------------------------------------------------------------


def file_cases(name: str, file: bytes, dice: Random, count: int) -> Iterator[Case]:
    """So many times a proof's file with a value of its JSON, a key or a byte changed."""
    for _ in range(count):
        change = dice.choice((_other_value, _other_value, _other_keys, _other_byte))
        other = change(file, dice)
        if other != file:
            yield Case(f"{name}: {change.__name__}", other)


def _other_byte(file: bytes, dice: Random) -> bytes:
    data = bytearray(file)
    data[dice.randrange(len(data))] ^= dice.randint(1, 255)
    return bytes(data)


def _edited(file: bytes, dice: Random, edit: Callable[[Any, Any], None], kind: type) -> bytes:
    """``edit`` is given some inner container of ``kind``, and a key or index in it."""
    form = json.loads(file)
    found = [inner for inner in _containers(form) if isinstance(inner, kind) and inner]
    inner = dice.choice(found)
    edit(inner, dice.choice(list(inner) if isinstance(inner, dict) else range(len(inner))))
    return json.dumps(form, indent=2, ensure_ascii=False).encode() + b"\n"


def _containers(form: Any) -> Iterator[Any]:
    if isinstance(form, dict | list):
        yield form
        for part in form.values() if isinstance(form, dict) else form:
            yield from _containers(part)


def _other_value(file: bytes, dice: Random) -> bytes:
    def edit(inner: Any, place: Any) -> None:
        value = inner[place]
        if isinstance(value, bool | int):
            inner[place] = dice.choice((value + 1, value - 1, 0, 2**53, 2**53 + 1, str(value), value + 0.5, None))
        elif isinstance(value, str) and value:
            at = dice.randrange(len(value))
            letter = dice.choice("0123456789abcdefLR+/\n\u00e9")
            inner[place] = dice.choice((value[:at] + letter + value[at + 1 :], value[:-1], value + "0", "", None))
        else:
            inner[place] = dice.choice((None, [], {}, "00" * 32, 5))

    return _edited(file, dice, edit, dict if dice.random() < 0.7 else list)


def _other_keys(file: bytes, dice: Random) -> bytes:
    def edit(inner: Any, place: Any) -> None:
        if dice.random() < 0.5:
            inner[place + "x"] = inner.pop(place)
        else:
            inner[place] = inner.pop(place)  # the same, in another order

    return _edited(file, dice, edit, dict)


def witness_lines(note: str) -> list[str]:
    """Other notes like this one."""
    lines = note.split("\n")
    return [
        note.replace("\u2014", "-"),
        note.replace(" ", "  "),
        "\n".join([*lines[:-2], lines[-2][:-4] + "AAAA", ""]),
        "\n".join([*lines[:4], *lines[4:-1][::-1], ""]),
        note + "\n",
        note[:-1],
        note.replace("horoi-node/", "horoi-node+"),
        "\ufeff" + note,
    ]


def note_cases(file: bytes) -> Iterator[Case]:
    """A proof's checkpoint, written otherwise."""
    form = json.loads(file)
    for note in witness_lines(form["checkpoint"]["note"]):
        form["checkpoint"]["note"] = note
        yield Case(f"note {note!r}", json.dumps(form, indent=2, ensure_ascii=False).encode() + b"\n")
    form = json.loads(file)
    keys = form["checkpoint"]["keys"]
    for other in (keys[::-1], keys[:1], [keys[0]] * 2, [keys[0] + "=", keys[1]], ["x" + keys[0], keys[1]]):
        form["checkpoint"]["keys"] = other
        yield Case(f"keys {other!r}", json.dumps(form, indent=2, ensure_ascii=False).encode() + b"\n")
