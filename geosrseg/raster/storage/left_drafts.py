"""Left drafts: the folders of outputs that killed processes were making, found and removed."""

import os
import re
import shutil
import stat
from dataclasses import dataclass
from pathlib import Path

from geosrseg.errors import OutputError
from geosrseg.raster.storage.gdal import reason
from geosrseg.raster.storage.lock import is_locked, locked
from geosrseg.raster.storage.publication import DRAFTS, LOCK

_NAME = re.compile(rf"\.(?P<output>.+)\.[a-z0-9_]{{8}}{re.escape(DRAFTS)}", re.ASCII)
"""As `open_drafts` calls such a folder."""


@dataclass(frozen=True, slots=True)
class LeftDrafts:
    """What a killed process has left of an output that it had not finished.

    Attributes:
        folder: of the drafts.
        output: what they were to become.
        modified: seconds since the epoch when something was made in it last.
        size: bytes.
        running: a process is at work there.
    """

    folder: Path
    output: Path
    modified: float
    size: int
    running: bool

    @property
    def scene(self) -> str:
        """What it was made of, which no draft says."""
        return "unknown"

    @property
    def progress(self) -> str:
        """How much is done, in words."""
        return "drafts of a file"

    def remove(self) -> None:
        """Delete them.

        Raises:
            OutputError: a process is at work there, they are no drafts of ours, or stay.
        """
        if not _is_ours(self.folder):
            raise OutputError(f"{self.folder}: holds what is no draft: see yourself what it is")
        try:
            with locked(self.folder / LOCK):
                shutil.rmtree(self.folder)
        except OSError as error:
            raise OutputError(f"{self.folder}: cannot be removed ({reason(error)})") from error


def find_left_drafts(folder: Path) -> list[LeftDrafts]:
    """What killed processes have left in a folder, and what others are making there."""
    return [
        _examine(path, path.with_name(found["output"]))
        for path in sorted(folder.glob(f".*{DRAFTS}"))
        if (found := _NAME.fullmatch(path.name)) and _is_ours(path)
    ]


def _is_ours(folder: Path) -> bool:
    """A folder of this user with our lock, whose files are called like its output; no links."""
    found = _NAME.fullmatch(folder.name)
    if found is None or folder.is_symlink():
        return False
    stem = found["output"].partition(".")[0]
    try:
        names = {path.name for path in folder.iterdir()}
        kinds = [path.lstat() for path in [folder, *folder.rglob("*")]]
    except OSError:
        return False
    return (
        LOCK in names
        and all(name == LOCK or name.startswith(stem) for name in names)
        and all(stat.S_ISREG(kind.st_mode) or stat.S_ISDIR(kind.st_mode) for kind in kinds)
        and all(kind.st_uid == kinds[0].st_uid == _user(kind) for kind in kinds)
    )


def _user(kind: os.stat_result) -> int:
    return os.getuid() if hasattr(os, "getuid") else kind.st_uid


def _examine(folder: Path, output: Path) -> LeftDrafts:
    found = [path.lstat() for path in [folder, *folder.rglob("*")]]
    return LeftDrafts(
        folder=folder,
        output=output,
        modified=max(item.st_mtime for item in found),
        size=sum(item.st_size for item in found[1:] if stat.S_ISREG(item.st_mode)),
        running=is_locked(folder / LOCK),
    )
