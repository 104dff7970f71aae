"""The shape of the house, enforced: floors, rooms, purity, and no file that nobody uses.

    cli  >  web, lab  >  node  >  rooms (ledger, lookup, search, swarm, talk, work)  >  world  >  machine  >  base

An import goes down only. Packages of one floor never import each other. Machines and rooms import nothing that touches
the world outside: no socket, clock, dice, thread or file.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src"

FLOORS = {
    "base": 0,
    "machine": 1,
    "world": 2,
    "ledger": 3,
    "epcis": 3,
    "lookup": 3,
    "search": 3,
    "swarm": 3,
    "talk": 3,
    "work": 3,
    "node": 4,
    "web": 5,
    "client": 6,  # speaks the web's records over HTTP, and nothing else of it
    "lab": 7,  # measures whole nodes from outside, through the client
    "cli": 8,
}
FLATS = ("lookup", "search", "world")
"""Packages whose own packages are rooms too (chord and kademlia, live and sim): those never import each other."""

SHARED = "common"
"""In a flat, the package of what its rooms share: no room itself."""

PURE = ("machine", "ledger", "epcis", "lookup", "search", "swarm", "talk", "work")
IMPURE_MODULES = {
    "_thread", "asyncio", "concurrent", "datetime", "fcntl", "glob", "http", "io", "lmdb", "mmap", "multiprocessing", "os",
    "pathlib", "plyvel", "queue", "random", "sched", "secrets", "select", "selectors", "shutil", "signal", "socket",
    "socketserver", "sqlite3", "ssl", "subprocess", "tempfile", "threading", "time", "uuid", "uvloop",
}  # fmt: skip
IMPURE_BUILTINS = {"open", "input", "breakpoint"}

ENTRIES = {"horoi", "horoi.cli.main"}  # what pyproject.toml and the interpreter start


def module_name(path: Path, base: Path) -> str:
    parts = path.relative_to(base).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def source_modules() -> dict[str, Path]:
    return {module_name(path, SOURCE): path for path in sorted(SOURCE.rglob("*.py"))}


def type_checking_nodes(tree: ast.AST) -> set[int]:
    """Ids of all nodes that only a type checker runs."""
    found: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING"):
            found.update(id(inner) for statement in node.body for inner in ast.walk(statement))
    return found


def imports(tree: ast.AST, module: str, *, is_package: bool) -> Iterator[tuple[ast.stmt, str, str]]:
    """(statement, imported module, imported name or '') of every import, also the lazy ones inside functions."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node, alias.name, ""
        elif isinstance(node, ast.ImportFrom):
            target = node.module or ""
            if node.level:
                home = module.split(".") if is_package else module.split(".")[:-1]
                home = home[: len(home) - (node.level - 1)]
                target = ".".join([*home, *([node.module] if node.module else [])])
            for alias in node.names:
                yield node, target, alias.name


def package_of(module: str) -> str:
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else ""


def flat_of(module: str) -> str:
    """The room inside a package of rooms: 'chord' for horoi.lookup.chord.machine, '' for horoi.lookup.keys."""
    parts = module.split(".")
    if len(parts) < 3 or parts[1] not in FLATS or parts[2] == SHARED:
        return ""
    return parts[2] if (SOURCE / Path(*parts[:3])).is_dir() else ""


def floor_problems(module: str, text: str, *, is_package: bool = False) -> list[str]:
    here = package_of(module)
    if not here:
        return []
    if here not in FLOORS:
        return [f"{module}: package {here!r} stands on no floor; add it to FLOORS here and to the design"]
    problems = []
    for node, target, name in imports(ast.parse(text), module, is_package=is_package):
        if target.split(".")[0] != "horoi":
            continue
        full = f"{target}.{name}" if target in ("horoi", *(f"horoi.{flat}" for flat in FLATS)) else target
        there = package_of(full)
        where = f"{module}:{node.lineno} imports {full}"
        if there and there != here and there in FLOORS:
            if FLOORS[there] > FLOORS[here]:
                problems.append(f"{where}: an import goes down only, and {there} is above {here}")
            elif FLOORS[there] == FLOORS[here]:
                problems.append(f"{where}: {there} and {here} are on one floor and never import each other")
        elif there == here and flat_of(module) and flat_of(full) and flat_of(full) != flat_of(module):
            problems.append(f"{where}: rooms of {here} never import each other; move what they share to horoi.{here}")
    return problems


def annotations(tree: ast.AST) -> Iterator[ast.expr]:
    for node in ast.walk(tree):
        if isinstance(node, ast.arg | ast.AnnAssign) and node.annotation is not None:
            yield node.annotation
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.returns is not None:
            yield node.returns


def is_only_a_type(tree: ast.AST, name: str) -> bool:
    """True if a name is used in annotations only."""
    typed = {id(node) for annotation in annotations(tree) for node in ast.walk(annotation)}
    return all(id(node) in typed for node in ast.walk(tree) if isinstance(node, ast.Name) and node.id == name)


def purity_problems(module: str, text: str, *, is_package: bool = False) -> list[str]:
    if package_of(module) not in PURE:
        return []
    tree = ast.parse(text)
    unreal = type_checking_nodes(tree)
    problems = []
    for node, target, name in imports(tree, module, is_package=is_package):
        top = target.split(".")[0]
        if top not in IMPURE_MODULES or id(node) in unreal:
            continue
        if target == "random" and is_only_a_type(tree, name or "random"):
            continue
        problems.append(f"{module}:{node.lineno} imports {target}: a room is handed time, dice and disk by its world")
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)]
    problems += [
        f"{module}:{call.lineno} calls {call.func.id}(): a room has no files and no terminal"
        for call in calls
        if isinstance(call.func, ast.Name) and call.func.id in IMPURE_BUILTINS
    ]
    return problems


