"""One-step audit: whatever byte of the stored files was changed, it names a rule; and export, import, rebuild."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from tests.node.chains import COMPANIES, give, mine, small_genesis, spend_grant

from horoi.base.errors import HoroiError, StorageError, UsageError
from horoi.ledger.genesis import to_json
from horoi.node.audit import audit
from horoi.node.chain import Chain
from horoi.node.exchange import export_ledger, import_ledger, rebuild
from horoi.node.index.index import Index
from horoi.node.offline import GENESIS_FILE
from horoi.node.small_files import MEMPOOL_FILE, write_sealed
from horoi.world.live.disk import LiveDisk

BLOCKS = 12


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A stopped node's folder with a short history."""
    path = tmp_path / "node"
    genesis = small_genesis()
    disk = LiveDisk(path)
    (path / GENESIS_FILE).write_bytes(to_json(genesis))
    chain = Chain(genesis, disk)
    index = Index(chain, disk)
    for number in range(BLOCKS):
        give(chain, mine(chain, (spend_grant(chain, number, COMPANIES[1]),)))
    index.catch_up()
    write_sealed(disk, MEMPOOL_FILE, b"\x93\x01")
    chain.close()
    index.close()
    disk.close()
    return path


def test_an_untouched_folder_passes(folder: Path) -> None:
    report = audit(folder)
    assert report.findings == []
    assert (report.height, report.transactions) == (BLOCKS, BLOCKS)


def flip(path: Path, offset: int, bit: int) -> None:
    data = bytearray(path.read_bytes())
    data[offset] ^= 1 << bit
    path.write_bytes(bytes(data))


def test_any_byte_of_the_log_that_is_changed_is_found_with_its_block(folder: Path) -> None:
    log = folder / "blocks-000000.log"
    good = log.read_bytes()
    dice = random.Random(11)
    named = 0
    for _ in range(60):
        flip(log, dice.randrange(len(good)), dice.randrange(8))
        report = audit(folder)
        assert not report.ok
        assert report.to_dict()["ok"] is False
        named += any(finding.block for finding in report.findings)
        log.write_bytes(good)
    assert named >= 50, "a damaged record is named by its block; only damage to a head has no name"
    assert audit(folder).ok


def is_noticed(folder: Path) -> bool:
    try:
        return not audit(folder).ok
    except StorageError:
        return True  # a genesis that cannot be read at all


def test_a_byte_changed_in_small_files_and_genesis_is_found(folder: Path) -> None:
    for name in (MEMPOOL_FILE, GENESIS_FILE):
        path = folder / name
        good = path.read_bytes()
        for offset in range(0, len(good), max(1, len(good) // 20)):
            flip(path, offset, 1)
            assert is_noticed(folder), f"{name}, byte {offset}"
            path.write_bytes(good)


def test_a_changed_state_store_is_found_and_rebuilt(folder: Path) -> None:
    disk = LiveDisk(folder)
    store = disk.store("state")
    key, value = next(iter(store.items(b"o", b"p")))
    store.write({key: value[:-1] + bytes([value[-1] ^ 1])}, sync=True)
    disk.close()
    assert {finding.rule for finding in audit(folder).findings} == {"state.entry"}
    rebuild(folder)
    assert audit(folder).ok


def test_a_changed_index_is_found_and_rebuilt(folder: Path) -> None:
    disk = LiveDisk(folder)
    store = disk.store("index")
    key, value = next(iter(store.items(b"c", b"d")))
    store.write({key: value[:-1] + bytes([value[-1] ^ 1])}, sync=True)
    disk.close()
    assert {finding.rule for finding in audit(folder).findings} == {"index.entry"}
    assert rebuild(folder)["transactions"] == BLOCKS
    assert audit(folder).ok


def test_an_index_ahead_of_the_log_is_found_and_left_as_it_is(folder: Path) -> None:
    other = folder.with_name("other")
    other.mkdir()
    (other / GENESIS_FILE).write_bytes((folder / GENESIS_FILE).read_bytes())
    (folder / "index").rename(other / "index")
    disk = LiveDisk(other)
    chain = Chain(small_genesis(), disk)
    give(chain, mine(chain))  # all that is left of the log
    chain.close()
    disk.close()
    for _ in range(2):
        assert {finding.rule for finding in audit(other).findings} == {"index.marker"}
    rebuild(other)
    assert audit(other).ok


def test_export_and_import_give_the_same_ledger(folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "ledger.horoi"
    exported = export_ledger(folder, file)
    imported = import_ledger(tmp_path / "copy", file)
    assert imported["tip"] == exported["tip"]
    assert audit(tmp_path / "copy").state_digest == audit(folder).state_digest


def test_a_damaged_export_is_refused(folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "ledger.horoi"
    export_ledger(folder, file)
    good = file.read_bytes()
    dice = random.Random(3)
    for number in range(20):
        flip(file, dice.randrange(len(good) - 100), dice.randrange(8))
        with pytest.raises(HoroiError):
            import_ledger(tmp_path / f"copy{number}", file)
        file.write_bytes(good)
    file.write_bytes(good[: len(good) // 2])
    with pytest.raises(UsageError, match="cut off"):
        import_ledger(tmp_path / "half", file)


def test_a_folder_in_use_and_a_strange_folder_are_refused_in_one_sentence(folder: Path, tmp_path: Path) -> None:
    with LiveDisk(folder), pytest.raises(StorageError):
        audit(folder)
    with pytest.raises(StorageError, match="not a node's folder"):
        audit(tmp_path)
