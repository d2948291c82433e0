"""What tests/test_apart.py runs in a child; here, for a child imports it by its name."""

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

from geosrseg.errors import SceneError


def joined(content: bytes, *arguments: str) -> bytes:
    sys.stdout.write("what a library prints is no answer")
    os.write(1, b"neither this")
    return b" ".join([content, *(argument.encode() for argument in arguments)])


def refuse(content: bytes) -> bytes:
    raise SceneError(f"{content.decode()}: is not a scene")


def fail(_content: bytes) -> bytes:
    raise KeyError("a\nb")


def end(_content: bytes, number: str) -> bytes:
    os.kill(os.getpid(), int(number))
    raise AssertionError


def leave(_content: bytes) -> bytes:
    os._exit(3)


def wait(content: bytes) -> bytes:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if content:
        Path(os.fsdecode(content)).write_text(str(os.getpid()))
    time.sleep(600)
    return b""


def fill(_content: bytes) -> bytes:
    return bytes(len(bytearray(2**30)))


def doing_nothing() -> Callable[[], object]:
    """For a process that is measured."""
    return time.perf_counter
