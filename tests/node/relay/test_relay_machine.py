from __future__ import annotations

import random
from itertools import combinations
from typing import Any

import pytest
from tests.node.pool_chain import KEYS, TestChain
from tests.node.relay.relay_net import Net

from horoi.base.codec import encode
from horoi.base.hashing import sha256
from horoi.ledger.conditions import AfterHeight, AllOf, Key
from horoi.ledger.transaction import NATIVE, Body, Holding, Input, Transaction, Witness
from horoi.machine.contract import Arm, Asked, Finished, Fired, Received, Run, Send, Tell
from horoi.machine.host import Started
from horoi.machine.pair import Pair
from horoi.machine.stack import Stack
from horoi.node.events import (
    ConflictFound,
    Misbehaved,
    PeerReady,
    Submit,
    Submitted,
    TransactionAccepted,
    TransactionRemoved,
)
from horoi.node.mempool import Limits, Mempool, load
from horoi.node.relay import Announce, Deliver, NotFound, Relay, Request, relay_wire
from horoi.node.relay.intake import MAX_PENDING
from horoi.node.relay.submissions import MAX_TRANSACTIONS


def alone(chain: TestChain | None = None, **more: Any) -> tuple[TestChain, Mempool, Relay]:
    chain = chain or TestChain()
    pool = Mempool(chain)
    return chain, pool, Relay(chain, pool, random.Random(1), **more)


def sent(actions: list[Any], kind: type) -> list[Any]:
    return [a.message for a in actions if isinstance(a, Send) and isinstance(a.message, kind)]


def told(actions: list[Any], kind: type) -> list[Any]:
    return [a.notice for a in actions if isinstance(a, Tell) and isinstance(a.notice, kind)]


def deliver(relay: Relay, peer: Any, *transactions: Transaction, now: float = 0.0) -> list[Any]:
    """Announce, be asked, deliver, and let the jobs run."""
    ids = tuple(relay.chain.ledger.id_of(transaction.body) for transaction in transactions)
    asked = relay.handle(Received(peer, Announce(ids)), now)
    assert sent(asked, Request) == [Request(ids)]
    actions = relay.handle(Received(peer, Deliver(transactions)), now)
    return actions + finish(relay, actions, now)


def finish(relay: Relay, actions: list[Any], now: float = 0.0) -> list[Any]:
    done: list[Any] = []
    jobs = [a.job for a in actions if isinstance(a, Run)]
    for job in jobs:
        more = relay.handle(Finished(job, job.run()), now)
        jobs.extend(a.job for a in more if isinstance(a, Run))
        done.extend(more)
    return done


# ---- between nodes ---------------------------------------------------------------------------------


def test_a_conversation_of_two() -> None:
    chain = TestChain()
    a, b = (Relay(c, Mempool(c), random.Random(n)) for n, c in enumerate((chain, TestChain())))
    pair = Pair(a, b, wire=relay_wire())
    pair.ask("a", PeerReady("b", True, 0))
    pair.ask("b", PeerReady("a", False, 0))
    transaction = chain.pay([chain.grant(0)])
    pair.ask("a", Submit(7, (transaction,)))
    pair.run_until_quiet()
    pair.advance(0.1)
    kinds = []
    while pair.waiting("a") or pair.waiting("b"):
        kinds.append([type(m).__name__ for m in (pair.waiting("b") or pair.waiting("a"))])
        pair.deliver()
    assert kinds == [["Announce"], ["Request"], ["Deliver"]]
    pair.run_until_quiet()
    assert [type(n) for n in pair.notices["a"]] == [Submitted, TransactionAccepted]
    assert [type(n) for n in pair.notices["b"]] == [TransactionAccepted]
    pair.advance(1.0)
    assert not pair.waiting("a"), "who gave it is not told of it"


def test_each_transaction_crosses_each_link_about_once() -> None:
    links = list(combinations(range(4), 2))
    net = Net(4, links)
    chain = net.chains[0]
    transactions = [chain.pay([chain.grant(number)]) for number in range(40)]
    for number, transaction in enumerate(transactions):
        net.submit(number % 4, transaction, token=number)
    net.run(2.0)
    for pool in net.pools:
        assert len(pool) == 40
    for a, b in links:
        assert net.delivered[a, b] + net.delivered[b, a] <= 40
    assert sum(net.delivered.values()) == 3 * 40, "each node got each once"


