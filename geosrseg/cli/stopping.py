"""Stopping: SIGTERM and Ctrl-C unwind the stack, or end the process if that takes too long.

Python runs signal handlers between its own instructions, which compiled code can delay for hours.
So a thread receives the signal too, and ends the process if the handler does not run or the
unwinding does not finish in time.
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
"""Seconds that the handler may take to start."""

UNWINDING = 20.0
"""Seconds that the unwinding may take, with its open files and threads."""


@contextmanager
def stopped_by_signals() -> Iterator[None]:
    """End the block with exit code 143 on SIGTERM, and 130 on Ctrl-C."""
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may set signal handlers
        return
    started = threading.Event()

    def terminate(number: int, _frame: FrameType | None) -> None:
        started.set()
        sys.exit(128 + number)

    def interrupt(number: int, frame: FrameType | None) -> None:
        started.set()
        signal.default_int_handler(number, frame)

    handlers = {signal.SIGTERM: terminate, signal.SIGINT: interrupt}
    previous = {number: signal.getsignal(number) for number in handlers}
    if previous[signal.SIGINT] is not signal.default_int_handler:
        del handlers[signal.SIGINT]  # somebody else's, or ignored in the background
    receiver, sender = socket.socketpair()
    sender.setblocking(False)
    old = signal.set_wakeup_fd(sender.fileno(), warn_on_full_buffer=False)
    watch = threading.Thread(target=_watch, args=(receiver, started, handlers), daemon=True)
    watch.start()
    for number, handler in handlers.items():
        signal.signal(number, handler)
    try:
        yield
    finally:
        for number in handlers:
            signal.signal(number, previous[number])
        signal.set_wakeup_fd(old)
        sender.close()  # ends the thread
        if not started.is_set():
            watch.join()
            receiver.close()


def _watch(
    receiver: socket.socket, started: threading.Event, handlers: dict[signal.Signals, object]
) -> None:
    while received := receiver.recv(1):
        number = received[0]
        # A handler that was set later, such as Lightning's, is left to do its work.
        if number in handlers and signal.getsignal(number) is handlers[signal.Signals(number)]:
            if started.wait(STUCK):
                threading.Event().wait(UNWINDING)
            with suppress(OSError):
                if number == signal.SIGINT:
                    os.write(2, b"interrupted\n")
            os._exit(128 + number)
