"""Running: tracks runs in progress so that another thread can cancel them."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Running:
    """The runs in progress of one backend."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._stops: set[Callable[[], object]] = set()

    @contextmanager
    def until_done(self, stop: Callable[[], object]) -> Iterator[None]:
        """Track the run of this block; calling `stop` in another thread ends it."""
        with self._lock:
            self._stops.add(stop)
        try:
            yield
        finally:
            with self._lock:
                self._stops.discard(stop)

    def cancel(self) -> None:
        """Stop all runs in progress."""
        with self._lock:
            for stop in self._stops:
                stop()
