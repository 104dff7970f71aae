"""Lookup by key: who is responsible for this key, and where is it? Five answers behind one vocabulary.

``chord``, ``can``, ``pastry``, ``tapestry`` and ``kademlia`` are rooms of their own and never import each other. What they
are asked and what they tell is in ``vocabulary``; what they really share is in ``common``.
"""
