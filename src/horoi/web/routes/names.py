"""The names that this node trusts."""

from __future__ import annotations

from horoi.base.address import address_of, public_key_of
from horoi.web.access import NodeAccess
from horoi.web.model.base import NoQuery
from horoi.web.model.people import NameForm, NameList, NameView


def names(access: NodeAccess, _: NoQuery, __: None) -> NameList:
    """How this node's operator calls others, and its own keys."""
    rows = [_name(key, name, is_own=False) for key, name in access.book]
    known = {row.key for row in rows}
    rows += [_name(own.pair.public, own.name, is_own=True) for own in access.keys if own.pair.public.hex() not in known]
    return NameList(names=rows)


def _name(key: bytes, name: str, *, is_own: bool) -> NameView:
    return NameView(name=name, key=key.hex(), address=address_of(key), source="own" if is_own else "book")


def set_name(access: NodeAccess, _: NoQuery, form: NameForm) -> NameList:
    """Call an address by a name from now on, on this node; an empty name forgets it."""
    access.book.set(public_key_of(form.address), form.name)
    return names(access, NoQuery(), None)
