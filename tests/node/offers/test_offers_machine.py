"""Offers between a few nodes: they spread, grow by signatures, end, and outlive crashes and partitions."""

from __future__ import annotations

import pytest
from tests.node.offers.offers_net import (
    CHAIN,
    DAY_MS,
    KEYS,
    NETWORK,
    START_S,
    Net,
    joint_body,
    make_offer,
    signed_by,
    terms_of,
    witness_of,
)

from horoi.ledger.transaction import Transaction, Witness
from horoi.machine.contract import Asked, Received
from horoi.node.events import Misbehaved, OfferChanged, OfferSeen, PeerReady, Submit
from horoi.node.offers.limits import Limits
from horoi.node.offers.messages import OfferGive, OfferHave
from horoi.node.offers.offer import Offer, Refusal, Stake, Terms, agree, propose, refuse, withdraw

LINE = [(0, 1), (1, 2)]


def test_an_offer_reaches_everybody_and_each_hears_of_it_once() -> None:
    net = Net(4, [*LINE, (2, 3), (3, 0)])
    offer = make_offer(0, 1, note="6327 barrels, tomorrow")
    assert net.put(0, offer).rule == ""
    net.run()
    assert [net.state(node, offer) for node in range(4)] == ["open"] * 4
    assert [len(net.told(node, OfferSeen)) for node in range(4)] == [1] * 4
    given = [message for _, _, message in net.sent if isinstance(message, OfferGive)]
    assert len(given) == 3  # each of the others once


def test_a_second_signature_completes_it_and_whoever_sees_that_hands_it_in() -> None:
    net = Net(3, LINE)
    offer = make_offer(0, 1)
    net.put(0, offer)
    net.run()
    assert net.put(2, signed_by(offer, KEYS[1])).rule == ""
    assert [type(n) for n in net.notices[2]].count(Submit) == 1
    net.run()
    assert [net.state(node, offer) for node in range(3)] == ["complete"] * 3
    (submitted,) = net.told(0, Submit)
    assert CHAIN.ledger.id_of(submitted.transactions[0].body) == CHAIN.ledger.id_of(offer.terms.body)
    assert len(submitted.transactions[0].witness.signatures) == 2


def test_signatures_from_both_ends_meet_in_the_middle() -> None:
    net = Net(3, LINE)
    offer = make_offer(0, 1, 2)
    net.put(1, offer)
    net.run()
    net.put(0, signed_by(offer, KEYS[1]))
    net.put(2, signed_by(offer, KEYS[2]))
    net.run()
    assert [net.signers(node, offer) for node in range(3)] == [3] * 3


def test_a_refusal_ends_it_everywhere_and_a_signature_after_it_opens_it_again() -> None:
    net = Net(3, LINE)
    offer = make_offer(0, 1)
    net.put(0, offer)
    net.run()
    net.put(2, refuse(NETWORK, offer, KEYS[1], "too few barrels"))
    net.run()
    assert [net.state(node, offer) for node in range(3)] == ["refused"] * 3
    kept = net.machines[0].book.get(net.id_of(offer))
    assert kept is not None
    assert kept.known.offer.refusals[0].reason == "too few barrels"
    net.put(2, signed_by(offer, KEYS[1]))
    net.run()
    assert net.state(0, offer) == "complete"


def test_a_withdrawal_travels_and_nobody_else_can_make_one() -> None:
    net = Net(3, LINE)
    offer = make_offer(0, 1)
    net.put(0, offer)
    net.run()
    assert net.put(1, withdraw(NETWORK, offer, KEYS[1])).rule == "witness.signature"
    net.put(0, withdraw(NETWORK, offer, KEYS[0]))
    net.run()
    assert [net.state(node, offer) for node in range(3)] == ["withdrawn"] * 3


