"""A refusal of the API, back as the error that it stands for (the reverse of ``horoi.web.problems``)."""

from __future__ import annotations

import msgspec

from horoi.base.errors import (
    DecodeError,
    ForbiddenError,
    HoroiError,
    InsufficientError,
    KeyFileError,
    NetworkError,
    NotFoundError,
    RuleError,
    StorageError,
    UsageError,
)
from horoi.web.model.base import Problem

_FAMILIES: dict[str, type[HoroiError]] = {
    "usage": UsageError,
    "decode": DecodeError,
    "not-found": NotFoundError,
    "forbidden": ForbiddenError,
    "unauthorized": ForbiddenError,
    "insufficient": InsufficientError,
    "key-file": KeyFileError,
    "busy": NetworkError,
    "storage": StorageError,
    "network": NetworkError,
    "ValidationException": DecodeError,  # the names of EPCIS 2.0
    "QueryParameterException": UsageError,
    "QueryTooLargeException": UsageError,
    "QueryTooComplexException": UsageError,
    "NoSuchNameException": NotFoundError,
    "SecurityException": ForbiddenError,
}


def error_of(status: int, content: bytes) -> HoroiError:
    """The error that a refusal of the API stands for."""
    try:
        problem = msgspec.json.decode(content, type=Problem)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return NetworkError(f"the answer is of status {status} and not from a node of horoi: {content[:100]!r}")
    if problem.rule is not None:
        return RuleError(problem.rule, problem.detail)
    family = problem.type.rpartition(":")[2]
    known = _FAMILIES.get(family)
    return known(problem.detail) if known is not None else HoroiError(f"{problem.title}: {problem.detail}")
