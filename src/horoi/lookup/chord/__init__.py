"""Chord: a ring of peers, lookups in half of log2 N steps (Stoica et al. 2001, 2003). Begin with ``machine``."""
