"""What happened in a universe: a digest for machines and the last lines for people.

The digest is a hash over every delivered event: its time, its host, its kind and its content in a canonical form. Two
runs of one seed have one digest, in every process; where they differ, something iterated a set or asked a clock.
"""

from __future__ import annotations

import hashlib
from collections import deque
from typing import Any

import msgspec

from horoi.machine.contract import Asked, Event, Finished, Fired, Lost, Peer, Received

_BATCH_BYTES = 1 << 16  # hashing in batches costs a tenth of hashing each event by itself


def _canonical_hook(value: Any) -> Any:
    """What msgspec does not encode by itself: the parts of an object, or its type's name, never its address."""
    if isinstance(value, BaseException):
        return [type(value).__name__, str(value)]
    state = getattr(value, "__dict__", None)
    return [type(value).__qualname__, state] if state else type(value).__qualname__


_encoder = msgspec.msgpack.Encoder(order="deterministic", enc_hook=_canonical_hook)


def _plain(value: Any) -> Any:
    """The same value in types that MessagePack has: whole numbers over 64 bits (overlay ids) become text."""
    if isinstance(value, int) and not isinstance(value, bool):
        return hex(value)
    if isinstance(value, msgspec.Struct):
        return [type(value).__name__, *(_plain(getattr(value, field)) for field in value.__struct_fields__)]
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return sorted(([_plain(key), _plain(item)] for key, item in value.items()), key=_encoder.encode)
    if isinstance(value, (set, frozenset)):
        return sorted((_plain(item) for item in value), key=_encoder.encode)
    if value is None or isinstance(value, (bool, float, str, bytes)):
        return value
    hooked = _canonical_hook(value)
    return _plain(hooked)


def content_of(event: Event) -> tuple[Any, str, Any]:
    """(who or what, type of the content, content) of an event, for the digest."""
    if isinstance(event, Received):
        return event.peer, type(event.message).__name__, event.message
    if isinstance(event, Asked):
        return None, type(event.request).__name__, event.request
    if isinstance(event, Fired):
        return None, "", event.timer
    if isinstance(event, Finished):
        return type(event.job).__name__, type(event.result).__name__, event.result
    assert isinstance(event, Lost)
    return event.peer, "", None


class Digest:
    """A running hash over events."""

    def __init__(self) -> None:
        self._hash = hashlib.blake2b(digest_size=16)
        self._batch = bytearray()
        self.events = 0

    def add(self, at_s: float, name: Peer, event: Event) -> None:
        """Hash one delivered event."""
        who, kind, content = content_of(event)
        item = (at_s, name, type(event).__name__, who, kind, content)
        batch = self._batch
        start = len(batch)
        try:
            _encoder.encode_into(item, batch, start)
        except OverflowError:
            del batch[start:]
            _encoder.encode_into(_plain(item), batch, start)
        self.events += 1
        if len(batch) > _BATCH_BYTES:
            self._hash.update(batch)
            batch.clear()

    def hexdigest(self) -> str:
        """The digest of all events so far, 32 hexadecimal letters."""
        self._hash.update(self._batch)
        self._batch.clear()
        return self._hash.hexdigest()


class Trace:
    """The last ``kept`` things that happened, formatted only when somebody reads them."""

    def __init__(self, kept: int) -> None:
        self._last: deque[tuple[float, Peer, Any]] = deque(maxlen=kept)

    def add(self, at_s: float, name: Peer, what: Any) -> None:
        """Keep one event, or one line of text about the world itself."""
        self._last.append((at_s, name, what))

    def lines(self) -> list[str]:
        """One line each, oldest first: time in seconds, host, what."""
        return [f"{at_s:14.6f}  {short_name(name):<12} {describe(what)}" for at_s, name, what in self._last]


def short_name(name: Peer) -> str:
    """A name as people can tell it from others: bytes as their first hexadecimal letters."""
    if name is None:
        return "-"
    return name.hex()[:12] if isinstance(name, bytes) else str(name)


def describe(what: Any) -> str:
    """An event in one line of at most 200 letters."""
    if isinstance(what, str):
        return what
    if isinstance(what, Received):
        return f"received from {short_name(what.peer)}: {what.message!r:.200}"
    if isinstance(what, Asked):
        return f"asked: {what.request!r:.200}"
    if isinstance(what, Fired):
        return f"fired: {what.timer!r:.200}"
    if isinstance(what, Finished):
        return f"finished: {type(what.job).__name__} -> {what.result!r:.200}"
    if isinstance(what, Lost):
        return f"lost {short_name(what.peer)}"
    return f"{what!r:.200}"
