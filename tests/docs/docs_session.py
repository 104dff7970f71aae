"""Runs the console blocks of one session of a page, line by line, in a sandbox folder, as a reader would type them.

What is not as typed: ``horoi node run`` gets free ports and runs beside the rest until a comment says Ctrl-C, and addresses
that the page names are those ports' from then on. Environment and folder live from line to line.
"""

from __future__ import annotations

import doctest
import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import IO

from tests.docs.docs_pages import PROJECT, Block

from horoi.cli.settings import DEFAULT_API_LISTEN, DEFAULT_LISTEN

WITHIN_S = 120


class Session:
    """A sandbox. As ``with``: what still runs at the end is stopped."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.here = folder
        self.addresses: dict[str, str] = {}
        self.nodes: list[subprocess.Popen[str]] = []
        self._logs: list[IO[str]] = []
        programs = folder / "bin"
        programs.mkdir()
        shim = programs / "horoi"
        shim.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m horoi.cli.main "$@"\n')
        shim.chmod(0o755)
        (folder / ".venv" / "bin").mkdir(parents=True)
        (folder / ".venv" / "bin" / "activate").write_text(f"export PATH={shlex.quote(str(programs))}:$PATH\n")
        self.environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith(("HOROI", "COVERAGE"))},
            "PATH": f"{programs}:{os.environ['PATH']}",
            "PYTHONPATH": str(PROJECT / "src"),
            "HOROI_CONFIG": str(folder / "horoi.toml"),
            "HOROI_DIR": str(folder / "home"),
            "COLUMNS": "200",
            "NO_COLOR": "1",
        }

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop_nodes()
        for log in self._logs:
            log.close()

    def run(self, block: Block) -> None:
        """Run a block; AssertionError with the line that failed, or that printed something else."""
        if block.language == "python":
            self._doctest(block)
            return
        command, shown = "", []
        for line in [*block.text.splitlines(), "# end"]:
            if line.startswith(("$ ", "# ")):
                if command:
                    self._step(block, command, shown)
                command, shown = line, []
            else:
                shown.append(line)

    def _step(self, block: Block, line: str, shown: list[str]) -> None:
        if line.startswith("# "):
            assert "Ctrl-C" in line, f"{block.where}: a comment here stops the nodes with Ctrl-C: {line}"
            self.stop_nodes()
            return
        printed = self._command(block, self._with_real_addresses(line[2:]))
        problem = difference(shown, printed)
        assert problem is None, f"{block.where}: {line}\n{problem}\nprinted:\n{printed}"

    def _command(self, block: Block, command: str) -> str:
        if command.startswith("horoi node run"):
            return self._start_node(block, command)
        state = self.folder / "environment"
        script = f"{command}\ncode=$?\nenv -0 > {shlex.quote(str(state))}\nexit $code"
        done = subprocess.run(
            ["bash", "-c", script],
            cwd=self.here,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=WITHIN_S,
            check=False,
        )
        assert done.returncode == 0, (
            f"{block.where}: {command}: exit code {done.returncode}\n{done.stdout}{done.stderr}"
        )
        pairs = (pair.split("=", 1) for pair in state.read_text().split("\0") if pair)
        self.environment = {name: value for name, value in pairs if name not in ("_", "SHLVL")}
        self.here = Path(self.environment.get("PWD", self.here))
        return done.stdout + done.stderr

    def _start_node(self, block: Block, command: str) -> str:
        words = shlex.split(command)
        told = {"--listen": DEFAULT_LISTEN, "--api": DEFAULT_API_LISTEN}
        told |= {option: words[words.index(option) + 1] for option in told if option in words}
        words += ["--listen", "127.0.0.1:0", "--api", "127.0.0.1:0", "--json", "--stop-with-stdin"]
        log = (self.folder / f"node-{len(self._logs)}.log").open("w+")
        self._logs.append(log)
        node = subprocess.Popen(
            words,
            cwd=self.here,
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
        self.nodes.append(node)
        assert node.stdout is not None
        ready = node.stdout.readline()  # ends when the node speaks or dies
        log.seek(0)
        assert ready, f"{block.where}: {command}: did not start: {log.read()}"
        facts = json.loads(ready)
        self.addresses[told["--listen"]] = facts["listen"]
        self.addresses[told["--api"]] = facts["api"].removeprefix("http://")
        if told["--api"] == DEFAULT_API_LISTEN:
            self.environment["HOROI_API"] = facts["api"]
        return ""

    def stop_nodes(self) -> None:
        """End every node's input, which is its wish to stop, and wait."""
        for node in self.nodes:
            assert node.stdin is not None
            assert node.stdout is not None
            node.stdin.close()
            node.stdout.close()
        for node in self.nodes:
            try:
                node.wait(WITHIN_S)
            finally:
                node.kill()
        self.nodes.clear()

    def _with_real_addresses(self, text: str) -> str:
        for told, real in self.addresses.items():
            text = text.replace(told, real)
        return text

    def _doctest(self, block: Block) -> None:
        text = self._with_real_addresses(block.text)
        test = doctest.DocTestParser().get_doctest(text, {}, block.where, str(block.page), block.line)
        printed: list[str] = []
        runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
        runner.run(test, out=printed.append)
        assert test.examples, f"{block.where}: no >>> in it"
        assert runner.summarize(verbose=False).failed == 0, "".join(printed)


def normal(line: str) -> str:
    """A printed line without what differs from run to run: hashes, addresses, times, heights, and the width of tables."""
    line = re.sub(r"horoi1[0-9a-z]+|\b[0-9a-f]{12,}\b", "#", line)
    line = re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+Z", "#", line)
    line = re.sub(r"\bblock \d+", "block N", line)
    line = re.sub("─+", "─", line)
    return " ".join(line.split())


def difference(shown: list[str], printed: str) -> str | None:
    """None if what a page shows was printed: the same lines, where ``...`` stands for any number of them.

    A page that shows nothing for a command says nothing about it.
    """
    wanted = [normal(line) for line in shown if line.strip()]
    if not wanted:
        return None
    actual = [normal(line) for line in printed.splitlines() if line.strip()]
    pattern = "".join("(?:.*\n)*?" if line == "..." else re.escape(line) + "\n" for line in wanted)
    if re.fullmatch(pattern, "".join(f"{line}\n" for line in actual)):
        return None
    lacking = [line for line in wanted if line != "..." and line not in actual]
    return f"not printed: {lacking}" if lacking else "printed in another order, or more is printed: end with ..."
