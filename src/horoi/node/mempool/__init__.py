"""The mempool: transactions that wait for a block.

    pool.py     what waits, what may be spent, who is next
    admission.py the rules of the pool: conflicts, families, room
    fees.py     the order: classes of fee rate, first come first served within one
    quotas.py   the limits of a network whose fees are zero: per signing key, per peer
    orphans.py  transactions whose inputs nobody here knows yet
    tip.py      what changes when the chain's tip moves
    saved.py    the pool across a restart

Invariants: no two transactions of the pool spend the same output; each is valid in the next block after those that stand
before it in ``select``; bytes and numbers stay below ``Limits``.
"""

from horoi.node.mempool.entry import ChainView, Left
from horoi.node.mempool.limits import Limits
from horoi.node.mempool.orphans import Orphans
from horoi.node.mempool.pool import Mempool
from horoi.node.mempool.saved import load

__all__ = ["ChainView", "Left", "Limits", "Mempool", "Orphans", "load"]
