"""Endpoints of what the explorer's pages show: a part of the table of all."""

from __future__ import annotations

from horoi.web.endpoint import JSON, Endpoint
from horoi.web.model import board, people
from horoi.web.routes import board as board_routes
from horoi.web.routes import names

BOARD_ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint(
        "GET", "/v1/board", board_routes.board, {JSON: board.Board}, board.BoardQuery, refusals=(404,), section="board"
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
