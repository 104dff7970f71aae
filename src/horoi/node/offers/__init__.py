"""Offers: partially signed transactions that travel between the nodes of their signers, until all agreed or one refused.

A hand-over needs two signatures, and its signers sit at two nodes. An *offer* is what the first signer sends: the body, the
signatures so far, until when it stands, a short note. It goes to every node (docs/decisions/offers.md says why), because who
signs is a key, and nobody knows which node has it.

The idea is a join-semilattice (Shapiro et al., "Conflict-free Replicated Data Types", 2011): what is known of an offer is a
set of statements (who signed, who refused, that it was withdrawn), each proved by a signature, and two copies are merged by
union. So copies that went different ways, in any order, any number of times, come to the same. Whether an offer is open
follows from its statements, the chain, and the time (book.py).

Invariants:

- Nothing enters unproved. The proposer is asked to sign, signed both the transaction and the terms, and shows an unspent
  output that names it: whoever floods pays for every 64 offers with an output of the ledger.
- Nobody speaks for another: a refusal is signed by a key that is asked, a withdrawal by the proposer, each under its purpose.
- Everything that a peer can grow is bounded: an offer's size, signers and life; the book's count and bytes; what one proposer
  and one peer may have in it; what is remembered of a peer (limits.py).

What ends an offer does not undo its signatures: who kept a copy can complete the transaction for as long as what it spends
is unspent. To take an agreement back for good, spend that.

    offer.py      the records, their proofs, merging
    limits.py     the bounds
    book.py       the offers that are known here, and their states
    completed.py  to the mempool, when all have signed
    messages.py   the wire
    link.py       what is known and owed between us and one peer
    exchange.py   announce, request, deliver: whom to ask for what
    saved.py      across a restart
    machine.py    the machine
"""
