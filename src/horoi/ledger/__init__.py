"""Ownership is history: the ledger as a definition. Knows nothing of peers, sockets, clocks or files.

Where the words of the lectures live:

    transaction data, history     transaction.py (the record), ledger.py (the history, applied in order)
    digital signature             authority.py (who must sign), conditions.py (what satisfies an owner)
    hash reference                block.py (``parent``; ``content_root``), merkle.py (change-sensitive trees)
    state                         ledger.py (holdings by outpoint), bitfield.py (one bit per output ever made)
    hash puzzle                   consensus/nakamoto/puzzle.py, difficulty: .../target.py, asert.py
    blockchain algorithm          rules.py (only valid data are added), ledger.py (connect, disconnect)
    distributed consensus         consensus/nakamoto/tree.py (heaviest chain)
    compensation                  consensus/nakamoto/reward.py (subsidy, fees, maturity)
"""
