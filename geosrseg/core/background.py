"""Runs one stage of a pipeline in its own thread.

A pipeline is a chain of generators, each reading from the one before. `in_background` lets
one run ahead of its reader by a bounded number of items, so that stages overlap.
"""

import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Generic, TypeVar

Item = TypeVar("Item")

POLL = 0.1
"""Seconds between checks for a stop while the queue is full."""


@dataclass(frozen=True, slots=True)
class _End:
    """Last entry of a queue, with the error that ended the stage, if any."""

    error: BaseException | None = None


class _Relay(Generic[Item]):
    """Runs an iterator in a thread."""

    def __init__(
        self, items: Iterator[Item], *, ahead: int, name: str, interrupt: Callable[[], object]
    ) -> None:
        self._items = items
        self._interrupt = interrupt
        self._queue: queue.Queue[Item | _End] = queue.Queue(ahead)
        self._stopped = threading.Event()
        self._is_read = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def __iter__(self) -> Iterator[Item]:
        while not isinstance(item := self._queue.get(), _End):
            yield item
        self._is_read = True
        if item.error is not None:
            raise item.error

    def stop(self) -> None:
        """Stop the thread and wait until it has ended."""
        self._stopped.set()
        if not self._is_read:
            self._interrupt()
        self._thread.join()

    def _run(self) -> None:
        end = _End()
        try:
            for item in self._items:
                if not self._put(item):
                    break
        except BaseException as error:  # raised again where the items are read
            end = _End(error)
        finally:
            close = getattr(self._items, "close", None)
            if close is not None:
                close()
            self._put(end)

    def _put(self, entry: Item | _End) -> bool:
        """Queue an entry; return False if the relay was stopped first."""
        while not self._stopped.is_set():
            try:
                self._queue.put(entry, timeout=POLL)
            except queue.Full:
                continue
            return True
        return False


@contextmanager
def in_background(
    items: Iterator[Item],
    *,
    ahead: int,
    name: str,
    interrupt: Callable[[], object] = lambda: None,
) -> Iterator[Iterator[Item]]:
    """Let an iterator run ahead of its reader, in a thread.

    Leaving the block stops the thread at its next item, closes the iterator and waits for
    both, so that nothing keeps running after an error.

    Args:
        items: the stage; from now on only the thread may use it.
        ahead: number of items that may be waiting, at least 1.
        name: name of the thread, for debuggers.
        interrupt: called when the block is left before the last item was read, to abort the
            work in progress.

    Yields:
        The same items in the same order. An error in the stage is raised where they are read.
    """
    relay = _Relay(items, ahead=ahead, name=name, interrupt=interrupt)
    try:
        yield iter(relay)
    finally:
        relay.stop()
