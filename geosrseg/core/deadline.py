"""Deadline: something done over the network, within a time as a whole."""

import threading
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def within(seconds: float, action: Callable[[], T]) -> T:
    """Do something, or give it up after so long.

    Each step over a network has its own limit, but a server may send a byte from time to
    time. What is given up still runs, on a thread that ends with the program.

    Raises:
        TimeoutError: it is not done by then.
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
    """The least that must arrive, so that a line that trickles is not taken for a slow one.

    Args:
        least: bytes of each second, on average.
        seconds: over which it is averaged.
    """

    def __init__(self, least: float, *, seconds: float) -> None:
        self._least = least
        self._seconds = seconds
        self._begin, self._arrived = time.monotonic(), 0

    def add(self, count: int) -> None:
        """Note what has arrived.

        Raises:
            TimeoutError: too little has.
        """
        self._arrived += count
        elapsed = time.monotonic() - self._begin
        if elapsed < self._seconds:
            return
        if self._arrived < self._least * elapsed:
            raise TimeoutError(f"less than {self._least:g} bytes a second")
        self._begin, self._arrived = time.monotonic(), 0
