"""A decaying disk: a node finds damage in old blocks by itself, serves none of it, and is whole again from its peers."""

from __future__ import annotations

import random

import pytest
from tests.node.chains import COMPANIES, give, mine, new_chain, spend_grant, state_of
from tests.node.sim_nodes import BLOCK_S, Net

from horoi.base.codec import encode
from horoi.node.audit import audit_disk
from horoi.node.chain import Chain
from horoi.node.storage.record import HEADER_SIZE_BYTES
from horoi.node.undo import derive_undo
from horoi.world.sim.disk import SimDisk

LOG = "blocks-000000.log"


@pytest.mark.parametrize("clean", [True, False], ids=["stopped", "killed"])
@pytest.mark.parametrize("where", ["block", "block header", "undo", "undo header"])
def test_damage_is_found_by_the_node_itself_and_mended_from_its_peers(where: str, clean: bool) -> None:
    net = Net(3, nodes=3)
    net.load(12 * BLOCK_S)
    net.settle()
    name, disk = net.names[0], net.universe.disk(net.names[0])
    chain = net.nodes[name].chain
    old = chain.active[chain.tip.height // 2].name
    good, undo = chain.read_block(old), chain.read_undo(old)
    place = chain.kept.places[old]
    assert place.undo is not None
    record = place.block if where.startswith("block") else place.undo
    inside = 20 if where.endswith("header") else HEADER_SIZE_BYTES + 3
    if clean:
        net.universe.stop(name)
    else:
        net.universe.crash(name)
    disk.flip(LOG, record.offset + inside, 2)
    report = audit_disk(net.genesis, disk)
    assert not report.ok
    if inside > HEADER_SIZE_BYTES:
        assert old.hex() in [finding.block for finding in report.findings], "the audit names the block"
    net.told[name].clear()  # what decayed is gone until it is fetched
    net.universe.restart(name)
    damaged = net.nodes[name].chain
    net.run(5 * BLOCK_S)  # nobody asks for it
    place = damaged.kept.places[old]
    assert place.undo is not None
    assert damaged.log.read(place.block) == good
    assert damaged.log.read(place.undo) == encode(undo)
    assert damaged.read_block(old) == good
    assert damaged.read_undo(old) == undo
    assert not damaged.kept.damaged
    net.settle()
    assert not net.bans
    net.check()


def test_blocks_behind_a_damaged_one_are_not_fetched_again() -> None:
    disk = SimDisk(random.Random(4))
    chain = new_chain(disk=disk)
    for number in range(30):
        give(chain, mine(chain, (spend_grant(chain, number, COMPANIES[1]),)))
    third = chain.active[3]
    good, state, size = chain.block(third.name), state_of(chain), chain.log.size_bytes
    place = chain.kept.places[third.name].block
    disk.crash()
    disk.flip(LOG, place.offset + place.size_bytes // 2, 0)
    again = new_chain(disk=disk)
    assert again.tip.height == 2
    give(again, good)
    assert state_of(again) == state
    assert again.log.size_bytes < size + 2 * place.size_bytes


def test_a_scrub_reads_a_bounded_amount_at_a_time() -> None:
    disk = SimDisk(random.Random(1))
    chain = new_chain(disk=disk)
    for number in range(20):
        give(chain, mine(chain, (spend_grant(chain, number, COMPANIES[1]),)))
    steps = 1
    while not chain.scrub(1_000):
        steps += 1
    assert 8 < steps < 40
    assert chain.scrub(10**9)
    assert not chain.kept.damaged


def grown(blocks: int = 25) -> Chain:
    """A chain with spends of grants, of outputs of the same block and of rewards' siblings."""
    chain = new_chain()
    for number in range(blocks):
        give(chain, mine(chain, (spend_grant(chain, number, COMPANIES[1]),)))
    return chain


def test_undo_data_derived_from_the_blocks_is_what_was_written() -> None:
    chain = grown()
    for known in chain.active[1:]:
        assert derive_undo(chain, known) == chain.kept.read_undo(known.name)


def test_undo_data_is_derived_over_many_damaged_records() -> None:
    disk = SimDisk(random.Random(2))
    chain, other = new_chain(disk=disk), new_chain()
    for number in range(8):
        give(chain, mine(chain, (spend_grant(chain, number, COMPANIES[1]),)))
    for number in range(9):
        give(other, mine(other, (spend_grant(other, number, COMPANIES[2]),), owner=COMPANIES[2]))
    for known in chain.active[1:]:
        undo = chain.kept.places[known.name].undo
        assert undo is not None
        disk.flip(LOG, undo.offset + undo.size_bytes // 2, 0)
    for known in other.active[1:]:
        give(chain, other.block(known.name))
    assert state_of(chain) == state_of(other), "it went back over eight blocks whose undo data was spoilt"


def test_with_a_damaged_block_on_the_way_back_the_tip_stays_until_it_is_mended() -> None:
    disk = SimDisk(random.Random(3))
    chain, other = new_chain(disk=disk), new_chain()
    for number in range(4):
        give(chain, mine(chain, (spend_grant(chain, number, COMPANIES[1]),)))
    for number in range(5):
        give(other, mine(other, (spend_grant(other, number, COMPANIES[2]),), owner=COMPANIES[2]))
    second = chain.active[2]
    good = chain.block(second.name)
    place = chain.kept.places[second.name].block
    disk.flip(LOG, place.offset + place.size_bytes // 2, 0)
    tip = chain.tip
    for known in other.active[1:]:
        give(chain, other.block(known.name))
    assert chain.tip is tip, "it does not stop half-way"
    assert chain.missing(5, 5)[0] is second
    give(chain, good)
    assert state_of(chain) == state_of(other)
