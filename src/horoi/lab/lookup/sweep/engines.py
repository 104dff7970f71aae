"""Where the runs of a sweep run: on the cores of this machine, or on the machines of a Ray or Dask cluster.

An engine is handed jobs and yields them with their figures as they are done, in any order. Both clusters are optional; each is
there for whoever has one already, and starts one on this machine where no address is given.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict
from multiprocessing import get_context
from typing import Any

from horoi.base.errors import HoroiError, NetworkError, UsageError
from horoi.lab.lookup.run import run
from horoi.lab.lookup.sweep.grid import Job

Done = tuple[Job, dict[str, Any]]
Engine = Callable[[Sequence[Job]], Iterator[Done]]

ENGINES = ("cores", "ray", "dask")
CONNECT_S = 30.0  # how long a cluster may take to answer, a guess


def execute(job: Job) -> dict[str, Any]:
    """One run, wherever it is."""
    return run(details=job.details, **asdict(job.settings))


def engine(name: str, *, cores: int | None = None, address: str | None = None) -> Engine:
    """The engine of this name. ``cores`` is how many runs at once, ``address`` that of a cluster that exists."""
    if name not in ENGINES:
        raise UsageError(f"a sweep runs on {', '.join(ENGINES)}, not on {name!r}")
    if cores is not None and cores < 1:
        raise UsageError(f"cores must be at least 1, not {cores}")
    if name == "cores" and address is not None:
        raise UsageError("an address is that of a cluster; say --on ray or --on dask with it")
    count = cores or os.cpu_count() or 1
    if name == "ray":
        _need("ray", "ray")
        return lambda jobs: on_ray(jobs, count, address)
    if name == "dask":
        _need("distributed", "dask")
        return lambda jobs: on_dask(jobs, count, address)
    return lambda jobs: on_cores(jobs, count)


def _need(module: str, extra: str) -> None:
    from importlib.util import find_spec

    if find_spec(module) is None:
        raise UsageError(f"--on {extra} needs {extra}, which is not installed here: pip install 'horoi[{extra}]'")


def on_cores(jobs: Sequence[Job], count: int) -> Iterator[Done]:
    """One process for each core; in this one where that is enough."""
    if min(count, len(jobs)) <= 1:
        for job in jobs:
            yield job, execute(job)
        return
    # spawned, not forked: a child begins with a clean memory, so what it measures of it is its own
    pool = ProcessPoolExecutor(min(count, len(jobs)), mp_context=get_context("spawn"))
    try:
        futures = {pool.submit(execute, job): job for job in jobs}
        for future in as_completed(futures):
            yield futures[future], future.result()
    except BrokenProcessPool as error:
        raise HoroiError(
            "a process was ended from outside, most likely for want of memory; what is done is kept: go on with fewer --cores"
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


def on_ray(jobs: Sequence[Job], count: int, address: str | None) -> Iterator[Done]:
    """Tasks of a Ray cluster; ``address`` as ``ray.init`` takes it ("auto", "ray://host:10001")."""
    import ray

    try:
        ray.init(
            address=address,
            num_cpus=None if address else count,
            include_dashboard=None if address else False,
            log_to_driver=False,
            logging_level="error",
            configure_logging=False,
        )
    except (ConnectionError, RuntimeError, ValueError) as error:
        raise NetworkError(f"no Ray cluster at {address or 'this machine'}: {error}") from error
    try:
        task = ray.remote(num_cpus=1, max_retries=3)(execute)
        waiting = {task.remote(job): job for job in jobs}
        while waiting:
            (ready,), _ = ray.wait(list(waiting), num_returns=1)
            yield waiting.pop(ready), ray.get(ready)
    finally:
        ray.shutdown()


def on_dask(jobs: Sequence[Job], count: int, address: str | None) -> Iterator[Done]:
    """Tasks of a Dask cluster; ``address`` is that of its scheduler ("tcp://host:8786")."""
    from distributed import Client, LocalCluster
    from distributed import as_completed as as_finished

    cluster = None
    if address is None:
        cluster = LocalCluster(  # type: ignore[no-untyped-call]
            n_workers=min(count, len(jobs)), threads_per_worker=1, dashboard_address=None, host="127.0.0.1"
        )
    try:
        client = Client(cluster or address, timeout=CONNECT_S)  # type: ignore[no-untyped-call]
    except (OSError, ValueError) as error:
        raise NetworkError(f"no Dask scheduler at {address}: {error}") from error
    try:
        futures = {client.submit(execute, job, pure=False): job for job in jobs}
        for future in as_finished(futures):  # type: ignore[no-untyped-call]
            yield futures[future], future.result()
    finally:
        client.close()  # type: ignore[no-untyped-call]
        if cluster is not None:
            cluster.close()
