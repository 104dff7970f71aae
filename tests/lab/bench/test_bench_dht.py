"""The benchmark over sockets, small: both sides store and find, and what is missing is told. Figures are not judged here."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from horoi.base.errors import UsageError
from horoi.lab.bench.dht import Ours, run_bench
from horoi.world.live.disk import LiveDisk


def theirs_or_skip() -> None:
    try:
        import kademlia  # noqa: F401
    except ImportError:
        if os.environ.get("CI"):
            raise
        pytest.skip("PyPI's kademlia is not installed: pip install 'horoi[bench]'")


@pytest.mark.real
@pytest.mark.foreign
def test_both_sides_put_and_get_over_sockets() -> None:
    theirs_or_skip()
    result = run_bench([6], scale=0.02, progress=lambda what, part: None)
    (network,) = result["networks"]
    for name in [name for name in ("ours", "ours_k20", "theirs", "theirs_fast") if name in network]:
        assert network[name]["failed"] == 0
        assert min(network[name][rate] for rate in ("put_per_s", "get_per_s", "put_16_per_s", "get_16_per_s")) > 0
    assert set(network["ratios"]["ours to theirs"]) == {"put", "put_16", "get", "get_16"}


@pytest.mark.real
def test_what_comes_to_nothing_is_counted_and_not_waited_for(tmp_path: Path) -> None:
    async def scenario() -> None:
        ours = await Ours.start(3, 8, LiveDisk(tmp_path))
        try:
            assert await ours.get(0, "never put") is None
            assert not await ours.put(0, "too large", "x" * 5000)
        finally:
            await ours.stop()

    asyncio.run(scenario())


def test_a_missing_peer_is_told_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("horoi.lab.bench.dht.find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r"horoi\[bench\]"):
        run_bench([6], scale=0.02, progress=lambda what, part: None)


def test_absurd_sizes_are_refused() -> None:
    with pytest.raises(UsageError, match="between 2 and 1000"):
        run_bench([1], scale=1.0, progress=lambda what, part: None)