def test_only_who_is_asked_may_refuse_and_only_for_itself() -> None:
    net = Net(1, [])
    offer = make_offer(0, 1)
    net.put(0, offer)
    assert net.put(0, refuse(NETWORK, offer, KEYS[5], "no")).rule == "offer.stranger"
    forged = refuse(NETWORK, offer, KEYS[0], "no").refusals[0].signature
    lie = Offer(offer.terms, offer.seal, offer.witness, (Refusal(KEYS[1].public, "no", forged),))
    assert net.put(0, lie).rule == "witness.signature"
    assert net.state(0, offer) == "open"


@pytest.mark.parametrize("ending", ["confirmed", "spent"])
def test_a_block_ends_it_and_a_step_back_opens_it_again(ending: str) -> None:
    net = Net(1, [])
    offer = make_offer(0, 1)
    net.put(0, offer)
    body = offer.terms.body if ending == "confirmed" else joint_body(1, 2)
    net.confirm(0, Transaction(body, witness_of(body, *(KEYS[1:3] if ending == "spent" else KEYS[:2]))))
    assert net.state(0, offer) == ending
    net.move(0, back=1)
    assert net.state(0, offer) == "open"


def test_it_expires_and_is_forgotten_in_time() -> None:
    net = Net(2, [(0, 1)], Limits(keep_ended_s=3600.0))
    offer = make_offer(0, 1, expires_ms=int(START_S * 1000) + 60_000)
    net.put(0, offer)
    net.run(59)
    assert net.state(1, offer) == "open"
    net.run(3)
    assert net.state(1, offer) == "expired"
    assert net.told(1, OfferChanged)
    net.run(3600)
    assert net.state(1, offer) is None
    assert net.machines[1].book.size_bytes == 0


def test_a_crash_loses_nothing_that_the_owner_was_answered() -> None:
    net = Net(2, [(0, 1)])
    offer = make_offer(0, 1, note="after the crash")
    net.put(0, offer)
    net.crash(0)
    assert net.state(0, offer) == "open"
    net.link(0, 1)
    net.run()
    assert net.state(1, offer) == "open"


def test_what_all_have_signed_is_handed_in_again_after_a_restart() -> None:
    net = Net(1, [])
    net.put(0, signed_by(make_offer(0, 1), KEYS[1]))
    net.notices[0].clear()
    net.crash(0)
    assert len(net.told(0, Submit)) == 1


def test_how_an_offer_ended_and_when_is_known_after_a_restart() -> None:
    net = Net(1, [])
    offer = make_offer(0, 1)
    net.put(0, offer)
    net.put(0, refuse(NETWORK, offer, KEYS[1], "no"))
    kept = net.machines[0].book.get(net.id_of(offer))
    assert kept is not None
    net.run(60)
    net.crash(0)
    again = net.machines[0].book.get(net.id_of(offer))
    assert again is not None
    assert (again.state, again.ended_ms, again.received_ms) == ("refused", kept.ended_ms, kept.received_ms)


def test_what_happened_while_it_was_down_is_seen_when_it_comes_back() -> None:
    net = Net(1, [])
    offer, other = make_offer(0, 1), make_offer(2, 3)
    net.put(0, offer)
    net.put(0, other)
    body = joint_body(2, 4)
    spent = net.chains[0].prepare(Transaction(body, witness_of(body, KEYS[2], KEYS[4])))
    done = net.chains[0].prepare(Transaction(offer.terms.body, witness_of(offer.terms.body, *KEYS[:2])))
    net.chains[0].move([spent, done])  # it does not hear of this
    net.crash(0)
    assert (net.state(0, offer), net.state(0, other)) == ("confirmed", "spent")


def test_parts_of_a_partition_meet_again() -> None:
    net = Net(4, [(0, 1), (1, 2), (2, 3)])
    offer = make_offer(0, 1, 2, 3)
    net.put(0, offer)
    net.run()
    net.unlink(1, 2)
    net.put(0, signed_by(offer, KEYS[1]))
    net.put(3, refuse(NETWORK, signed_by(offer, KEYS[3]), KEYS[2], "not yet"))
    net.run()
    assert net.state(0, offer) == "open"
    assert net.state(2, offer) == "refused"
    net.link(1, 2)
    net.run()
    assert [net.state(node, offer) for node in range(4)] == ["refused"] * 4
    assert [net.signers(node, offer) for node in range(4)] == [3] * 4