def test_chains_of_unconfirmed_spends_cross_a_line_of_nodes() -> None:
    net = Net(3, [(0, 1), (1, 2)])
    chain = net.chains[0]
    chained = [chain.pay([chain.grant(0)])]
    for _ in range(9):
        chained.append(chain.pay([chain.output(chain.prepare(chained[-1]))]))
    net.submit(0, *chained)
    net.run(2.0)
    assert [r.accepted for r in net.answer(0)] == [True] * 10
    assert list(net.pools[2]) == list(net.pools[0])


def test_a_silent_announcer_is_replaced() -> None:
    net = Net(3, [(0, 1), (0, 2), (1, 2)])
    net.silent[1] = Deliver
    chain = net.chains[0]
    net.submit(1, chain.pay([chain.grant(0)]))
    net.submit(2, chain.pay([chain.grant(0)]))
    net.run(5.0)
    assert len(net.pools[0]) == 1


def test_pools_meet_again_when_a_link_comes_up() -> None:
    net = Net(2, [])
    for node in (0, 1):
        chain = net.chains[node]
        net.submit(node, chain.pay([chain.grant(node)]))
    net.run()
    net.link(0, 1)
    net.run()
    assert sorted(net.pools[0]) == sorted(net.pools[1])
    assert len(net.pools[0]) == 2


def test_an_orphan_fetches_its_parent() -> None:
    net = Net(2, [])
    chain = net.chains[0]
    parent = chain.pay([chain.grant(0)])
    net.submit(0, parent)
    net.run()
    net.link(0, 1)
    net.relays[0].links[1].to_announce.clear()  # the announcement of the parent is lost
    net.submit(0, chain.pay([chain.output(chain.prepare(parent))]), token=1)
    net.run()
    assert list(net.pools[1]) == list(net.pools[0])
    assert len(net.relays[1].orphans) == 0


def test_confirmed_is_not_asked_for_again() -> None:
    net = Net(2, [(0, 1)])
    chain = net.chains[0]
    transaction = chain.pay([chain.grant(0)])
    net.submit(0, transaction)
    net.run()
    net.move([chain.prepare(transaction)])
    net.run()
    item = chain.prepare(transaction).id
    assert net.told(1, TransactionRemoved) == [TransactionRemoved(item, "confirmed")]
    actions = net.relays[1].handle(Received(0, Announce((item,))), net.now)
    assert sent(actions, Request) == []
    net.submit(1, transaction, token=5)
    assert net.answer(1, 5)[0].accepted


def test_a_double_spend_is_reported_once_and_the_first_stays() -> None:
    net = Net(2, [(0, 1)])
    chain = net.chains[0]
    first, second, third = (chain.pay([chain.grant(0)], parts=parts) for parts in (1, 2, 3))
    net.submit(0, first, token=1)
    net.submit(1, second, token=2)
    net.run()
    ids = [chain.prepare(t).id for t in (first, second)]
    assert list(net.pools[0]) == ids[:1]
    assert list(net.pools[1]) == ids[1:]
    assert net.told(0, ConflictFound) == [ConflictFound(ids[1], ids[0])]
    assert net.told(0, Misbehaved) == []
    net.submit(0, third, token=3)
    net.run()
    assert net.answer(0, 3)[0].rule == "pool.conflict"
    assert len(net.told(0, ConflictFound)) == 1
    net.move([chain.prepare(second)])
    assert len(net.pools[0]) == 0
    assert net.told(0, ConflictFound)[-1] == ConflictFound(ids[0], ids[1])


def test_what_leaves_the_chain_is_accepted_again() -> None:
    net = Net(1, [])
    chain = net.chains[0]
    item = chain.prepare(chain.pay([chain.grant(0)]))
    net.move([item])
    net.move([], [], back=1)
    assert net.told(0, TransactionAccepted) == [TransactionAccepted(item)]
    net.submit(0, item.transaction)
    net.run()
    assert net.answer(0)[0].accepted
    assert item.id in net.pools[0]


# ---- the application -------------------------------------------------------------------------------


