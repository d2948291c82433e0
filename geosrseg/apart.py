"""Apart: runs a function in a child process that can be killed at any moment.

Compiled libraries cannot be interrupted: a geometry that crosses itself a million times, or one
layer of a network, can keep them busy for hours, and a bug in them ends the whole process. So a
stranger's file is first tried in a child process with limited time and memory, which answers in
bytes and dies with its parent.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib import import_module

from geosrseg import errors

if sys.platform != "win32":
    import resource

_START = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from geosrseg.apart import _serve; _serve(*sys.argv[2:])"
)
_OK = b"ok"

SAFE_PATH = "PYTHONSAFEPATH"
"""Environment variable that keeps the current folder off Python's import path."""


@contextmanager
def without_current_folder() -> Iterator[None]:
    """Keep Python processes started inside from importing modules of the current folder.

    With ``-c``, as `multiprocessing` starts them, Python looks there first.
    """
    before = os.environ.get(SAFE_PATH)
    os.environ[SAFE_PATH] = "1"
    try:
        yield
    finally:
        if before is None:
            os.environ.pop(SAFE_PATH, None)
        else:
            os.environ[SAFE_PATH] = before


class GivenUpError(Exception):
    """The child process did not answer; the message says why."""


def run_apart(
    function: str,
    content: bytes,
    arguments: Sequence[str] = (),
    *,
    seconds: float,
    memory: int | None = None,
) -> bytes:
    """Run a function of this package in a child process and return its result.

    Args:
        function: ``package.module:name``; takes `content` and `arguments` and returns bytes.
        content: the untrusted input.
        seconds: time limit, after which the child is killed.
        memory: bytes that the child may use besides its libraries; not enforced on Windows.

    Raises:
        GeosrsegError: the function raised it.
        GivenUpError: the child took too long, was killed, or failed otherwise.
    """
    path = json.dumps([entry for entry in sys.path if entry])
    limits = (str(seconds), str(memory or 0))
    command = [sys.executable, "-P", "-c", _START, path, function, *limits, *arguments]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    try:
        answer, _ = process.communicate(content, timeout=seconds)
    except subprocess.TimeoutExpired as error:
        raise GivenUpError(f"not within {seconds:.0f} s") from error
    finally:  # SIGTERM and Ctrl-C can interrupt the wait at any point
        process.kill()
        for stream in (process.stdin, process.stdout):
            with suppress(OSError):  # unsent input is lost
                stream.close()  # type: ignore[union-attr]
        process.wait()
    return _parse(answer, process.returncode)


def _parse(answer: bytes, code: int) -> bytes:
    kind, found, rest = answer.partition(b"\n")
    if found and kind == _OK and code == 0:
        return rest
    if code < 0:
        raise GivenUpError(f"its process ended with {_signal_name(-code)}")
    raised = getattr(errors, kind.decode("ascii", "replace"), None) if found else None
    text = rest.decode("utf-8", "replace")
    if isinstance(raised, type) and issubclass(raised, errors.GeosrsegError):
        raise raised(text)
    raise GivenUpError(text or f"its process ended with code {code}")


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _serve(function: str, seconds: str, memory: str, *arguments: str) -> None:
    """The child: read the content, run the function, and answer on the original stdout."""
    out = os.dup(1)
    with open(os.devnull, "wb") as nowhere:  # noqa: PTH123 - libraries may print to stdout
        os.dup2(nowhere.fileno(), 1)
    content = sys.stdin.buffer.read()
    module, _, name = function.partition(":")
    run = getattr(import_module(module), name)
    _limit(float(seconds), int(memory))
    try:
        answer = _OK + b"\n" + run(content, *arguments)
    except errors.GeosrsegError as error:
        answer = f"{type(error).__name__}\n{error}".encode("utf-8", "replace")
    except MemoryError:
        answer = b"\nout of memory"
    except Exception as error:
        answer = f"\n{type(error).__name__}: {error}".encode("utf-8", "replace")
    with os.fdopen(out, "wb") as file:
        file.write(answer)
    sys.stdout.flush()
    os._exit(0)  # even if a library's threads still run


def _limit(seconds: float, memory: int) -> None:
    """Limit this process itself, because its parent may be killed before it can."""
    if sys.platform == "win32":
        return
    cpu = int(seconds * (os.cpu_count() or 1)) + 1
    for kind, value in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_CPU, cpu),
        (resource.RLIMIT_AS, memory and _mapped() + memory),
    ):
        hard = resource.getrlimit(kind)[1]
        if (value or kind == resource.RLIMIT_CORE) and (
            hard == resource.RLIM_INFINITY or value < hard
        ):
            with suppress(ValueError, OSError):
                resource.setrlimit(kind, (value, value))


def _mapped() -> int:
    """Bytes of address space that the libraries use so far."""
    import psutil  # noqa: PLC0415 - only the child needs it

    return int(psutil.Process().memory_info().vms)
