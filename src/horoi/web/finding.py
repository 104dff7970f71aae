"""What a text may mean: a height, a hash or the beginning of one, an address, a name, a date. Each finder reads a bounded
number of rows and returns what has a page of its own."""

from __future__ import annotations

import re
from bisect import bisect_left
from datetime import UTC, datetime

from horoi.base.address import PREFIX, address_of, public_key_of
from horoi.base.errors import UsageError
from horoi.ledger.conditions import Key
from horoi.ledger.consensus.nakamoto.tree import Known
from horoi.node.wallet.amounts import format_amount
from horoi.web.access import NodeAccess
from horoi.web.lines import Liner
from horoi.web.model.search import Hit
from horoi.web.routes.keys import keys_called
from horoi.web.trees import side_blocks

MAX_OF_A_KIND = 10
MAX_BLOCKS_OF_A_TIME = 20
MIN_PREFIX_LETTERS = 6  # of a hash: 24 bits; shorter beginnings fit too many
MAX_HEADERS_LOOKED_AT = 200_000  # for the beginning of a block's hash: 20 ms

_HEIGHT = re.compile(r"#?([0-9]{1,10})")
_HEX = re.compile(rf"[0-9a-fA-F]{{{MIN_PREFIX_LETTERS},64}}")
_DATE = re.compile(r"(\d{4})-(\d\d)(?:-(\d\d)(?:[T ](\d\d)(?::(\d\d)(?::(\d\d))?)?)?)?Z?")


def by_height(access: NodeAccess, text: str) -> list[Hit] | None:
    """The block of a height; None if the text is no height."""
    match = _HEIGHT.fullmatch(text)
    if match is None:
        return None
    known = access.node.chain.at_height(int(match[1]))
    return [block_hit(access, known)] if known is not None else []


