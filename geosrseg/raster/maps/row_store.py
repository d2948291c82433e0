"""RowStore: the finished rows of a map, kept beside the output until it is published.

It is a hidden folder with a manifest, which says what is being made of what, and one file
for each band of rows. A file gets its name when it is whole, so a process that is stopped
at any moment, killed or not, leaves a store that the next one can go on with.
"""

import json
import os
import shutil
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from geosrseg.errors import OutputError
from geosrseg.raster.files.gdal import reason
from geosrseg.raster.files.lock import locked

SUFFIX = ".geosrseg"
"""Of the store's folder, which begins with a dot and the output's name."""

MANIFEST = "manifest.json"
OUTPUT, STRIPS = "output", "strips of windows"
"""Names in the manifest: of the output's file name, and of how many strips there will be."""

LOCK = "lock"
PUBLISHING = "publishing"
"""Stands in the store once outputs may have been given their names."""

COMPRESSION = 1
"""Labels become a tenth at this level, for less time than a faster disk would save. Numbers of
more than a byte are measured or reckoned, and hardly become smaller: they are kept as they are."""


class RowStore:
    """An open store, see `open_row_store`.

    Args:
        output: the output.
        folder: the store.
    """

    def __init__(self, output: Path, folder: Path) -> None:
        self.folder = folder
        self._output = output
        self._count = 0
        while _is_whole(self._file(self._count)):
            self._count += 1

    def __len__(self) -> int:
        """Bands that are finished."""
        return self._count

    def append(self, rows: Mapping[str, NDArray[np.generic]]) -> None:
        """Keep the rows of the next band.

        Args:
            rows: layer -> (channels, rows, width).

        Raises:
            OutputError: the disk does not take them.
        """
        path = self._file(self._count)
        draft = path.with_suffix(".partial")
        with _as_output_error(self._output):
            with zipfile.ZipFile(
                draft, "w", zipfile.ZIP_DEFLATED, compresslevel=COMPRESSION
            ) as archive:
                for layer, values in rows.items():
                    name = f"{layer}.npy"
                    member = name if values.itemsize == 1 else zipfile.ZipInfo(name)  # stored
                    with archive.open(member, "w", force_zip64=True) as file:
                        np.lib.format.write_array(file, np.ascontiguousarray(values))
            draft.replace(path)
        self._count += 1

    def rows(self, layer: str) -> Iterator[NDArray[np.generic]]:
        """The rows of a layer from top to bottom, (channels, rows, width) for each band.

        Raises:
            OutputError: the disk does not give back what was written.
        """
        for index in range(self._count):
            with _as_output_error(self._output), np.load(self._file(index)) as arrays:
                yield arrays[layer]

    def start_publishing(self) -> None:
        """Note that the outputs are about to get their names."""
        with _as_output_error(self._output):
            (self.folder / PUBLISHING).touch()

    def remove(self) -> None:
        """Delete the store."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _file(self, index: int) -> Path:
        return self.folder / f"{index:06}.npz"


@contextmanager
def open_row_store(
    output: Path, manifest: Mapping[str, str], *, overwrite: bool = False
) -> Iterator[RowStore]:
    """Begin a store, or go on with the one that a stopped process left.

    A store without any rows goes when the block ends; one with rows stays until
    `RowStore.remove`.

    Args:
        output: the output; the store lies beside it.
        manifest: all that decides what the rows are, as text by name.
        overwrite: begin anew where a store of another manifest is found.

    Raises:
        OutputError: another process is at work on this output, the store found is of
            another manifest, or the folder cannot be written.
    """
    folder = store_folder(output)
    with ExitStack() as stack:
        with _as_output_error(output):
            folder.mkdir(exist_ok=True)
            stack.enter_context(_lock(output, folder))
            _match(output, folder, dict(manifest), overwrite=overwrite)
        store = RowStore(output, folder)
        try:
            yield store
        finally:
            if not len(store):
                store.remove()


def store_folder(output: Path) -> Path:
    """Where the store of an output lies."""
    stem = os.fsdecode(os.fsencode(output.name)[:200])
    return output.with_name(f".{stem}{SUFFIX}")


def read_manifest(output: Path) -> dict[str, str] | None:
    """What the store of an output says of itself; None where nothing usable is said."""
    return _read_manifest(store_folder(output))


def was_publishing(output: Path) -> bool:
    """A run was stopped while it gave its outputs their names: what stands there is its own."""
    return (store_folder(output) / PUBLISHING).exists()


@dataclass(frozen=True, slots=True)
class StoppedRun:
    """What a stopped run has left.

    Attributes:
        folder: its store.
        output: the map that it was making.
        scene: what it was mapping.
        strips: the strips of windows that are finished.
        total: all strips of the map; 0 where that is not known.
        modified: seconds since the epoch when the last of them was finished.
        size: bytes.
        running: it has not stopped: a process is at work on it.
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
        """How much is done, in words."""
        share = f" ({self.strips / self.total:.0%})" if self.total else ""
        return f"{self.strips} of {self.total or 'unknown'} strips of windows{share}"


