"""The history that the board is measured on is one that a node would accept: signed by all who must agree, and with books that
meet."""

from __future__ import annotations

import random

from horoi.lab.bench.board_workload import Writer, board_genesis
from horoi.lab.bench.epcis_events import capture_document
from horoi.ledger.rules import first_invalid
from horoi.node.chain import Chain
from horoi.node.index.index import Index
from horoi.world.sim.disk import SimDisk


def test_the_history_is_signed_and_its_books_meet() -> None:
    disk = SimDisk(random.Random(1))
    chain = Chain(board_genesis(), disk)
    chain.recover()
    Writer(chain, transactions=250, assets=120).write()
    index = Index(chain, disk)
    index.catch_up()
    assert index.marker.transactions == index.marker.posts == 250
    kinds = set()
    for transaction in chain.block(chain.tip.name).transactions:
        item = chain.ledger.prepare(transaction)
        assert first_invalid(chain.ledger.triples(item)) == -1
        kinds.add((bool(transaction.body.issues), bool(transaction.body.retires), bool(transaction.body.definitions)))
    assert len(kinds) == 4
    assets = index.assets()
    assert len(assets) == 120
    assert all(record.issued == 10_000 >= record.retired for _, record in assets)


def test_no_two_events_are_alike() -> None:
    assert capture_document(0, 2) == capture_document(0, 2)
    assert capture_document(0, 2) != capture_document(2, 2)