def test_an_offer_of_the_next_block_waits_for_that_block() -> None:
    net = Net(2, [(0, 1)])
    pay = CHAIN.pay([CHAIN.grant(8)], to=None)
    ahead = net.chains[0].prepare(pay)
    net.move(0, [ahead])
    spent = net.chains[0].output(ahead)
    joint = joint_body(0, 1)
    body = type(joint)(inputs=(spent, CHAIN.grant(1)), outputs=(spent.content, CHAIN.grant(1).content))
    offer = propose(NETWORK, terms_of(body, KEYS[0]), witness_of(body, KEYS[0]), KEYS[0])
    net.put(0, offer)
    net.run()
    assert net.state(1, offer) is None
    assert not net.told(1, Misbehaved)
    net.move(1, [ahead])
    net.run()
    assert net.state(1, offer) == "open"


def test_the_mempools_refusal_is_shown_and_tried_again_with_the_next_blocks() -> None:
    net = Net(1, [])
    offer = make_offer(0, 1)
    net.put(0, signed_by(offer, KEYS[1]))
    net.answer_submission(0, accepted=False, rule="pool.full")
    kept = net.machines[0].book.get(net.id_of(offer))
    assert kept is not None
    assert kept.problem.startswith("pool.full")
    for _ in range(20):
        net.move(0, [])
    assert len(net.told(0, Submit)) == 10
    net.answer_submission(0, accepted=True)
    assert kept.problem == ""


def test_what_all_signed_and_no_block_can_hold_any_more_expires(monkeypatch: pytest.MonkeyPatch) -> None:
    """The mempool never took it: kept as complete it would stay for ever."""
    monkeypatch.setattr("horoi.node.offers.book.INPUTLESS_WINDOW", 3)
    net = Net(1, [], Limits(keep_ended_s=60.0))
    post = net.chains[0].post("hello")
    offer = propose(NETWORK, terms_of(post.body, KEYS[0]), post.witness, KEYS[0])
    net.put(0, offer)
    assert net.state(0, offer) == "complete"
    net.answer_submission(0, accepted=False, rule="pool.full")
    for _ in range(3):
        net.move(0, [])
    assert net.state(0, offer) == "expired"
    net.run(62)
    assert net.state(0, offer) is None


def test_what_is_offered_is_reserved_until_the_offer_ends() -> None:
    net = Net(1, [])
    offer = make_offer(0, 1)
    net.put(0, offer)
    book = net.machines[0].book
    assert book.reserved(CHAIN.grants_id, 0) == net.id_of(offer)
    assert book.reserved(CHAIN.grants_id, 1) is None  # its owner promised nothing
    assert book.reserved(CHAIN.grants_id, 2) is None
    net.put(0, withdraw(NETWORK, offer, KEYS[0]))
    assert book.reserved(CHAIN.grants_id, 0) is None


def hostile_offers() -> dict[str, Offer]:
    """Offers that no honest node makes, by the rule that they break."""
    good = make_offer(0, 1)
    body = good.terms.body
    foreign = joint_body(1, 2)
    stranger = terms_of(body, KEYS[5], stake=5)
    other_stake = Terms(body, KEYS[0].public, Stake(CHAIN.grants_id, 9), good.terms.expires_ms, "")
    forged = Witness(tuple(type(s)(s.key, bytes(64)) for s in good.witness.signatures))
    return {
        "offer.proposer": propose(NETWORK, stranger, witness_of(body, KEYS[0]), KEYS[5]),
        "offer.unsigned": propose(NETWORK, terms_of(foreign, KEYS[1], stake=1), Witness(), KEYS[1]),
        "offer.stake": propose(NETWORK, other_stake, good.witness, KEYS[0]),
        "offer.text": make_offer(0, 1, note="safe\u202eexe.fdp"),
        "witness.signature": Offer(good.terms, good.seal, forged),
        "witness.stranger": Offer(good.terms, good.seal, witness_of(body, KEYS[0], KEYS[6])),
    }


