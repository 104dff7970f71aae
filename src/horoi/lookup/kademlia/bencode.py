"""Bencode (BEP 3): integers ``i7e``, byte strings ``2:ab``, lists ``l...e``, dictionaries ``d...e`` with sorted keys.

Values are Python's int, bytes, list and dict with bytes as keys. Every value has one form, and ``encode`` writes it.
``decode`` refuses what is no form at all (``i03e``, ``i-0e``, ``02:ab``, a key twice) and, unless told otherwise, dictionaries
whose keys are not sorted; living Mainline clients send those, so KRPC is decoded with ``sorted_keys=False``.

Nothing that a peer sends raises anything but DecodeError, whatever its depth, its claimed lengths and its digits.
"""

from __future__ import annotations

from typing import Any

from horoi.base.errors import DecodeError

MAX_DEPTH = 16  # a guess: KRPC nests 3 deep, a BEP 44 value may nest itself
MAX_INTEGER_DIGITS = 20  # -2**63 and 2**64 have at most 20; longer ones would cost quadratic time to convert
MAX_LENGTH_DIGITS = 7  # ten megabytes, more than any datagram

_ZERO, _NINE = b"09"
_INTEGER, _LIST, _DICT, _END = b"ilde"


def encode(value: Any) -> bytes:
    """The one form of a value. Raises TypeError for what bencode has no form for (text, None, float, bool)."""
    parts: list[bytes] = []
    _write(value, parts.append)
    return b"".join(parts)


def _write(value: Any, put: Any) -> None:
    kind = type(value)
    if kind is bytes:
        put(b"%d:" % len(value))
        put(value)
    elif kind is int:
        put(b"i%de" % value)
    elif kind is list or kind is tuple:
        put(b"l")
        for item in value:
            _write(item, put)
        put(b"e")
    elif kind is dict:
        put(b"d")
        for key in sorted(value):
            if type(key) is not bytes:
                raise TypeError(f"keys of a bencoded dictionary are bytes, not {key!r:.80}")
            put(b"%d:" % len(key))
            put(key)
            _write(value[key], put)
        put(b"e")
    else:
        raise TypeError(f"bencode has integers, bytes, lists and dictionaries, not {kind.__name__}")


def decode(data: bytes, *, sorted_keys: bool = True) -> Any:
    """The value whose form is all of ``data``. Raises DecodeError for anything else."""
    value, end = _read(data, 0, 0, sorted_keys)
    if end != len(data):
        raise DecodeError(f"bencode: {len(data) - end} bytes too many after the value")
    return value


def is_bencoded(data: bytes) -> bool:
    """Whether this is a value in its one form."""
    try:
        decode(data)
    except DecodeError:
        return False
    return True


def _read(data: bytes, at: int, depth: int, sorted_keys: bool) -> tuple[Any, int]:
    """The value that begins at ``at``, and where it ends."""
    if at >= len(data):
        raise DecodeError("bencode: the bytes end where a value should begin")
    first = data[at]
    if _ZERO <= first <= _NINE:
        return _read_bytes(data, at)
    if first == _INTEGER:
        return _read_integer(data, at + 1)
    if first not in (_LIST, _DICT):
        raise DecodeError(f"bencode: no value begins with the byte {first:#04x}")
    if depth >= MAX_DEPTH:
        raise DecodeError(f"bencode: lists and dictionaries nest more than {MAX_DEPTH} deep")
    read = _read_list if first == _LIST else _read_dict
    return read(data, at + 1, depth + 1, sorted_keys)


def _read_bytes(data: bytes, at: int) -> tuple[bytes, int]:
    colon = data.find(b":", at, at + MAX_LENGTH_DIGITS + 1)
    digits = data[at:colon] if colon > at else b""
    if not digits.isdigit() or (digits[0] == _ZERO and len(digits) > 1):
        raise DecodeError(f"bencode: no length of a byte string: {data[at : at + 8]!r}")
    end = colon + 1 + int(digits)
    if end > len(data):
        raise DecodeError(f"bencode: a byte string of {int(digits)} bytes, and {len(data) - colon - 1} are left")
    return data[colon + 1 : end], end


def _read_integer(data: bytes, at: int) -> tuple[int, int]:
    end = data.find(b"e", at, at + MAX_INTEGER_DIGITS + 2)
    text = data[at:end] if end > at else b""
    digits = text[1:] if text[:1] == b"-" else text
    if not digits.isdigit() or (digits[0] == _ZERO and text != b"0") or len(digits) > MAX_INTEGER_DIGITS:
        raise DecodeError(f"bencode: no integer of at most {MAX_INTEGER_DIGITS} digits: {data[at : at + 8]!r}")
    return int(text), end + 1


def _read_list(data: bytes, at: int, depth: int, sorted_keys: bool) -> tuple[list[Any], int]:
    items: list[Any] = []
    size = len(data)
    while at < size and data[at] != _END:
        item, at = _read(data, at, depth, sorted_keys)
        items.append(item)
    if at >= size:
        raise DecodeError("bencode: a list has no end")
    return items, at + 1


def _read_dict(data: bytes, at: int, depth: int, sorted_keys: bool) -> tuple[dict[bytes, Any], int]:
    found: dict[bytes, Any] = {}
    last: bytes | None = None
    size = len(data)
    while at < size and data[at] != _END:
        if not _ZERO <= data[at] <= _NINE:
            raise DecodeError("bencode: a key of a dictionary is no byte string")
        key, at = _read_bytes(data, at)
        if key in found:
            raise DecodeError(f"bencode: the key {key[:20]!r} stands twice in a dictionary")
        if sorted_keys and last is not None and key < last:
            raise DecodeError(f"bencode: the key {key[:20]!r} stands after {last[:20]!r}; keys are sorted")
        last = key
        found[key], at = _read(data, at, depth, sorted_keys)
    if at >= size:
        raise DecodeError("bencode: a dictionary has no end")
    return found, at + 1
