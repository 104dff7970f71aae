"""Who is there: management of peers, the first of the three questions of a peer-to-peer system.

A node that knows only liars is eclipsed: it sees the history that they show it. The theory is E. Heilman, A. Kendler,
A. Zohar, S. Goldberg: "Eclipse Attacks on Bitcoin's Peer-to-Peer Network" (USENIX Security 2015), and its
countermeasures of section 7: addresses in buckets that one network group or one source cannot fill, random selection
without preference for what is fresh, test before evict, feeler connections, anchor connections, few outbound links per
group. Sizes and times follow Bitcoin Core, which adopted them (its ``addrman`` and ``net``).

    addresses.py    what an address is, and its network group
    addressbook.py  the tables ``tried`` and ``new``
    dialing.py      whom to dial: configured peers, anchors, picks from the book, feelers
    eviction.py     which inbound peer makes room for another
    buckets.py      the sparse tables that the book is made of
    gossip.py       how addresses get about
    limits.py       backoff: when an address may be dialed again
    bans.py         who is refused, and until when
    config.py       what an operator decides
    messages.py     the wire, and the record that is saved
    link.py         what is known of one peer
    machine.py      the machine
"""