@pytest.mark.parametrize("rule", hostile_offers())
def test_a_hostile_offer_is_refused_and_its_bringer_dropped(rule: str) -> None:
    offer = hostile_offers()[rule]
    net = Net(2, [(0, 1)])
    assert net.put(0, offer).rule == rule
    item = net.id_of(offer)
    net.machines[1].exchange.links[0].ask(item, net.now + 5)
    net.hand(1, _received(0, OfferGive((offer,))))
    net.run()
    assert [notice.points for notice in net.told(1, Misbehaved)] == [100]
    assert net.state(1, offer) is None


def test_a_second_signature_of_a_key_is_believed_no_more_than_the_first() -> None:
    """Else it would stay, unproved, if the known copy had to go while the other one was being checked."""
    net = Net(1, [])
    offer = make_offer(0, 1)
    net.put(0, offer)
    forged = tuple(type(s)(s.key, bytes(64)) for s in offer.witness.signatures)
    for lie in (
        agree(offer, Witness(forged)),
        Offer(offer.terms, bytes(64), offer.witness),
    ):
        assert net.put(0, lie).rule == "witness.signature"


def test_what_nobody_asked_for_is_not_read() -> None:
    net = Net(2, [(0, 1)])
    net.hand(1, _received(0, OfferGive((make_offer(0, 1),))))
    assert [notice.points for notice in net.told(1, Misbehaved)] == [10]
    assert len(net.machines[1].book) == 0


@pytest.mark.parametrize(
    ("expires_ms", "rule"), [(1, "offer.expired"), (int(START_S * 1000) + 31 * DAY_MS, "offer.life")]
)
def test_another_clock_is_no_fault(expires_ms: int, rule: str) -> None:
    net = Net(1, [])
    assert net.put(0, make_offer(0, 1, expires_ms=expires_ms)).rule == rule


def test_one_proposer_and_one_peer_have_bounded_shares() -> None:
    net = Net(2, [(0, 1)], Limits(max_count=8, max_per_proposer=4))
    offers = [make_offer(0, 1, part=part + 1) for part in range(5)]
    assert [net.put(0, offer).rule for offer in offers] == [""] * 4 + ["offer.proposer-full"]
    for offer in [make_offer(2, 1), make_offer(3, 1), make_offer(4, 1)]:
        assert net.put(0, offer).rule == ""
    net.run()
    assert len(net.machines[1].book) == 4  # half of eight
    assert not net.told(1, Misbehaved)


def test_a_full_book_makes_room_for_who_has_less() -> None:
    net = Net(4, [(0, 3), (1, 3), (2, 3)], Limits(max_count=6, max_per_proposer=6, max_share_of_peer=1.0))
    for part in range(6):
        net.put(0, make_offer(0, 1, part=part + 1))
    net.run()
    assert len(net.machines[3].book) == 6
    honest = make_offer(2, 1)
    net.put(1, honest)
    net.run()
    assert net.state(3, honest) == "open"
    assert len(net.machines[3].book) == 6


def test_a_version_is_announced_to_whom_it_is_news() -> None:
    net = Net(2, [(0, 1)])
    net.put(0, make_offer(0, 1))
    net.run(30)
    announced = [(a, b) for a, b, message in net.sent if isinstance(message, OfferHave)]
    assert announced == [(0, 1)]


def test_a_peer_of_the_first_protocol_hears_nothing_of_offers() -> None:
    net = Net(2, [])
    net.put(0, make_offer(0, 1))
    net.up[frozenset((0, 1))] = None
    net.hand(0, Asked(PeerReady(1, True, 0, version=1)))
    net.run(30)
    assert net.sent == []


def _received(peer: int, message: object) -> Received:
    return Received(peer, message)
