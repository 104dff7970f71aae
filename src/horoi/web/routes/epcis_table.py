"""The endpoints that bring EPCIS and the ledger together. The binding of the standard itself is ``horoi.web.epcis``."""

from __future__ import annotations

from horoi.web.endpoint import JSON, Endpoint
from horoi.web.model import epcis as model
from horoi.web.routes import epcis as routes

EPCIS_ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint(
        "GET",
        "/v1/epcis/anchors/{hash}",
        routes.epcis_anchor,
        {JSON: list[model.AnchorView]},
        model.AnchorPath,
        refusals=(404,),
        section="epcis",
    ),
    Endpoint("GET", "/v1/epcis/names", routes.epcis_names, {JSON: model.NamesView}, section="epcis"),
    Endpoint(
        "PUT",
        "/v1/epcis/names",
        routes.set_epcis_name,
        {JSON: model.NamesView},
        body=model.NamesForm,
        needs_token=True,
        refusals=(400, 401, 403, 404, 415),
        section="epcis",
    ),
    Endpoint(
        "GET",
        "/v1/assets/{id}/export",
        routes.export_asset,
        {"application/ld+json": None, JSON: None, routes.CSV: None},
        model.ExportQuery,
        refusals=(400, 404),
        section="epcis",
    ),
)
