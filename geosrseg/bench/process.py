"""Processes that are measured: each loads one thing and runs it when told to.

A process for each makes its peak memory its own, and keeps the threads of one runtime out of
another's way. It stays while the others run, so that all can be run in turn.
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
"""Seconds for which something is run over and over, so that the clock is fine enough."""

Run = Callable[[], object]

_loaded: list[Run] = []
"""What this process runs, once `_load` was called in it."""


class MeasuredProcess:
    """A process that loads something and runs it once, to have done what is only done once.

    Args:
        name: of what is loaded, for messages.
        load: ``module:function``, which returns the function to run; it is named, not passed,
            so that only the process itself imports what it needs.
        arguments: of the function.

    Raises:
        GeosrsegError: what loading or running raises.
        DeviceMemoryError: the process was ended, as happens where memory runs out.
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
        """Run it, several times if that is quick, and say what one run took."""
        return self._call(_seconds)

    def peak_bytes(self) -> int | None:
        """The most memory that the process has held so far; None where nothing tells it."""
        return self._call(_peak_bytes)

    def close(self) -> None:
        """End the process."""
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
                f"{self._name}: its process was ended, probably for want of memory: try --quick"
            ) from error


def run_apart(name: str, function: str, *arguments: Any) -> None:
    """Call ``module:function`` once in its own process; see `MeasuredProcess`."""
    with MeasuredProcess(name, f"{__name__}:_once", function, arguments):
        pass


def peak_bytes(maximum: int) -> int:
    """What the operating system calls ``ru_maxrss``, in bytes."""
    return maximum if sys.platform == "darwin" else 1024 * maximum


def _once(function: str, arguments: tuple[Any, ...]) -> Run:
    return lambda: resolve_name(function)(*arguments)


def _load(load: str, arguments: tuple[Any, ...]) -> None:
    _loaded[:] = [resolve_name(load)(*arguments)]
    _loaded[0]()


def _seconds() -> float:
    runs, begin = 0, time.perf_counter()
    while True:
        _loaded[0]()
        runs += 1
        elapsed = time.perf_counter() - begin
        if elapsed >= SHORTEST:
            return elapsed / runs


def _peak_bytes() -> int | None:
    if find_spec("resource") is None:  # not POSIX
        return None
    resource = resolve_name("resource")
    return peak_bytes(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
