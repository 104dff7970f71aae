"""Tapestry: prefix routing to a root per key, object pointers left along the way, backup links, insertion by multicast.

Zhao, Kubiatowicz and Joseph 2001, "Tapestry: an infrastructure for fault-tolerant wide-area location and routing"
(UCB/CSD-01-1141); Zhao, Huang, Stribling, Rhea, Joseph and Kubiatowicz 2004, "Tapestry: a resilient global-scale overlay for
service deployment" (IEEE JSAC 22(1)); the insertion is from Hildrum, Kubiatowicz, Rao and Zhao 2002, "Distributed object
location in a dynamic network" (SPAA). Cited below as TR, JSAC and SPAA.

A message for a key resolves one digit at each step. Where no peer has the wanted digit, the next higher one that some peer has
is taken instead (surrogate routing), so every key has one root, whatever the source. Whoever has a thing publishes towards
the root of its key, and leaves a pointer at each step; a query goes the same way and turns off at the first pointer.

The invariant (SPAA, property 1): a slot of a neighbour map is empty only if no peer of the whole network fits it. Then all
sources reach the same root.

Read in this order: ``neighbour_map``, ``surrogate``, ``object_pointers``, ``forwarding``, ``lookups``, ``joining`` with
``multicast``, ``repair``, ``liveness``, ``upkeep``, ``keeping``, ``machine``.
"""
