"""A comparison from beginning to end: run, draw, write the page."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from horoi.base.errors import StorageError, UsageError
from horoi.lab.lookup.compare.figures import figures
from horoi.lab.lookup.compare.page import page
from horoi.lab.lookup.compare.plan import Plan
from horoi.lab.lookup.compare.table import markdown
from horoi.lab.lookup.sweep.engines import Engine
from horoi.lab.lookup.sweep.results import Results
from horoi.lab.lookup.sweep.sweep import Progress, finish

RUNS = "runs.jsonl"


def compare(plan: Plan, folder: Path, engine: Engine, progress: Progress | None = None) -> dict[str, Any]:
    """Run what is not in the folder yet, write everything there, and return the numbers.

    In the folder: ``index.html`` (the page), ``table.md``, ``compare.json`` (the numbers), the pictures as SVG and PNG, and every
    run in ``runs.jsonl``, from which a comparison that was stopped goes on.
    """
    if find_spec("matplotlib") is None:
        raise UsageError("the pictures need matplotlib, which is not installed here: pip install 'horoi[plots]'")
    with Results(folder / RUNS) as results:
        finish(plan.jobs(), results, engine, progress)
        found = figures(plan, results)
    from horoi.lab.lookup.compare.plots import draw

    try:
        (folder / "compare.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
        (folder / "table.md").write_text(markdown(found), encoding="utf-8")
        pictures = {name: folder / f"{name}.svg" for name in draw(found, folder)}
        (folder / "index.html").write_text(page(found, pictures), encoding="utf-8")
    except OSError as error:
        raise StorageError(f"{folder}: {error.strerror or error}; the runs are kept in {RUNS}") from error
    return found
