"""Stopping: SIGTERM and Ctrl-C unwind the stack, and end the process where that cannot be.

Python runs its handlers between two of its own steps. A library of compiled code that is at work
for hours has none, so a thread waits beside it: it hears of the signal at once, and ends the
process if the handler has not run by then, or what it unwinds does not come to an end.
"""

import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

STUCK = 1.0
"""Seconds that the handler may take to begin."""

UNWINDING = 20.0
"""Seconds that files and threads may take to be closed."""


@contextmanager
def stopped_by_signals() -> Iterator[None]:
    """End what runs inside with exit code 143 at SIGTERM, and 130 at Ctrl-C."""
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may set signal handlers
        return
    begun = threading.Event()

    def terminate(number: int, _frame: FrameType | None) -> None:
        begun.set()
        sys.exit(128 + number)

    def interrupt(number: int, frame: FrameType | None) -> None:
        begun.set()
        signal.default_int_handler(number, frame)

    handlers = {signal.SIGTERM: terminate, signal.SIGINT: interrupt}
    previous = {number: signal.getsignal(number) for number in handlers}
    if previous[signal.SIGINT] is not signal.default_int_handler:
        del handlers[signal.SIGINT]  # somebody else's, or ignored in the background
    ears, mouth = socket.socketpair()
    mouth.setblocking(False)
    old = signal.set_wakeup_fd(mouth.fileno(), warn_on_full_buffer=False)
    watch = threading.Thread(target=_watch, args=(ears, begun, handlers), daemon=True)
    watch.start()
    for number, handler in handlers.items():
        signal.signal(number, handler)
    try:
        yield
    finally:
        for number in handlers:
            signal.signal(number, previous[number])
        signal.set_wakeup_fd(old)
        mouth.close()  # which ends the thread
        if not begun.is_set():
            watch.join()
            ears.close()


def _watch(
    ears: socket.socket, begun: threading.Event, handlers: dict[signal.Signals, object]
) -> None:
    while heard := ears.recv(1):
        number = heard[0]
        # Another handler by now, such as Lightning's, has ways of its own.
        if number in handlers and signal.getsignal(number) is handlers[signal.Signals(number)]:
            if begun.wait(STUCK):
                threading.Event().wait(UNWINDING)
            with suppress(OSError):
                if number == signal.SIGINT:
                    os.write(2, b"interrupted\n")
            os._exit(128 + number)
