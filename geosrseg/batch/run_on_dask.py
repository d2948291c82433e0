"""Runs the tasks of a work file on a Dask cluster.

Only tasks and results go over the network, never arrays. Workers may join late and die at any time;
Dask gives their tasks to others, which resume or start again.
"""

from collections.abc import Sequence
from functools import partial
from importlib import import_module
from itertools import islice
from typing import Any

from geosrseg.batch.run_task import FAILED, TaskResult, result_of, run_task
from geosrseg.batch.run_work import OnResult, died
from geosrseg.batch.work import Task
from geosrseg.errors import WorkError
from geosrseg.extras import extra
from geosrseg.runtime.devices.devices import find_device

MOST = 500
"""Most tasks submitted to the scheduler at a time."""

DEATHS = 3
"""Workers that may die with a task before the task fails."""


def run_on_dask(
    tasks: Sequence[Task],
    address: str,
    *,
    overwrite: bool = False,
    threads: int | None = None,
    patience: float = 20.0,
    on_result: OnResult = lambda _: None,
) -> list[TaskResult]:
    """Run all tasks on the workers of a Dask scheduler.

    Tasks for a GPU ask for the resource ``GPU=1``; start such workers with
    ``--resources GPU=1 --nthreads 1``. Every worker needs geosrseg, and the model and scenes
    under the same names.

    Args:
        address: ``tcp://HOST:8786``.
        overwrite: replace maps of other tasks.
        threads: CPU threads per task.
        patience: seconds to wait for the scheduler.
        on_result: called when a task ends.

    Raises:
        WorkError: no scheduler answers at the address.
        MissingExtraError: the extra ``dask`` is not installed.
    """
    with extra("dask"):
        distributed: Any = import_module("distributed")
    try:
        client = distributed.Client(address, timeout=patience)
    except (OSError, ValueError, TimeoutError) as error:
        raise WorkError(f"{address}: no Dask scheduler answers there ({error})") from error
    run = partial(run_task, overwrite=overwrite, threads=threads)
    by_key = {f"geosrseg-{task.id}": task for task in tasks}

    def submit(keys: list[str]) -> list[Any]:
        """Submit with one call per kind of worker; one per task would be much slower."""
        on_gpu = {key: find_device(by_key[key].device).gpu for key in keys}
        futures: list[Any] = []
        for gpu in set(on_gpu.values()):
            own = [key for key in keys if on_gpu[key] == gpu]
            futures += client.map(
                run, [by_key[key] for key in own], key=own, retries=0, pure=False,
                resources={"GPU": 1} if gpu else None,
            )  # fmt: skip
        return futures

    results: list[TaskResult] = []
    with client:
        keys = iter(by_key)
        running = distributed.as_completed(
            submit(list(islice(keys, MOST))), with_results=True, raise_errors=False
        )
        for ended in running.batches():
            for future, found in ended:
                results.append(_result(future.status, found, by_key[future.key]))
                on_result(results[-1])
                future.release()
            if more := list(islice(keys, len(ended))):
                running.update(submit(more))
    return results


def _result(status: str, found: Any, task: Task) -> TaskResult:
    """Convert what Dask returns: a result, or on failure a tuple of type, error and trace."""
    if status == "finished":
        result: TaskResult = found
        return result
    error = found[1] if isinstance(found, tuple) else found
    if type(error).__name__ == "KilledWorker":
        return died(task, DEATHS)
    lines = str(error).splitlines() or [type(error).__name__]
    return result_of(task, FAILED, lines[0])
