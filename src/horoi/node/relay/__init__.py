"""Relay: information forwarding in networks, for transactions.

A node announces the ids of what it admitted, a peer asks for those that it lacks, and gets them: so a transaction crosses
each link about once, whatever the number of links, and only ids cross twice.

    messages.py   the wire: Announce, Request, Deliver, NotFound
    requests.py   who announced what, whom it was asked of, whom to ask next
    intake.py     signatures leave in batches and come back in order
    links.py      what is remembered of each peer: what it knows, what it waits for
    submissions.py  what the application submitted, and its answers
    recent.py     bounded memory of ids
    verdict.py    what a refusal means
    outbox.py     notices in measured portions
    machine.py    the machine
"""

from horoi.node.relay.machine import Relay
from horoi.node.relay.messages import Announce, Deliver, NotFound, Request, relay_wire

__all__ = ["Announce", "Deliver", "NotFound", "Relay", "Request", "relay_wire"]
