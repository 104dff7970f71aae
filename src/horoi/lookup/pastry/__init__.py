"""Pastry: prefix routing, a leaf set around each id, and tables that prefer near peers.

Rowstron and Druschel 2001, "Pastry: scalable, decentralized object location and routing for large-scale peer-to-peer
systems" (Middleware 2001). Ids are points of a ring, read as digits of b bits. A message for a key goes at each step to a
peer that shares one digit more with the key, and at the end to the peer whose id is numerically closest: the owner.

The invariants: each peer knows the L/2 live peers next to it on each side (then any message arrives at the true owner), and
every row of its table points to peers that share so many digits (then it arrives in about log_(2^b) N steps).

Read in this order: ``leaf_set``, ``routing_table``, ``neighbourhood_set`` (section 2.1), ``routing`` (2.3), ``forwarding``,
``lookups``, ``joining`` (2.4, 2.5), ``repair`` (2.4), ``liveness``, ``upkeep``, ``keeping``, ``machine``.
"""
