"""The figures of docs/decisions/ that are ours: run ``PYTHONPATH=src:. python tests/docs/measure_decisions.py``.

Prints the median of five rounds for each. Rates depend on the machine and on what else it does: read ratios.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from statistics import median
from typing import Any

import msgspec

from horoi.base.codec import encode
from horoi.base.keys import KeyPair, verify
from horoi.ledger.bitfield import CHUNK_BITS, CHUNK_SIZE_BYTES, BitField
from horoi.ledger.block import Header, header_codec
from horoi.ledger.conditions import Key
from horoi.ledger.consensus.nakamoto.puzzle import Search
from horoi.ledger.transaction import (
    MAX_TRANSACTION_SIZE_BYTES,
    Body,
    Holding,
    Input,
    Signature,
    Transaction,
    Witness,
    transaction_codec,
    transaction_id,
)
from horoi.node.verify import VerifySignatures

ROUNDS = 5
ALICE, BOB = KeyPair(bytes(31) + b"\x01"), KeyPair(bytes(31) + b"\x02")
ASSET = b"\x07" * 32


def seconds(work: Callable[[], Any]) -> float:
    """Median wall time."""
    taken = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        work()
        taken.append(time.perf_counter() - began)
    return median(taken)


def repeat(call: Callable[[bytes], Any], data: bytes, count: int) -> None:
    """Keeps no result: a list of them would measure memory."""
    for _ in range(count):
        call(data)


def transfer() -> Transaction:
    """One input, two outputs, one signature."""
    before = Holding(ASSET, 10_432, Key(ALICE.public), Key(ALICE.public))
    paid = Holding(ASSET, 6_327, Key(BOB.public), Key(ALICE.public))
    change = Holding(ASSET, 4_105, Key(ALICE.public), Key(ALICE.public))
    body = Body((Input(b"\x01" * 32, 0, before),), (paid, change), (), (), (), (), (), 0)
    digest = transaction_id(bytes(32), body)
    return Transaction(body, Witness((Signature(ALICE.public, ALICE.sign(digest)),), ()))


def byte_form() -> None:
    raw = encode(transfer())
    bare: msgspec.msgpack.Decoder[Transaction] = msgspec.msgpack.Decoder(Transaction)
    count = 20_000
    plain_s = seconds(lambda: repeat(bare.decode, raw, count)) / count
    strict_s = seconds(lambda: repeat(transaction_codec.decode, raw, count)) / count
    spent = transfer().body.inputs[0]
    print(f"transfer, 1 in 2 out: {len(raw)} bytes, of them content of the input: {len(encode(spent.content))}")
    print(f"decode: {plain_s * 1e6:.2f} us; with the check of the one form: {strict_s * 1e6:.2f} us")
    assert len(raw) < MAX_TRANSACTION_SIZE_BYTES


def threads() -> None:
    digest = bytes(32)
    signature = ALICE.sign(digest)
    assert verify(ALICE.public, digest, signature)
    jobs = [VerifySignatures(((ALICE.public, digest, signature),) * 250, ("", 0)) for _ in range(40)]
    one_s = seconds(lambda: [job.run() for job in jobs])
    with ThreadPoolExecutor(2) as pool:
        two_s = seconds(lambda: list(pool.map(VerifySignatures.run, jobs)))
    print(f"verify: {10_000 / one_s:,.0f}/s on one thread; two threads x {one_s / two_s:.2f}")


def state_commitment() -> None:
    for outputs in (1_000_000, 100_000_000):
        chunks = -(-outputs // CHUNK_BITS)
        path = (chunks - 1).bit_length()
        print(f"{outputs:,} outputs: {chunks * CHUNK_SIZE_BYTES:,} bytes, proof {CHUNK_SIZE_BYTES + 32 * path} bytes")
    bits = BitField()
    bits.append(1_000_000)
    bits.root()
    spent = [number * 7919 % 1_000_000 for number in range(2_000)]

    def block() -> None:
        bits.spend(spent)
        bits.append(2_000)
        bits.root()

    print(f"a block of 2,000 random spends at 10^6 outputs: {seconds(block) * 1e3:.1f} ms")


def header_hashing() -> None:
    header = Header(1, bytes(32), bytes(32), bytes(32), 1_700_000_000_000, 0x03000001, bytes(8))
    assert header_codec.decode(encode(header)) == header
    search_s = seconds(lambda: Search(header, 0, 100_000).run())
    print(f"header: {len(encode(header))} bytes; {100_000 / search_s / 1e6:.2f} million attempts per second and core")


def command_line() -> None:
    bare_s = seconds(lambda: subprocess.run([sys.executable, "-c", "pass"], check=True))
    help_s = seconds(
        lambda: subprocess.run([sys.executable, "-m", "horoi.cli.main", "--help"], check=True, capture_output=True)
    )
    print(f"python: {bare_s * 1e3:.0f} ms; horoi --help: {help_s * 1e3:.0f} ms")


if __name__ == "__main__":
    for part in (byte_form, threads, state_commitment, header_hashing, command_line):
        part()
