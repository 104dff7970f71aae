"""The full node: a stack of machines over one transport.

peers/      who is there: handshake, address book, liveness
sync/       headers first, then blocks from many peers; which chain is the tip
relay/      transactions: announce, request, deliver
mining/     the search for the next block
index/      what people ask: holdings by company, histories, posts
mempool/    transactions that wait
storage/    the block log and the cache in front of the state store
wallet/     keys, drafts of transactions, partially signed transactions
story/      deals of several companies, played over nodes

The one history, on disk:

chain.py     header tree + ledger + log: the three gates of a block, and the tip
staging.py   the first gate: all rules without history
keeping.py   the blocks that are kept, in the log or on their way there
complete.py  which of them are kept together with all before them
opening.py   an earlier life is taken in from the folder
undo.py      undo data that decayed, derived again from blocks
scrub.py     damage is looked for before it is met
records.py   what is written down beside the log

On a stopped node's folder: audit.py (is every byte right?), exchange.py (export, import, rebuild), offline.py (what both need).
"""
