"""Measured processes: each loads one thing and runs it on request.

Separate processes separate peak memory and the threads of the runtimes. Each process stays alive
while the others run, so that all can run in turn.
"""

import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from importlib.util import find_spec
from multiprocessing import get_context
from pkgutil import resolve_name
from typing import Any, Self

from geosrseg.apart import without_current_folder
from geosrseg.errors import DeviceMemoryError

SHORTEST = 0.2
"""Seconds for which a short run is repeated, so that the clock is precise enough."""

Run = Callable[[], object]

_loaded: list[Run] = []
"""The function that this process runs, set by `_load`."""


class MeasuredProcess:
    """A process that loads a function and runs it once to warm up.

    Args:
        name: name used in messages.
        load: ``module:function`` that returns the function to run. A name, so that only the
            process itself imports the module.
        arguments: arguments of `load`.

    Raises:
        GeosrsegError: raised by loading or running.
        DeviceMemoryError: the process was killed, as happens when memory runs out.
    """

    def __init__(self, name: str, load: str, *arguments: Any) -> None:
        self._name = name
        with without_current_folder():
            self._pool = ProcessPoolExecutor(1, mp_context=get_context("spawn"))
        try:
            with without_current_folder():
                self._call(_load, load, arguments)
        except BaseException:
            self.close()
            raise

    def seconds(self) -> float:
        """Return the time of one run; short runs are repeated and averaged."""
        return self._call(_seconds)

    def peak_bytes(self) -> int | None:
        """Return the peak memory of the process so far; None if unknown."""
        return self._call(_peak_bytes)

    def close(self) -> None:
        """Stop the process."""
        self._pool.shutdown(cancel_futures=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        try:
            return self._pool.submit(function, *arguments).result()
        except BrokenProcessPool as error:
            raise DeviceMemoryError(
                f"{self._name}: its process was killed, probably for lack of memory: try --quick"
            ) from error


def run_apart(name: str, function: str, *arguments: Any) -> None:
    """Call ``module:function`` once in its own process; see `MeasuredProcess`."""
    with MeasuredProcess(name, f"{__name__}:_once", function, arguments):
        pass


def peak_bytes(maximum: int) -> int:
    """Convert ``ru_maxrss`` to bytes; macOS reports bytes, other systems KiB."""
    return maximum if sys.platform == "darwin" else 1024 * maximum


def _once(function: str, arguments: tuple[Any, ...]) -> Run:
    return lambda: resolve_name(function)(*arguments)


def _load(load: str, arguments: tuple[Any, ...]) -> None:
    _loaded[:] = [resolve_name(load)(*arguments)]
    _loaded[0]()


def _seconds() -> float:
    runs, start = 0, time.perf_counter()
    while True:
        _loaded[0]()
        runs += 1
        elapsed = time.perf_counter() - start
        if elapsed >= SHORTEST:
            return elapsed / runs


def _peak_bytes() -> int | None:
    if find_spec("resource") is None:  # not POSIX
        return None
    resource = resolve_name("resource")
    return peak_bytes(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
