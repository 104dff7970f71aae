"""EPCIS in the node: events that were captured here, what the ledger says of them, and what they mean for it.

The room ``horoi.epcis`` says what an event is; here it is kept, found, and brought to the ledger.

    anchor.py    a batch of events under one Merkle root, which a signed post carries as the hash of a document
    tables.py    the tables of the store
    indexed.py   what the store's index has of an event
    store.py     events, batches, captures, names: what is written and read by key
    search.py    queries as SQL
    standing.py  named queries, and who subscribed to them
    masters.py   master data of a document's header
    life.py      an asset's life, step by step, as the ledger tells it
    export.py    that life as EPCIS, PROV and CSV
"""
