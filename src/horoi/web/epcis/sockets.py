"""A named query over a WebSocket (RFC 6455): ``/queries/NAME/events?stream=true``, or with a schedule, tells new events.

Reading is open, as everywhere; that a page of another site opens none is the guard's business (``horoi.web.guard``).
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect

from horoi.epcis.query import QueryError
from horoi.epcis.schedule import FIELDS
from horoi.node.epcis.standing import StandingQueries
from horoi.web.epcis.binding import EpcisError
from horoi.web.epcis.events import PAGING, event_of, query_document
from horoi.web.epcis.service import now_ms
from horoi.web.epcis.subscriptions import (
    CONTROLS,
    Subscriptions,
    check_controls,
    first_seen,
    news_of,
    schedule_of,
    wanted_of,
)

MAX_SOCKETS = 64  # open at once; as the API's event streams
TRY_LATER, BAD = 1013, 1007  # RFC 6455 section 7.4.1


class Sockets:
    """Serves them."""

    def __init__(self, subscriptions: Subscriptions) -> None:
        self.subscriptions = subscriptions
        self.service = subscriptions.service
        self.open = 0

    async def serve(self, socket: WebSocket) -> None:
        """One client, until it leaves."""
        if self.open >= MAX_SOCKETS:
            await socket.close(TRY_LATER)
            return
        self.open += 1
        try:
            await self._serve(socket)
        except WebSocketDisconnect:
            pass
        finally:
            self.open -= 1

    async def _serve(self, socket: WebSocket) -> None:
        name = socket.path_params["name"]
        parameters = await self.service.run(lambda store: StandingQueries(store).query(name))
        await socket.accept()
        try:
            if parameters is None:
                raise QueryError(f"no query {name[:100]!r}")
            form = form_of(dict(socket.query_params))
            query, schedule = wanted_of(parameters, form), schedule_of(form)
        except (QueryError, EpcisError) as error:
            await socket.close(BAD, str(error)[:120])
            return
        seen = await self.service.run(lambda store: first_seen(store, form))
        is_due = False
        leaving = asyncio.ensure_future(_left(socket))
        try:
            while not leaving.done():
                news = self.subscriptions.news
                wait = (schedule.next_after(now_ms()) - now_ms()) / 1000 if schedule is not None else None
                page, newest = await news_of(self.service, query, seen)
                if page.events or (is_due and form["reportIfEmpty"]):
                    document = query_document([event_of(each, False) for each in page.events], name)
                    await socket.send_text(json.dumps(document, ensure_ascii=False))
                    seen = page.events[-1].seq if page.events else newest
                    is_due = False
                    continue
                seen = newest
                waiting = asyncio.ensure_future(news.wait() if wait is None else asyncio.sleep(wait))
                await asyncio.wait((waiting, leaving), return_when=asyncio.FIRST_COMPLETED)
                is_due = waiting.done() and schedule is not None
                waiting.cancel()
        except QueryError as error:
            await socket.close(TRY_LATER, str(error)[:120])
        finally:
            leaving.cancel()


async def _left(socket: WebSocket) -> None:
    """Return when the client is gone. What it says is not listened to."""
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass


def form_of(parameters: dict[str, str]) -> dict[str, Any]:
    """A subscription's form, as the parameters of a URL say it; EpcisError if it cannot be meant."""
    unknown = [name for name in parameters if name not in (*FIELDS, *CONTROLS, *PAGING) or name == "schedule"]
    if unknown:
        raise QueryError(
            f"{unknown[0]!r}: a subscription takes stream, {', '.join(FIELDS)}, {CONTROLS[2]}, {CONTROLS[3]}"
        )
    form: dict[str, Any] = {
        "stream": parameters.get("stream") == "true",
        "reportIfEmpty": parameters.get("reportIfEmpty") == "true",
    }
    fields = {name: parameters[name] for name in FIELDS if name in parameters}
    if fields:
        form["schedule"] = fields
    if "initialRecordTime" in parameters:
        form["initialRecordTime"] = parameters["initialRecordTime"]
    check_controls(form)
    return form
