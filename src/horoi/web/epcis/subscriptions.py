"""``/queries/NAME/subscriptions``: whoever asked is told of new events, by POST or over a WebSocket.

A subscriber is told of what is recorded after it subscribed (or from its initialRecordTime on), each event once, in order, in
query documents of at most ``MAX_TOLD`` events. A receiver that does not answer is asked again, later and later; after
``MAX_ATTEMPTS`` it is left alone until the next event. How far it was told is on disk, so a restart neither repeats nor
forgets; after a crash the last message may come again.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import logging
import secrets
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from horoi.epcis.query import Query, QueryError, parse_query
from horoi.epcis.schedule import Schedule, ScheduleError, parse_schedule
from horoi.epcis.times import format_ms, parse_ms
from horoi.node.epcis.search import Page, search
from horoi.node.epcis.standing import StandingQueries, Subscription
from horoi.node.epcis.store import EventStore
from horoi.web.endpoint import shows_token
from horoi.web.epcis.binding import FORMAT_HEADER, LINKS, ROOT, EpcisError, answer, no_such, nothing
from horoi.web.epcis.events import event_of, query_document
from horoi.web.epcis.paging import page_of, with_next
from horoi.web.epcis.queries import Queries, read_form
from horoi.web.epcis.service import STOP_TIMEOUT_S, EventService, now_ms

if TYPE_CHECKING:
    import httpx

MAX_TOLD = 100  # events of one message; a guess
MAX_ATTEMPTS = 8  # with the waits below, four minutes
FIRST_WAIT_S = 1.0
TIMEOUT_S = 10.0  # for a receiver to take a message; a guess
MAX_TOKEN_CHARACTERS = 200
CONTROLS = ("stream", "schedule", "reportIfEmpty", "initialRecordTime")
BEGIN = "GE_recordTime"
MAX_URL_CHARACTERS = 2_000

_log = logging.getLogger("horoi.web.epcis")


class Subscriptions:
    """The handlers, and a task for each subscriber."""

    def __init__(self, queries: Queries, token: str) -> None:
        self.queries = queries
        self.token = token
        self.service: EventService = queries.service
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._sending: dict[asyncio.Task[bool], None] = {}
        self.news = asyncio.Event()
        self._http: httpx.AsyncClient | None = None
        self.service.on_kept.append(self._wake)
        self.service.on_start.append(self.resume)
        self.service.on_stop.append(self.stop)

    # ---- asking ---------------------------------------------------------------------------------------------------

    async def list(self, request: Request) -> Response:
        """Who subscribed to a query."""
        name = request.path_params["name"]
        await self.queries.of(name)
        per_page, offset = page_of(request)
        found = await self.service.run(lambda store: StandingQueries(store).subscriptions(name))
        token = str(offset + per_page) if len(found) > offset + per_page else None
        shown = [self._shown(request, each) for each in found[offset : offset + per_page]]
        return with_next(request, shown, token)

    async def post(self, request: Request) -> Response:
        """Subscribe."""
        name = request.path_params["name"]
        await self.queries.of(name)
        form = check_form(await read_form(request))
        if FORMAT_HEADER in request.headers:
            form["epcFormat"] = request.headers[FORMAT_HEADER]
        now, own = now_ms(), secrets.token_hex(16)
        made = await self.service.run(
            lambda store: StandingQueries(store).subscribe(own, name, form, now, first_seen(store, form))
        )
        self._begin(made)
        return answer(described(made), 201, {"Location": f"{ROOT}/queries/{name}/subscriptions/{own}"})

    async def get(self, request: Request) -> Response:
        """One subscription."""
        return answer(self._shown(request, await self._found(request)))

    async def delete(self, request: Request) -> Response:
        """Unsubscribe."""
        found = await self._found(request)
        self._end(found.id)
        await self.service.run(lambda store: StandingQueries(store).unsubscribe(found.id))
        return nothing()

    def _shown(self, request: Request, subscription: Subscription) -> dict[str, Any]:
        """An address may hold a secret behind its host: that is for the owner."""
        shown = described(subscription)
        if not shows_token(request, self.token):
            parts = urlsplit(shown["dest"])
            shown["dest"] = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}/"
        return shown

    async def _found(self, request: Request) -> Subscription:
        name, own = request.path_params["name"], request.path_params["id"]
        found = await self.service.run(lambda store: StandingQueries(store).subscription(own))
        if found is None or found.query != name:
            raise no_such(f"query {name[:100]!r} has no subscription {own[:64]!r}")
        return found

    # ---- telling --------------------------------------------------------------------------------------------------

    async def resume(self) -> None:
        """Go on with the subscriptions of before."""
        for each in await self.service.run(lambda store: StandingQueries(store).subscriptions()):
            self._begin(each)

    async def stop(self) -> None:
        """Tell nobody any more."""
        for name in list(self._tasks):
            self._end(name)
        if self._sending:
            await asyncio.wait(list(self._sending), timeout=STOP_TIMEOUT_S)
        if self._http is not None:
            await self._http.aclose()

    def _begin(self, subscription: Subscription) -> None:
        task = asyncio.ensure_future(self._serve(subscription))
        self._tasks[subscription.id] = task
        task.add_done_callback(lambda _: self._tasks.pop(subscription.id, None))

    def _end(self, name: str) -> None:
        task = self._tasks.pop(name, None)
        if task is not None:
            task.cancel()

    def _wake(self, _: int) -> None:
        self.news.set()
        self.news = asyncio.Event()

    async def _serve(self, subscription: Subscription) -> None:
        """Tell one subscriber until it is gone."""
        schedule = schedule_of(subscription.form)
        seen = subscription.seen
        while True:
            news = self.news
            if schedule is not None:
                await asyncio.sleep((schedule.next_after(now_ms()) - now_ms()) / 1000)
            parameters = await self.service.run(lambda store: StandingQueries(store).query(subscription.query))
            if parameters is None:  # the query was deleted, and its subscriptions with it
                return
            seen = await self._tell_all(subscription, wanted_of(parameters, subscription.form), seen)
            if schedule is None:
                await news.wait()

    async def _tell_all(self, subscription: Subscription, query: Query, seen: int) -> int:
        """Tell what is new; returns how far it came."""
        first = True
        while True:
            try:
                page, newest = await news_of(self.service, query, seen)
            except QueryError as error:
                _log.warning("subscription %s to %s: %s", subscription.id, subscription.query, error)
                return seen
            if not page.events and not (first and subscription.form.get("reportIfEmpty")):
                return newest
            first = False
            links = subscription.form.get("epcFormat") == LINKS
            document = query_document(
                [event_of(each, links) for each in page.events], subscription.query, subscription.id
            )
            reached = page.events[-1].seq if page.events else newest
            if not await self._delivered(subscription, json.dumps(document).encode(), reached):
                return seen
            seen = reached

    async def _delivered(self, subscription: Subscription, body: bytes, reached: int) -> bool:
        """POST until it is taken, with longer and longer waits."""
        for attempt in range(MAX_ATTEMPTS):
            sending = asyncio.ensure_future(self._send(subscription, body, reached))
            self._sending[sending] = None
            sending.add_done_callback(lambda done: self._sending.pop(done, None))
            if await asyncio.shield(sending):  # a stop waits for it: what was taken is remembered
                return True
            await asyncio.sleep(FIRST_WAIT_S * 2**attempt)
        where = urlsplit(subscription.form["dest"]).netloc
        _log.warning("a subscriber at %s does not answer; it is told again with the next event", where)
        return False

    async def _send(self, subscription: Subscription, body: bytes, reached: int) -> bool:
        """POST once; remember it if it was taken. Of the receiver's answer only the status is read, and not for long."""
        import httpx

        self._http = self._http or httpx.AsyncClient(timeout=TIMEOUT_S, follow_redirects=False)
        form = subscription.form
        headers = {"Content-Type": "application/json", **signed(form.get("signatureToken"), body)}
        try:
            async with (
                asyncio.timeout(TIMEOUT_S),
                self._http.stream("POST", form["dest"], content=body, headers=headers) as taking,
            ):
                taken = taking.is_success
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError):
            return False
        if taken:
            await self.service.run(lambda store: StandingQueries(store).has_told(subscription.id, reached, now_ms()))
        return taken


