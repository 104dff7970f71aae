"""A node is a stack of machines that share one transport.

Each machine of the stack has a name and says what it takes: the message types of its wire and the requests and
notices it hears. The stack routes:

- ``Received`` to the one machine whose wire holds the message's type;
- ``Asked`` to every machine that hears the request's type, in stack order;
- ``Fired`` and ``Finished`` back to the machine that armed the timer or ran the job (names are prefixed on the way out);
- ``Lost`` to all;
- ``Tell(notice)`` to every machine that hears the notice's type, at once and in order, and then on to the application.

The stack is itself a machine, so worlds do not know it exists.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any, Protocol

import msgspec

from horoi.machine.contract import (
    Action,
    Arm,
    Asked,
    Event,
    Finished,
    Fired,
    Lost,
    Received,
    Run,
    Tell,
)
from horoi.machine.wire import Wire

MAX_TELLS_PER_EVENT = 10_000  # a guess: a stack whose notices chase each other must stop loudly, not hang


class StackMachine(Protocol):
    """A machine that can live in a stack."""

    wire: Wire | None
    hears: tuple[type, ...]

    def handle(self, event: Event, now: float) -> list[Action]: ...


class NamedJob(msgspec.Struct, frozen=True, gc=False):
    """A job on its way out of the stack, with the name of the machine that gets the result."""

    owner: str
    job: Any

    @property
    def modelled_s(self) -> float:
        return float(self.job.modelled_s)

    def run(self) -> Any:
        return self.job.run()


class Stack:
    """Several machines under one ``handle``. ``machines`` is in order, lowest first."""

    def __init__(self, machines: Mapping[str, StackMachine]) -> None:
        self.machines = dict(machines)
        self._by_message: dict[type, str] = {}
        self._by_request: dict[type, list[str]] = {}
        for name, machine in self.machines.items():
            for kind in machine.wire.types if machine.wire else ():
                if kind in self._by_message:
                    raise ValueError(f"{kind.__name__} is taken by {self._by_message[kind]} and {name}")
                self._by_message[kind] = name
            for kind in machine.hears:
                self._by_request.setdefault(kind, []).append(name)

    def hears(self, kind: type) -> bool:
        """True if some machine of this stack takes requests or notices of this type."""
        return kind in self._by_request

    def handle(self, event: Event, now: float) -> list[Action]:
        queue: deque[tuple[str, Event]] = deque(self._route(event))
        actions: list[Action] = []
        tells = 0
        while queue:
            name, inner = queue.popleft()
            for action in self.machines[name].handle(inner, now):
                if isinstance(action, Arm):
                    actions.append(Arm((name, action.timer), action.after_s))
                elif isinstance(action, Run):
                    actions.append(Run(NamedJob(name, action.job)))
                else:
                    actions.append(action)
                    if isinstance(action, Tell):
                        tells += 1
                        if tells > MAX_TELLS_PER_EVENT:
                            raise RuntimeError(f"the stack told itself {tells} notices for one {event!r:.200}")
                        heard_by = self._by_request.get(type(action.notice), ())
                        queue.extend((other, Asked(action.notice)) for other in heard_by)
        return actions

    def _route(self, event: Event) -> list[tuple[str, Event]]:
        if isinstance(event, Received):
            owner = self._by_message.get(type(event.message))
            return [(owner, event)] if owner else []
        if isinstance(event, Asked):
            return [(name, event) for name in self._by_request.get(type(event.request), ())]
        if isinstance(event, Fired):
            owner_and_timer: Any = event.timer  # armed above, so always a pair
            return [(owner_and_timer[0], Fired(owner_and_timer[1]))]
        if isinstance(event, Finished):
            return [(event.job.owner, Finished(event.job.job, event.result))]
        assert isinstance(event, Lost)
        return [(name, event) for name in self.machines]
