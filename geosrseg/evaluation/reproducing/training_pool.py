"""Runs several trainings in parallel processes on one device.

A small network leaves a GPU idle most of the time, so several trainings take little longer than
one.
"""

import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from multiprocessing import get_context
from multiprocessing.process import BaseProcess

import psutil
import torch

from geosrseg.apart import without_current_folder

Task = Callable[[], None]


def run_tasks(tasks: Sequence[Task], *, jobs: int) -> Iterator[int]:
    """Run tasks, and yield the index of each when it is done.

    If a task raises an exception, running tasks are stopped and the others do not start.

    Args:
        tasks: picklable functions; with one job they run in this process, one by one.
        jobs: tasks run in parallel.
    """
    if jobs == 1 or len(tasks) < 2:
        for index, task in enumerate(tasks):
            task()
            yield index
        return
    threads = max((psutil.cpu_count(logical=False) or 1) // jobs, 1)
    with without_current_folder():
        pool = ProcessPoolExecutor(
            min(jobs, len(tasks)),
            mp_context=get_context("spawn"),
            initializer=_begin,
            initargs=(threads,),
        )
    try:
        with without_current_folder():
            running = {pool.submit(task): index for index, task in enumerate(tasks)}
        yield from _as_done(running)
    except BaseException:
        _end(list((pool._processes or {}).values()))
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def _as_done(running: dict[Future[None], int]) -> Iterator[int]:
    while running:
        done, _ = wait(running, return_when=FIRST_COMPLETED)
        for future in done:
            future.result()
            yield running.pop(future)


def _begin(threads: int) -> None:
    """Set up a process: the parent handles Ctrl-C, and processes share the cores."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    torch.set_num_threads(threads)


def _end(processes: list[BaseProcess]) -> None:
    """Stop processes and their children; a training can resume from its checkpoint."""
    for process in processes:
        if process.pid is None or not psutil.pid_exists(process.pid):
            continue
        children = psutil.Process(process.pid).children(recursive=True)
        process.terminate()
        for child in children:
            child.terminate()
