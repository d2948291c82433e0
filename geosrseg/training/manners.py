"""Manners: keeps Lightning from handling signals and logging on its caller's behalf."""

import logging
import signal
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def interruptible() -> Iterator[None]:
    """Raise KeyboardInterrupt on Ctrl-C, where Lightning would end the process.

    Lightning also ignores the next Ctrl-C; the previous handler is restored. SIGTERM, whose
    handler raises SystemExit, is unaffected. If a signal arrives while PyTorch writes a
    checkpoint, closing the unfinished file raises a RuntimeError that hides the signal's own
    exception; this raises the latter.
    """
    handler = signal.getsignal(signal.SIGINT)
    try:
        yield
    except SystemExit as end:
        if not isinstance(end.__context__, KeyboardInterrupt):
            raise
        if handler is not None and threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, handler)
        raise KeyboardInterrupt from end
    except RuntimeError as error:
        if (stop := _stop_behind(error)) is None:
            raise
        raise stop from None


def _stop_behind(error: BaseException) -> BaseException | None:
    """The exception of a signal during whose handling `error` was raised."""
    context = error.__context__
    while context is not None and isinstance(context, Exception):
        context = context.__context__
    return context


@contextmanager
def quiet_lightning() -> Iterator[None]:
    """Silence Lightning's advice and its warnings about an existing folder."""
    loggers = [logging.getLogger(f"lightning.{name}") for name in ("pytorch", "fabric")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module=r"lightning\.")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