async def news_of(service: EventService, query: Query, seen: int) -> tuple[Page, int]:
    """What was recorded behind ``seen``, in order of recording; and the newest event that was looked at."""
    wanted = query._replace(order_by="", limit=None, at_most=None, per_page=MAX_TOLD, page="")

    def look(store: Any) -> tuple[Page, int]:
        newest = store.last_seq()
        return search(store, wanted, after=seen), newest

    return await service.run(look)


def signed(token: str | None, body: bytes) -> dict[str, str]:
    """The receiver's secret makes a signature of the body (openapi.json, GS1-Signature: HMAC with SHA-256)."""
    if not token:
        return {}
    return {"GS1-Signature": f"sha256={hmac.new(token.encode(), body, hashlib.sha256).hexdigest()}"}


def check_form(form: dict[str, Any]) -> dict[str, Any]:
    """What a subscription may ask; EpcisError if it cannot be meant."""
    dest = form.get("dest")
    if not isinstance(dest, str) or len(dest) > MAX_URL_CHARACTERS or not _is_web(dest):
        raise _refused("dest is the http or https address that events are sent to")
    token = form.get("signatureToken")
    if token is not None and not (isinstance(token, str) and 1 <= len(token) <= MAX_TOKEN_CHARACTERS):
        raise _refused(f"signatureToken is a text of 1 to {MAX_TOKEN_CHARACTERS} characters")
    check_controls(form)
    return {name: form[name] for name in ("dest", "signatureToken", *CONTROLS) if name in form}


