"""What a transaction touches, for the index: outputs, keys, assets, books."""

from __future__ import annotations

from collections.abc import Iterable

from horoi.ledger.conditions import Condition, Key, keys_named, keys_now
from horoi.ledger.ledger import Prepared
from horoi.ledger.transaction import NATIVE, Holding, Output, outpoint, outputs_made

OWNER, CUSTODIAN, RIGHT, LATER = 1, 2, 4, 8
"""How an output names a key. LATER: only under a lock, as an owner who may reclaim from its carrier next week."""

_OWNER_ALONE = bytes([OWNER])


def roles_of(made: Output) -> list[tuple[bytes, bytes]]:
    """Which keys an output names, each once, and how (one byte)."""
    owner = made.owner
    if type(owner) is Key and type(made) is Holding and made.custodian is None:
        return [(owner.public, _OWNER_ALONE)]
    roles: dict[bytes, int] = {}
    _add_roles(roles, owner, OWNER if isinstance(made, Holding) else RIGHT)
    if isinstance(made, Holding) and made.custodian is not None:
        _add_roles(roles, made.custodian, CUSTODIAN)
    return [(key, bytes([role])) for key, role in roles.items()]


def _add_roles(roles: dict[bytes, int], condition: Condition, role: int) -> None:
    now = keys_now(condition)
    for key in keys_named(condition):
        roles[key] = roles.get(key, 0) | (role if key in now else LATER)


class Touched:
    """What a transaction touches: outputs spent and made, with their outpoints; keys and assets, each once, in order."""

    __slots__ = ("assets", "keys", "made", "spent")

    def __init__(self, item: Prepared) -> None:
        body = item.transaction.body
        self.spent = [(outpoint(spent.source, spent.index), spent.content) for spent in body.inputs]
        self.made = [(outpoint(item.id, n), made) for n, made in enumerate(outputs_made(item.id, body))]
        keys: dict[bytes, None] = {}
        assets: dict[bytes, None] = {}
        for pairs in (self.spent, self.made):
            for _, content in pairs:
                assets[content.asset] = None
                for key, _ in roles_of(content):
                    keys[key] = None
        for post in body.posts:
            keys.update(dict.fromkeys(keys_named(post.author)))
            if post.about is not None:
                assets[post.about] = None
        assets.pop(NATIVE, None)
        self.keys = keys
        self.assets = assets


class Books:
    """What the transactions of a block change in the books of assets: issued, produced, consumed, retired, transactions."""

    def __init__(self) -> None:
        self.changes: dict[bytes, list[int]] = {}
        self.posts = 0

    def enter(self, item: Prepared, assets: Iterable[bytes]) -> None:
        """Add a transaction."""
        changes, body = self.changes, item.transaction.body
        for asset in assets:
            row = changes.get(asset)
            if row is None:
                row = changes[asset] = [0, 0, 0, 0, 0]
            row[4] += 1
        for issue in body.issues:
            changes[body.inputs[issue.right].content.asset][0] += issue.quantity
        for transform in body.transforms:
            changes[body.inputs[transform.right].content.asset][1] += transform.produced
            for amount in transform.consumed:
                changes[amount.asset][2] += amount.quantity
        for retired in body.retires:
            changes[retired.asset][3] += retired.quantity
        self.posts += len(body.posts)
