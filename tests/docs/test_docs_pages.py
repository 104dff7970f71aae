"""The docs agree with the project: links, paths and names exist, examples are doctests, nothing leaks from where it was made."""

from __future__ import annotations

import ast
import doctest
import importlib
import re
import tomllib
from pathlib import Path

import pytest
from tests.docs.docs_pages import PROJECT, blocks, inline_code, links, name, pages, read

SOURCE = PROJECT / "src" / "horoi"
ROOTS = (PROJECT, SOURCE, PROJECT / "docs", SOURCE / "ledger" / "consensus" / "nakamoto", SOURCE / "node" / "storage")
"""Where a path in a page may begin. A page about one folder names its files alone."""

IN_A_NODES_FOLDER = ("state/", "index/", "keys/")
"""What a node makes when it runs: not in the project."""

HEADING = re.compile(r"^#+ +(.*)$", re.MULTILINE)


def anchor(heading: str) -> str:
    """As GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


@pytest.mark.parametrize("page", pages(), ids=name)
def test_links_resolve(page: Path) -> None:
    for target in links(page):
        if target.startswith(("http://", "https://")):
            continue
        path, _, fragment = target.partition("#")
        linked = (page.parent / path).resolve() if path else page
        assert linked.exists(), f"{name(page)} links {target}"
        if fragment:
            assert fragment in [anchor(heading) for heading in HEADING.findall(read(linked))], f"{name(page)}: {target}"


def test_every_page_is_reached_from_the_readme() -> None:
    reached, waiting = set(), [PROJECT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in reached:
            continue
        reached.add(page)
        targets = [target.partition("#")[0] for target in links(page) if not target.startswith("http")]
        waiting += [(page.parent / target).resolve() for target in targets if target.endswith(".md")]
    assert set(pages()) <= reached


def paths_named(page: Path) -> list[str]:
    """Inline code that is a path: of a file with a suffix of ours, or of a folder."""
    found = []
    for code in inline_code(page):
        path = code.partition("::")[0]
        if re.fullmatch(r"[\w./-]+/[\w.-]*\.(py|md|toml|txt|json)|(src|tests|docs)/[\w./-]+|\w[\w./-]*/", path):
            found.append(path)
    return found


@pytest.mark.parametrize("page", pages(), ids=name)
def test_paths_exist(page: Path) -> None:
    for path in paths_named(page):
        if path not in IN_A_NODES_FOLDER:
            assert any((root / path).exists() for root in ROOTS), f"{name(page)} names {path}"


def test_the_words_of_the_lectures_have_a_path_each() -> None:
    text = read(PROJECT / "README.md")
    tables = text[text.index("## The words of the lectures") : text.index("## Where to go next")]
    rows = [line for line in tables.splitlines() if line.startswith("| ") and not line.endswith("| Lives in |")]
    paths = re.findall(r"`((?:src|tests|docs)/[^`]+)`", tables)
    assert len(rows) > 40
    assert len(paths) > 50
    assert all((PROJECT / path).exists() for path in paths)


@pytest.mark.parametrize("page", pages(), ids=name)
def test_names_of_modules_and_tests_exist(page: Path) -> None:
    for code in inline_code(page):
        if re.fullmatch(r"horoi(\.\w+)+", code) and not code.endswith(".toml"):
            assert resolves(code), f"{name(page)} names {code}"
        path, _, function = code.partition("::")
        if function:
            functions = [n.name for n in ast.walk(ast.parse((PROJECT / path).read_text())) if hasattr(n, "name")]
            assert function in functions, f"{name(page)} names {code}"


def resolves(dotted: str) -> bool:
    """True for a module, and for what is in one."""
    try:
        importlib.import_module(dotted)
    except ModuleNotFoundError:
        module, _, attribute = dotted.rpartition(".")
        try:
            return hasattr(importlib.import_module(module), attribute)
        except ModuleNotFoundError:
            return False
    return True


@pytest.mark.parametrize("page", pages(), ids=name)
def test_python_examples_are_true(page: Path) -> None:
    """Blocks of one page share their names, as a reader would type them. Those of sessions run there."""
    names: dict[str, object] = {}
    for block in blocks(page):
        if block.language != "python" or block.session is not None:
            continue
        test = doctest.DocTestParser().get_doctest(block.text, names, block.where, str(page), block.line)
        assert test.examples, f"{block.where}: an example without >>>"
        said: list[str] = []
        failed = (
            doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(test, out=said.append, clear_globs=False).failed
        )
        assert failed == 0, "".join(said)
        names = test.globs


def test_examples_in_docstrings_are_true() -> None:
    examples = 0
    for path in sorted(SOURCE.rglob("*.py")):
        if ">>>" not in path.read_text(encoding="utf-8"):
            continue
        module = ".".join(path.relative_to(SOURCE.parent).with_suffix("").parts).removesuffix(".__init__")
        result = doctest.testmod(importlib.import_module(module))
        assert result.failed == 0, module
        examples += result.attempted
    assert examples > 10


def packages() -> list[str]:
    """The folders of the source that hold something."""
    return [path.name for path in SOURCE.iterdir() if any(path.rglob("*.py"))]


def test_the_map_of_the_rooms_is_that_of_the_folders() -> None:
    text = read(PROJECT / "README.md")
    section = text[text.index("## Map of the rooms") : text.index("## The words of the lectures")]
    told = re.findall(r"^    (\w+)/ ", section, re.MULTILINE)
    folders = packages()
    assert sorted(told) == sorted(folders)
    rooms = [path.name for path in (SOURCE / "lookup").iterdir() if (path / "machine.py").exists()]
    unnamed = [room for room in rooms if f"`{room}`" not in section]
    assert unnamed == [], "rooms of lookup that the README's map does not name"


def test_the_floors_of_the_architecture_are_those_of_the_folders() -> None:
    text = read(PROJECT / "docs" / "architecture.md")
    section = text[text.index("## Floors") : text.index("## The contract")]
    told = re.findall(r"[a-z]+", " ".join(re.findall(r"^    ([a-z, ]+?)  +\S", section, re.MULTILINE)))
    folders = packages()
    assert sorted(told) == sorted(folders)


def test_the_first_screen_is_of_the_story_that_ships() -> None:
    story = tomllib.loads((SOURCE / "node" / "story" / "petroleum.toml").read_text(encoding="utf-8"))
    text = read(PROJECT / "README.md")
    screen = text[text.index("## The first screen") : text.index("## By hand")]
    assert story["title"] in screen
    for company in story["companies"]:
        assert company["name"] in screen
    for step in story["steps"]:
        assert step["post"] in screen
    rows = re.findall(r"(\d+) +([0-9a-f]{12}) +([0-9a-f]{8}) ", screen)
    assert len(rows) == len(story["companies"])
    assert len(set(rows)) == 1, "one book"


def test_decisions_are_listed() -> None:
    folder = PROJECT / "docs" / "decisions"
    listed = re.findall(r"\]\(([\w-]+)\.md\)", read(folder / "README.md"))
    assert sorted(listed) == sorted(path.stem for path in folder.glob("*.md") if path.stem != "README")


def test_nothing_leaks_from_where_it_was_made() -> None:
    elsewhere = re.compile(
        r"registry\.|index-url|(?<![\w.])/(root|tmp)/",
        re.IGNORECASE,
    )
    for page in pages():
        found = elsewhere.search(read(page))
        assert found is None, f"{name(page)}: {found}"