def references(text: str, module: str, *, is_package: bool) -> set[str]:
    """Modules that a file imports, or (in the source) names in a string, 'horoi.a.b:thing', as lazy commands do."""
    tree = ast.parse(text)
    found: set[str] = set()
    for _, target, name in imports(tree, module, is_package=is_package):
        found.update({target, f"{target}.{name}"})
    for node in ast.walk(tree) if module else ():
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.startswith("horoi."):
            found.add(node.value.partition(":")[0])
    return found


def dead_modules(sources: dict[str, Path], others: list[Path]) -> list[str]:
    used = set(ENTRIES)
    for module, path in sources.items():
        used |= references(path.read_text(), module, is_package=path.name == "__init__.py") - {module}
    for path in others:
        used |= references(path.read_text(), "", is_package=True)
    alive = {module for module in sources if module in used or module.endswith(".__main__")}
    packages = {module for module, path in sources.items() if path.name == "__init__.py"}
    return [
        module
        for module in sources
        if module not in alive and not (module in packages and any(a.startswith(f"{module}.") for a in alive))
    ]


def test_imports_go_down_and_rooms_do_not_know_each_other() -> None:
    problems = [
        problem
        for module, path in source_modules().items()
        for problem in floor_problems(module, path.read_text(), is_package=path.name == "__init__.py")
    ]
    assert not problems, "\n" + "\n".join(problems)


def test_machines_and_rooms_are_pure() -> None:
    problems = [
        problem
        for module, path in source_modules().items()
        for problem in purity_problems(module, path.read_text(), is_package=path.name == "__init__.py")
    ]
    assert not problems, "\n" + "\n".join(problems)


def test_no_module_is_dead() -> None:
    others = [path for folder in ("tests", "examples", "benchmarks") for path in sorted((ROOT / folder).rglob("*.py"))]
    dead = dead_modules(source_modules(), others)
    assert not dead, "nobody imports these; use them, test them or remove them:\n" + "\n".join(dead)


def test_every_package_says_what_it_is() -> None:
    silent = [module for module, path in source_modules().items() if not ast.get_docstring(ast.parse(path.read_text()))]
    assert not silent, "these modules have no docstring; say what they are:\n" + "\n".join(silent)


# The rules themselves


@pytest.mark.parametrize(
    ("module", "text", "why"),
    [
        ("horoi.machine.x", "import horoi.world.sim.universe", "world is above machine"),
        ("horoi.machine.x", "from horoi import ledger", "ledger is above machine"),
        ("horoi.base.x", "def f():\n    from horoi.cli.main import main", "cli is above base"),
        ("horoi.ledger.x", "from horoi.swarm.y import z", "on one floor"),
        ("horoi.talk.x", "from horoi.work import y", "on one floor"),
        ("horoi.world.sim.x", "from horoi.world.live.runner import Runner", "rooms of world"),
        ("horoi.world.sim.x", "from horoi.world import live", "rooms of world"),
        ("horoi.world.sim.x", "from ..live import runner", "rooms of world"),
        ("horoi.attic.x", "", "no floor"),
    ],
)
def test_a_wrong_import_is_found(module: str, text: str, why: str) -> None:
    (problem,) = floor_problems(module, text)
    assert why in problem
    assert problem.startswith(module)


@pytest.mark.parametrize(
    ("module", "text"),
    [
        ("horoi.cli.x", "from horoi.web.app import app\nfrom horoi.base import codec"),
        ("horoi.world.sim.x", "from horoi.world.names import check_name\nfrom . import links"),
        ("horoi.ledger.a", "from horoi.ledger.consensus.b import c\nimport socket"),
    ],
)
def test_a_right_import_is_left_alone(module: str, text: str) -> None:
    assert floor_problems(module, text) == []


@pytest.mark.parametrize(
    "text",
    [
        "import socket",
        "from os import path",
        "import os.path",
        "def f():\n    import time",
        "import random\ndice = random.Random()",
        "from random import Random\ndef f(dice: Random = Random()): ...",
        "from concurrent.futures import Future",
        "data = open('x')",
    ],
)
def test_impurity_is_found(text: str) -> None:
    assert len(purity_problems("horoi.lookup.chord.machine", text)) == 1
    assert purity_problems("horoi.world.live.runner", text) == []


@pytest.mark.parametrize(
    "text",
    [
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import socket\n    from random import Random",
        "import random\nclass A:\n    dice: random.Random\n    def f(self, d: random.Random) -> random.Random: ...",
        "from random import Random\ndef f(dice: Random) -> None: ...",
        "import hashlib\nimport heapq\nfile = disk.open('x')",
    ],
)
def test_what_is_pure_is_left_alone(text: str) -> None:
    assert purity_problems("horoi.machine.x", text) == []


def test_dead_files_are_found(tmp_path: Path) -> None:
    files = {
        "horoi.room": "",
        "horoi.room.used": "from .inner import thing\nLAZY = 'horoi.room.lazy:command'",
        "horoi.room.inner": "import horoi.room.inner",  # its own import does not count
        "horoi.room.lazy": "",
        "horoi.room.dead": "import horoi.room.dead",
        "horoi.empty": "",
    }
    paths = {}
    for module, text in files.items():
        paths[module] = tmp_path / ("__init__.py" if module in ("horoi.room", "horoi.empty") else f"{module}.py")
        if paths[module].name == "__init__.py":
            paths[module] = tmp_path / module / "__init__.py"
            paths[module].parent.mkdir()
        paths[module].write_text(text)
    test = tmp_path / "test_x.py"
    test.write_text("from horoi.room import used\nTEXT = 'horoi.room.dead'")
    assert dead_modules(paths, [test]) == ["horoi.room.dead", "horoi.empty"]
