"""A protocol is a machine: it is handed an event, changes its own state, and answers with a list of actions.

    Event  = Asked(request)            the application (or a neighbour in the stack) wants something
           | Received(peer, message)   decoded and bounded by the world
           | Fired(timer)              the timer of this name ran out
           | Finished(job, result)     a piece of heavy pure work came back
           | Lost(peer)                the transport gave this peer up
    Action = Send(peer, message) | Arm(timer, after) | Run(job) | Save(record) | Drop(peer) | Tell(notice)

The laws:

1. One call, one returned list. The order of the list is the order of effects: a ``Save`` is durable before any
   action after it is carried out.
2. Timers are named and replaceable: ``Arm(name, after_s)`` replaces the timer of that name, ``Arm(name, None)``
   disarms it.
3. ``now`` is seconds and never steps back. Dice are a ``random.Random`` given to the constructor.
4. The same constructor arguments and the same events give the same actions in every process: never iterate a set.
5. No socket, clock, thread, file or dice inside. Heavy pure work leaves as ``Run`` and returns as ``Finished``.
6. No peer's message may make ``handle`` raise. What a peer can grow is bounded.

Events and actions are msgspec structs, frozen and untracked by the garbage collector: measured at half the cost
of frozen slotted dataclasses (shared anchors, "machines").
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, Protocol, TypeAlias

import msgspec

Peer: TypeAlias = Any
"""An opaque name given by the world: hashable and orderable. A node id (bytes) on links, an address on datagrams."""

Timer: TypeAlias = Hashable


class Job(Protocol):
    """Heavy pure work. The live world runs it on a thread, the simulated world charges it as modelled time."""

    @property
    def modelled_s(self) -> float:
        """What the simulated world charges for it, in seconds of one core."""

    def run(self) -> Any:
        """Do the work and return the result. Pure: no shared state is read or written."""


class Asked(msgspec.Struct, frozen=True, gc=False):
    """The application, the world or a neighbour in the stack wants something."""

    request: Any


class Received(msgspec.Struct, frozen=True, gc=False):
    """A message from a peer, decoded and bounded by the world."""

    peer: Peer
    message: Any


class Fired(msgspec.Struct, frozen=True, gc=False):
    """The timer of this name ran out."""

    timer: Timer


class Finished(msgspec.Struct, frozen=True, gc=False):
    """A piece of heavy pure work came back. ``result`` is what ``job.run()`` returned, or the exception."""

    job: Any
    result: Any


class Lost(msgspec.Struct, frozen=True, gc=False):
    """The transport gave this peer up: closed, timed out, or dropped by us."""

    peer: Peer


class Send(msgspec.Struct, frozen=True, gc=False):
    """Send this message to this peer; to a peer that is gone it is silently nothing."""

    peer: Peer
    message: Any


class Arm(msgspec.Struct, frozen=True, gc=False):
    """Fire the timer of this name ``after_s`` seconds from now; None disarms it."""

    timer: Timer
    after_s: float | None


class Run(msgspec.Struct, frozen=True, gc=False):
    """Do this heavy pure work elsewhere; it comes back as ``Finished``."""

    job: Any


class Save(msgspec.Struct, frozen=True, gc=False):
    """Make this record durable before any action after it."""

    record: Any


class Drop(msgspec.Struct, frozen=True, gc=False):
    """Close the link to this peer. The world answers with ``Lost``. ``reason`` is for people's logs."""

    peer: Peer
    reason: str = ""


class Tell(msgspec.Struct, frozen=True, gc=False):
    """Something the application (or a neighbour in the stack) should know."""

    notice: Any


Event: TypeAlias = Asked | Received | Fired | Finished | Lost
Action: TypeAlias = Send | Arm | Run | Save | Drop | Tell


class Machine(Protocol):
    """What a world hosts."""

    def handle(self, event: Event, now: float) -> list[Action]:
        """Take one event at ``now`` (seconds, never stepping back) and return the actions, in order of effect."""
