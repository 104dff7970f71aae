"""A node's chain as one file, out of a stopped node's folder and into one; and the folder's state and index made anew.

An export is the genesis and the blocks in order, each behind its size (4 bytes, big-endian), a size of zero, and a SHA-256
over it all. Whoever imports it believes none of it: every rule and every signature is checked again.
"""

from __future__ import annotations

import hashlib
import struct
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from horoi.base.errors import RuleError, StorageError, UsageError
from horoi.base.files import SHARED, replace_file
from horoi.ledger.genesis import MAX_BLOCK_SIZE_BYTES, from_json, network_id, to_json
from horoi.ledger.rules import first_invalid
from horoi.node.chain import Chain
from horoi.node.index.index import Index
from horoi.node.offline import FAR_FUTURE_MS, GENESIS_FILE, Progress, quiet, read_genesis
from horoi.world.live.disk import LiveDisk

EXPORT_MAGIC = b"horoi export 1\n"
CHUNK_SIZE_BYTES = 1 << 20


def export_ledger(folder: Path, out: Path, *, progress: Progress = quiet) -> dict[str, Any]:
    """Write the connected chain into one file: genesis, blocks in order, and a SHA-256 over it all."""
    genesis = read_genesis(folder)
    disk = LiveDisk(folder)
    digest = hashlib.sha256()
    temporary = out.with_name(out.name + ".part")
    try:
        chain = Chain(genesis, disk)
        chain.recover()
        with temporary.open("wb") as file:
            for piece in _export_pieces(chain, progress):
                digest.update(piece)
                file.write(piece)
            file.write(digest.digest())
        chain.close()
    except OSError as error:
        raise StorageError(f"cannot write {temporary}: {error.strerror}") from None
    finally:
        disk.close()
    temporary.replace(out)
    return {"file": str(out), "blocks": chain.tip.height, "tip": chain.tip.name.hex(), "sha256": digest.hexdigest()}


def _export_pieces(chain: Chain, progress: Progress) -> Iterator[bytes]:
    yield EXPORT_MAGIC
    genesis = to_json(chain.genesis)
    yield struct.pack(">I", len(genesis)) + genesis
    for known, raw in chain.blocks():
        if known.height > 0:
            yield struct.pack(">I", len(raw)) + raw
        progress("exporting", known.height / max(1, chain.tip.height))
    yield struct.pack(">I", 0)


def import_ledger(folder: Path, file: Path, *, progress: Progress = quiet) -> dict[str, Any]:
    """Make or extend a node's folder from an export, checking every rule and signature on the way."""
    try:
        with file.open("rb") as source:
            return _import(folder, source, file.stat().st_size, progress)
    except OSError as error:
        raise StorageError(f"cannot read {file}: {error.strerror}") from None


def _import(folder: Path, source: BinaryIO, size_bytes: int, progress: Progress) -> dict[str, Any]:
    if source.read(len(EXPORT_MAGIC)) != EXPORT_MAGIC:
        raise UsageError("this is not a Horoi export: its first line is another")
    _check_digest(source, size_bytes)
    genesis = from_json(_piece(source, MAX_BLOCK_SIZE_BYTES))
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / GENESIS_FILE).exists():
        replace_file(folder / GENESIS_FILE, to_json(genesis), SHARED)
    elif network_id(read_genesis(folder)) != network_id(genesis):
        raise UsageError(f"{folder} belongs to another network than the export; import into a new folder")
    disk = LiveDisk(folder)
    try:
        chain = Chain(genesis, disk)
        chain.recover()
        while raw := _piece(source, MAX_BLOCK_SIZE_BYTES):
            _import_block(chain, raw)
            progress("importing", min(1.0, source.tell() / max(1, size_bytes)))
        chain.close()
    finally:
        disk.close()
    return {"height": chain.tip.height, "tip": chain.tip.name.hex(), "network": chain.network.hex()}


def _check_digest(source: BinaryIO, size_bytes: int) -> None:
    """Compare the SHA-256 at the end before anything is imported; leave the file where it was."""
    here = source.tell()
    source.seek(0)
    digest = hashlib.sha256()
    left = size_bytes - digest.digest_size
    while left > 0 and (data := source.read(min(left, CHUNK_SIZE_BYTES))):
        digest.update(data)
        left -= len(data)
    if source.read(digest.digest_size) != digest.digest():
        raise UsageError("the export is damaged or cut off: its SHA-256 does not match; export it again")
    source.seek(here)


def _import_block(chain: Chain, raw: bytes) -> None:
    staged = chain.stage(raw, FAR_FUTURE_MS)
    if first_invalid(staged.triples) >= 0:
        raise RuleError("witness.signature", f"block {staged.known.name.hex()} has a signature that is not valid")
    chain.keep(staged)
    chain.advance(staged)
    rule = chain.tree.invalid.get(staged.known.name)
    if rule is not None:
        raise RuleError(rule, f"block {staged.known.name.hex()} of the export broke it")
    record = chain.take_to_save()
    if record is not None:
        chain.save(record)


def _piece(source: BinaryIO, limit_bytes: int) -> bytes:
    head = source.read(4)
    if len(head) < 4:
        raise UsageError("the export is cut off; export it again")
    (size_bytes,) = struct.unpack(">I", head)
    if size_bytes > limit_bytes:
        raise UsageError(f"the export is damaged: a piece of {size_bytes} bytes")
    data = source.read(size_bytes)
    if len(data) < size_bytes:
        raise UsageError("the export is cut off; export it again")
    return data


def rebuild(folder: Path, *, progress: Progress = quiet) -> dict[str, Any]:
    """Throw state and index away and make them anew from the log. Returns height, tip and seconds."""
    genesis = read_genesis(folder)
    began = time.perf_counter()
    disk = LiveDisk(folder)
    try:
        disk.remove("state")
        disk.remove("index")
        progress("rebuilding the state", 0.0)
        chain = Chain(genesis, disk)
        chain.rebuild(lambda part: progress("rebuilding the state", part / 2))
        progress("rebuilding the index", 0.5)
        index = Index(chain, disk)
        before_index, cpu_before = time.perf_counter(), time.process_time()
        index.catch_up(lambda part: progress("rebuilding the index", 0.5 + part / 2))
        index.flush()
        index_seconds = round(time.perf_counter() - before_index, 3)
        index_cpu_seconds = round(time.process_time() - cpu_before, 3)
        transactions = index.marker.transactions
        chain.close()
        index.close()
    finally:
        disk.close()
    progress("done", 1.0)
    seconds = round(time.perf_counter() - began, 3)
    return {
        "height": chain.tip.height,
        "tip": chain.tip.name.hex(),
        "transactions": transactions,
        "seconds": seconds,
        "index_seconds": index_seconds,
        "index_cpu_seconds": index_cpu_seconds,
    }
