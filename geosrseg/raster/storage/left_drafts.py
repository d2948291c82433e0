"""Finds and removes the draft folders of killed processes; used by ``geosrseg clean``."""

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
"""Name that `open_drafts` gives a folder."""


@dataclass(frozen=True, slots=True)
class LeftDrafts:
    """The folder of an unfinished output.

    Attributes:
        output: the path that the drafts were to get.
        modified: time of the last change, in seconds since the epoch.
        size: bytes.
        running: a process is still working there.
    """

    folder: Path
    output: Path
    modified: float
    size: int
    running: bool

    @property
    def scene(self) -> str:
        """A draft does not name its scene."""
        return "unknown"

    @property
    def progress(self) -> str:
        """Progress in words, as `clean` lists it."""
        return "drafts of a file"

    def remove(self) -> None:
        """Delete the folder.

        Raises:
            OutputError: a process is working there, it holds other files, or it cannot be deleted.
        """
        if not _is_ours(self.folder):
            raise OutputError(f"{self.folder}: holds files that are not drafts: check it yourself")
        try:
            with locked(self.folder / LOCK):
                shutil.rmtree(self.folder)
        except OSError as error:
            raise OutputError(f"{self.folder}: cannot be removed ({reason(error)})") from error


def find_left_drafts(folder: Path) -> list[LeftDrafts]:
    """The drafts in a folder: of killed processes, and of running ones."""
    drafts = sorted(folder.glob(f".*{DRAFTS}"))
    return [_examine(path) for path in drafts if _is_ours(path)]


def _is_ours(folder: Path) -> bool:
    """Whether it belongs to this user, has our lock, and holds files named like its output only."""
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
        and {kind.st_uid for kind in kinds} == {os.getuid() if hasattr(os, "getuid") else 0}
    )


def _examine(folder: Path) -> LeftDrafts:
    found = [path.lstat() for path in [folder, *folder.rglob("*")]]
    return LeftDrafts(
        folder=folder,
        output=folder.with_name(_NAME.sub(r"\g<output>", folder.name)),
        modified=max(item.st_mtime for item in found),
        size=sum(item.st_size for item in found[1:] if stat.S_ISREG(item.st_mode)),
        running=is_locked(folder / LOCK),
    )
