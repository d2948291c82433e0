"""Runs the tasks of a work file on this machine."""

import os
import threading
from collections import Counter, deque
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing
from dataclasses import replace
from itertools import islice

from geosrseg.batch.run_task import FAILED, TaskResult, result_of, run_task
from geosrseg.batch.work import Task
from geosrseg.batch.worker_process import WorkerProcess
from geosrseg.errors import WorkError
from geosrseg.mapping.prediction import Progress

OnResult = Callable[[TaskResult], None]

OnTaskProgress = Callable[[Task, Progress], None]

DEATHS = 3
"""Worker deaths after which a task has failed."""


def choose_tasks(
    tasks: Sequence[Task], *, number: int | None = None, shard: tuple[int, int] | None = None
) -> list[Task]:
    """Choose the tasks for this call.

    Args:
        number: index of a single task, from 0, as in job arrays.
        shard: (i, k): every k-th task starting with the i-th, i from 1 to k.

    Raises:
        WorkError: the task or shard does not exist.
    """
    if number is not None:
        if not 0 <= number < len(tasks):
            raise WorkError(f"there is no task {number}: expected 0 to {len(tasks) - 1}")
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
    on_progress: OnTaskProgress = lambda *_: None,
) -> list[TaskResult]:
    """Make the missing maps of all tasks.

    A failed task does not stop the others. A second call skips finished maps and resumes
    unfinished ones.

    Args:
        jobs: number of processes. With one, a scene is read and run while the previous map is
            written.
        overwrite: replace maps of other tasks.
        threads: CPU threads per process; an equal share of the cores by default.
        on_result: called in this process when a task ends.
        on_progress: called for each window, only if `jobs` is 1.

    Returns:
        Results in the order in which the tasks ended.
    """
    if jobs == 1:
        ended = _in_threads(tasks, overwrite, threads, on_progress)
    else:
        jobs = min(jobs, len(tasks))
        share = threads or max((os.cpu_count() or 1) // max(jobs, 1), 1)
        workers = [WorkerProcess(overwrite=overwrite, threads=share) for _ in range(jobs)]
        ended = _in_processes(tasks, workers)
    results: list[TaskResult] = []
    with closing(ended):
        for result in ended:
            results.append(result)
            on_result(result)
    return results


class _Stopped(BaseException):
    """Stops a running task; no handler of ordinary errors catches it."""


def _in_threads(
    tasks: Sequence[Task], overwrite: bool, threads: int | None, on_progress: OnTaskProgress
) -> Generator[TaskResult]:
    """Run two tasks at a time: one runs the network while the other one writes."""
    turn, stopped = threading.Lock(), threading.Event()

    def run(task: Task) -> TaskResult:
        def report(progress: Progress) -> None:
            if stopped.is_set():
                raise _Stopped
            on_progress(task, progress)

        return run_task(
            task, overwrite=overwrite, threads=threads, on_progress=report, turn=turn,
            pause=stopped.wait,
        )  # fmt: skip

    waiting, running = iter(tasks), set[Future[TaskResult]]()
    with ThreadPoolExecutor(2, thread_name_prefix="task") as pool:
        try:
            while running := running | {
                pool.submit(run, t) for t in islice(waiting, 2 - len(running))
            }:
                done, running = wait(running, return_when=FIRST_COMPLETED)
                yield from (future.result() for future in done)
        finally:
            stopped.set()


def _in_processes(tasks: Sequence[Task], workers: Sequence[WorkerProcess]) -> Generator[TaskResult]:
    """Run tasks in processes; replace a dead process and retry its task."""
    waiting, idle = deque(tasks), list(workers)
    deaths: Counter[str] = Counter()
    running: dict[Future[TaskResult], tuple[Task, WorkerProcess]] = {}
    try:
        while waiting or running:
            while waiting and idle:
                task, worker = waiting.popleft(), idle.pop()
                running[worker.submit(task)] = (task, worker)
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                task, worker = running.pop(future)
                idle.append(worker)
                try:
                    yield future.result()
                except BrokenProcessPool:
                    worker.restart()
                    deaths[task.id] += 1
                    if deaths[task.id] < DEATHS:
                        waiting.append(task)
                    else:
                        yield died(task, DEATHS)
    finally:
        for worker in workers:
            worker.close()


def died(task: Task, attempts: int) -> TaskResult:
    """Return the result of a task whose worker died at every attempt."""
    error = f"its worker died {attempts} times: is there enough memory?"
    return replace(result_of(task, FAILED, error), attempts=attempts)
