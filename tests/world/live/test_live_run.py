"""The loop that a program runs on."""

from __future__ import annotations

import asyncio
import sys

import pytest

from horoi.world.live.run import loop_factory, run


async def loop_module() -> str:
    return type(asyncio.get_running_loop()).__module__


def test_uvloop_where_it_is() -> None:
    pytest.importorskip("uvloop")
    assert run(loop_module()).startswith("uvloop")


def test_asyncio_where_it_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "uvloop", None)
    assert loop_factory() is None
    assert run(loop_module()).startswith("asyncio")
