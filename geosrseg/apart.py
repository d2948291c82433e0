"""Apart: a function run in its own process, which may be ended at any moment.

Libraries of compiled code cannot be interrupted: a geometry that crosses itself a million times,
or one layer of a network, keeps them for hours, and a flaw in them ends the whole process. What a
stranger's file makes them do is tried in a child first, which has little time and memory, answers
in bytes, and is killed with the one that waits for it.
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
"""What Python is told by to leave the current folder alone."""


@contextmanager
def without_current_folder() -> Iterator[None]:
    """Python processes that are started inside run no module of the current folder.

    With ``-c``, as `multiprocessing` starts them, Python looks there before anywhere else.
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
    """The child did not answer; the text says why, in a few words."""


def run_apart(
    function: str,
    content: bytes,
    arguments: Sequence[str] = (),
    *,
    seconds: float,
    memory: int | None = None,
) -> bytes:
    """What a function of this package gives, run in a child process.

    Args:
        function: ``package.module:name``; it takes `content` and `arguments` and gives bytes.
        content: what is untrusted.
        arguments: what else it needs to know.
        seconds: after which the child is killed.
        memory: bytes that it may take beyond what its libraries take, where the system can say so.

    Raises:
        GeosrsegError: as the function raised it.
        GivenUpError: it took too long, was killed, or failed otherwise.
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
    finally:  # SIGTERM and Ctrl-C end the waiting at any of its steps, and the child with it
        process.kill()
        for stream in (process.stdin, process.stdout):
            with suppress(OSError):  # what was to be sent has nobody to go to
                stream.close()  # type: ignore[union-attr]
        process.wait()
    return _understood(answer, process.returncode)


def _understood(answer: bytes, code: int) -> bytes:
    kind, found, rest = answer.partition(b"\n")
    if found and kind == _OK and code == 0:
        return rest
    if code < 0:
        raise GivenUpError(f"it ended its process, {_signal_name(-code)}")
    raised = getattr(errors, kind.decode("ascii", "replace"), None) if found else None
    text = rest.decode("utf-8", "replace")
    if isinstance(raised, type) and issubclass(raised, errors.GeosrsegError):
        raise raised(text)
    raise GivenUpError(text or f"it ended its process with code {code}")


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _serve(function: str, seconds: str, memory: str, *arguments: str) -> None:
    """The child: read the content, run the function, and answer on what was standard output."""
    out = os.dup(1)
    with open(os.devnull, "wb") as nowhere:  # noqa: PTH123 - what libraries print is no answer
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
    os._exit(0)  # whatever threads the libraries have


def _limit(seconds: float, memory: int) -> None:
    """Hold this process to its limits: its parent may be killed before it says so."""
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
    """Bytes of address space that the libraries have taken by now."""
    import psutil  # noqa: PLC0415 - only the child needs it

    return int(psutil.Process().memory_info().vms)