def find_stopped_runs(folder: Path) -> list[StoppedRun]:
    """What stopped runs have left in a folder."""
    return [_examine(path) for path in find_stores(folder)]


def find_stopped_run(output: Path) -> StoppedRun | None:
    """What a stopped run of this output has left; None where that is nothing."""
    folder = store_folder(output)
    return _examine(folder) if (folder / MANIFEST).is_file() else None


def find_stores(folder: Path) -> list[Path]:
    """The stores of a folder."""
    return sorted(path for path in folder.glob(f".*{SUFFIX}") if (path / MANIFEST).is_file())


def remove_stopped_run(stopped: StoppedRun) -> None:
    """Delete what a stopped run has left.

    Raises:
        OutputError: a process is at work on it.
    """
    with _lock(stopped.folder, stopped.folder):
        shutil.rmtree(stopped.folder, ignore_errors=True)


def _examine(folder: Path) -> StoppedRun:
    files = [path for path in folder.iterdir() if path.is_file()]
    try:
        with locked(folder / LOCK):
            running = False
    except OSError:
        running = True
    manifest = _read_manifest(folder) or {}
    strips = [path for path in files if path.suffix == ".npz"]
    total = manifest.get(STRIPS, "")
    return StoppedRun(
        folder=folder,
        output=folder.with_name(manifest.get(OUTPUT, folder.name[1 : -len(SUFFIX)])),
        scene=manifest.get("scene", "unknown").partition(" (")[0],
        strips=len(strips),
        total=int(total) if total.isdigit() else 0,
        modified=max(path.stat().st_mtime for path in [*strips, folder / MANIFEST]),
        size=sum(path.stat().st_size for path in files),
        running=running,
    )


@contextmanager
def _lock(output: Path, folder: Path) -> Iterator[None]:
    try:
        with locked(folder / LOCK):
            yield
    except BlockingIOError as error:
        raise OutputError(
            f"{output}: another process is making it: wait for it, or choose another name"
        ) from error


def _match(output: Path, folder: Path, manifest: dict[str, str], *, overwrite: bool) -> None:
    """Keep what was done under the same manifest; clear the folder of anything else."""
    found = _read_manifest(folder)
    if found == manifest:
        return
    if found is not None and not overwrite:
        raise OutputError(
            f"{output}: a stopped run had {_differences(found, manifest)}: run it with what it "
            "had to go on, or begin anew with `overwrite=True`"
        )
    for path in folder.iterdir():
        if path.name != LOCK:
            path.unlink()
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")


def _read_manifest(folder: Path) -> dict[str, str] | None:
    try:
        values = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    usable = isinstance(values, dict) and all(isinstance(v, str) for v in values.values())
    return values if usable else None


def _differences(found: Mapping[str, str], wanted: Mapping[str, str]) -> str:
    return ", ".join(
        f"{name} {_short(found.get(name))} and not {_short(wanted.get(name))}"
        for name in sorted({*found, *wanted})
        if found.get(name) != wanted.get(name)
    )


def _short(value: str | None) -> str:
    text = "none" if value is None else str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _is_whole(path: Path) -> bool:
    """The file is there and all of it can be read."""
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.testzip() is None
    except (OSError, zipfile.BadZipFile):
        return False


@contextmanager
def _as_output_error(output: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, zipfile.BadZipFile) as error:
        raise OutputError(
            f"{output}: its rows cannot be kept in {output.parent} ({reason(error)}): is the disk "
            "full? Run it again to go on"
        ) from error
