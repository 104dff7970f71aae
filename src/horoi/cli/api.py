"""The running node, as commands reach it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from horoi.cli.settings import api_url, node_folder

if TYPE_CHECKING:
    from horoi.client import Client

TOKEN_VARIABLE = "HOROI_TOKEN"


def connect(api: str | None) -> Client:
    """A client of the configured node, for what anybody may ask."""
    from horoi.client import Client

    return Client(api_url(api))


def connect_as_owner(api: str | None, folder: Path | None) -> Client:
    """A client that shows the node's token: HOROI_TOKEN, or the file in the node's folder. KeyFileError without one."""
    from horoi.client import Client
    from horoi.web.token import read_token

    return Client(api_url(api), os.environ.get(TOKEN_VARIABLE) or read_token(node_folder(folder)))


def to_dict(answer: Any) -> dict[str, Any]:
    """A record of the API as JSON data."""
    import msgspec

    plain: dict[str, Any] = msgspec.to_builtins(answer)
    return plain
