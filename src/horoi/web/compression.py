"""What goes over the wire zipped: who takes gzip (RFC 9110, section 12.5.3), and which answers are.

Answers of the owner's own endpoints stay as they are: the length of something zipped tells whoever watches the wire what of it
repeats, so text that a stranger may place beside what is private (a note, a name) would let him guess at it (BREACH: Gluck,
Harris, Prado 2013). What everybody may read has nothing to guess at.
"""

from __future__ import annotations

import gzip

from starlette.requests import Request

LEAST_BYTES = 1_400  # less fits a packet as it is
MOST_BYTES = 500_000  # more would hold the event loop up for over 3 ms
LEVEL = 1  # a board of 42 kB in a quarter of a millisecond, to 6 kB


def takes_gzip(request: Request) -> bool:
    """True unless the client names no gzip, or weighs it 0. Its other weights do not matter: nothing but gzip is offered."""
    for part in request.headers.get("accept-encoding", "").lower().split(","):
        coding, _, parameter = part.partition(";")
        if coding.strip() == "gzip":
            return not _is_nought(parameter)
    return False


def _is_nought(parameter: str) -> bool:
    name, _, weight = parameter.partition("=")
    return name.strip() == "q" and weight.strip() in ("0", "0.", "0.0", "0.00", "0.000")


def packed(request: Request, data: bytes, *, is_public: bool) -> tuple[bytes, dict[str, str]]:
    """An answer as it is sent, with the headers that say so: the pages of a board are mostly names and hashes said again."""
    headers = {"Vary": "Accept-Encoding"}
    if is_public and LEAST_BYTES <= len(data) <= MOST_BYTES and takes_gzip(request):
        return gzip.compress(data, LEVEL, mtime=0), {**headers, "Content-Encoding": "gzip"}
    return data, headers
