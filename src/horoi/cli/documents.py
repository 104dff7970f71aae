"""Documents: known to the ledger by their SHA-256 alone, kept by nodes."""

from __future__ import annotations

from pathlib import Path
from time import monotonic, sleep
from typing import TYPE_CHECKING

from horoi.base.errors import NetworkError, NotFoundError, UsageError
from horoi.cli.api import connect, connect_as_owner
from horoi.cli.lookup import is_hash

if TYPE_CHECKING:
    from horoi.client import Client

CHUNK_SIZE_BYTES = 1 << 20
POLL_S = 0.25


def document_hash(text: str) -> str:
    """The SHA-256, in hexadecimal, of the file at ``text``; or ``text`` itself if it is one. UsageError."""
    if is_hash(text) and not Path(text).exists():
        return text
    import hashlib

    digest = hashlib.sha256()
    try:
        with Path(text).open("rb") as file:
            while chunk := file.read(CHUNK_SIZE_BYTES):
                digest.update(chunk)
    except OSError as error:
        raise UsageError(f"document {text[:200]}: cannot be read: {error.strerror or error}") from None
    return digest.hexdigest()


def read_document(file: Path) -> bytes:
    """The bytes of a file, if a node keeps so many. UsageError."""
    from horoi.node.documents.messages import MAX_DOCUMENT_SIZE_BYTES

    try:
        with file.open("rb") as opened:
            data = opened.read(MAX_DOCUMENT_SIZE_BYTES + 1)
    except OSError as error:
        raise UsageError(f"document {file}: cannot be read: {error.strerror or error}") from None
    if len(data) > MAX_DOCUMENT_SIZE_BYTES:
        raise UsageError(f"document {file}: over {MAX_DOCUMENT_SIZE_BYTES} bytes, more than a node keeps of one")
    return data


def fetch_content(api: str | None, folder: Path | None, digest: str, timeout_s: float) -> bytes:
    """The bytes of a document: the node's, or what it fetches. NotFoundError if nobody gave it in time."""
    with connect(api) as client:
        try:
            return client.document_content(digest)
        except NotFoundError:
            pass
    with connect_as_owner(api, folder) as owner:
        owner.fetch_document(digest)
        _await_document(owner, digest, timeout_s)
        return owner.document_content(digest)


def _await_document(client: Client, digest: str, timeout_s: float) -> None:
    """Return when the node has the document, with a bar meanwhile."""
    from rich.console import Console
    from rich.progress import Progress

    until = monotonic() + timeout_s
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("fetching from peers", total=None)
        while True:
            content = client.document(digest).content
            if content.state == "here":
                return
            if content.state == "absent":
                raise NotFoundError(f"no linked peer gave document {digest}: is somebody who keeps it online?")
            if monotonic() > until:
                raise NetworkError(
                    f"{content.have_bytes} bytes of document {digest} came in {timeout_s:g} s; ask again"
                )
            progress.update(task, total=content.size_bytes, completed=content.have_bytes)
            sleep(POLL_S)
