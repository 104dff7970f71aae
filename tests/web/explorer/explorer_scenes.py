"""Transactions, each of which breaks one rule of the ledger, and the story of a hand-over with everybody's part in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from tests.ledger.histories import CREATED_MS, PAIRS, A, B, C, D, signed
from tests.ledger.test_ledger_rules import CRACK, GAS, MOST, OIL, coin, cracking, oil, right, spending, tar
from tests.web.explorer.explorer_forgeries import HEIGHT, SECRETS, Case, asked, plain_form, proof_of, signed_by

from horoi.base.codec import encode
from horoi.base.hashing import sha256
from horoi.base.keys import KeyPair
from horoi.ledger.conditions import AfterHeight, AfterTime, AllOf, AnyOf, Condition, Key, Preimage, Threshold
from horoi.ledger.transaction import (
    NATIVE,
    Body,
    Definition,
    Holding,
    Input,
    Issue,
    Post,
    Recipe,
    Retire,
    Transaction,
    Transform,
)

a, b, c, d = PAIRS[:4]
BULK = Recipe(CRACK.sources, MOST)
LONG = Threshold(1, tuple(sorted(sha256(bytes([n])) for n in range(16))))
TWICE = Input(b"\x01" * 32, 0, coin(5))


def nested(depth: int) -> Condition:
    """A condition of conditions."""
    return AnyOf((A, nested(depth - 1))) if depth > 1 else A


BROKEN: dict[str, Body] = {
    "form.empty": Body(outputs=(coin(1),)),
    "form.since": Body(spending(coin(1)), (coin(1),), since=1),
    "form.double_spend": Body((TWICE, TWICE), (coin(10),)),
    "form.zero": Body(spending(coin(1)), (coin(1), coin(0))),
    "form.retire": Body(spending(coin(5)), (coin(4),), retires=(Retire(NATIVE, 1, "burnt"),)),
    "form.text": Body(posts=(Post(A, "left\u202eright", None, None),)),
    "condition.threshold": Body(spending(coin(1)), (coin(1, Threshold(2, (b"\x01" * 32,))),)),
    "condition.order": Body(spending(coin(1)), (coin(1, Threshold(1, (b.public, b.public))),)),
    "condition.depth": Body(spending(coin(1)), (coin(1, nested(5)),)),
    "condition.size": Body(spending(coin(1)), (coin(1, AllOf((LONG, LONG))),)),
    "conservation": Body(spending(oil(5)), (oil(6),)),
    "conservation.overflow": Body(spending(coin(1)), (coin(MOST), coin(2))),
    "custody.coin": Body(spending(coin(5)), (Holding(NATIVE, 5, A, B),)),
    "custody.mixed": Body(spending(oil(5, A, B)), (oil(5, A),)),
    "rights.exceeded": Body(spending(right(10, CRACK)), (right(10),)),
    "rights.index": Body(spending(right(10), coin(1)), (oil(1),), issues=(Issue(1, 1),)),
    "rights.narrow": Body(spending(right(10, CRACK)), (oil(1),), issues=(Issue(0, 1),)),
    "rights.nowhere": Body(spending(oil(1)), (oil(1), right(1))),
    "rights.recipe": cracking(3, 2, recipe=1),
    "rights.yield": cracking(14, 10),
}  # fmt: skip
"""A body that breaks the rule, and no other."""

KEPT: list[Body] = [
    Body(spending(coin(10)), (coin(7),)),
    Body(spending(oil(0)), ()),
    Body(spending(right(10), right(3, CRACK)), (right(8, CRACK), right(5))),
    Body(spending(right(2, CRACK), right(8)), (right(10, CRACK),)),
    Body(spending(right(MOST)), (oil(MOST),), issues=(Issue(0, MOST),)),
    Body(spending(oil(5)), (oil(3),), retires=(Retire(OIL, 2, "spilled"),)),
    Body(definitions=(Definition("Ὅροι", "βαρέλι", 3, A, MOST, True, sha256(b"terms")),), since=HEIGHT - 1),
    Body(posts=(Post(A, "line\nline\tcolumn \U0001f6e2", OIL, sha256(b"bill")), Post(B, "", None, OIL)), since=1),
    cracking(15, 10),
    Body(spending(right(MOST, BULK), tar(3)), (oil(MOST),), transforms=(Transform(0, 0, CRACK.sources, MOST),)),
]
"""Bodies that break none."""


class Scene(NamedTuple):
    """What is agreed on, and who might sign it."""

    what: str
    before: list[Holding]
    after: list[Holding]
    signers: list[list[KeyPair]]
    secrets: tuple[bytes, ...] = ()


RECLAIM = AnyOf((Key(c.public), AllOf((AfterTime(CREATED_MS), A))))
LATE = AnyOf((Key(c.public), AllOf((AfterTime(CREATED_MS + 1), A))))
DEEP = AnyOf((Key(c.public), AllOf((AfterHeight(HEIGHT), A))))
TOO_DEEP = AnyOf((Key(c.public), AllOf((AfterHeight(HEIGHT + 1), A))))
BOARD = Threshold(2, tuple(sorted(pair.public for pair in (a, b, c))))
LOCK = AllOf((B, Preimage(sha256(SECRETS[0]))))

SCENES = [
    Scene("sold in the tank", [oil(9, A, C)], [oil(9, B, C)], [[a], [], [b], [c], [a, c]]),
    Scene("handed over", [oil(9, A, C)], [oil(4, A, C), oil(5, A, D)], [[c, d], [c], [d], [a], [a, c, d], [a, d]]),
    Scene("sold and handed over", [oil(9, A, C)], [oil(9, B, D)], [[a, c, d], [a, c], [a, d], [c, d], [a, b, c, d]]),
    Scene("split", [oil(9, A, C)], [oil(4, A, C), oil(5, A, C)], [[a], [c], []]),
    Scene("a gift", [oil(9, A, C)], [oil(4, A, C), oil(5, B, C)], [[a], [b]]),
    Scene("added to another's", [oil(9, A, C), oil(1, B, C)], [oil(10, A, C)], [[a, b], [b]]),
    Scene("swapped", [oil(9, A, C), oil(9, B, D)], [oil(9, B, C), oil(9, A, D)], [[c, d], [c], [a, b]]),
    Scene("reclaimed in time", [oil(9, A, RECLAIM)], [oil(9, A, A)], [[a], [c], [a, c]]),
    Scene("reclaimed too early", [oil(9, A, LATE)], [oil(9, A, A)], [[a], [a, c]]),
    Scene("reclaimed at a height", [oil(9, A, DEEP)], [oil(9, A, A)], [[a]]),
    Scene("reclaimed below the height", [oil(9, A, TOO_DEEP)], [oil(9, A, A)], [[a]]),
    Scene("put into the carrier's hands", [oil(9, A, A)], [oil(9, A, RECLAIM)], [[a], [a, c]]),
    Scene("by two of three", [oil(9, BOARD)], [oil(9, D)], [[a, b], [b, c], [a], [], [a, b, c], [a, d]]),
    Scene("by key and secret", [oil(9, LOCK)], [oil(9, B)], [[b]], SECRETS[:1]),
    Scene("by key without the secret", [oil(9, LOCK)], [oil(9, B)], [[b]]),
    Scene("by another secret", [oil(9, LOCK)], [oil(9, B)], [[b]], SECRETS[1:]),
    Scene("of two kinds", [oil(9, A, C), Holding(GAS, 3, B, D)], [oil(9, A, D), Holding(GAS, 3, B, C)], [[c, d], [c]]),
]


def scene_transaction(what: str, signers: Sequence[KeyPair], network: bytes) -> Transaction:
    """A scene's transaction on another network, signed by these."""
    scene = next(scene for scene in SCENES if scene.what == what)
    return signed(network, Body(spending(*scene.before), tuple(scene.after)), signers)


def scene_cases() -> Iterator[Case]:
    """A proof of each, by each group of signers; of each broken rule, and of what breaks none."""
    for scene in SCENES:
        body = encode(Body(spending(*scene.before), tuple(scene.after)))
        for signers in scene.signers:
            who = "".join("abcd"[PAIRS.index(pair)] for pair in signers)
            yield Case(
                f"{scene.what}, signed by {who or 'nobody'}", proof_of(body, signed_by(body, signers, scene.secrets))
            )
    for what, made in [*BROKEN.items(), *((f"kept {n}", kept) for n, kept in enumerate(KEPT))]:
        body = encode(made)
        yield Case(what, proof_of(body, signed_by(body, asked(body)[0])))
    long = plain_form(KEPT[0])
    long[6] = [[[0, a.public], "x" * 2000, None, None]] * 50
    yield Case("over the size", proof_of(encode(long), signed_by(encode(long), [a])))
