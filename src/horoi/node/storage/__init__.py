"""What a node keeps: a log of blocks that is the truth, and a state store that can be rebuilt from it.

Order of writing (write-ahead rule): append blocks and their undo data to the log, sync it, and only then flush the state
with a marker that names a block in the log. After a crash the marker says which block the state stands at, and the log
holds that block and perhaps more, which are applied again.
"""

from horoi.node.storage.cache import CachedStore
from horoi.node.storage.log import BlockLog, Recovery
from horoi.node.storage.record import BLOCK, COMMIT, MAX_PAYLOAD_BYTES, UNDO, Damage, Entry, Location

__all__ = [
    "BLOCK",
    "COMMIT",
    "MAX_PAYLOAD_BYTES",
    "UNDO",
    "BlockLog",
    "CachedStore",
    "Damage",
    "Entry",
    "Location",
    "Recovery",
]
