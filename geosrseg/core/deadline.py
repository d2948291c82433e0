"""Deadline: something done over the network, within a time as a whole."""

import threading
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
