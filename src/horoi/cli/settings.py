"""What is configured: where the node's API is, and where its folder.

In order: the command's option, the environment (HOROI_API, HOROI_DIR), the file ``horoi.toml`` in the user's configuration
folder (HOROI_CONFIG names another file), the default. The file has at most these lines:

    api = "http://127.0.0.1:8700"
    dir = "/srv/horoi"
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import click

from horoi.base.errors import UsageError

DEFAULT_LISTEN = "127.0.0.1:7700"
DEFAULT_API_LISTEN = "127.0.0.1:8700"
DEFAULT_API = f"http://{DEFAULT_API_LISTEN}"
API_VARIABLE = "HOROI_API"
DIR_VARIABLE = "HOROI_DIR"
CONFIG_VARIABLE = "HOROI_CONFIG"
FILE_NAME = "horoi.toml"
KEYS_FOLDER = "keys"

F = TypeVar("F", bound=Callable[..., Any])

api_option: Callable[[F], F] = click.option("--api", metavar="URL", help=f"The node's API. [default: {DEFAULT_API}]")
dir_option: Callable[[F], F] = click.option(
    "--dir", "folder", metavar="DIR", type=click.Path(path_type=Path), help="The node's folder, with the keys in it."
)


class Settings(NamedTuple):
    """What the configuration file says; None where it says nothing."""

    api: str | None
    dir: str | None


def config_path() -> Path:
    """Where the configuration file is, or would be."""
    named = os.environ.get(CONFIG_VARIABLE)
    if named:
        return Path(named)
    import platformdirs

    return Path(platformdirs.user_config_dir("horoi", appauthor=False)) / FILE_NAME


def read_config() -> Settings:
    """The configuration file; UsageError with the line if it cannot be read as one."""
    import tomllib

    path = config_path()
    try:
        data = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return Settings(None, None)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"configuration {path}: {error}; correct it, or move it away for the defaults") from None
    unknown = sorted(data.keys() - set(Settings._fields))
    if unknown:
        raise UsageError(f"configuration {path}: {unknown[0]!r} is no setting; there are {', '.join(Settings._fields)}")
    for name, value in data.items():
        if not isinstance(value, str) or not value:
            raise UsageError(f"configuration {path}: {name} is a text in quotes, not {value!r}")
    return Settings(data.get("api"), data.get("dir"))


def api_url(option: str | None) -> str:
    """The URL of the node's API."""
    url = option or os.environ.get(API_VARIABLE) or read_config().api or DEFAULT_API
    if "://" not in url:
        url = f"http://{url}"
    if not url.startswith(("http://", "https://")):
        raise UsageError(f"API {url[:100]!r}: write it as http://host:port")
    return url.rstrip("/")


def node_folder(option: Path | None) -> Path:
    """The node's folder."""
    if option is not None:
        return option
    named = os.environ.get(DIR_VARIABLE) or read_config().dir
    if named:
        return Path(named).expanduser()
    import platformdirs

    return Path(platformdirs.user_data_dir("horoi", appauthor=False))