def test_a_batch_gets_one_answer_in_its_order() -> None:
    net = Net(1, [])
    chain = net.chains[0]
    good = chain.pay([chain.grant(0)])
    child = chain.pay([chain.output(chain.prepare(good))])
    forged = chain.pay([chain.grant(1)], valid=False)
    unknown = chain.pay([Input(bytes(32), 0, chain.genesis.grants[0])])
    formless = Transaction(Body(), Witness())
    outputs = (Holding(NATIVE, chain.genesis.grants[0].quantity, Key(KEYS[0].public), None),)
    huge = Transaction(Body((Input(bytes(32), 2**70, chain.genesis.grants[0]),), outputs), Witness())
    net.submit(0, good, forged, child, unknown, formless, huge, good)
    net.run()
    rules = [result.rule for result in net.answer(0)]
    assert rules == [
        "",
        "witness.signature",
        "",
        "spend.unknown",
        "form.empty",
        "form.unencodable",
        "",
    ]
    assert [r.accepted for r in net.answer(0)] == [not rule for rule in rules]
    assert net.answer(0)[4].id == chain.ledger.id_of(formless.body)


def test_large_batches_do_not_stop_the_node() -> None:
    chain, pool, relay = alone()
    fan = chain.prepare(chain.pay([chain.grant(0)], parts=900))
    relay.handle(Asked(chain.move([fan])), 0.0)
    batch = tuple(chain.pay([chain.output(fan, index)]) for index in range(900))
    actions = relay.handle(Asked(Submit(1, batch)), 0.0)
    assert Arm("again", 0.0) in actions, "the rest comes with the next event"
    while not told(actions, Submitted):
        more = relay.handle(Fired("again"), 0.0)
        actions = actions[-1:] + more + finish(relay, actions + more)
        assert len(told(actions, TransactionAccepted)) <= 10_000
    assert len(pool) == 900


def test_too_much_is_answered_at_once() -> None:
    chain, _, relay = alone()
    transaction = chain.pay([chain.grant(0)])
    (answer,) = told(relay.handle(Asked(Submit(1, (transaction,) * (MAX_TRANSACTIONS + 1))), 0.0), Submitted)
    assert answer.results[0].rule == "pool.batch"
    assert told(relay.handle(Asked(Submit(2, ())), 0.0), Submitted) == [Submitted(2, ())]
    busy = []
    for token in range(8):
        busy += told(relay.handle(Asked(Submit(token, (transaction,) * MAX_TRANSACTIONS)), 0.0), Submitted)
    assert {result.rule for answer in busy for result in answer.results} == {"pool.busy"}
    assert relay.intake.count <= MAX_PENDING


def test_a_saved_pool_comes_back_through_every_check() -> None:
    chain, pool, relay = alone()
    transactions = (chain.pay([chain.grant(0)]), chain.pay([chain.grant(1)], valid=False))
    first = relay.handle(Asked(Submit(1, transactions[:1])), 0.0)
    finish(relay, first)
    pool.add(chain.prepare(transactions[1]), 0.0)  # somebody wrote a forged one into the file
    _, again, successor = alone(TestChain(), restored=load(pool.dump(), chain.ledger.network))
    actions = successor.handle(Asked(Started()), 0.0)
    finish(successor, actions)
    assert list(again) == [chain.prepare(transactions[0]).id]


def test_a_failed_job_loses_nothing_but_its_transactions() -> None:
    chain, pool, relay = alone()
    (job,) = [a.job for a in relay.handle(Asked(Submit(1, (chain.pay([chain.grant(0)]),))), 0.0) if isinstance(a, Run)]
    (answer,) = told(relay.handle(Finished(job, MemoryError("no")), 0.0), Submitted)
    assert answer.results[0].rule == "verify.failed"
    assert relay.intake.count == 0
    assert len(pool) == 0


def test_order_holds_whichever_job_is_done_first() -> None:
    chain, pool, relay = alone()
    parent = chain.pay([chain.grant(0)])
    first = relay.handle(Asked(Submit(1, (parent,))), 0.0)
    child = chain.pay([chain.output(chain.prepare(parent))])
    second = relay.handle(Asked(Submit(2, (child,))), 0.0)
    (job_1,), (job_2,) = ([a.job for a in actions if isinstance(a, Run)] for actions in (first, second))
    assert told(relay.handle(Finished(job_2, job_2.run()), 0.0), Submitted) == []
    answers = told(relay.handle(Finished(job_1, job_1.run()), 0.0), Submitted)
    assert [a.token for a in answers] == [1, 2]
    assert len(pool) == 2


