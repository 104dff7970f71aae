"""Documents: put bytes here, fetch them from peers, read them. Who posted a hash is of the books (routes/books.py)."""

from __future__ import annotations

import asyncio

from starlette.responses import Response

from horoi.base.errors import NetworkError, NotFoundError
from horoi.base.hashing import sha256
from horoi.node.documents.messages import DocumentKept, FetchDocument, KeepDocument
from horoi.node.index.index import PostRecord
from horoi.node.lookup.requests import StopProviding
from horoi.web.access import NodeAccess
from horoi.web.model.books import DocumentPath
from horoi.web.model.documents import DocumentContent, DocumentKeptView, DocumentView, FetchAnswer
from horoi.web.reading import confirmed
from horoi.web.routes.books import post_entry
from horoi.web.views import Viewer

RAW = "application/octet-stream"
KEEP_TIMEOUT_S = 30.0  # for 16 MB to be written and synced; a guess


def document(access: NodeAccess, path: DocumentPath, _: None) -> DocumentView:
    """Who posted a document's SHA-256, when, and whether the document itself is here."""
    name = bytes.fromhex(path.hash)
    view = Viewer(access)
    found = []
    for item in dict.fromkeys(access.index.posts_about_document(name)):
        read = confirmed(access, item)
        if read is None:
            continue
        prepared, known, position = read
        for number, post in enumerate(prepared.transaction.body.posts):
            if post.document == name:
                record = PostRecord(item, known.height, position, number, known.header.time_ms, post)
                found.append(post_entry(view, record))
    content = content_of(access, name)
    if not found and content.state == "absent":
        raise NotFoundError(f"no post names the document {path.hash}, and it is not kept here", code="no-document")
    return DocumentView(hash=path.hash, posts=found, content=content)


def content_of(access: NodeAccess, name: bytes) -> DocumentContent:
    """What is here of a document."""
    documents = access.node.documents
    if documents.store.has(name):
        size_bytes = documents.store.kept[name]
        return DocumentContent(state="here", size_bytes=size_bytes, have_bytes=size_bytes)
    fetch = documents.fetches.get(name)
    if fetch is None:
        return DocumentContent(state="absent", size_bytes=None, have_bytes=0)
    return DocumentContent(state="fetching", size_bytes=fetch.size_bytes, have_bytes=fetch.have_bytes)


async def keep_document(access: NodeAccess, _: object, body: tuple[str, bytes]) -> DocumentKeptView:
    """Keep these bytes, and give them to peers that ask. Their SHA-256 is what a post names."""
    data = body[1]
    name, store = sha256(data), access.node.documents.store
    async with access.document_turn:
        is_new = not store.has(name)
        if is_new:
            store.check_room(len(data))
            await _keep(access, name, data)
    return DocumentKeptView(hash=name.hex(), size_bytes=len(data), is_new=is_new)


async def _keep(access: NodeAccess, name: bytes, data: bytes) -> None:
    """Hand it to the machine, and wait until it is on disk."""
    kept: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def hear(notice: DocumentKept) -> None:
        if notice.hash == name and not kept.done():
            kept.set_result(None)

    leave = access.host.on_notice(hear, DocumentKept)
    try:
        access.host.ask(KeepDocument(data))
        await asyncio.wait_for(kept, KEEP_TIMEOUT_S)
    except TimeoutError:
        raise NetworkError(
            f"the node did not keep it within {KEEP_TIMEOUT_S:g} s; ask for it later", code="no-answer"
        ) from None
    finally:
        leave()


def document_content(access: NodeAccess, path: DocumentPath, _: None) -> Response:
    """The bytes of a document, checked against its hash: always as a file to be saved, never as a page to be shown."""
    data = access.node.documents.store.read(bytes.fromhex(path.hash))
    headers = {
        "Content-Disposition": f'attachment; filename="{path.hash}"',
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "X-Content-Type-Options": "nosniff",
    }
    return Response(data, media_type=RAW, headers=headers)


def fetch_document(access: NodeAccess, path: DocumentPath, _: object) -> FetchAnswer:
    """Begin to fetch a document from whoever keeps it; ask for it again to see how far that is."""
    name = bytes.fromhex(path.hash)
    if not access.node.documents.store.has(name):
        access.host.ask(FetchDocument(name))
    return FetchAnswer(hash=path.hash, content=content_of(access, name))


def remove_document(access: NodeAccess, path: DocumentPath, _: None) -> FetchAnswer:
    """Keep a document no longer. The ledger's record of its hash stays, and so do the copies of others."""
    name = bytes.fromhex(path.hash)
    access.node.documents.store.remove(name)
    access.host.ask(StopProviding(name))
    return FetchAnswer(hash=path.hash, content=content_of(access, name))
