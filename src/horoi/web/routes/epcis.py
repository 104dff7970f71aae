"""EPCIS and the ledger: anchors, names that stand for assets, Digital Links, and an asset's life in the languages of others."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from horoi.base.address import public_key_of
from horoi.base.errors import NotFoundError, UsageError
from horoi.epcis.facts import canonical_value
from horoi.epcis.gs1 import PRIMARY, read_path
from horoi.epcis.query import parse_query
from horoi.ledger.merkle import inclusion_path
from horoi.ledger.transaction import outputs_made
from horoi.node.epcis.export import Subject, class_urn, csv_table, epcis_document, party_urn, prov_document
from horoi.node.epcis.life import Told, steps_of
from horoi.node.epcis.search import search
from horoi.node.epcis.store import EventStore
from horoi.web.access import NodeAccess
from horoi.web.epcis.events import event_of
from horoi.web.epcis.moving import CLASS, PARTY, asset_of_class
from horoi.web.epcis.service import EventService, now_ms
from horoi.web.model.base import NoQuery
from horoi.web.model.epcis import (
    AnchorPath,
    AnchorView,
    ExportQuery,
    MovementView,
    NamesForm,
    NamesView,
    NameView,
)
from horoi.web.reading import asset_of, confirmed

CSV = "text/csv"
MAX_TOLD = 5_000  # transactions of one export; a guess, some seconds of reading
READ_AT_ONCE = 100  # of those: 10 ms
MAX_CAPTURED = 1_000  # captured events of one export

_FORMS = {"epcis": "application/ld+json", "prov": "application/json", "csv": CSV}


def _service(access: NodeAccess) -> EventService:
    assert access.events is not None  # create_app set it
    return access.events


# ---- anchors --------------------------------------------------------------------------------------------------------------


async def epcis_anchor(access: NodeAccess, path: AnchorPath, _: None) -> list[AnchorView]:
    """How captured events of this hash stand in the ledger: payload, Merkle path, the post that carries the root.

    To check one yourself: the leaf is the event's hash and the SHA-256 of the payload; the path leads to the root (RFC 9162); the
    root is the document of the post.
    """
    digest = bytes.fromhex(path.hash)
    found = await _service(access).run(lambda store: _anchors(store, digest))
    if not found:
        raise NotFoundError(f"no event of hash {path.hash} was captured here")
    return [_placed(access, view) for view in found]


def _anchors(store: EventStore, digest: bytes) -> list[AnchorView]:
    views = []
    for event in store.by_digest(digest):
        batch = store.batch(event.batch)
        assert batch is not None  # every event has one
        leaves = store.leaves(event.batch)
        views.append(
            AnchorView(
                event=digest.hex(),
                event_id=event.event_id,
                payload=event.payload.decode(),
                place=event.place,
                size=batch.size,
                path=[step.hex() for step in inclusion_path(leaves, event.place)],
                root=batch.root.hex(),
                transaction=batch.transaction_id.hex() if batch.transaction_id is not None else None,
                height=None,
                movements=[MovementView(**movement) for movement in store.movements(event.seq)],
            )
        )
    return views


def _placed(access: NodeAccess, view: AnchorView) -> AnchorView:
    place = access.index.transaction_place(bytes.fromhex(view.transaction)) if view.transaction else None
    return view if place is None else AnchorView(**{**_fields(view), "height": place.height})


def _fields(view: AnchorView) -> dict[str, Any]:
    return {name: getattr(view, name) for name in view.__struct_fields__}


# ---- names ----------------------------------------------------------------------------------------------------------------


async def epcis_names(access: NodeAccess, _: NoQuery, __: None) -> NamesView:
    """What GS1 names stand for on this node: classes for assets, parties for addresses."""
    known = await _service(access).run(lambda store: store.all_known())
    return NamesView(names=[NameView(kind=kind, uri=uri, what=what) for kind, uri, what in known])


async def set_epcis_name(access: NodeAccess, _: NoQuery, form: NamesForm) -> NamesView:
    """Say what a class or a party stands for; null forgets it."""
    uri = canonical_value(form.uri)
    what = form.what
    if what is not None:
        what = asset_of(access, what).hex() if form.kind == CLASS else _address(what)
    await _service(access).run(lambda store: store.know(form.kind, uri, what))
    return await epcis_names(access, NoQuery(), None)


def _address(text: str) -> str:
    public_key_of(text)
    return text


# ---- Digital Links ----------------------------------------------------------------------------------------------------------


def link_routes(access: NodeAccess) -> list[Route]:
    """A path for each kind of key that a Digital Link begins with."""

    async def resolve(request: Request) -> Response:
        return await _resolve(access, request.url.path)

    return [Route(f"/{ai}/{{rest:path}}", resolve, methods=["GET"]) for ai in PRIMARY]


async def _resolve(access: NodeAccess, path: str) -> Response:
    """A GS1 Digital Link leads to the asset's page."""
    key = read_path(path)
    if key is None:
        raise UsageError(f"{path[:80]} is no GS1 Digital Link (URI Syntax 1.2, section 4)")
    asset = await _service(access).run(lambda store: asset_of_class(store, key.uri))
    if asset is None:
        raise NotFoundError(
            f"{key.uri} stands for no asset here; the node's owner says what does, with PUT /v1/epcis/names"
        )
    return RedirectResponse(f"/asset/{asset}", 307)


