"""A node and its API, for every test of this folder that asks."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.web.web_api import Api, running_api


@pytest.fixture
def api() -> Iterator[Api]:
    """A fresh node whose key is Alice's."""
    with running_api() as running:
        yield running
