"""The pages of the documentation, and the pieces that tests look at: fenced blocks, links, inline code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

PROJECT = Path(__file__).resolve().parents[2]

_FENCE = re.compile(r"^( *)```(\w*)([^\n]*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)


class Block(NamedTuple):
    """A fenced block: where it is, its language, what follows the language, and its lines without their indent."""

    page: Path
    line: int
    language: str
    info: str
    text: str

    @property
    def session(self) -> str | None:
        """The session that it is a part of."""
        found = re.search(r"\bsession=(\w+)", self.info)
        return found[1] if found else None

    @property
    def where(self) -> str:
        """Page and line, for messages."""
        return f"{self.page.relative_to(PROJECT)}:{self.line}"


def pages() -> list[Path]:
    """README, CONTRIBUTING and everything under docs/."""
    return [PROJECT / "README.md", PROJECT / "CONTRIBUTING.md", *sorted((PROJECT / "docs").rglob("*.md"))]


@cache
def read(page: Path) -> str:
    """The text of a page."""
    return page.read_text(encoding="utf-8")


def blocks(page: Path) -> Iterator[Block]:
    """Fenced blocks, in order."""
    text = read(page)
    for found in _FENCE.finditer(text):
        indent = len(found[1])
        body = "".join(line[indent:] if line.strip() else "\n" for line in found[4].splitlines(keepends=True))
        yield Block(page, text.count("\n", 0, found.start()) + 1, found[2], found[3], body)


def prose(page: Path) -> str:
    """The page without its fenced blocks."""
    return _FENCE.sub("", read(page))


def links(page: Path) -> list[str]:
    """Targets of the page's links."""
    return re.findall(r"\]\(([^)\s]+)\)", re.sub(r"`[^`\n]+`", "``", prose(page)))


def inline_code(page: Path) -> list[str]:
    """What stands in single backticks."""
    return re.findall(r"(?<!`)`([^`\n]+)`(?!`)", prose(page))


def name(page: Path) -> str:
    """The page's path in the project, for test ids."""
    return str(page.relative_to(PROJECT))
