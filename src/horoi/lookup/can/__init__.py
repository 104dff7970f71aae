"""CAN (Ratnasamy, Francis, Handley, Karp, Shenker, SIGCOMM 2001): "A scalable content-addressable network".

The space of keys is a torus of d dimensions; at every moment it is cut into zones, and each zone has an owner. A key is a point,
and belongs to whoever owns the zone around it. A peer knows only its neighbours, whose zones abut its own, and passes a
message to the one nearest to the point: (d/4) N^(1/d) steps for 2d neighbours, whatever N is.

The invariant: **the zones of all peers tile the torus**, no gap and no overlap. Joining splits a zone, leaving hands one over,
a failure is taken over by a neighbour; every repair here restores this one sentence.

The files, by the paper's words: ``zone`` (coordinates), ``partition`` (the tree that splits make), ``neighbours``, ``routing``,
``realities``, ``joining``, ``upkeep`` (soft-state updates), ``takeover``, ``reassignment`` (Appendix A), ``overloading``,
``landmarks``, ``keeping`` (put and get), ``hotspots``.
"""
