"""Anchoring: many events under one hash in the ledger (docs/decisions/epcis-anchoring.md).

A batch is the events of one capture, in their order. Its Merkle tree (RFC 9162) has one leaf for each::

    leaf = event hash (32 bytes) || SHA-256 of the payload

The event hash is the name that anybody derives from what the event says. The payload is the event as it is kept here: JSON with
its context, names sorted, no spaces; its hash also covers what the name leaves out (the record time, an error declaration).
The root stands in a post, signed by the node's key, as the hash of a document. A payload and its path prove an event to anybody.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from hashlib import sha256
from typing import Any, NamedTuple

from horoi.epcis.canonical import digest_of
from horoi.epcis.check import Hashed, Report
from horoi.epcis.context import joined
from horoi.ledger.merkle import inclusion_path, leaf_hash, root_of_leaf_hashes, verify_inclusion


class Anchored(NamedTuple):
    """An event ready to be kept."""

    digest: bytes  # of the event hash id
    payload: bytes
    leaf: bytes  # the hash of the leaf


class Batch(NamedTuple):
    """What one post stands for."""

    events: list[Anchored]
    root: bytes

    def path(self, place: int) -> list[bytes]:
        """The inclusion path of event number ``place``."""
        return inclusion_path([event.leaf for event in self.events], place)


def payload_of(event: dict[str, Any], context: Any) -> bytes:
    """An event that stands alone: with the context of its document, and its own, if it has one, on top of that."""
    if context is not None:
        event = {**event, "@context": joined(context, event["@context"]) if "@context" in event else context}
    return json.dumps(event, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def leaf_of(digest: bytes, payload: bytes) -> bytes:
    """The leaf hash of an event."""
    return leaf_hash(digest + sha256(payload).digest())


def anchor(hashed: Hashed, context: Any) -> Anchored:
    """An event with its payload and leaf."""
    digest = digest_of(hashed.hash_id)
    assert digest is not None
    payload = payload_of(hashed.event, context)
    return Anchored(digest, payload, leaf_of(digest, payload))


def batch_of(report: Report) -> Batch:
    """The batch of a document that has no errors, where none of it is kept already. What is given twice counts once."""
    events = list({each.leaf: each for each in (anchor(event, report.context) for event in report.events)}.values())
    return Batch(events, root_of_leaf_hashes([event.leaf for event in events]))


def is_anchored(digest: bytes, payload: bytes, place: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """Whether ``path`` shows this event under ``root``."""
    return verify_inclusion(leaf_of(digest, payload), place, size, path, root)


def words(size: int) -> str:
    """What the post says."""
    return f"EPCIS: {size} event{'' if size == 1 else 's'} captured"
