"""A light client: follows headers only, and verifies proofs against the chain that it follows itself (Nakamoto 2008, section 8).

store.py    headers on disk, 84.5 bytes each
chain.py    the heaviest chain of headers among those offered: every rule of a header is checked
follow.py   several nodes are asked, none is believed
"""
