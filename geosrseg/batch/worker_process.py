"""A local worker process that runs tasks one by one; if a task kills it, the others continue."""

import os
import signal
import sys
import threading
from concurrent.futures import Future, ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection, wait
from types import FrameType

from geosrseg.apart import without_current_folder
from geosrseg.batch.run_task import TaskResult, run_task
from geosrseg.batch.work import Task

GRACE = 10.0
"""Seconds that a stopped task gets to clean up."""


class WorkerProcess:
    """A pool of one process; if it dies, the task that it was running has failed."""

    def __init__(self, *, overwrite: bool, threads: int | None) -> None:
        self._run = partial(run_task, overwrite=overwrite, threads=threads)
        self._start()

    def submit(self, task: Task) -> Future[TaskResult]:
        """Start a task; the process must be idle."""
        with without_current_folder():  # the first task starts the process
            return self._pool.submit(self._run, task)

    def restart(self) -> None:
        """Replace a dead process."""
        self.close()
        self._start()

    def close(self) -> None:
        """Stop the process and its running task."""
        self._line.close()
        self._pool.shutdown(cancel_futures=True)

    def _start(self) -> None:
        context = get_context("spawn")
        end, self._line = context.Pipe(duplex=False)
        with without_current_folder():
            self._pool = ProcessPoolExecutor(
                1, mp_context=context, initializer=_obey, initargs=(end,)
            )
        # Keep this end open: the process starts, and receives it, only with the first task.
        self._end = end


def _obey(line: Connection) -> None:
    """Stop when the parent closes the line or dies. Only the parent handles Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _leave)
    threading.Thread(target=_watch, args=(line,), daemon=True).start()


def _leave(number: int, _frame: FrameType | None) -> None:
    sys.exit(128 + number)


def _watch(line: Connection) -> None:
    parent = parent_process()
    wait([line] if parent is None else [line, parent.sentinel])
    signal.raise_signal(
        signal.SIGTERM
    )  # the main thread handles it between two bytecode instructions
    threading.Event().wait(GRACE)
    os._exit(128 + signal.SIGTERM)
