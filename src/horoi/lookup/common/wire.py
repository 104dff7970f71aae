"""The wire form of ids and addresses, for all overlays.

In memory an id is a Python int, which compares and computes fast and may be shared by a million tables. MessagePack ends at
64 bits, so on the wire an id is ``bits / 8`` bytes, big-endian, and an address its packed form: 6 bytes for IPv4 (as in BEP
5), 18 for IPv6, 8 for the number of a simulated host. A contact is both in one string, as "compact node info" is in BEP 5, and
what was packed or unpacked lately is remembered: answers name the same peers again and again. ``IdWire`` derives that form from
the message types: for each type with a field marked ``Id`` or ``Address`` it makes a twin with bytes in those places, which
msgspec checks at C speed.
"""

from __future__ import annotations

import ipaddress
import types
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Annotated, Any, NamedTuple, Union, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Meta
from msgspec.structs import astuple

from horoi.base.codec import Record, encode
from horoi.base.errors import DecodeError
from horoi.base.ids import check_bits
from horoi.lookup.vocabulary import Address, Contact
from horoi.machine.wire import Message, Wire

_IPV4_BYTES, _NUMBER_BYTES, _IPV6_BYTES = 6, 8, 18
MAX_REMEMBERED = 16_384  # a guess: the peers that a node talks to in an hour; about 3 MB

Convert = Callable[[Any], Any]


class IdWire(Wire):
    """A ``Wire`` whose messages have fields of type ``Id``, ``Address`` and ``Contact``, also inside tuples and records.

    ``bits`` is the width of ids. An id of another width, a port 0 or an address of another length is a DecodeError.
    """

    def __init__(self, types: Sequence[type[Message]], *, bits: int, max_size_bytes: int) -> None:
        check_bits(bits)
        super().__init__(types, max_size_bytes=max_size_bytes)
        twins = _Twins(bits)
        self._to_wire: dict[type, Convert] = {}
        self._from_wire: dict[type, Convert] = {}
        shapes = []
        for kind in types:
            form = twins.of_struct(kind)
            shapes.append(form.shape)
            if form.back is not None:
                assert form.out is not None
                self._to_wire[kind] = form.out
                self._from_wire[form.shape] = form.back
        self._decoder = msgspec.msgpack.Decoder(Union[tuple(shapes)])  # noqa: UP007

    def encode(self, message: Message) -> bytes:
        """Return the bytes of one datagram; raise ValueError over the limit."""
        out = self._to_wire.get(type(message))
        data = encode(out(message) if out is not None else message)
        if len(data) > self.max_size_bytes:
            raise ValueError(f"{type(message).__name__} takes {len(data)} bytes, the limit is {self.max_size_bytes}")
        return data

    def decode(self, data: bytes) -> Any:
        """Return the message in ``data``; raise DecodeError if it is too long, unknown or malformed."""
        message = super().decode(data)
        back = self._from_wire.get(type(message))
        return back(message) if back is not None else message


# Addresses


@lru_cache(maxsize=MAX_REMEMBERED)
def pack_address(address: Address) -> bytes:
    """6, 18 or 8 bytes. Raises ValueError for what is no numeric address."""
    if isinstance(address, int):
        return address.to_bytes(_NUMBER_BYTES, "big")
    ip, port = address
    return ipaddress.ip_address(ip).packed + int(port).to_bytes(2, "big")


@lru_cache(maxsize=MAX_REMEMBERED)
def unpack_address(data: bytes) -> Address:
    """The inverse of ``pack_address``; DecodeError for another length or port 0."""
    if len(data) == _NUMBER_BYTES:
        return int.from_bytes(data, "big")
    port = int.from_bytes(data[-2:], "big")
    if len(data) not in (_IPV4_BYTES, _IPV6_BYTES) or not port:
        raise DecodeError(f"an address is 6, 8 or 18 bytes with a port that is not 0, not {data.hex()}")
    return str(ipaddress.ip_address(data[:-2])), port


# Twins


class _Form(NamedTuple):
    """How a type travels: the shape on the wire, and the way there and back (None: it travels as it is)."""

    shape: Any
    out: Convert | None = None
    back: Convert | None = None


