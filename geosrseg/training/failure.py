"""Failure: what memory, disk and files do to a training, as one line that says what helps."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from geosrseg.errors import DeviceMemoryError, RunError
from geosrseg.raster.storage.gdal import reason
from geosrseg.runtime.failure import in_one_line, is_out_of_memory
from geosrseg.training.run_folder.run import Run

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""No room on the disk, or no more allowed to this user or process."""


@contextmanager
def explained(run: Run) -> Iterator[None]:
    """Raise errors of the machine as errors of the run.

    Raises:
        DeviceMemoryError: the memory is at an end, of the host or of the device.
        RunError: a file cannot be read or written any more.
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
        raise RunError(f"{_place(run, error)}: {reason(error)}: {_remedy(run, error)}") from error


def _place(run: Run, error: OSError) -> str:
    """The file, or the folder where the error has none."""
    return str(error.filename or run.path)


def _remedy(run: Run, error: OSError) -> str:
    if error.errno in FULL:
        return f"make room; {_kept(run)}"
    if isinstance(error, FileNotFoundError):
        return f"it was there when the training began: put it back; {_kept(run)}"
    return _kept(run)


def _kept(run: Run) -> str:
    """What is left of the work, and how to go on with it."""
    for checkpoint in (run.last_checkpoint, run.best_checkpoint):
        if checkpoint.is_file():
            return f"{checkpoint} is whole: repeat the command with --resume"
    return "there is no checkpoint yet: repeat the command with --overwrite"
