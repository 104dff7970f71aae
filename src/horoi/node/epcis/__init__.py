"""EPCIS in the node: events that were captured here, what the ledger says of them, and what they mean for it.

anchor.py    a batch of events under one Merkle root, which a signed post carries as the hash of a document
"""
