"""Witnesses: independent nodes that co-sign what they all see (ledger/checkpoint.py), so that a reader without a node can
choose whom to believe.

messages.py   the wire: ask for a cosignature, give one
promise.py    what this node signed last, kept on disk: never will it sign a chain that does not go on from there
machine.py    a checkpoint now and then, of blocks that lie deep; asks peers, answers peers
"""