def test_it_fits_a_stack() -> None:
    chain, pool, relay = alone()
    stack = Stack({"relay": relay})
    actions = stack.handle(Asked(Submit(1, (chain.pay([chain.grant(0)]),))), 0.0)
    (job,) = [a.job for a in actions if isinstance(a, Run)]
    assert told(stack.handle(Finished(job, job.run()), 0.0), Submitted)[0].results[0].accepted
    assert len(pool) == 1


# ---- bad peers -------------------------------------------------------------------------------------


@pytest.fixture
def watched() -> tuple[TestChain, Mempool, Relay]:
    chain, pool, relay = alone()
    for peer in ("p", "q"):
        relay.handle(Asked(PeerReady(peer, True, 0)), 0.0)
    return chain, pool, relay


def test_a_forged_signature_costs_the_peer_and_not_the_transaction(watched: Any) -> None:
    chain, pool, relay = watched
    good, forged = chain.pay([chain.grant(0)]), chain.pay([chain.grant(0)], valid=False)
    item = chain.prepare(good).id
    relay.handle(Received("p", Announce((item,))), 0.0)
    relay.handle(Received("q", Announce((item,))), 0.0)
    actions = relay.handle(Received("p", Deliver((forged,))), 0.0)
    actions = finish(relay, actions)
    assert [(m.peer, m.points) for m in told(actions, Misbehaved)] == [("p", 100)]
    assert [(a.peer, a.message) for a in actions if isinstance(a, Send)] == [("q", Request((item,)))]
    finish(relay, relay.handle(Received("q", Deliver((good,))), 0.0))
    assert list(pool) == [item]


def test_a_bad_one_does_not_poison_its_batch(watched: Any) -> None:
    chain, pool, relay = watched
    batch = [chain.pay([chain.grant(n)], valid=n != 3) for n in range(8)]
    actions = deliver(relay, "p", *batch)
    assert len(told(actions, Misbehaved)) == 1
    assert len(pool) == 7


def test_missing_agreement_is_grave_but_a_lock_is_not(watched: Any) -> None:
    chain, pool, relay = watched
    bare = Transaction(chain.pay([chain.grant(0)]).body, Witness())
    assert [m.points for m in told(deliver(relay, "p", bare), Misbehaved)] == [100]
    first = chain.prepare(chain.pay([chain.grant(1)], to=AllOf((Key(KEYS[0].public), AfterHeight(2)))))
    relay.handle(Asked(chain.move([])), 0.0)
    deliver(relay, "q", first.transaction)
    chain.tip, height_1 = chain.tip.parent, chain.tip  # as if one block behind
    body = Body(inputs=(chain.output(first),), outputs=(Holding(NATIVE, 1_000_000, Key(KEYS[0].public), None),))
    early = chain.sign(body, {KEYS[0].public})
    actions = deliver(relay, "q", early)
    assert told(actions, Misbehaved) == []
    assert len(pool) == 1
    chain.tip = height_1
    actions = relay.handle(Asked(chain.move([])), 0.0)
    finish(relay, actions)
    assert len(pool) == 2, "it waited for the block that allows it"


def test_a_lie_about_an_output_is_grave(watched: Any) -> None:
    chain, _, relay = watched
    lie = Input(chain.grants_id, 0, Holding(NATIVE, 5, Key(KEYS[0].public), None))
    assert [m.points for m in told(deliver(relay, "p", chain.pay([lie])), Misbehaved)] == [100]


def test_broken_rules_are_grave_and_end_the_conversation(watched: Any) -> None:
    chain, pool, relay = watched
    good = chain.pay([chain.grant(0)])
    broken = Transaction(Body(), Witness())
    ids = tuple(chain.ledger.id_of(t.body) for t in (good, broken))
    relay.handle(Received("p", Announce(ids)), 0.0)
    actions = relay.handle(Received("p", Deliver((broken, good))), 0.0)
    assert [m.points for m in told(actions, Misbehaved)] == [100]
    assert relay.handle(Received("p", Deliver((good,))), 0.0) == []
    assert len(pool) == 0


