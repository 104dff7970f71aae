"""Who somebody is, as people read it: the operator's names first, then the node's own keys, then what a key says of itself.

A claim is never printed as a name: whoever wants to be taken for another only has to say so.
"""

from __future__ import annotations

from horoi.base.address import address_of
from horoi.ledger.conditions import (
    AfterHeight,
    AfterTime,
    AllOf,
    AnyOf,
    Condition,
    Key,
    Preimage,
    Threshold,
    keys_named,
    keys_now,
)
from horoi.node.wallet.text import condition_to_json, format_time
from horoi.web.access import NodeAccess
from horoi.web.model.people import NameSource, Party

HEAD_CHARACTERS, TAIL_CHARACTERS = 12, 6  # of a shortened address: its prefix and 30 bits, and 30 bits more
MAX_PARTS = 4  # of a condition that are spelled out


class People:
    """Names for one answer; remembers whom it looked up."""

    def __init__(self, access: NodeAccess) -> None:
        self._access = access
        self._index = access.node.index
        self._known: dict[Condition, Party] = {}

    def party(self, condition: Condition) -> Party:
        """Who may act under a condition."""
        found = self._known.get(condition)
        if found is None:
            found = self._known[condition] = self._party(condition)
        return found

    def party_if(self, condition: Condition | None) -> Party | None:
        """The same, or None for None."""
        return None if condition is None else self.party(condition)

    def text(self, condition: Condition) -> str:
        """What to print."""
        return self.party(condition).text

    def _party(self, condition: Condition) -> Party:
        """Of a condition of several, the one key that may act now is who it is; what others may do later is said beside."""
        form = condition_to_json(condition)
        key = _acting(condition)
        if key is None:
            words = self._words(condition)
            return Party(text=words, name=None, source=None, key=None, address=None, condition=form, later=None)
        address = address_of(key)
        name, source = self._name(key)
        is_trusted = name is not None and source != "claim"
        text = name if is_trusted and name is not None else shortened(address)
        later = self._words(condition) if not isinstance(condition, Key) else None
        return Party(text=text, name=name, source=source, key=key.hex(), address=address, condition=form, later=later)

    def _name(self, key: bytes) -> tuple[str | None, NameSource | None]:
        name = self._access.book.get(key)
        if name is not None:
            return name, "book"
        for own in self._access.keys:
            if own.pair.public == key:
                return own.name, "own"
        claims = self._index.claims(key, 1) if self._index is not None else []
        return (claims[0][1], "claim") if claims else (None, None)

    def _words(self, condition: Condition) -> str:
        if isinstance(condition, Key):
            return self.text(condition)
        if isinstance(condition, Threshold):
            keys = [self.text(Key(key)) for key in condition.keys[:MAX_PARTS]]
            return f"{condition.needed} of ({_joined(keys, len(condition.keys), ', ')})"
        if isinstance(condition, AfterHeight):
            return f"anybody from block {condition.height} on"
        if isinstance(condition, AfterTime):
            return f"anybody after {format_time(condition.time_ms)}"
        if isinstance(condition, Preimage):
            return f"whoever shows the secret of {condition.digest.hex()[:16]}"
        word = " and " if isinstance(condition, AllOf) else " or "
        return f"({_joined([self._words(part) for part in condition.parts[:MAX_PARTS]], len(condition.parts), word)})"


def _acting(condition: Condition) -> bytes | None:
    """The key of a key alone, or of a hand-over with a lock: any of this key, and others under a lock."""
    if isinstance(condition, Key):
        return condition.public
    if isinstance(condition, AnyOf) and isinstance(condition.parts[0], Key):
        now = dict.fromkeys(keys_now(condition))
        others_wait = all(not keys_now(part) and keys_named(part) for part in condition.parts[1:])
        return condition.parts[0].public if len(now) == 1 and others_wait else None
    return None


def _joined(shown: list[str], count: int, word: str) -> str:
    more = [f"{count - len(shown)} more"] if count > len(shown) else []
    return word.join(shown + more)


def shortened(address: str) -> str:
    """The beginning and the end of an address."""
    return f"{address[:HEAD_CHARACTERS]}…{address[-TAIL_CHARACTERS:]}"