# ---- export -----------------------------------------------------------------------------------------------------------------


async def export_asset(access: NodeAccess, query: ExportQuery, _: None) -> Response:
    """An asset's whole life: as an EPCIS document, as W3C PROV JSON, or as CSV."""
    asset = bytes.fromhex(query.id)
    record = access.index.asset(asset)
    if record is None:
        raise NotFoundError(f"no asset {query.id} is defined in the connected chain")
    if record.transactions > MAX_TOLD:
        raise UsageError(f"{record.transactions} transactions; at most {MAX_TOLD} are exported at once")
    told = await _read_all(access, access.index.history_of_asset(asset, MAX_TOLD))
    names = await _service(access).run(lambda store: store.all_known())
    classes = [uri for kind, uri, what in names if kind == CLASS and what == query.id]
    parties = {what: uri for kind, uri, what in names if kind == PARTY}
    subject = Subject(
        asset,
        record.definition.name,
        record.definition.unit,
        record.definition.decimals,
        classes[0] if classes else class_urn(asset),
        lambda address: parties.get(address) or party_urn(address),
    )
    captured = await _service(access).run(lambda store: _captured(store, classes)) if query.form == "epcis" else []
    text = await asyncio.to_thread(_written, query.form, subject, told, captured)
    headers = {"Content-Disposition": f'attachment; filename="asset-{query.id[:16]}.{_ENDINGS[query.form]}"'}
    return Response(text, headers=headers, media_type=_FORMS[query.form])


_ENDINGS = {"epcis": "jsonld", "prov": "prov.json", "csv": "csv"}


async def _read_all(access: NodeAccess, ids: list[bytes]) -> list[Told]:
    """Read transactions in slices: between two of them the node has its turn."""
    told = []
    for place, item in enumerate(ids):
        if place % READ_AT_ONCE == READ_AT_ONCE - 1:
            await asyncio.sleep(0)
        found = confirmed(access, item)
        if found is None:
            continue  # the chain turned meanwhile
        prepared, known, _ = found
        body = prepared.transaction.body
        told.append(Told(item, known.height, known.header.time_ms, body, outputs_made(item, body)))
    return told


def _captured(store: EventStore, classes: list[str]) -> list[Any]:
    if not classes:
        return []
    query = parse_query(
        {"MATCH_anyEPCClass": classes, "perPage": MAX_CAPTURED, "orderBy": "eventTime", "orderDirection": "ASC"}
    )
    return [event_of(stored, False) for stored in search(store, query).events]


def _written(form: str, subject: Subject, told: list[Told], captured: list[Any]) -> str:
    steps = [step for each in told for step in steps_of(subject.asset, each)]
    if form == "csv":
        return csv_table(subject, steps)
    if form == "prov":
        return json.dumps(prov_document(subject, told), ensure_ascii=False, indent=1)
    return json.dumps(epcis_document(subject, steps, told, captured, now_ms()), ensure_ascii=False, indent=1)
