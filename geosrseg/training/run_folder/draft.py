"""Drafts: a file of a run gets its final name once it is complete."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from geosrseg.regular_file import create_new

DRAFT = ".part"
"""Suffix of an unfinished file."""


@contextmanager
def drafted(path: Path) -> Iterator[Path]:
    """Yield a temporary path; on success sync the file to disk and rename it to `path`."""
    draft = path.with_name(path.name + DRAFT)
    try:
        create_new(draft).close()  # replaces a link, through which we would write elsewhere
        yield draft
        with draft.open("rb") as file:
            os.fsync(file.fileno())
        draft.replace(path)
    except BaseException:
        with suppress(OSError):
            draft.unlink()  # it would take up space on a full disk
        raise
