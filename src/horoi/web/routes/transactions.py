"""Transactions: sent one by one or in batches, looked up, waiting."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import Literal

import msgspec

from horoi.base.errors import DecodeError, HoroiError, NotFoundError, RuleError, UsageError
from horoi.ledger.consensus.nakamoto.tree import Known
from horoi.ledger.ledger import Prepared
from horoi.ledger.transaction import MAX_TRANSACTION_SIZE_BYTES, Transaction, transaction_codec
from horoi.node.events import SubmitResult
from horoi.web.access import BusyError, NodeAccess
from horoi.web.agreed import sentence_views
from horoi.web.lines import Liner, waiting_lines
from horoi.web.model.base import NoQuery
from horoi.web.model.board import BoardLine
from horoi.web.model.ledger import (
    MAX_BATCH,
    BatchResult,
    PageQuery,
    SubmitForm,
    SubmitResultView,
    TransactionPath,
    WaitingPage,
    WaitingTransaction,
)
from horoi.web.model.pages import TransactionDetail
from horoi.web.reading import confirmed, unspent_at
from horoi.web.signers import agreements, signatures

MSGPACK = "application/msgpack"
PLAIN = "text/plain"
BATCH_RULE = "form.decode"

_one_or_many: msgspec.json.Decoder[SubmitForm | list[str]] = msgspec.json.Decoder(SubmitForm | list[str])
_batch: msgspec.msgpack.Decoder[list[bytes]] = msgspec.msgpack.Decoder(list[bytes])


async def submit_transactions(
    access: NodeAccess, _: NoQuery, body: tuple[str, bytes]
) -> SubmitResultView | BatchResult:
    """Hand transactions to the mempool: one, or a batch.

    One: `{"hex": ...}` or plain hexadecimal text; a refusal is a problem of status 422 that names the rule. A batch: a JSON
    list of hexadecimal strings, or MessagePack with a list of byte strings, the fast way; the answer is 200 and says what
    became of each.
    """
    kind, data = body
    if kind == MSGPACK:
        return await _submit_batch(access, _read_batch(data))
    if kind == PLAIN:
        return await _submit_one(access, _read_hex(data.decode("latin-1")))
    try:
        form = _one_or_many.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(f"body: {error}; send {{'hex': ...}} or a list of hexadecimal strings") from None
    if isinstance(form, SubmitForm):
        return await _submit_one(access, _read_hex(form.hex))
    _check_batch_length(len(form))
    return await _submit_batch(access, [_bytes_or_none(text) for text in form])


def _read_batch(data: bytes) -> Sequence[bytes | None]:
    try:
        batch = _batch.decode(data)
    except (msgspec.DecodeError, RecursionError) as error:
        raise UsageError(f"body: {error}; send a MessagePack list of byte strings") from None
    _check_batch_length(len(batch))
    return batch


def _check_batch_length(length: int) -> None:
    if length > MAX_BATCH:
        raise UsageError(f"{length} transactions in one batch, the limit is {MAX_BATCH}: send several")


def _read_hex(text: str) -> bytes:
    raw = _bytes_or_none(text.strip())
    if raw is None:
        raise DecodeError(f"{text[:40]!r} is not hexadecimal")
    return raw


def _bytes_or_none(text: str) -> bytes | None:
    if len(text) > 2 * MAX_TRANSACTION_SIZE_BYTES + 100 or not text.isascii() or " " in text:
        return None
    try:
        return bytes.fromhex(text)
    except ValueError:
        return None


async def _submit_one(access: NodeAccess, raw: bytes) -> SubmitResultView:
    result = (await access.submit([transaction_codec.decode(raw)]))[0]
    if not result.accepted:
        raise refusal(result)
    return _shown(result)


def refusal(result: SubmitResult) -> HoroiError:
    """The error of a transaction that was not accepted."""
    return (
        BusyError(result.detail, code="busy") if result.rule == "pool.busy" else RuleError(result.rule, result.detail)
    )


async def _submit_batch(access: NodeAccess, batch: Sequence[bytes | None]) -> BatchResult:
    """What does not decode is refused in its place; the rest goes to the node in one request."""
    decode = transaction_codec.decode
    good: list[Transaction] = []
    results: list[SubmitResultView | None] = []
    for raw in batch:
        try:
            if raw is None:
                raise DecodeError("not hexadecimal, or too long for a transaction")
            good.append(decode(raw))
            results.append(None)
        except HoroiError as error:
            results.append(SubmitResultView(id=None, accepted=False, rule=BATCH_RULE, detail=str(error)))
    answers = iter(await access.submit(good) if good else ())
    shown = [result if result is not None else _shown(next(answers)) for result in results]
    return BatchResult(accepted=sum(result.accepted for result in shown), results=shown)


def _shown(result: SubmitResult) -> SubmitResultView:
    return SubmitResultView(
        id=result.id.hex() or None, accepted=result.accepted, rule=result.rule, detail=result.detail
    )


def transaction(access: NodeAccess, path: TransactionPath, _: None) -> TransactionDetail:
    """A transaction, waiting or confirmed: what it says, in words and in hexadecimal, and who agreed to what."""
    item = bytes.fromhex(path.id)
    entry = access.node.mempool.entries.get(item)
    liner = Liner(access)
    tip = access.node.chain.tip
    if entry is not None:
        lines = waiting_lines(liner, entry)
        return _detail(access, liner, entry.prepared, None, lines, (tip.height + 1, tip.median_time_ms))
    found = confirmed(access, item)
    if found is None:
        raise NotFoundError(f"no transaction {path.id} waits or is confirmed here", code="no-transaction")
    prepared, known, position = found
    lines = liner.confirmed(known, position, item, prepared.transaction.body)
    parent_ms = known.parent.median_time_ms if known.parent is not None else 0
    return _detail(access, liner, prepared, (known, position), lines, (known.height, parent_ms))


def _detail(
    access: NodeAccess,
    liner: Liner,
    item: Prepared,
    place: tuple[Known, int] | None,
    lines: list[BoardLine],
    moment: tuple[int, int],
) -> TransactionDetail:
    view = liner.view.transaction(item, place)
    agreed = agreements(liner, item, *moment)
    return TransactionDetail(
        **{name: getattr(view, name) for name in view.__struct_fields__},
        sentences=sentence_views(liner.view, liner.people, item.transaction.body),
        lines=lines,
        digest=item.id.hex(),
        agreements=agreed,
        signers=signatures(liner, item, agreed),
        output_states=[_state(access, item.id, index, place) for index in range(len(view.outputs))],
    )


def _state(
    access: NodeAccess, source: bytes, index: int, place: tuple[Known, int] | None
) -> Literal["unspent", "spent", "waiting"]:
    if place is None or access.node.mempool.spender(source, index) is not None:
        return "waiting"
    return "unspent" if unspent_at(access, source, index) is not None else "spent"


def waiting_transactions(access: NodeAccess, page: PageQuery, _: None) -> WaitingPage:
    """The mempool, in the order in which a miner takes it."""
    pool = access.node.mempool
    rows = []
    for item in islice(pool, page.offset, page.offset + page.limit):
        entry = pool.entries[item]
        body = entry.prepared.transaction.body
        rows.append(
            WaitingTransaction(
                id=item.hex(),
                size_bytes=entry.prepared.size_bytes,
                fee=str(entry.prepared.fee),
                since_ms=int(entry.since_s * 1000),
                inputs=len(body.inputs),
                outputs=len(body.outputs) + len(body.definitions),
                posts=len(body.posts),
            )
        )
    return WaitingPage(count=len(pool), size_bytes=pool.size_bytes, offset=page.offset, transactions=rows)
