"""Endpoints of what the explorer's pages show: a part of the table of all."""

from __future__ import annotations

from horoi.web.endpoint import JSON, Endpoint
from horoi.web.model import board, pages, people
from horoi.web.model import network as overlay
from horoi.web.model import provenance as flow
from horoi.web.model import search as found
from horoi.web.routes import blocks, diagnostics, keys, names, network, provenance, search
from horoi.web.routes import board as board_routes

BOARD_ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint(
        "GET", "/v1/board", board_routes.board, {JSON: board.Board}, board.BoardQuery, refusals=(404,), section="board"
    ),
    Endpoint(
        "GET",
        "/v1/assets/{id}/provenance",
        provenance.provenance,
        {JSON: flow.Provenance},
        flow.ProvenanceQuery,
        refusals=(404,),
        section="books",
    ),
    Endpoint(
        "GET",
        "/v1/keys/{address}",
        keys.key_page,
        {JSON: pages.KeyPage},
        pages.KeyPath,
        refusals=(404,),
        section="board",
    ),
    Endpoint(
        "GET",
        "/v1/blocks/{block}/tree",
        blocks.tree,
        {JSON: pages.ContentTree},
        pages.TreePath,
        refusals=(404,),
        section="blocks",
    ),
    Endpoint(
        "GET",
        "/v1/search",
        search.search,
        {JSON: found.SearchView},
        found.SearchQuery,
        refusals=(404,),
        section="board",
    ),
    Endpoint("GET", "/v1/network", network.network_graph, {JSON: overlay.Overlay}),
    Endpoint("GET", "/v1/diagnostics", diagnostics.diagnostics, {JSON: overlay.Diagnostics}),
    Endpoint(
        "GET",
        "/v1/charts",
        network.charts,
        {JSON: overlay.Charts},
        overlay.ChartsQuery,
        refusals=(404,),
        section="blocks",
    ),
    Endpoint("GET", "/v1/names", names.names, {JSON: people.NameList}, section="board"),
    Endpoint(
        "POST",
        "/v1/names",
        names.set_name,
        {JSON: people.NameList},
        body=people.NameForm,
        needs_token=True,
        refusals=(400, 401, 403, 415),
        section="board",
    ),
)