def by_hash(access: NodeAccess, liner: Liner, text: str) -> list[Hit] | None:
    """Blocks, transactions, assets, keys and documents whose name begins so; None if the text is no hexadecimal."""
    if not _HEX.fullmatch(text):
        return None
    text = text.lower()
    hits = [block_hit(access, known) for known in _blocks_beginning(access, text)]
    whole = bytes.fromhex(text[: len(text) // 2 * 2])
    index, pool = access.index, access.node.mempool
    confirmed = index.transactions_beginning(whole, 2 * MAX_OF_A_KIND)
    hits += [_transaction_hit(access, item) for item in confirmed if item.hex().startswith(text)][:MAX_OF_A_KIND]
    if len(whole) == 32 and pool.get(whole) is not None:
        hits.append(Hit(kind="waiting", id=text, title="waiting transaction", detail="in the mempool"))
    for asset, _ in index.assets(_before(whole), 2 * MAX_OF_A_KIND):
        if asset.hex().startswith(text):
            hits.append(asset_hit(access, liner, asset))
    if len(whole) == 32:
        hits += _exact(access, liner, whole)
    return hits


def _before(prefix: bytes) -> bytes:
    """A key just before every one that begins with ``prefix``: the cursor of a page is what stands before it."""
    number = int.from_bytes(prefix.ljust(32, b"\0"), "big")
    return (number - 1).to_bytes(32, "big") if number else b""


def _exact(access: NodeAccess, liner: Liner, name: bytes) -> list[Hit]:
    hits = []
    if access.index.history_of_key(name, 1):
        hits.append(key_hit(liner, name))
    posts = access.index.posts_about_document(name, 1)
    if posts:
        source = posts[0].hex()
        detail = f"posted in {source[:16]}"
        hits.append(Hit(kind="document", id=name.hex(), title="document", detail=detail, transaction=source))
    return hits


def _blocks_beginning(access: NodeAccess, text: str) -> list[Known]:
    chain = access.node.chain
    if len(text) == 64:
        known = chain.tree.by_name.get(bytes.fromhex(text))
        return [known] if known is not None else []
    whole = bytes.fromhex(text[: len(text) // 2 * 2])
    newest = chain.active[: -MAX_HEADERS_LOOKED_AT - 1 : -1]
    found = [known for known in newest if known.name.startswith(whole)]
    found += [known for known in side_blocks(access) if known.name.startswith(whole)]
    return [known for known in found if known.name.hex().startswith(text)][:MAX_OF_A_KIND]


def by_address(access: NodeAccess, liner: Liner, text: str) -> list[Hit] | None:
    """The key of an address; None if the text does not begin as one."""
    if not text.lower().startswith(f"{PREFIX}1"):
        return None
    try:
        return [key_hit(liner, public_key_of(text))]
    except UsageError:
        return []


def by_name(access: NodeAccess, liner: Liner, text: str) -> list[Hit]:
    """Assets and companies with a word of their name that begins so."""
    words = text.casefold()
    keys = keys_called(access, text)
    keys += [key for key, name in access.book if words in name.casefold()]
    hits = [key_hit(liner, key) for key in list(dict.fromkeys(keys))[:MAX_OF_A_KIND]]
    return hits + [asset_hit(access, liner, asset) for asset in access.index.assets_like(text, MAX_OF_A_KIND)]


def by_time(access: NodeAccess, text: str) -> list[Hit] | None:
    """The blocks of a day, an hour, a minute or a second (UTC), the earliest first; None if the text is no date."""
    match = _DATE.fullmatch(text)
    if match is None:
        return None
    parts = [int(part) for part in match.groups() if part is not None]
    try:
        start = datetime(*(parts + [1] * (3 - len(parts))), tzinfo=UTC)  # type: ignore[arg-type, misc]
        length_ms = _length_ms(start, len(parts))
    except ValueError:  # also of December 9999, behind which datetime knows nothing
        return []
    start_ms = int(start.timestamp() * 1000)
    end_ms = start_ms + length_ms
    active = access.node.chain.active
    # Block times may step back a little; their medians never do (BIP 113).
    first = bisect_left(active, start_ms, key=lambda known: known.median_time_ms)
    found = []
    for known in active[max(0, first - 1) :]:
        if known.median_time_ms >= end_ms and known.header.time_ms >= end_ms:
            break
        if start_ms <= known.header.time_ms < end_ms:
            found.append(known)
        if len(found) >= MAX_BLOCKS_OF_A_TIME:
            break
    return [block_hit(access, known, "time") for known in found]


def _length_ms(start: datetime, parts: int) -> int:
    if parts == 2:
        following = start.replace(year=start.year + start.month // 12, month=start.month % 12 + 1)
        return int((following - start).total_seconds() * 1000)
    return {3: 86_400_000, 4: 3_600_000, 5: 60_000, 6: 1_000}[parts]


# ---- hits ---------------------------------------------------------------------------------------------------------------


def block_hit(access: NodeAccess, known: Known, kind: str = "block") -> Hit:
    """A block in a line."""
    chain = access.node.chain
    is_active = chain.is_active(known)
    count = access.index.figures(known.height).transactions if is_active else None
    detail = f"{count} transactions" if count is not None else "not on the connected chain"
    return Hit(
        kind="time" if kind == "time" else "block",
        id=str(known.height) if is_active else known.name.hex(),
        title=f"block {known.height}",
        detail=detail,
        height=known.height,
        time_ms=known.header.time_ms,
        transactions=count,
    )


def _transaction_hit(access: NodeAccess, item: bytes) -> Hit:
    place = access.index.transaction_place(item)
    height = place.height if place is not None else None
    return Hit(kind="transaction", id=item.hex(), title="transaction", detail=f"in block {height}", height=height)


def asset_hit(access: NodeAccess, liner: Liner, asset: bytes) -> Hit:
    """An asset in a line."""
    record = access.index.asset(asset)
    if record is None:
        return Hit(kind="asset", id=asset.hex(), title=asset.hex(), detail="")
    d = record.definition
    existing = record.issued + record.produced - record.consumed - record.retired
    return Hit(
        kind="asset",
        id=asset.hex(),
        title=d.name,
        detail=f"{format_amount(existing, d.decimals)} {d.unit}".rstrip(),
        height=record.height,
        party=liner.people.party(d.issuer),
    )


def key_hit(liner: Liner, key: bytes) -> Hit:
    """A key in a line."""
    party = liner.people.party(Key(key))
    return Hit(kind="key", id=address_of(key), title=party.text, detail=address_of(key), party=party)