class _Twins:
    def __init__(self, bits: int) -> None:
        self._bits = bits
        self._structs: dict[type, _Form] = {Contact: _contact_form(bits // 8)}

    def of_struct(self, kind: type) -> _Form:
        """The twin of a message or record."""
        if kind not in self._structs:
            self._structs[kind] = self._make(kind)
        return self._structs[kind]

    def _make(self, kind: Any) -> _Form:
        hints = get_type_hints(kind, include_extras=True)
        forms = {name: self.of(hints[name]) for name in kind.__struct_fields__}
        if all(form.out is None for form in forms.values()):
            return _Form(kind)
        is_message = issubclass(kind, Message)
        twin: Any = msgspec.defstruct(
            kind.__name__,
            [(name, form.shape) for name, form in forms.items()],
            bases=(Message if is_message else Record,),
            frozen=True,
            gc=False,
            **({"tag": kind.__struct_config__.tag} if is_message else {}),
        )
        outs = [(place, form.out) for place, form in enumerate(forms.values()) if form.out is not None]
        backs = [(place, form.back) for place, form in enumerate(forms.values()) if form.back is not None]
        return _Form(twin, _translate(outs, twin), _translate(backs, kind))

    def of(self, hint: Any) -> _Form:
        """The form of a field's type."""
        origin = get_origin(hint)
        if origin is Annotated:
            return self._of_annotated(hint)
        if origin is tuple:
            return self._of_tuple(hint)
        if origin in (Union, types.UnionType):
            return self._of_optional(hint)
        if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
            return self.of_struct(hint)
        return _Form(hint)

    def _of_annotated(self, hint: Any) -> _Form:
        inner, *metas = get_args(hint)
        marks = [meta.extra["wire"] for meta in metas if isinstance(meta, Meta) and meta.extra and "wire" in meta.extra]
        if "id" in marks:
            size = self._bits // 8
            shape: Any = Annotated[bytes, Meta(min_length=size, max_length=size)]
            return _Form(shape, lambda number: number.to_bytes(size, "big"), int.from_bytes)
        if "address" in marks:
            shape = Annotated[bytes, Meta(min_length=_IPV4_BYTES, max_length=_IPV6_BYTES)]
            return _Form(shape, pack_address, unpack_address)
        form = self.of(inner)
        return form._replace(shape=Annotated[(form.shape, *metas)]) if form.out else _Form(hint)

    def _of_tuple(self, hint: Any) -> _Form:
        item, *rest = get_args(hint)
        if rest != [Ellipsis]:
            if any(self.of(part).out for part in (item, *rest)):
                raise TypeError(f"{hint}: use a Record for several fields together")
            return _Form(hint)
        form = self.of(item)
        out, back, shape = form.out, form.back, form.shape
        if out is None or back is None:
            return _Form(hint)
        return _Form(
            tuple.__class_getitem__((shape, ...)),
            lambda items: tuple(map(out, items)),
            lambda items: tuple(map(back, items)),
        )

    def _of_optional(self, hint: Any) -> _Form:
        inner = [part for part in get_args(hint) if part is not type(None)]
        forms = [self.of(part) for part in inner]
        if all(form.out is None for form in forms):
            return _Form(hint)
        if len(inner) != 1:
            raise TypeError(f"{hint}: a union of ids or contacts can only be with None")
        out, back = forms[0].out, forms[0].back
        assert out is not None
        assert back is not None
        return _Form(
            forms[0].shape | None,
            lambda value: None if value is None else out(value),
            lambda value: None if value is None else back(value),
        )


def _contact_form(id_bytes: int) -> _Form:
    @lru_cache(maxsize=MAX_REMEMBERED)
    def pack(contact: Contact) -> bytes:
        return contact.id.to_bytes(id_bytes, "big") + pack_address(contact.address)

    @lru_cache(maxsize=MAX_REMEMBERED)
    def unpack(data: bytes) -> Contact:
        return Contact(int.from_bytes(data[:id_bytes], "big"), unpack_address(data[id_bytes:]))

    size = Meta(min_length=id_bytes + _IPV4_BYTES, max_length=id_bytes + _IPV6_BYTES)
    return _Form(Annotated[bytes, size], pack, unpack)


def _translate(converts: list[tuple[int, Convert]], into: Callable[..., Any]) -> Convert:
    """A function from one record to another that has the same fields, some of them converted (None stays None)."""

    def translate(struct: Any) -> Any:
        values = list(astuple(struct))
        for place, convert in converts:
            value = values[place]
            if value is not None and value != ():
                values[place] = convert(value)
        return into(*values)

    return translate
