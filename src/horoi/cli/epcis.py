"""``horoi epcis``: events of the supply chain, in GS1's language."""

from __future__ import annotations

import sys
from pathlib import Path
from time import sleep
from typing import TYPE_CHECKING, Any

import click

from horoi.base.errors import DecodeError, HoroiError, UsageError
from horoi.cli.api import connect, connect_as_owner
from horoi.cli.output import emit, json_option, reports_errors
from horoi.cli.settings import api_option, dir_option

if TYPE_CHECKING:
    from horoi.client import Client
    from horoi.epcis.check import Report
    from horoi.epcis.kinds import Fault

POLL_S = 0.1  # between looks at a capture

file_argument = click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True))


@click.group("epcis")
def epcis() -> None:
    """Events of the supply chain (GS1 EPCIS 2.0): check, hash, capture, find."""


@epcis.command("hash")
@file_argument
@click.option("--prehash", "with_prehash", is_flag=True, help="Also print what is hashed.")
@json_option
@reports_errors
def hash_events(file: str, with_prehash: bool, as_json: bool) -> None:
    """The event hash id of each event in FILE, which anybody derives from what the event says (CBV 2.0).

    FILE is an EPCIS document, a query document, one event, or a list of events, as JSON or JSON-LD; - is standard input.
    Exit code 3 and every fault, with its JSON pointer, if it is not valid.

    \b
    Example:
      horoi epcis hash shipment.jsonld --json
    """
    report = _read(file)
    _finish(report, _described(file, report), as_json, lambda data: _render_events(data, with_prehash))


@epcis.command("capture")
@file_argument
@click.option("--dry-run", is_flag=True, help="Only check, hash, and say what would be signed; needs no network.")
@click.option("--no-wait", is_flag=True, help="Do not wait until the node has kept them.")
@dir_option
@api_option
@json_option
@reports_errors
def capture(file: str, dry_run: bool, no_wait: bool, folder: Path | None, api: str | None, as_json: bool) -> None:
    """Hand the events in FILE to the node, which keeps them and anchors them in the ledger. Needs the node's token.

    FILE is checked first; exit code 3 and every fault, with its JSON pointer, if it is not valid.

    \b
    Examples:
      horoi epcis capture shipment.jsonld --dry-run --json
      horoi epcis capture shipment.jsonld
    """
    data = _bytes(file)
    report = _report(data)
    told = _described(file, report)
    if report.errors or dry_run:
        if not report.errors:
            told["would_sign"] = _would_sign(report)
        _finish(report, told, as_json, _render_dry_run)
        return
    with connect_as_owner(api, folder) as client:
        job = _captured(client, data, wait=not no_wait)
    emit({**told, "job": job}, as_json, _render_captured)
    if not job["success"]:
        raise HoroiError(f"the node did not keep them: {job['errors'][0].get('detail') or job['errors'][0]['title']}")


@epcis.command("events")
@click.option(
    "--query",
    "parameters",
    multiple=True,
    metavar="NAME=VALUE",
    help="A parameter of EPCIS 2.0, as EQ_bizStep=shipping.",
)
@click.option("--id", "event_id", help="Only the event of this id or hash id.")
@click.option("--limit", type=click.IntRange(1, 1000), default=30, show_default=True)
@api_option
@json_option
@reports_errors
def events(parameters: tuple[str, ...], event_id: str | None, limit: int, api: str | None, as_json: bool) -> None:
    """Find events that were captured at the node, as an EPCISQueryDocument.

    \b
    Examples:
      horoi epcis events --query EQ_bizStep=shipping --query GE_eventTime=2026-01-01T00:00:00Z
      horoi epcis events --query MATCH_anyEPC=urn:epc:id:sgtin:4012345.011111.9876 --json
    """
    asked = {"perPage": str(limit)}
    for parameter in parameters:
        name, equals, value = parameter.partition("=")
        if not equals:
            raise UsageError(f"{parameter!r}: write a parameter as NAME=VALUE, as in EQ_bizStep=shipping")
        asked[name] = value
    if event_id is not None:
        asked["EQ_eventID"] = event_id
    with connect(api) as client:
        emit(client.captured_events(**asked), as_json, _render_found)


