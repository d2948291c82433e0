"""A function in a process of its own, forked, so that it may be killed or held to limits."""

import os
import pickle
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Ended:
    """How a forked function ended.

    Attributes:
        value: what it returned; None if it did not.
        error: what it raised, as "Type: message"; None if it did not.
        signal: what killed it; 0 if it was not killed.
    """

    value: object = None
    error: str | None = None
    signal: int = 0


def run_forked(function: Callable[[], object], *, kill_after: float | None = None) -> Ended:
    """Run a function in a child process.

    What it returns must be picklable. Nothing that starts threads may have run in this
    process, an onnxruntime session for one.

    Args:
        function: what to run.
        kill_after: seconds after which it is killed, if it has not ended before.
    """
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        _run(function, writer)
    os.close(writer)
    if kill_after is not None:
        time.sleep(kill_after)
        os.kill(child, signal.SIGKILL)
    with os.fdopen(reader, "rb") as pipe:
        content = pipe.read()
    _, status = os.waitpid(child, 0)
    if content:
        return Ended(**pickle.loads(content))
    return Ended(signal=os.WTERMSIG(status) if os.WIFSIGNALED(status) else -1)


def _run(function: Callable[[], object], writer: int) -> None:
    """Never returns: the child must not go on with its parent's work."""
    try:
        try:
            ended = {"value": function()}
        except BaseException as error:
            ended = {"error": f"{type(error).__name__}: {error}"}
        with os.fdopen(writer, "wb") as pipe:
            pickle.dump(ended, pipe)
    finally:
        os._exit(0)
