"""How a world starts a machine: the same ``Boot`` builds a node in the live world and in the simulated one.

A world calls the boot with what only a world has (a name, dice, a disk), gets the machine and its wire, and hands it
``Asked(Started())`` first. After a crash the machine is gone and the boot is called again over the same disk.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import msgspec

from horoi.machine.contract import Machine, Peer
from horoi.machine.disk import Disk
from horoi.machine.wire import Wire


class Started(msgspec.Struct, frozen=True, gc=False):
    """Request from the world: the first event of every life."""


@dataclass(frozen=True)
class Place:
    """What a world gives: the peer's own name, its dice (one seed, one sequence), its disk."""

    name: Peer
    dice: random.Random
    disk: Disk


def _save_nothing(record: Any) -> None:
    raise RuntimeError(f"this machine was booted without a way to save, and saves {type(record).__name__}")


def _close_nothing() -> None:
    return


@dataclass(frozen=True)
class Hosted:
    """What a boot gives back. ``save`` makes a record durable before it returns; ``close`` flushes at a clean stop.

    ``wire`` is None where messages need no encoding (a simulation that counts none).
    """

    machine: Machine
    wire: Wire | None
    save: Callable[[Any], None] = _save_nothing
    close: Callable[[], None] = _close_nothing


Boot: TypeAlias = Callable[[Place], Hosted]
