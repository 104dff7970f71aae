"""Horoi: a ledger of ownership that nobody runs, and the peer-to-peer systems beneath it.

The floors, from the ground up (an import goes down only):

    base      hashing, keys, addresses, the canonical codec, errors
    machine   the contract of every protocol: ``handle(event, now) -> actions``
    world     hosts of machines: ``live`` (sockets, disk, real time) and ``sim`` (one seed, one universe)
    ledger    ownership as history: transactions, blocks, state, consensus
    node      the full node: a stack of machines over one transport
    web, lab  the node's HTTP API; experiments and attacks in the simulator
    cli       the commands
"""

__version__ = "0.1.0"
