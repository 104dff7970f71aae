"""How long a peer of CAN waits for a neighbour."""

from __future__ import annotations

import random

from horoi.lookup.can.config import CanConfig
from horoi.lookup.can.core import FAR, Core
from horoi.lookup.can.messages import Claim
from horoi.lookup.can.zone import Space
from horoi.lookup.common.pending import FIRST_TIMEOUT_S, MAX_TIMEOUT_S
from horoi.lookup.vocabulary import Contact


def test_a_far_neighbour_is_waited_for_longer_and_never_without_end() -> None:
    core = Core(Contact(1, "me"), CanConfig(), random.Random(1), Space(2, 32))
    neighbours = core.realities[0].neighbours
    neighbours.take(Claim(Contact(2, "far"), (5,), 1), (4,), 1, 0.0)
    far = neighbours.get("far")
    assert far is not None
    assert core.timeout_s("far") == FIRST_TIMEOUT_S
    far.measured(2.0)
    assert core.timeout_s("far") == FAR * 2.0
    for _ in range(100):  # it answers at the last moment, every time
        far.measured(core.timeout_s("far"))
        assert core.timeout_s("far") <= MAX_TIMEOUT_S
