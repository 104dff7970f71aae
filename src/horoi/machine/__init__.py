"""The contract of every protocol in this house: ``handle(event, now) -> actions``. Public names."""

from horoi.machine.contract import (
    Action,
    Arm,
    Asked,
    Drop,
    Event,
    Finished,
    Fired,
    Job,
    Lost,
    Machine,
    Peer,
    Received,
    Run,
    Save,
    Send,
    Tell,
)
from horoi.machine.links import Dial, Linked, Unlinked

__all__ = [
    "Action",
    "Arm",
    "Asked",
    "Dial",
    "Drop",
    "Event",
    "Finished",
    "Fired",
    "Job",
    "Linked",
    "Lost",
    "Machine",
    "Peer",
    "Received",
    "Run",
    "Save",
    "Send",
    "Tell",
    "Unlinked",
]
