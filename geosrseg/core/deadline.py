"""Time limits for work over a network."""

import threading
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def within(seconds: float, action: Callable[[], T]) -> T:
    """Run an action and abandon it after a time limit.

    The timeout of a socket applies to each step, and a server that sends a byte now and then
    never exceeds it. An abandoned action keeps running on a thread that ends with the program.

    Raises:
        TimeoutError: the action was not finished in time.
    """
    results: list[T] = []
    failures: list[BaseException] = []

    def run() -> None:
        try:
            results.append(action())
        except BaseException as error:  # handed to the thread that waits
            failures.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    for failure in failures:
        raise failure
    if not results:
        raise TimeoutError(f"not within {seconds:g} s")
    return results[0]


class Pace:
    """Minimum rate of a transfer, to detect a connection that only trickles.

    Args:
        least: bytes per second, on average.
        seconds: period of the average.
    """

    def __init__(self, least: float, *, seconds: float) -> None:
        self._least = least
        self._seconds = seconds
        self._begin, self._arrived = time.monotonic(), 0

    def add(self, count: int) -> None:
        """Count bytes that have arrived.

        Raises:
            TimeoutError: the average rate is too low.
        """
        self._arrived += count
        elapsed = time.monotonic() - self._begin
        if elapsed < self._seconds:
            return
        if self._arrived < self._least * elapsed:
            raise TimeoutError(f"less than {self._least:g} bytes a second")
        self._begin, self._arrived = time.monotonic(), 0
