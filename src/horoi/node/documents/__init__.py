"""Documents: files whose SHA-256 the ledger holds (ledger/transaction.py, ``Post.document``) and that peers keep.

The hash is the name, so nobody has to be believed: whatever a peer sends either has that hash or is thrown away.

messages.py   the wire: who has it, give me a chunk
store.py      the documents kept here: bounded, whole or in part, checked when read
fetching.py   one document on its way here: sources, chunks, whom to blame
serving.py    what a peer gets, within its share
machine.py    requests of the application, peers, time
"""
