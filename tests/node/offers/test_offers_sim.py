"""Whole nodes in the simulator: an offer is made in one part of a split network, and signed in the other after faults."""

from __future__ import annotations

import random

from tests.node.sim_nodes import BLOCK_S, Net

from horoi.base.keys import KeyPair
from horoi.ledger.conditions import Key
from horoi.ledger.transaction import Body, Holding, Signature, Witness, transaction_id
from horoi.node.events import PutOffer
from horoi.node.offers.book import Kept
from horoi.node.offers.offer import Offer, Stake, Terms, agree, propose, refuse
from horoi.world.sim.hunt import hunt
from horoi.world.sim.network import PairFault

DAY_MS = 86_400_000


def joint_offer(net: Net, proposer: int, other: int) -> Offer:
    """Both companies give a holding, and the proposer owns both afterwards."""
    inputs = []
    for number in (proposer, other):
        spent = net._pick(net.names[number])
        assert spent is not None
        inputs.append(spent)
    total = sum(spent.content.quantity for spent in inputs)  # type: ignore[union-attr]
    own = net.keys[proposer]
    body = Body(inputs=tuple(inputs), outputs=(Holding(inputs[0].content.asset, total, Key(own.public), None),))
    expires_ms = int(net.universe.now * 1000) + DAY_MS + net.genesis.created_ms
    terms = Terms(body, own.public, Stake(inputs[0].source, inputs[0].index), expires_ms, "together")
    return propose(net.network, terms, Witness((signature(net, body, own),)), own)


def signature(net: Net, body: Body, pair: KeyPair) -> Signature:
    return Signature(pair.public, pair.sign(transaction_id(net.network, body)))


def sign(net: Net, offer: Offer, pair: KeyPair) -> Offer:
    signatures = (*offer.witness.signatures, signature(net, offer.terms.body, pair))
    return agree(offer, Witness(tuple(sorted(signatures, key=lambda s: s.key))))


def kept(net: Net, name: str, offer: Offer) -> Kept | None:
    book = net.nodes[name].offers.book
    return next((item for item in book if item.known.offer.terms == offer.terms), None)


def state(net: Net, name: str, offer: Offer) -> str | None:
    found = kept(net, name, offer)
    return found.state if found else None


def play(seed: int) -> None:
    """Lossy links, a partition, crashes of the proposer, of the signer and of one between: the offer comes about, and its
    twin is refused; every node agrees."""
    dice = random.Random(seed)
    with Net(seed, nodes=5) as net:
        universe, names = net.universe, net.names
        for number in range(4):
            universe.fault(names[number], names[number + 1], PairFault(loss=0.2))
        net.run(4 * BLOCK_S)
        offer, twin = joint_offer(net, 0, 4), joint_offer(net, 1, 4)
        universe.partition(names[:2], names[2:])
        universe.ask(names[0], PutOffer(1, offer))
        universe.ask(names[1], PutOffer(1, twin))
        net.run(5)
        assert state(net, names[1], offer) == "open"
        universe.crash(names[0])  # it was answered: so it knows the offer when it comes back
        net.run(dice.uniform(1, 20))
        universe.restart(names[0])
        net.run(1)
        assert state(net, names[0], offer) == "open"
        assert state(net, names[4], offer) is None
        universe.heal()
        assert universe.run_until(lambda: state(net, names[4], offer) == "open", 20 * BLOCK_S)
        assert universe.run_until(lambda: state(net, names[4], twin) == "open", 20 * BLOCK_S)
        universe.ask(names[4], PutOffer(2, sign(net, offer, net.keys[4])))
        universe.ask(names[4], PutOffer(3, refuse(net.network, twin, net.keys[4], "one is enough")))
        net.run(dice.uniform(0.01, 0.3))
        universe.crash(names[4])
        universe.disk(names[2]).arm_crash(dice.randint(1, 4))
        net.run(dice.uniform(1, 20))
        universe.restart(names[4])
        if not universe.is_up(names[2]):
            universe.restart(names[2])
        universe.disk(names[2]).arm_crash(10**9)

        def settled() -> bool:
            ends = ("confirmed", "refused")
            # Who was down when one of them ended need never hear of it: the ledger says it all.
            return all((state(net, n, offer) or ends[0], state(net, n, twin) or ends[1]) == ends for n in names)

        assert universe.run_until(settled, 60 * BLOCK_S), [(state(net, n, offer), state(net, n, twin)) for n in names]
        assert state(net, names[0], offer) == "confirmed"
        assert state(net, names[1], twin) == "refused"
        net.settle()
        net.check()


def test_offers_come_about_through_loss_partition_and_crashes() -> None:
    hunt(3, play)