def test_unasked_deliveries_cost_little_and_are_ignored(watched: Any) -> None:
    chain, pool, relay = watched
    actions = relay.handle(Received("p", Deliver((chain.pay([chain.grant(0)]),))), 0.0)
    assert [m.points for m in told(actions, Misbehaved)] == [10]
    assert not [a for a in actions if isinstance(a, Run)]
    assert len(pool) == 0


def test_strangers_are_not_heard() -> None:
    chain, _, relay = alone()
    assert relay.handle(Received("x", Deliver((chain.pay([chain.grant(0)]),))), 0.0) == []


def test_nothing_is_asked_while_far_behind(watched: Any) -> None:
    chain, _, relay = watched
    chain.behind = 1_000
    assert sent(relay.handle(Received("p", Announce((sha256(b""),))), 0.0), Request) == []
    chain.behind = 0
    assert sent(relay.handle(Fired("again"), 0.0), Request) == [Request((sha256(b""),))]


def test_serving_is_bounded_in_bytes_and_never_twice(watched: Any) -> None:
    chain, pool, relay = watched
    large = [chain.prepare(chain.pay([chain.grant(n)], parts=990, valid=False)) for n in range(64)]
    for item in large:
        pool.add(item, 0.0)
    ids = tuple(item.id for item in large)
    actions = relay.handle(Received("p", Request(ids)), 0.0)
    first = sum(len(encode(t)) for m in sent(actions, Deliver) for t in m.transactions)
    assert 4e6 <= first <= 4e6 + 100_000 or first == sum(item.size_bytes for item in large)
    assert all(len(relay.wire.encode(m)) <= relay.wire.max_size_bytes for m in sent(actions, Deliver))
    now, total = 0.0, first
    while Arm(("serve", "p"), 0.05) in actions:
        now += 0.05
        actions = relay.handle(Fired(("serve", "p")), now)
        total += sum(len(encode(t)) for m in sent(actions, Deliver) for t in m.transactions)
    assert total == sum(item.size_bytes for item in large)
    assert sent(relay.handle(Received("p", Request(ids[:2])), now), NotFound) == [NotFound(ids[:2])]
    assert sent(relay.handle(Received("q", Request((sha256(b"?"),))), now), NotFound)


def test_a_lost_peer_leaves_nothing_behind() -> None:
    net = Net(2, [(0, 1)])
    chain = net.chains[0]
    orphan = chain.pay([Input(bytes(32), 0, chain.genesis.grants[0])])
    deliver(net.relays[1], 0, orphan)
    net.relays[1].handle(Received(0, Announce(tuple(sha256(bytes([n])) for n in range(50)))), 0.0)
    assert len(net.relays[1].orphans) == 1
    net.unlink(0, 1)
    relay = net.relays[1]
    assert len(relay.orphans) == len(relay.requests) == relay.requests.in_flight == 0
    assert relay.links == {}
    assert relay.requests._debtors == {}


def test_notices_come_in_portions() -> None:
    chain, pool, relay = alone()
    fans = [chain.prepare(chain.pay([chain.grant(n)], parts=900)) for n in range(3)]
    relay.handle(Asked(chain.move(fans)), 0.0)
    block = []
    for fan in fans:
        for index in range(800):
            block.append(chain.prepare(chain.pay([chain.output(fan, index)], valid=False)))
            pool.add(block[-1], 0.0)
    first = relay.handle(Asked(chain.move(block)), 0.0)
    second = relay.handle(Fired("again"), 0.0)
    removed = told(first, TransactionRemoved), told(second, TransactionRemoved)
    assert [len(part) for part in removed] == [2_000, 400]
    assert sorted(n.id for part in removed for n in part) == sorted(item.id for item in block)


def test_limits_reach_the_submitter() -> None:
    net = Net(1, [], Limits(max_count=1))
    chain = net.chains[0]
    net.submit(0, chain.pay([chain.grant(0)]), chain.pay([chain.grant(1)]))
    net.run()
    assert [r.rule for r in net.answer(0)] == ["", "pool.full"]
