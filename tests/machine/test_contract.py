"""The contract's records: plain, immutable, comparable; and a machine that keeps the laws is the same in every process."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import horoi.machine as contract
from horoi.machine import Action, Arm, Asked, Drop, Event, Finished, Fired, Lost, Received, Run, Save, Send, Tell

ROOT = Path(__file__).parents[2]

EVENTS: list[Event] = [Asked(1), Received("p", "m"), Fired("t"), Finished("job", 2), Lost("p")]
ACTIONS: list[Action] = [
    Send("p", "m"),
    Arm("t", 1.0),
    Arm("t", None),
    Run("job"),
    Save("r"),
    Drop("p", "why"),
    Tell("n"),
]


@pytest.mark.parametrize("record", [*EVENTS, *ACTIONS], ids=lambda record: type(record).__name__)
def test_events_and_actions_are_immutable_values(record: Any) -> None:
    field = record.__struct_fields__[0]
    with pytest.raises(AttributeError):
        setattr(record, field, "other")
    assert record == type(record)(*(getattr(record, name) for name in record.__struct_fields__))


def test_all_that_is_public_is_there() -> None:
    assert sorted(contract.__all__) == sorted(set(contract.__all__))
    assert all(hasattr(contract, name) for name in contract.__all__)


class Gossip:
    """Passes a word on to three random neighbours, once: a machine that keeps the laws."""

    def __init__(self, neighbours: list[str], dice: random.Random) -> None:
        self.neighbours = neighbours
        self.dice = dice
        self.known: dict[str, float] = {}

    def handle(self, event: Event, now: float) -> list[Action]:
        word = event.request if isinstance(event, Asked) else event.message if isinstance(event, Received) else None
        if word is None or word in self.known:
            return []
        self.known[word] = now
        return [Send(peer, word) for peer in self.dice.sample(self.neighbours, 3)] + [Tell(word)]


def answers() -> list[str]:
    machine = Gossip([f"p{n}" for n in range(20)], random.Random("seed"))
    events: list[Event] = [Asked("a"), Received("p1", "b"), Received("p2", "b"), Lost("p3"), Asked("c")]
    return [repr(machine.handle(event, float(now))) for now, event in enumerate(events)]


def test_the_same_arguments_and_events_give_the_same_actions_in_every_process() -> None:
    code = "from tests.machine.test_contract import answers; print(answers())"
    outputs = set()
    for hash_seed in ("1", "2"):
        environment = os.environ | {"PYTHONHASHSEED": hash_seed, "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"}
        done = subprocess.run(
            [sys.executable, "-c", code],
            env=environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        outputs.add(done.stdout.strip())
    assert outputs == {str(answers())}
