"""Failure: explains errors of memory, disk and files during training, with a remedy."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from geosrseg.errors import DeviceMemoryError, RunError
from geosrseg.raster.storage.gdal import reason
from geosrseg.runtime.failure import in_one_line, is_out_of_memory
from geosrseg.training.run_folder.run import Run

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""The disk is full, or a quota or size limit is reached."""


@contextmanager
def explained(run: Run) -> Iterator[None]:
    """Raise errors of the machine as errors of the run.

    Raises:
        DeviceMemoryError: the host or the device is out of memory.
        RunError: a file can no longer be read or written.
    """
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        raise DeviceMemoryError(
            f"out of memory ({in_one_line(error)[:200]}): use a smaller --batch-size (with "
            "--accumulate, for as many chips in a step) or --crop, or --precision bf16; "
            f"{_kept(run)}"
        ) from error
    except OSError as error:
        place = error.filename or run.path
        raise RunError(f"{place}: {reason(error)}: {_remedy(run, error)}") from error


def _remedy(run: Run, error: OSError) -> str:
    if error.errno in FULL:
        return f"make room; {_kept(run)}"
    if isinstance(error, FileNotFoundError):
        return f"it existed when the training started: restore it; {_kept(run)}"
    return _kept(run)


def _kept(run: Run) -> str:
    """Say which checkpoint remains and how to continue."""
    for checkpoint in (run.last_checkpoint, run.best_checkpoint):
        if checkpoint.is_file():
            return f"{checkpoint} is intact: repeat the command with --resume"
    return "there is no checkpoint yet: repeat the command with --overwrite"
