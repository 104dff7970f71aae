"""Every other way to write the same MessagePack: for tests that show that none of them is accepted."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from msgspec import msgpack


def canonical(value: object) -> bytes:
    """The shortest form."""
    return msgpack.encode(value)


def second_forms(data: bytes) -> Iterator[tuple[str, bytes]]:
    """(what was done, bytes) for every value in ``data`` and every longer or laxer form of it, one at a time."""
    yield from _forms(msgpack.decode(data))
    yield "a byte after the end", data + b"\x00"
    yield "said twice", data + data


def _forms(value: object) -> Iterator[tuple[str, bytes]]:
    if isinstance(value, list):
        head = canonical([None] * len(value))[: -len(value) or None]
        parts = [canonical(part) for part in value]
        body = b"".join(parts)
        for long_head in (struct.pack(">BH", 0xDC, len(value)), struct.pack(">BI", 0xDD, len(value))):
            if long_head != head:
                yield "a long list", long_head + body
        yield "one element more", canonical([*value, None])
        yield "one element less", canonical(value[:-1]) if value else b"\xc0"
        for place, part in enumerate(value):
            before, after = b"".join(parts[:place]), b"".join(parts[place + 1 :])
            for what, form in _forms(part):
                yield what, head + before + form + after
    else:
        short = canonical(value)
        for what, form in _scalar_forms(value):
            if form != short:
                yield what, form


def _scalar_forms(value: object) -> Iterator[tuple[str, bytes]]:
    if isinstance(value, bool):
        yield "a number for a truth", canonical(int(value))
    elif isinstance(value, int):
        for code, layout in ((0xCC, ">BB"), (0xCD, ">BH"), (0xCE, ">BI"), (0xCF, ">BQ")):
            if value < 2 ** (8 * (struct.calcsize(layout) - 1)):
                yield "a long number", struct.pack(layout, code, value)
        for code, layout in ((0xD0, ">Bb"), (0xD1, ">Bh"), (0xD2, ">Bi"), (0xD3, ">Bq")):
            if value < 2 ** (8 * (struct.calcsize(layout) - 1) - 1):
                yield "a signed number", struct.pack(layout, code, value)
        if value < 2**53:
            yield "a float", struct.pack(">Bd", 0xCB, float(value))
        yield "a text of the number", canonical(str(value))
    elif isinstance(value, bytes | str):
        raw = value.encode() if isinstance(value, str) else value
        codes = (0xC4, 0xC5, 0xC6) if isinstance(value, bytes) else (0xD9, 0xDA, 0xDB)
        for code, layout in zip(codes, (">BB", ">BH", ">BI"), strict=True):
            if len(raw) < 2 ** (8 * (struct.calcsize(layout) - 1)):
                yield "a long length", struct.pack(layout, code, len(raw)) + raw
        other: object = raw.decode("latin-1") if isinstance(value, bytes) else raw
        yield "bytes for text or text for bytes", canonical(other)
    elif value is None:
        yield "false for nothing", b"\xc2"
