"""Background: a stage of a pipeline in its own thread.

A pipeline is written as generators, each reading the one before it. `in_background` lets
one run ahead of its reader, by a bounded number of items, so that stages overlap.
"""

import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Generic, TypeVar

Item = TypeVar("Item")

POLL = 0.1
"""Seconds after which a stage that cannot hand on an item looks whether it is still wanted."""


@dataclass(frozen=True, slots=True)
class _End:
    """The last entry of a queue; `error` is what ended the stage, if anything did."""

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
        """Let the thread end, and wait for it."""
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
        except BaseException as error:  # any error is the reader's to handle
            end = _End(error)
        finally:
            close = getattr(self._items, "close", None)
            if close is not None:
                close()
            self._put(end)

    def _put(self, entry: Item | _End) -> bool:
        """Hand on an entry; False if nobody wants it any more."""
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
    both, so that nothing runs on after an error.

    Args:
        items: the stage; only the thread touches it from here on.
        ahead: items that may wait, at least 1.
        name: of the thread, for debuggers.
        interrupt: called when the thread is to end before its last item was read, to break off
            what it may be at.

    Yields:
        The same items in the same order. What the stage raises is raised where they are read.
    """
    relay = _Relay(items, ahead=ahead, name=name, interrupt=interrupt)
    try:
        yield iter(relay)
    finally:
        relay.stop()
