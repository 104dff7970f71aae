"""Horoi's own wire, declared once as typed messages.

A message is a ``Message`` subclass with a ``tag`` of its own; a ``Wire`` is a set of them with one decoder that knows
every type and every bound (msgspec checks types and ``Meta`` limits while it decodes, at C speed). Bytes in, messages
out: nothing that a peer can send raises anything but DecodeError.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Union

import msgspec

from horoi.base.codec import encode
from horoi.base.errors import DecodeError


class Message(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False, tag=True):
    """Base of the messages of Horoi's own wire: ``[tag, field, field, ...]`` in MessagePack."""


class Wire:
    """Codec of a set of message types.

    >>> class Ping(Message, frozen=True, tag="ping"):
    ...     nonce: int
    >>> wire = Wire([Ping], max_size_bytes=64)
    >>> wire.decode(wire.encode(Ping(7)))
    Ping(nonce=7)
    """

    def __init__(self, types: Sequence[type[Message]], *, max_size_bytes: int) -> None:
        tags = [kind.__struct_config__.tag for kind in types]
        if len(set(tags)) != len(tags):
            raise ValueError(f"two message types share a tag: {sorted(map(str, tags))}")
        self.types = tuple(types)
        self.max_size_bytes = max_size_bytes
        self._decoder: msgspec.msgpack.Decoder[Any] = msgspec.msgpack.Decoder(Union[tuple(types)])  # noqa: UP007

    def __add__(self, other: Wire) -> Wire:
        """The wire of a stack: both sets of messages, the larger limit."""
        return Wire([*self.types, *other.types], max_size_bytes=max(self.max_size_bytes, other.max_size_bytes))

    def encode(self, message: Message) -> bytes:
        """Return the frame's payload; raise ValueError over the limit, so that a peer never has to drop us."""
        data = encode(message)
        if len(data) > self.max_size_bytes:
            raise ValueError(f"{type(message).__name__} takes {len(data)} bytes, the limit is {self.max_size_bytes}")
        return data

    def decode(self, data: bytes) -> Any:
        """Return the message in ``data``; raise DecodeError if it is too long, unknown or malformed."""
        if len(data) > self.max_size_bytes:
            raise DecodeError(f"a message of {len(data)} bytes, the limit is {self.max_size_bytes}")
        try:
            return self._decoder.decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise DecodeError(f"not a message of this wire: {error}") from None
