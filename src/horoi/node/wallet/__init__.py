"""The wallet: keys, what they may spend, what to say with them, and how several parties come to agree on it.

keys.py        mnemonic words to keys (BIP 39, BIP 32, BIP 44), offline
seal.py        a secret under a passphrase (Argon2id, ChaCha20-Poly1305)
keystore.py    a folder of key files
amounts.py     decimal amounts, exactly
text.py        conditions as people write them
selection.py   which holdings to spend for an amount
pools.py       what may be spent, by owner and custodian
builder.py     ``Draft``: the verbs of the ledger, composed into one transaction body
sentences.py   what a body says, as sentences with named parts
explain.py     the same in plain English
partial.py     a transaction that travels between its signers

Everything but ``keystore.py`` is pure. Nothing here talks to a node: what may be spent is handed in.
"""
