"""The command line in a process of its own, with a limit on memory and on time."""

import contextlib
import io
import multiprocessing
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

MEMORY = 3 * 2**30
"""Bytes of address space. Importing onnxruntime and GDAL alone maps more than one GiB."""

SECONDS = 60.0

# A server that has imported everything, and of which every process is a fork: clean, and
# in milliseconds.
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["geosrseg.cli.main", "geosrseg.mapping.predict", "tests.guarded"])


@dataclass(frozen=True)
class Ending:
    """How a guarded process ended.

    Attributes:
        code: exit code; negative for a signal, None if it had to be killed.
        seconds: how long it took.
        errors: what it wrote to stderr.
        left: names in its output folder.
        found: what `check` returned.
    """

    code: int | None
    seconds: float
    errors: str
    left: tuple[str, ...] = ()
    found: Any = None

    @property
    def fault(self) -> str:
        """What is wrong with this ending whatever the input was; empty if nothing."""
        lines = [line for line in self.errors.splitlines() if not line.startswith("warning: ")]
        if self.code is None:
            return f"did not end in {SECONDS:.0f} s"
        if self.code not in {0, 1}:
            return f"exit code {self.code}: {self.errors}"
        if "Traceback" in self.errors or "this is a bug" in self.errors:
            return self.errors
        if self.code == 0:
            return f"wrote to stderr: {self.errors}" if lines else ""
        if len(lines) != 1 or not lines[0].startswith("error: ") or not lines[0].isprintable():
            return f"more or less than one clear line: {self.errors!r}"
        return f"left behind {self.left}" if self.left else ""

    @property
    def message(self) -> str:
        """The line ``error: ...``, without that word."""
        return self.errors.splitlines()[-1].removeprefix("error: ") if self.code else ""


def run_guarded(
    arguments: Sequence[str | Path],
    *,
    check: Callable[[Path], Any] | None = None,
    judged: bool = True,
) -> Ending:
    """Run ``geosrseg ARGUMENTS`` in a fork.

    Args:
        arguments: of the command line; ``OUT`` stands for a fresh folder.
        check: run in the fork afterwards, with that folder, if the exit code is 0. It is
            a function of a module, or a `functools.partial` of one.
        judged: whether the numbers can be reflectance is asked, as always.
    """
    parent, child = FORKS.Pipe(duplex=False)
    begin = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder, "out")
        target.mkdir()
        words = [str(word).replace("OUT", str(target)) for word in arguments]
        process = FORKS.Process(
            target=_run, args=(child, words, target, check, judged), daemon=True
        )
        process.start()
        child.close()
        try:
            if not parent.poll(SECONDS):
                return Ending(None, time.monotonic() - begin, "")
            code, errors, found = parent.recv()
        except EOFError:  # it died without a word
            process.join()
            code, errors, found = process.exitcode, "", None
        finally:
            process.kill()
            process.join()
        left = tuple(sorted(path.name for path in target.iterdir()))
        return Ending(code, time.monotonic() - begin, errors, left, found)


def _run(
    pipe: Connection,
    words: list[str],
    folder: Path,
    check: Callable[[Path], Any] | None,
    judged: bool,
) -> None:
    from geosrseg.cli.main import main
    from geosrseg.raster import scene
    from geosrseg.raster.header import header
    from geosrseg.raster.header.fill import JudgedFill
    from geosrseg.runtime import trial

    trial.is_tried = lambda identity: True  # the models are those of the tests
    if not judged:
        scene.compared = lambda found, values, spec, options: found
        header.search_fill = lambda take: (take((), True), ())
        header.judge_fill = lambda sample, *_, **__: (sample, JudgedFill((), (), ()))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.fsync = lambda handle: None  # as in all tests
    code = 0
    with tempfile.TemporaryFile() as file:
        # What C libraries write to stderr counts too.
        kept = os.dup(2)
        os.dup2(file.fileno(), 2)
        sys.stderr = io.TextIOWrapper(os.fdopen(2, "wb", 0, closefd=False), write_through=True)
        with contextlib.redirect_stdout(io.StringIO()):
            try:
                main(words, prog_name="geosrseg")
            except SystemExit as ending:
                code = ending.code if isinstance(ending.code, int) else 0
        os.dup2(kept, 2)
        file.seek(0)
        errors = file.read().decode(errors="replace")
    found = check(folder) if check is not None and code == 0 else None
    pipe.send((code, errors, found))