def _captured(client: Client, data: bytes, *, wait: bool) -> dict[str, Any]:
    job = client.capture_job(client.capture_events(data))
    while wait and job["running"]:
        sleep(POLL_S)
        job = client.capture_job(job["captureID"])
    return job


def _read(file: str) -> Report:
    return _report(_bytes(file))


def _bytes(file: str) -> bytes:
    from horoi.epcis.document import MAX_DOCUMENT_BYTES

    with click.open_file(file, "rb") as stream:
        data: bytes = stream.read(MAX_DOCUMENT_BYTES + 1)
    return data


def _report(data: bytes) -> Report:
    from horoi.epcis.check import report_on

    return report_on(data)


def _described(file: str, report: Report) -> dict[str, Any]:
    return {
        "file": file,
        "kind": report.kind,
        "valid": not report.errors,
        "count": len(report.events),
        "hashes": [event.hash_id for event in report.events],
        "events": [
            {
                "pointer": event.pointer,
                "type": event.event.get("type"),
                "hash": event.hash_id,
                "event_id": event.event.get("eventID"),
                "prehash": event.prehash,
            }
            for event in report.events
        ],
        "ignored_fields": list(report.ignored),
        "errors": [_fault(fault) for fault in report.errors],
        "warnings": [_fault(fault) for fault in report.warnings],
    }


def _fault(fault: Fault) -> dict[str, str]:
    return {"pointer": fault.pointer, "rule": fault.rule, "message": fault.message}


def _would_sign(report: Report) -> dict[str, Any]:
    from horoi.node.epcis.anchor import batch_of, words

    batch = batch_of(report)
    return {
        "post": {"text": words(len(batch.events)), "document": batch.root.hex()},
        "leaves": [
            {"event": event.digest.hex(), "payload_bytes": len(event.payload), "leaf": event.leaf.hex()}
            for event in batch.events
        ],
    }


def _finish(report: Report, data: dict[str, Any], as_json: bool, render: Any) -> None:
    """Print; then fail if the document is not valid."""
    emit(data, as_json, render)
    if not report.errors:
        return
    if as_json:  # stdout has told everything
        sys.exit(DecodeError.exit_code)
    raise DecodeError(f"{data['file']} is not valid EPCIS 2.0: {len(report.errors)} error(s), listed above")


def _render_events(data: dict[str, Any], with_prehash: bool) -> None:
    from horoi.cli.render import plain

    for event in data["events"]:
        click.echo(f"{event['hash']}  {plain(str(event['type']))}")
        if with_prehash:
            click.echo(f"  {plain(event['prehash'])}")
    _render_faults(data)


def _render_dry_run(data: dict[str, Any]) -> None:
    _render_events(data, with_prehash=False)
    signed = data.get("would_sign")
    if signed is not None:
        click.echo(f"the node would sign a post: {signed['post']['text']!r}")
        click.echo(f"  with the Merkle root of the events as document {signed['post']['document']}")


def _render_captured(data: dict[str, Any]) -> None:
    _render_events(data, with_prehash=False)
    job = data["job"]
    state = "under way" if job["running"] else "kept" if job["success"] else "not kept"
    click.echo(f"{data['count']} event(s) {state}: capture {job['captureID']}")


def _render_found(data: dict[str, Any]) -> None:
    from horoi.cli.render import plain

    found = data["epcisBody"]["queryResults"]["resultsBody"]["eventList"]
    if not found:
        click.echo("no such events were captured here")
    for event in found:
        words = [event["eventTime"], event["type"], event.get("action"), event.get("bizStep"), event["eventID"]]
        click.echo("  ".join(plain(word) for word in words if word))


def _render_faults(data: dict[str, Any]) -> None:
    from horoi.cli.render import plain

    for level in ("errors", "warnings"):
        for fault in data[level]:
            where = plain(fault["pointer"]) or "(document)"
            click.echo(f"{level[:-1]}: {where}: {plain(fault['message'])} [{fault['rule']}]", err=True)
