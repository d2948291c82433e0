"""Time limits for work over a network."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import TypeVar

T = TypeVar("T")


def within(seconds: float, action: Callable[[], T]) -> T:
    """Run an action and abandon it after a time limit.

    The timeout of a socket applies to each step, and a server that sends a byte now and then
    never exceeds it. An abandoned action keeps running on a thread that ends with the program.

    Raises:
        TimeoutError: the action was not finished in time.
    """
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(action())
        except BaseException as error:  # raised again in the waiting thread
            future.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    if not wait([future], seconds).done:
        raise TimeoutError(f"not within {seconds:g} s")
    return future.result()


class Pace:
    """Minimum rate of a transfer, to detect a connection that only trickles.

    Args:
        least: bytes per second, on average.
        seconds: period of the average.
    """

    def __init__(self, least: float, *, seconds: float) -> None:
        self._least = least
        self._seconds = seconds
        self._start, self._arrived = time.monotonic(), 0

    def add(self, count: int) -> None:
        """Count bytes that have arrived.

        Raises:
            TimeoutError: the average rate is too low.
        """
        self._arrived += count
        elapsed = time.monotonic() - self._start
        if elapsed < self._seconds:
            return
        if self._arrived < self._least * elapsed:
            raise TimeoutError(f"less than {self._least:g} bytes a second")
        self._start, self._arrived = time.monotonic(), 0
