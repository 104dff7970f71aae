"""``horoi epcis``: events of the supply chain, in GS1's language."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from horoi.base.errors import DecodeError
from horoi.cli.output import emit, json_option, reports_errors

if TYPE_CHECKING:
    from horoi.epcis.check import Report
    from horoi.epcis.kinds import Fault

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
@click.option("--dry-run", is_flag=True, required=True, help="Only check, hash, and say what would be signed.")
@json_option
@reports_errors
def capture(file: str, dry_run: bool, as_json: bool) -> None:
    """Check the events in FILE, and say what the node would sign for them. Needs no running network.

    \b
    Example:
      horoi epcis capture shipment.jsonld --dry-run --json
    """
    report = _read(file)
    data = _described(file, report)
    if not report.errors:
        data["would_sign"] = _would_sign(report)
    _finish(report, data, as_json, _render_dry_run)


def _read(file: str) -> Report:
    from horoi.epcis.check import report_on
    from horoi.epcis.document import MAX_DOCUMENT_BYTES

    with click.open_file(file, "rb") as stream:
        return report_on(stream.read(MAX_DOCUMENT_BYTES + 1))


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


def _render_faults(data: dict[str, Any]) -> None:
    from horoi.cli.render import plain

    for level in ("errors", "warnings"):
        for fault in data[level]:
            where = plain(fault["pointer"]) or "(document)"
            click.echo(f"{level[:-1]}: {where}: {plain(fault['message'])} [{fault['rule']}]", err=True)
