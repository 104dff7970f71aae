"""Consensus by proof of work (Nakamoto 2008): one hash power, one vote, on which history is the truth.

puzzle.py   the hash puzzle: targets, work, the search
asert.py    the difficulty follows the clock, block by block (aserti3-2d)
reward.py   compensation of those who keep the ledger: subsidy, fees, maturity
header.py   the rules of a header: parent, height, time, target, puzzle
tree.py     all headers known, and which chain is heaviest (first seen on ties)
"""
