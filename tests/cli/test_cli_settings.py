"""Where the API and the folder come from: option, environment, file, default."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.cli.cli_fake_node import Runner

from horoi.base.errors import UsageError
from horoi.cli.settings import DEFAULT_API, api_url, config_path, node_folder, read_config


def test_the_order(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("HOROI_DIR")
    assert api_url(None) == DEFAULT_API
    config_path().write_text(f'api = "10.0.0.1:1"\ndir = "{tmp_path}/file"\n')
    assert api_url(None) == "http://10.0.0.1:1"
    assert node_folder(None) == tmp_path / "file"
    monkeypatch.setenv("HOROI_API", "https://node.example/")
    monkeypatch.setenv("HOROI_DIR", str(tmp_path / "env"))
    assert api_url(None) == "https://node.example"
    assert node_folder(None) == tmp_path / "env"
    assert api_url("[::1]:3") == "http://[::1]:3"
    assert node_folder(Path("here")) == Path("here")


@pytest.mark.parametrize("text", ["api = 3", "api = ", 'colour = "red"', 'dir = ""', "\x00", "api = [1]"])
def test_a_corrupt_file_is_one_sentence(horoi: Runner, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HOROI_DIR")
    config_path().write_text(text)
    with pytest.raises(UsageError, match=str(config_path())):
        read_config()
    for arguments in (("status",), ("key", "list"), ("config",)):
        shown = horoi(*arguments)
        assert shown.code == 2
        assert shown.err.count("\n") == 1


def test_other_schemes_are_refused() -> None:
    with pytest.raises(UsageError, match="http://host:port"):
        api_url("ftp://node")


def test_config_says_where_from(horoi: Runner, home: Path) -> None:
    config_path().write_text('api = "http://h:1"\n')
    shown = horoi("config", "--json").data
    assert shown["api"] == {"value": "http://h:1", "from": "file"}
    assert shown["dir"] == {"value": str(home), "from": "HOROI_DIR"}
