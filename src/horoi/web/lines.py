"""Lines of the board: movements with names, amounts, words and the place where they stand."""

from __future__ import annotations

from typing import NamedTuple

from horoi.ledger.conditions import Condition
from horoi.ledger.consensus.nakamoto.tree import Known
from horoi.ledger.transaction import NATIVE, Amount, Body
from horoi.node.mempool.entry import Entry
from horoi.web.access import NodeAccess
from horoi.web.model.board import BoardLine
from horoi.web.model.ledger import AmountView
from horoi.web.movements import Movement, movements
from horoi.web.people import People
from horoi.web.views import Viewer, time_text

MAX_LINES = 32  # of one transaction; its own page has all
SHOWN_TEXT_CHARACTERS = 280  # of a post within a sentence; ``text`` has it whole
SHOWN_ID_CHARACTERS = 8  # of an asset whose name is not the only one


class Standing(NamedTuple):
    """Where a transaction stands: its block and position, or since when it waits."""

    known: Known | None
    position: int | None
    time_ms: int


class Liner:
    """Makes lines for one answer."""

    def __init__(self, access: NodeAccess) -> None:
        self.access = access
        self.people = People(access)
        self.view = Viewer(access)

    def lines(self, transaction: bytes, body: Body, standing: Standing) -> list[BoardLine]:
        """The lines of a transaction, at most MAX_LINES; the last then says how many more there are."""
        self.view.learn(transaction, body)
        found = movements(transaction, body)
        shown = found if len(found) <= MAX_LINES else found[: MAX_LINES - 1]
        lines = [self._line(transaction, number, movement, standing) for number, movement in enumerate(shown)]
        if len(shown) < len(found):
            rest = Movement("rearranged")
            lines.append(self._line(transaction, len(shown), rest, standing, f"and {len(found) - len(shown)} more"))
        return lines

    def confirmed(self, known: Known, position: int, transaction: bytes, body: Body) -> list[BoardLine]:
        """The lines of a transaction in a block."""
        return self.lines(transaction, body, Standing(known, position, known.header.time_ms))

    def _line(
        self, transaction: bytes, number: int, movement: Movement, standing: Standing, words: str | None = None
    ) -> BoardLine:
        known, name, post = standing.known, transaction.hex(), movement.post
        about = self.view.asset(post.about) if post is not None and post.about is not None else None
        return BoardLine(
            id=f"{known.height}.{standing.position}.{number}" if known is not None else f"waiting.{name}.{number}",
            kind=movement.kind,
            words=words if words is not None else self.words(movement),
            actor=self.people.party_if(movement.actor),
            counterpart=self.people.party_if(movement.counterpart),
            owner=self.people.party_if(movement.owner),
            amount=self._amount(movement.amount),
            sources=[self.view.amount(source.asset, source.quantity) for source in movement.sources],
            reason=movement.reason,
            text=post.text if post is not None else None,
            about=post.about.hex() if post is not None and post.about is not None else None,
            about_name=about.name if about is not None else None,
            about_alike=post is not None and post.about is not None and self.view.is_alike(post.about),
            document=post.document.hex() if post is not None and post.document is not None else None,
            transaction=name,
            height=known.height if known is not None else None,
            position=standing.position,
            block=known.name.hex() if known is not None else None,
            time_ms=standing.time_ms,
            time=time_text(standing.time_ms),
            confirmations=self.view.confirmations(known) if known is not None else 0,
        )

    def _amount(self, amount: Amount | None) -> AmountView | None:
        return self.view.amount(amount.asset, amount.quantity) if amount is not None else None

    # ---- words ------------------------------------------------------------------------------------------------

    def words(self, m: Movement) -> str:
        """A movement as a sentence."""
        actor = self._who(m.actor)
        other = self._who(m.counterpart)
        what = self._much(m.amount) if m.amount is not None else ""
        if m.kind == "defined":
            assert m.amount is not None
            return f"{actor} defined the asset {self._asset(m.amount.asset)}, at most {self._count(m.amount)}"
        if m.kind == "issued":
            return f"{actor} made {what}" + (f" for {other}" if m.counterpart is not None else "")
        if m.kind == "transformed":
            sources = " and ".join(self._much(source) for source in m.sources)
            return f"{actor} made {what} out of {sources}" + (f" for {other}" if m.counterpart is not None else "")
        if m.kind == "licensed":
            return f"{actor} let {other} make up to {what}"
        if m.kind == "transferred":
            return f"{actor} transferred {what} to {other}"
        if m.kind == "paid":
            return f"{actor} paid {what} to {other}"
        if m.kind == "received":
            return f"{actor} received {what} from {other}"
        if m.kind == "handed-over":
            whose = f", still owned by {self._who(m.owner)}" if m.owner not in (None, m.actor) else ""
            return f"{actor} handed {what} to {other}{whose}"
        if m.kind == "retired":
            return f"{actor} took {what} off the books: {m.reason}"
        if m.kind == "rearranged":
            return f"{actor} rearranged {what}"
        assert m.post is not None
        text = m.post.text or f"document {m.post.document.hex()[:16]}" if m.post.document else m.post.text
        return f"{actor}: {text[:SHOWN_TEXT_CHARACTERS]}{'…' if len(text) > SHOWN_TEXT_CHARACTERS else ''}"

    def _who(self, condition: Condition | None) -> str:
        return self.people.text(condition) if condition is not None else "somebody"

    def _count(self, amount: Amount) -> str:
        view = self.view.amount(amount.asset, amount.quantity)
        return f"{view.amount or view.quantity}{f' {view.unit}' if view.unit else ''}"

    def _much(self, amount: Amount) -> str:
        if amount.asset == NATIVE:
            return f"{self._count(amount)} coins" if amount.quantity != 1 else "1 coin"
        return f"{self._count(amount)} of {self._asset(amount.asset)}"

    def _asset(self, asset: bytes) -> str:
        known = self.view.asset(asset)
        shown = asset.hex()[:SHOWN_ID_CHARACTERS]
        if known is None:
            return f"asset {shown}"
        return f"{known.name} [{shown}]" if self.view.is_alike(asset) else known.name


def waiting_lines(liner: Liner, entry: Entry) -> list[BoardLine]:
    """The lines of a waiting transaction."""
    item = entry.prepared
    return liner.lines(item.id, item.transaction.body, Standing(None, None, int(entry.since_s * 1000)))
