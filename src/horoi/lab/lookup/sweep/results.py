"""A file of results, one JSON object a line: ``{"settings": {...}, "details": false, "figures": {...}}``.

A line is written when its run is done and never changed, so a sweep that was stopped goes on where it was. A line that was cut
off by a crash is dropped; anything else that is not such a line is refused, for the file may be something else.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any

from horoi.base.errors import StorageError
from horoi.lab.lookup.overlay import Settings
from horoi.lab.lookup.sweep.grid import Job

Figures = dict[str, Any]


class Results:
    """Runs that are done, by job. With a path they are kept there; without one in memory."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._figures: dict[Job, Figures] = {}
        self._file = None
        if path is None:
            return
        try:
            if path.exists():
                self._read(path)
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("a", encoding="utf-8")
        except OSError as error:
            raise StorageError(f"{path}: {error.strerror or error}; name a file that can be written") from error

    def __enter__(self) -> Results:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()

    def __contains__(self, job: Job) -> bool:
        return job in self._figures

    def __getitem__(self, job: Job) -> Figures:
        return self._figures[job]

    def add(self, job: Job, figures: Figures) -> None:
        """Keep what a run found, on disk at once."""
        record = {"settings": asdict(job.settings), "details": job.details, "figures": figures}
        if self._file is not None:
            try:
                self._file.write(json.dumps(record, separators=(",", ":")) + "\n")
                self._file.flush()
            except OSError as error:
                raise StorageError(f"{self._path}: {error.strerror or error}; what was done before is kept") from error
        self._figures[job] = figures

    def missing(self, jobs: Iterable[Job]) -> list[Job]:
        """Those of the jobs that are not done."""
        return [job for job in jobs if job not in self._figures]

    def _read(self, path: Path) -> None:
        data = path.read_bytes()
        whole = data.rfind(b"\n") + 1
        for number, line in enumerate(data[:whole].splitlines(), 1):
            try:
                record = json.loads(line)
                job = Job(Settings(**record["settings"]), record["details"])
                self._figures[job] = dict(record["figures"])
            except (ValueError, TypeError, KeyError) as error:
                raise StorageError(
                    f"{path}, line {number} is not the result of a run ({error}); name another file, or move this one away"
                ) from error
        if whole < len(data):  # only now, for a file that is none of ours is left as it is
            with path.open("r+b") as file:
                file.truncate(whole)
