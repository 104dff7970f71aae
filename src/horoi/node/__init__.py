"""The full node: a stack of machines over one transport.

peers/      who is there: handshake, address book, liveness
sync/       headers first, then blocks from many peers; which chain is the tip
relay/      transactions: announce, request, deliver
mining/     the search for the next block
index/      what people ask: holdings by company, histories, posts
chain.py    header tree + ledger + log: the one history, on disk
mempool.py  transactions that wait
storage/    the block log and the cache in front of the state store
wallet/     keys, drafts of transactions, partially signed transactions
"""
