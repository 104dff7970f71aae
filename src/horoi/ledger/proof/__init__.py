"""Proofs that stand alone: what a light client needs, as one file (Nakamoto 2008, section 8, "Simplified Payment Verification").

A transaction is in a block if a Merkle path leads from it to the header's content root; the block is in the ledger if work
was heaped on its header. Whoever made an output still has it unspent if the output's bit is 1 in the bitfield that a later
header commits to. All of that fits in a file that is verified without a node.

What work shows is only what it cost: a verifier who has the genesis alone cannot know that no heavier chain exists. So a
verdict says two things apart: what is *proven* by the bytes, and what is *assumed*, with the number of hashes that a liar
would have spent. Cosigned checkpoints (checkpoint.py) replace that assumption by one about chosen witnesses.

form.py       the file: versioned, bounded, one form
run.py        runs of headers: links, puzzles, targets, work
content.py    a record in its block, and who signed it
state.py      the bits: unspent as of a block
anchor.py     the checkpoint that a proof carries
verify.py     all of it in order; names the link that is broken

A node makes them (node/proving.py).
"""