def check_controls(form: dict[str, Any]) -> None:
    """When a subscriber is told, and of what; EpcisError if it cannot be meant."""
    if (form.get("stream") is True) == ("schedule" in form):
        raise _refused("a subscription has either stream (true) or a schedule")
    if not isinstance(form.get("reportIfEmpty", False), bool):
        raise _refused("reportIfEmpty is true or false")
    initial = form.get("initialRecordTime")
    if initial is not None and not (isinstance(initial, str) and parse_ms(initial) is not None):
        raise _refused("initialRecordTime is a date and time with an offset, as 2026-04-01T12:00:00Z")
    schedule_of(form)


def first_seen(store: EventStore, form: dict[str, Any]) -> int:
    """The newest event that a new subscriber is not told of: all that there are, or those recorded before it wants to begin."""
    initial = form.get("initialRecordTime")
    return store.last_seq() if initial is None else store.last_seq(before_ms=parse_ms(initial))


def wanted_of(parameters: dict[str, Any], form: dict[str, Any]) -> Query:
    """The named query, of what is recorded from the beginning that the subscriber chose."""
    query = parse_query(parameters)
    if form.get("initialRecordTime") is None:
        return query
    return query._replace(conditions=(*query.conditions, *parse_query({BEGIN: form["initialRecordTime"]}).conditions))


def _is_web(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def schedule_of(form: dict[str, Any]) -> Schedule | None:
    """The schedule, if it has one."""
    if "schedule" not in form:
        return None
    if not isinstance(form["schedule"], dict):
        raise _refused("schedule is an object, as {'hour': '1', 'minute': '5'}")
    try:
        return parse_schedule(form["schedule"])
    except ScheduleError as error:
        raise _refused(str(error)) from None


def _refused(detail: str) -> EpcisError:
    return EpcisError("SubscriptionControlsException", 400, "Subscription error", detail)


def described(subscription: Subscription) -> dict[str, Any]:
    """As the standard shows it; the secret stays here."""
    shown = {name: value for name, value in subscription.form.items() if name != "signatureToken"}
    told = {} if subscription.notified_ms is None else {"lastNotifiedAt": format_ms(subscription.notified_ms)}
    return {"subscriptionID": subscription.id, "createdAt": format_ms(subscription.created_ms), **told, **shown}
