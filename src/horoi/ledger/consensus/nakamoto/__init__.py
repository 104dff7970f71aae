"""Consensus by proof of work (Nakamoto 2008): one hash power, one vote, on which history is the truth.

target.py   how hard a puzzle is: targets, their compact form, work
puzzle.py   the hash puzzle: the check, the search
asert.py    the difficulty follows the clock, block by block (aserti3-2d)
reward.py   compensation of those who keep the ledger: subsidy, fees, maturity
tree.py     the rules of a header; all headers known, and which chain is heaviest (first seen on ties)
"""
