"""What the node says with its own keys. Every handler here needs the node's token."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from horoi.base.errors import ForbiddenError, UsageError
from horoi.node.wallet import partial as partials
from horoi.node.wallet.partial import PartialTransaction
from horoi.web.access import NodeAccess
from horoi.web.compose import compose
from horoi.web.model.base import NoQuery
from horoi.web.model.wallet import (
    Define,
    DraftForm,
    HandOver,
    Issue,
    KeyList,
    KeyView,
    License,
    Merge,
    Reclaim,
    Refine,
    Retire,
    Say,
    SignForm,
    Split,
    Step,
    Transfer,
    Transform,
    Verb,
    WalletAnswer,
    WalletQuery,
)
from horoi.web.signing import finish, read_fee, read_payer, signed_by


async def define(access: NodeAccess, query: WalletQuery, verb: Define) -> WalletAnswer:
    """Define an asset."""
    return await _act(access, query, [verb])


async def issue(access: NodeAccess, query: WalletQuery, verb: Issue) -> WalletAnswer:
    """Make a quantity of an asset under the issuer's right."""
    return await _act(access, query, [verb])


async def transfer(access: NodeAccess, query: WalletQuery, verb: Transfer) -> WalletAnswer:
    """Change the owner."""
    return await _act(access, query, [verb])


async def hand_over(access: NodeAccess, query: WalletQuery, verb: HandOver) -> WalletAnswer:
    """Change the custodian; the one who receives signs too."""
    return await _act(access, query, [verb])


async def reclaim(access: NodeAccess, query: WalletQuery, verb: Reclaim) -> WalletAnswer:
    """Take goods back from a custodian under the condition of the hand-over."""
    return await _act(access, query, [verb])


async def transform(access: NodeAccess, query: WalletQuery, verb: Transform) -> WalletAnswer:
    """Make an asset out of others under a recipe."""
    return await _act(access, query, [verb])


async def refine(access: NodeAccess, query: WalletQuery, verb: Refine) -> WalletAnswer:
    """Use up a source for several products, and retire the loss."""
    return await _act(access, query, [verb])


async def retire(access: NodeAccess, query: WalletQuery, verb: Retire) -> WalletAnswer:
    """Take a quantity out of the books, with the reason."""
    return await _act(access, query, [verb])


async def license_right(access: NodeAccess, query: WalletQuery, verb: License) -> WalletAnswer:
    """Give somebody a right to make an asset under recipes."""
    return await _act(access, query, [verb])


async def post(access: NodeAccess, query: WalletQuery, verb: Say) -> WalletAnswer:
    """Say something on the bulletin board."""
    return await _act(access, query, [verb])


async def split(access: NodeAccess, query: WalletQuery, verb: Split) -> WalletAnswer:
    """Make several holdings out of one."""
    return await _act(access, query, [verb])


async def merge(access: NodeAccess, query: WalletQuery, verb: Merge) -> WalletAnswer:
    """Make one holding out of several."""
    return await _act(access, query, [verb])


async def draft(access: NodeAccess, query: WalletQuery, form: DraftForm) -> WalletAnswer:
    """Several verbs that happen together or not at all."""
    return await _act(access, query, form.steps)


async def sign(access: NodeAccess, query: WalletQuery, form: SignForm) -> WalletAnswer:
    """Add the node's signatures, and preimages, to a partially signed transaction."""
    partial = partials.from_json(msgspec.json.encode(form.partial))
    if partial.network_id != access.node.chain.network:
        raise UsageError(
            f"it is of network {partial.network_id.hex()}, this node of {access.node.chain.network.hex()}",
            code="other-network",
        )
    keys = access.keys_named(query.keys)
    asked = partials.keys_asked(partial)
    if not form.preimages and not any(key.pair.public in asked for key in keys):
        raise ForbiddenError(
            f"none of this node's {len(keys)} key(s) is asked to agree with {partial.id.hex()}", code="not-asked"
        )
    for preimage in form.preimages:
        partial = partials.show_preimage(partial, bytes.fromhex(preimage))
    return await finish(access, signed_by(keys, partial), submit=query.submit)


def wallet_keys(access: NodeAccess, _: NoQuery, __: None) -> KeyList:
    """The keys that this node can sign with."""
    return KeyList(
        keys=[
            KeyView(name=key.name, address=key.address, key=key.pair.public.hex(), default=key is access.default_key)
            for key in access.keys
        ]
    )


async def _act(access: NodeAccess, query: WalletQuery, steps: Sequence[Verb | Step]) -> WalletAnswer:
    """Compose, sign, and hand in, one action at a time."""
    payer, fee = read_payer(query.payer), read_fee(query.fee)
    keys = access.keys_named(query.keys)
    async with access.wallet_turn:
        body = compose(access, steps, payer, fee)
        partial = PartialTransaction(access.node.chain.network, body)
        return await finish(access, signed_by(keys, partial), submit=query.submit)
