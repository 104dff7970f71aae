"""A block's content tree, its puzzle and its neighbours, for a page that draws them."""

from __future__ import annotations

from horoi.base.codec import encode
from horoi.base.errors import NotFoundError
from horoi.ledger.block import Block, reward_id
from horoi.ledger.consensus.nakamoto import target as targets
from horoi.ledger.consensus.nakamoto.tree import Known
from horoi.ledger.merkle import inclusion_path, leaf_hash, next_level
from horoi.web.access import NodeAccess
from horoi.web.model.pages import ContentTree, Neighbours, PuzzleView, TreeBranch, TreeItem, TreeNode
from horoi.web.reading import item_ids
from horoi.web.views import difficulty

MAX_LEVEL_NODES = 64  # that fit beside each other on a screen
MAX_STALE = 20


def content_tree(access: NodeAccess, known: Known, block: Block, leaf: int | None) -> ContentTree:
    """The upper levels of the tree, the first leaves, and the path of one leaf."""
    preimages, ids = _leaves(access, known, block)
    level = [leaf_hash(preimage) for preimage in preimages]
    hashes = level
    levels = [level]
    while len(level) > 1:
        level = next_level(level)
        levels.append(level)
    shown = [row for row in reversed(levels) if len(row) <= MAX_LEVEL_NODES]
    return ContentTree(
        block=known.name.hex(),
        height=known.height,
        root=levels[-1][0].hex(),
        leaves=len(hashes),
        levels=[[TreeNode(index=n, hash=name.hex()) for n, name in enumerate(row)] for row in shown],
        omitted_levels=len(levels) - len(shown),
        items=[
            TreeItem(
                index=n,
                kind="transaction" if n else "reward",
                id=ids[n].hex(),
                hash=hashes[n].hex(),
                first_output=str(int.from_bytes(preimages[n][:8], "big")),
            )
            for n in range(min(len(hashes), MAX_LEVEL_NODES))
        ],
        path=_branch(leaf, ids, preimages, hashes) if leaf is not None else None,
    )


def _leaves(access: NodeAccess, known: Known, block: Block) -> tuple[list[bytes], list[bytes]]:
    """Preimages of the leaves (ledger/block.py, "Leaves") and the ids that they are of, the reward first."""
    chain = access.node.chain
    reward = reward_id(chain.network, known.height, block.reward)
    preimages, ids = [bytes(8) + reward], [reward]
    output = len(block.reward)
    for item, transaction in zip(item_ids(access, known), block.transactions, strict=True):
        preimages.append(output.to_bytes(8, "big") + item + encode(transaction.witness))
        ids.append(item)
        output += len(transaction.body.outputs) + len(transaction.body.definitions)
    return preimages, ids


def _branch(leaf: int, ids: list[bytes], preimages: list[bytes], hashes: list[bytes]) -> TreeBranch:
    if leaf >= len(hashes):
        raise NotFoundError(
            f"leaf {leaf}: this block's tree has {len(hashes)}, from 0 on", code="no-leaf", leaf=leaf, count=len(hashes)
        )
    return TreeBranch(
        leaf=leaf,
        id=ids[leaf].hex(),
        hash=hashes[leaf].hex(),
        preimage=preimages[leaf].hex(),
        siblings=[name.hex() for name in inclusion_path(hashes, leaf)],
    )


def puzzle_view(known: Known) -> PuzzleView:
    """The puzzle of a header. The genesis has none: it counts as solved."""
    target = targets.expand(known.header.target)
    number = int.from_bytes(known.name, "big")
    return PuzzleView(
        target=f"{target:064x}",
        hash=known.name.hex(),
        is_solved=number <= target or known.parent is None,
        difficulty=str(difficulty(known.header.target)),
        margin=target / max(1, number),
    )


def neighbours(access: NodeAccess, known: Known) -> Neighbours:
    """Parent, the next block if this one is on the chain, and others of the same height."""
    chain = access.node.chain
    following = chain.at_height(known.height + 1) if chain.is_active(known) else None
    beside = [other for other in side_blocks(access) if other.height == known.height and other is not known]
    at = chain.at_height(known.height)
    if at is not None and at is not known:
        beside.insert(0, at)
    return Neighbours(
        parent=known.parent.name.hex() if known.parent is not None else None,
        next=following.name.hex() if following is not None else None,
        stale=[other.name.hex() for other in beside[:MAX_STALE]],
    )


def side_blocks(access: NodeAccess) -> list[Known]:
    """Known headers that are not on the connected chain, nor ahead of it; the tree keeps a bounded number of them."""
    chain = access.node.chain
    key = (len(chain.tree.by_name), chain.tip.name)
    if access.side_blocks is None or access.side_blocks[0] != key:
        left = key[0] - (
            chain.tip.height - chain.tree.root.height + 1
        )  # of all known headers, those that are elsewhere
        found: list[Known] = []
        for known in reversed(chain.tree.by_name.values()):
            if left == 0:
                break
            if not chain.is_active(known):
                left -= 1
                if known.height <= chain.tip.height:
                    found.append(known)
        access.side_blocks = (key, found[::-1])
    return access.side_blocks[1]
