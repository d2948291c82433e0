"""Working off a work file on this machine."""

import os
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import (
    FIRST_COMPLETED,
    Future,
    ProcessPoolExecutor,
    ThreadPoolExecutor,
    wait,
)
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from multiprocessing import get_context

from geosrseg.batch.run_task import FAILED, TaskResult, run_task
from geosrseg.batch.work import Task
from geosrseg.errors import WorkError
from geosrseg.mapping.prediction import OnProgress

OnResult = Callable[[TaskResult], None]

DEATHS = 3
"""How often a task may be running when a worker dies before it is blamed."""


def choose_tasks(
    tasks: Sequence[Task], *, number: int | None = None, shard: tuple[int, int] | None = None
) -> list[Task]:
    """The tasks that this call is to run.

    Args:
        tasks: of the work file.
        number: one task, from 0, as job arrays count.
        shard: (i, k): every k-th task from the i-th on, i from 1 to k.

    Raises:
        WorkError: there is no such task or shard.
    """
    if number is not None:
        if not 0 <= number < len(tasks):
            raise WorkError(f"there is no task {number}: they are 0 to {len(tasks) - 1}")
        return [tasks[number]]
    if shard is None:
        return list(tasks)
    part, parts = shard
    if not 1 <= part <= parts:
        raise WorkError(f"there is no shard {part}/{parts}: expected 1/{parts} to {parts}/{parts}")
    return list(tasks[part - 1 :: parts])


def run_work(
    tasks: Sequence[Task],
    *,
    jobs: int = 1,
    overwrite: bool = False,
    threads: int | None = None,
    on_result: OnResult = lambda _: None,
    on_progress: OnProgress = lambda _: None,
) -> list[TaskResult]:
    """Make the maps of all tasks that are not there yet.

    A task that fails stops no other. Stopped and run again, it skips what is done and resumes
    what was begun.

    Args:
        tasks: what to make.
        jobs: processes. With one, a scene is read and run while the last one is written.
        overwrite: replace maps of other tasks.
        threads: CPU threads per process; an equal share of the cores by default.
        on_result: called in this process for each task that has ended.
        on_progress: called for each window, with one job only.

    Returns:
        In the order in which they ended.
    """
    results: list[TaskResult] = []
    if jobs == 1:
        ended = _in_threads(tasks, overwrite, threads, on_progress)
    else:
        share = threads or max((os.cpu_count() or 1) // jobs, 1)
        ended = _in_processes(tasks, jobs, partial(run_task, overwrite=overwrite, threads=share))
    for result in ended:
        results.append(result)
        on_result(result)
    return results


def _in_threads(
    tasks: Sequence[Task], overwrite: bool, threads: int | None, on_progress: OnProgress
) -> Iterator[TaskResult]:
    """Two at once, of which one has the network and the other one writes."""
    turn = threading.Lock()
    run = partial(
        run_task, overwrite=overwrite, threads=threads, on_progress=on_progress, turn=turn
    )
    with ThreadPoolExecutor(2, thread_name_prefix="task") as pool:
        yield from _bounded(tasks, lambda task: pool.submit(run, task), most=2)


def _bounded(
    tasks: Iterable[Task], submit: Callable[[Task], Future[TaskResult]], *, most: int
) -> Iterator[TaskResult]:
    """Results as they come; only so many tasks are given away at a time."""
    waiting: set[Future[TaskResult]] = set()
    try:
        for task in tasks:
            waiting.add(submit(task))
            if len(waiting) >= most:
                done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                yield from (future.result() for future in done)
        while waiting:
            done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            yield from (future.result() for future in done)
    finally:
        for future in waiting:
            future.cancel()


def _in_processes(
    tasks: Sequence[Task], jobs: int, run: Callable[[Task], TaskResult]
) -> Iterator[TaskResult]:
    """A process that dies takes its pool with it: a new one goes on with what is left."""
    left = {task.id: task for task in tasks}
    deaths: dict[str, int] = {}
    while left:
        begun: list[Task] = []
        try:
            with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:

                def submit(
                    task: Task, pool: ProcessPoolExecutor = pool, begun: list[Task] = begun
                ) -> Future[TaskResult]:
                    begun.append(task)
                    return pool.submit(run, task)

                for result in _bounded(list(left.values()), submit, most=jobs):
                    del left[result.id]
                    yield result
        except BrokenProcessPool:
            for task in [task for task in begun if task.id in left]:
                deaths[task.id] = deaths.get(task.id, 0) + 1
                if deaths[task.id] >= DEATHS:
                    del left[task.id]
                    yield died(task, deaths[task.id])


def died(task: Task, attempts: int) -> TaskResult:
    """The result of a task whose worker died each time."""
    return TaskResult(
        id=task.id,
        scene=task.scene,
        output=task.output,
        state=FAILED,
        error=f"its worker died {attempts} times: is there enough memory?",
        attempts=attempts,
    )
