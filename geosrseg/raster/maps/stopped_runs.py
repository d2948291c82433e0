"""Stopped runs: lists and removes the stores that they left beside their outputs."""

import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from geosrseg.core.text.counted import counted
from geosrseg.core.text.numerals import parse_integer
from geosrseg.errors import OutputError
from geosrseg.raster.maps.manifest import MANIFEST, OUTPUT, STRIPS, manifest_of
from geosrseg.raster.maps.row_store import (
    LOCK,
    SUFFIX,
    check_store,
    is_folder,
    lock_store,
    store_folder,
)
from geosrseg.raster.storage.gdal import reason
from geosrseg.raster.storage.lock import is_locked

_ASIDE = f".*{SUFFIX}.????????.partial"
"""Names that `RowStore.remove` gives to stores."""

MAX_STRIPS = 10**6
"""Most strips of a map; names of their files have six digits."""


@dataclass(frozen=True, slots=True)
class StoppedRun:
    """The store of a stopped run.

    Attributes:
        folder: the store.
        output: the map that the run was making.
        scene: name of the scene; ``unknown`` if the store does not say.
        strips: number of finished strips of windows.
        total: strips of the whole map; 0 if unknown.
        modified: when the last strip was finished, in seconds since the epoch.
        size: bytes on disk.
        running: True if a process is still working on the map.
    """

    folder: Path
    output: Path
    scene: str
    strips: int
    total: int
    modified: float
    size: int
    running: bool

    @property
    def progress(self) -> str:
        """Finished strips and their share, for messages."""
        if not self.total:
            return counted(self.strips, "strip of windows", plural="strips of windows")
        return f"{self.strips} of {self.total} strips of windows ({self.strips / self.total:.0%})"

    def remove(self) -> None:
        """Delete the store.

        Raises:
            OutputError: a process is using the folder, it is not a store, or cannot be deleted.
        """
        check_store(self.folder, _output_of(self.folder))
        with lock_store(self.folder, self.folder):
            try:
                shutil.rmtree(self.folder)
            except OSError as error:
                raise OutputError(f"{self.folder}: cannot be removed ({reason(error)})") from error


def find_stopped_runs(folder: Path) -> list[StoppedRun]:
    """Return the stopped runs of a folder, and what is left of stores that were being removed."""
    asides = (path for path in folder.glob(_ASIDE) if _is_aside(path))
    return [_examine(path) for path in sorted([*find_stores(folder), *asides])]


def find_stopped_run(output: Path) -> StoppedRun | None:
    """Return the stopped run of an output; None without one."""
    folder = store_folder(output)
    return _examine(folder) if _is_store(folder) else None


def find_stores(folder: Path) -> list[Path]:
    """Return the stores in a folder, from which runs can resume."""
    return sorted(path for path in folder.glob(f".*{SUFFIX}") if _is_store(path))


def _output_of(folder: Path, stated: str = "") -> Path:
    """Return the output of a store: as its manifest says, or from its name, which may be cut."""
    name = folder.name[1:].rpartition(SUFFIX)[0]
    return folder.with_name(stated if stated.startswith(name) and "/" not in stated else name)


def _is_store(path: Path) -> bool:
    manifest = path / MANIFEST
    return is_folder(path) and manifest.is_file() and not manifest.is_symlink()


def _is_aside(path: Path) -> bool:
    """Whether it holds nothing but files of a store; any of them may be gone."""
    try:
        check_store(path, _output_of(path))
    except (OSError, OutputError):
        return False
    return True


def _examine(folder: Path) -> StoppedRun:
    files = [path for path in folder.iterdir() if path.is_file() and not path.is_symlink()]
    manifest = manifest_of(folder) or {}
    strips = [path for path in files if path.suffix == ".npz"]
    total = 0
    with suppress(ValueError):
        total = parse_integer(manifest.get(STRIPS, ""), high=MAX_STRIPS)
    return StoppedRun(
        folder=folder,
        output=_output_of(folder, manifest.get(OUTPUT, "")),
        scene=manifest.get("scene", "unknown").partition(" (")[0],
        strips=len(strips),
        total=total,
        modified=max(path.stat().st_mtime for path in files or [folder]),
        size=sum(path.stat().st_size for path in files),
        running=is_locked(folder / LOCK),
    )
