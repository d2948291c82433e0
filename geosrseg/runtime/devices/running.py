"""Running: the runs that a runtime is at, so that another thread can end them."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Running:
    """Runs that have begun and not ended."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._stops: set[Callable[[], object]] = set()

    @contextmanager
    def until_done(self, stop: Callable[[], object]) -> Iterator[None]:
        """Count what the block runs as running; `stop` ends it from another thread."""
        with self._lock:
            self._stops.add(stop)
        try:
            yield
        finally:
            with self._lock:
                self._stops.discard(stop)

    def cancel(self) -> None:
        """End all that is running."""
        with self._lock:
            for stop in self._stops:
                stop()
