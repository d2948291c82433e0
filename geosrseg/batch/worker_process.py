"""A process of this machine that runs one task after the other, and may die with one of them."""

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
"""Seconds that a task may take to leave things tidy when it is stopped."""


class WorkerProcess:
    """A pool of one process: its death is blamed on the task that it was running."""

    def __init__(self, *, overwrite: bool, threads: int | None) -> None:
        self._run = partial(run_task, overwrite=overwrite, threads=threads)
        self._start()

    def submit(self, task: Task) -> Future[TaskResult]:
        """Begin a task; the process has no other one."""
        with without_current_folder():  # the first one starts the process
            return self._pool.submit(self._run, task)

    def restart(self) -> None:
        """Replace the process, which has died."""
        self.close()
        self._start()

    def close(self) -> None:
        """End the process, and what it may be running."""
        self._line.close()
        self._pool.shutdown(cancel_futures=True)

    def _start(self) -> None:
        context = get_context("spawn")
        end, self._line = context.Pipe(duplex=False)
        with without_current_folder():
            self._pool = ProcessPoolExecutor(
                1, mp_context=context, initializer=_obey, initargs=(end,)
            )
        # The process starts with the first task, and must have the end of the line by then.
        self._end = end


def _obey(line: Connection) -> None:
    """Stop when the line is closed, by the parent or by its death; Ctrl-C is for the parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _leave)
    threading.Thread(target=_watch, args=(line,), daemon=True).start()


def _leave(number: int, _frame: FrameType | None) -> None:
    sys.exit(128 + number)


def _watch(line: Connection) -> None:
    parent = parent_process()
    wait([line] if parent is None else [line, parent.sentinel])
    signal.raise_signal(signal.SIGTERM)  # handled by the main thread, between two steps of Python
    threading.Event().wait(GRACE)
    os._exit(128 + signal.SIGTERM)
