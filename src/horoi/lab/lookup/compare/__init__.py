"""All overlays on one trace: the same places on the map, the same keys, the same lookups, failures and departures.

Compared are hops and time, state, load, and how many lookups find the true owner while peers fail or come and go, and for how
many bytes. As a protocol can always buy success with bytes, one setting of it says little (Li et al., "Comparing the performance
of distributed hash tables under churn", IPTPS 2004): so each is run at several paces of upkeep and its *hull* is drawn, which is
what it can do at best for so many bytes.

``plan`` says which runs, ``figures`` draws numbers from them, ``plots`` pictures, ``page`` a page to read.
"""
