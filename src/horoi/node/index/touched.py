"""Which keys an output names, and what transactions change in the books of assets."""

from __future__ import annotations

from collections.abc import Iterable

from horoi.ledger.conditions import Condition, Key, keys_named, keys_now
from horoi.ledger.transaction import Holding, Output
from horoi.node.index.records import Item

OWNER, CUSTODIAN, RIGHT, LATER = 1, 2, 4, 8
"""How an output names a key. LATER: only under a lock, as an owner who may reclaim from its carrier next week."""

_OWNER_ALONE = bytes([OWNER])
_CUSTODIAN_ALONE = bytes([CUSTODIAN])
_BOTH = bytes([OWNER | CUSTODIAN])


def roles_of(made: Output) -> list[tuple[bytes, bytes]]:
    """Which keys an output names, each once, and how (one byte)."""
    owner = made.owner
    if type(owner) is Key and type(made) is Holding:  # the common cases, without a call
        custodian = made.custodian
        if custodian is None:
            return [(owner.public, _OWNER_ALONE)]
        if type(custodian) is Key:
            if custodian.public == owner.public:
                return [(owner.public, _BOTH)]
            return [(owner.public, _OWNER_ALONE), (custodian.public, _CUSTODIAN_ALONE)]
    roles: dict[bytes, int] = {}
    _add_roles(roles, owner, OWNER if isinstance(made, Holding) else RIGHT)
    if isinstance(made, Holding) and made.custodian is not None:
        _add_roles(roles, made.custodian, CUSTODIAN)
    return [(key, bytes([role])) for key, role in roles.items()]


def _add_roles(roles: dict[bytes, int], condition: Condition, role: int) -> None:
    now = keys_now(condition)
    for key in keys_named(condition):
        roles[key] = roles.get(key, 0) | (role if key in now else LATER)


class Books:
    """What the transactions of a block change in the books of assets: issued, produced, consumed, retired, transactions."""

    def __init__(self) -> None:
        self.changes: dict[bytes, list[int]] = {}
        self.reasons: dict[bytes, int] = {}
        """Retired, by asset and reason."""
        self.posts = 0

    def enter(self, item: Item, assets: Iterable[bytes]) -> None:
        """Add a transaction."""
        changes, body = self.changes, item.body
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
            reason = retired.asset + retired.reason.encode()
            self.reasons[reason] = self.reasons.get(reason, 0) + retired.quantity
        self.posts += len(body.posts)
