"""``/capture``: documents in, as jobs."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from horoi.epcis.check import Hashed, Report, report_on
from horoi.epcis.kinds import Fault
from horoi.epcis.times import format_ms
from horoi.node.epcis.store import Job
from horoi.web.epcis.binding import (
    CAPTURE_LIMITS,
    MAX_CAPTURE_EVENTS,
    ROOT,
    EpcisError,
    answer,
    invalid,
    json_body,
    no_such,
    nothing,
)
from horoi.web.epcis.paging import page_of, with_next
from horoi.web.epcis.service import EventService

BEHAVIOURS = ("rollback", "proceed")
MAX_ERRORS_SHOWN = 100  # in one answer; the rest is counted


class Captures:
    """The handlers."""

    def __init__(self, service: EventService) -> None:
        self.service = service

    async def post(self, request: Request) -> Response:
        """Check a document; refuse it whole if it is not valid, else begin to keep it."""
        behaviour = request.headers.get("GS1-Capture-Error-Behaviour", BEHAVIOURS[0])
        if behaviour not in BEHAVIOURS:
            raise invalid(f"GS1-Capture-Error-Behaviour is {' or '.join(BEHAVIOURS)}, not {behaviour[:40]!r}")
        if not await self.service.has_room():
            raise EpcisError(
                "ImplementationException", 503, "Busy", "too many captures are under way; send it again later"
            )
        report = await checked(await json_body(request))
        good, bad = sort_out(report)
        if bad and (behaviour == BEHAVIOURS[0] or not good):
            raise refused(bad)
        job = await self.service.begin(report, good, [described(fault) for fault in bad[:MAX_ERRORS_SHOWN]], behaviour)
        return nothing(202, {"Location": f"{ROOT}/capture/{job}", **CAPTURE_LIMITS})

    async def list(self, request: Request) -> Response:
        """All captures, the newest first."""
        per_page, offset = page_of(request)
        jobs = await self.service.run(lambda store: store.jobs(offset, per_page + 1))
        more = len(jobs) > per_page
        return with_next(
            request, [job_document(job) for job in jobs[:per_page]], str(offset + per_page) if more else None
        )

    async def get(self, request: Request) -> Response:
        """How a capture stands."""
        name = request.path_params["id"]
        job = await self.service.run(lambda store: store.job(name))
        if job is None:
            raise no_such(f"no capture {name[:64]!r}; GET {ROOT}/capture lists those that are kept")
        return answer(job_document(job))


async def checked(data: bytes) -> Report:
    """The report on a document, made beside the loop; 413 if it has too many events."""
    report = await asyncio.to_thread(report_on, data)
    if len(report.events) > MAX_CAPTURE_EVENTS:
        detail = f"{len(report.events)} events; at most {MAX_CAPTURE_EVENTS} in one call"
        raise EpcisError("CaptureLimitExceededException", 413, "Capture Payload too large", detail)
    return report


def sort_out(report: Report) -> tuple[list[Hashed], list[Fault]]:
    """The events without an error, and the errors. An error outside of any event spoils all of them."""
    if not report.errors:
        return report.events, []
    spoiled: dict[str, None] = {}
    places = {event.pointer: None for event in report.events}
    for fault in report.errors:
        place = _event_of(fault.pointer, places)
        if place is None:
            return [], report.errors
        spoiled[place] = None
    return [event for event in report.events if event.pointer not in spoiled], report.errors


def _event_of(pointer: str, places: dict[str, None]) -> str | None:
    while pointer:
        if pointer in places:
            return pointer
        pointer = pointer.rpartition("/")[0]
    return "" if "" in places else None


def refused(faults: Sequence[Fault]) -> EpcisError:
    """400, with every fault."""
    first = faults[0]
    detail = f"{len(faults)} error(s); the first at {first.pointer or '(document)'}: {first.message}"
    return invalid(detail, errors=[_pointed(fault) for fault in faults])


def _pointed(fault: Fault) -> dict[str, str]:
    return {"pointer": fault.pointer, "rule": fault.rule, "detail": fault.message}


def described(fault: Fault) -> dict[str, Any]:
    """A fault as a capture job has it: a problem document."""
    return {"type": "epcisException:ValidationException", "title": "Not valid", "status": 400, **_pointed(fault)}


def job_document(job: Job) -> dict[str, Any]:
    """GS1's CaptureJob."""
    document = {
        "captureID": job.id,
        "createdAt": format_ms(job.created_ms),
        "running": job.finished_ms is None,
        "success": job.success,
        "captureErrorBehaviour": job.behaviour,
        "errors": job.errors,
    }
    if job.finished_ms is not None:
        document["finishedAt"] = format_ms(job.finished_ms)
    return document
