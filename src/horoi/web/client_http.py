"""The part of the Python client that speaks HTTP: connections kept open, answers read, refusals raised as errors of the house."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from time import monotonic
from typing import TYPE_CHECKING, Any, NamedTuple, Self, TypeVar

import msgspec

from horoi.base.errors import NetworkError
from horoi.web.model.refusals import error_of

if TYPE_CHECKING:
    import httpx

T = TypeVar("T")

TIMEOUT_S = 120.0  # above what the node itself waits before it answers
CONNECT_TIMEOUT_S = 5.0
MAX_ANSWER_SIZE_BYTES = 256_000_000  # a guess: a document has 16 MB; the export of a long life may have more
MAX_ANSWER_S = 600.0  # a guess: so much on a line of 4 Mbit/s
SILENCE_S = 60.0  # of an event stream: the node says something every 15 s


class Event(NamedTuple):
    """Something that happened at the node: ``kind`` is one of ``horoi.web.model.node.EVENT_KINDS``."""

    kind: str
    data: dict[str, Any]


class Answer(NamedTuple):
    """What a node answered that it did."""

    headers: Mapping[str, str]
    content: bytes


class Http:
    """A node at ``url``."""

    def __init__(self, url: str, token: str | None = None, *, timeout_s: float = TIMEOUT_S) -> None:
        self.url = url.rstrip("/")
        self._token = token
        self._timeout_s = timeout_s
        self._opened: httpx.Client | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        if self._opened is not None:
            self._opened.close()
            self._opened = None

    # ---- the live stream ----------------------------------------------------------------------------------------

    def events(self, types: Sequence[str] | None = None) -> Iterator[Event]:
        """What happens at the node, as it happens. NetworkError when the stream breaks: it is up to you to go on."""
        import httpx

        query = {"types": ",".join(types)} if types is not None else {}
        timeout = httpx.Timeout(SILENCE_S, connect=CONNECT_TIMEOUT_S)
        try:
            with self._http.stream("GET", "/v1/events", params=query, timeout=timeout) as answer:
                if answer.status_code != 200:
                    raise error_of(answer.status_code, answer.read())
                yield from _read_events(answer.iter_lines())
        except httpx.HTTPError as error:
            raise self._unreachable(error) from None
        raise NetworkError(f"{self.url} ended the stream of events; ask again")

    # ---- questions ----------------------------------------------------------------------------------------------------

    @property
    def _http(self) -> httpx.Client:
        if self._opened is None:
            import httpx

            headers = {"Authorization": f"Bearer {self._token}"} if self._token is not None else {}
            self._opened = httpx.Client(
                base_url=self.url,
                headers=headers,
                timeout=httpx.Timeout(self._timeout_s, connect=CONNECT_TIMEOUT_S),
                trust_env=False,  # a proxy of the environment must not see the token
            )
        return self._opened

    def _get(self, path: str, kind: type[T], **query: Any) -> T:
        return decode(self._ask("GET", path, **query).content, kind)

    def _post(self, path: str, form: msgspec.Struct, kind: type[T], **query: Any) -> T:
        return decode(self._ask("POST", path, content=msgspec.json.encode(form), **query).content, kind)

    def _ask(
        self,
        method: str,
        path: str,
        *,
        content: bytes | None = None,
        media_type: str = "application/json",
        **query: Any,
    ) -> Answer:
        """What the node answers; the error that it says."""
        import httpx

        headers = {"Content-Type": media_type} if content is not None else {}
        given = {name: value for name, value in query.items() if value is not None}
        try:
            with self._http.stream(method, path, params=given, content=content, headers=headers) as answer:
                answered = self._read(answer)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise self._unreachable(error) from None
        if not answer.is_success:
            raise error_of(answer.status_code, answered.content)
        return answered

    def _read(self, answer: httpx.Response) -> Answer:
        """All of an answer, within bounds: a light client asks nodes that it does not trust."""
        until = monotonic() + MAX_ANSWER_S
        parts: list[bytes] = []
        size_bytes = 0
        for part in answer.iter_bytes():
            parts.append(part)
            size_bytes += len(part)
            if size_bytes > MAX_ANSWER_SIZE_BYTES:
                raise NetworkError(f"{self.url} answers with over {MAX_ANSWER_SIZE_BYTES} bytes: ask another node")
            if monotonic() > until:
                raise NetworkError(f"{self.url} has not ended its answer in {MAX_ANSWER_S:g} s: ask another node")
        return Answer(answer.headers, b"".join(parts))

    def _unreachable(self, error: Exception) -> NetworkError:
        return NetworkError(f"{self.url} does not answer ({error or type(error).__name__}); is the node running there?")


def decode(content: bytes, kind: type[T]) -> T:
    """An answer's record. NetworkError if it is none."""
    try:
        return msgspec.json.decode(content, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise NetworkError(f"the answer is not what this version understands: {error}") from None


def _read_events(lines: Iterator[str]) -> Iterator[Event]:
    """Server-sent events from their lines: those that have a name and JSON data."""
    kind = data = ""
    for line in lines:
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "event":
            kind = value
        elif name == "data":
            data += value
        elif not line and kind and data:
            yield Event(kind, msgspec.json.decode(data, type=dict[str, Any]))
            kind = data = ""
