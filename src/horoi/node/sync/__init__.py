"""Headers first, then blocks from many peers: how a node comes to hold the heaviest chain and stays on it.

machine.py   the conversation: headers, verification, the tip, announcements
fetching.py  which missing block is asked of whom
serving.py   what a peer gets of the chain, and how much of it
messages.py  the wire
"""
