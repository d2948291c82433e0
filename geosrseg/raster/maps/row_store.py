"""RowStore: the finished rows of a map, kept beside the output until it is published.

It is a hidden folder with a manifest, which says what is being made of what, and one file
for each strip of windows. A file gets its name when it is whole, so a process that is stopped
at any moment, killed or not, leaves a store that the next one can go on with.
"""

import json
import os
import re
import shutil
import stat
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geosrseg.core.text.json_text import parse_json
from geosrseg.core.text.numerals import parse_integer
from geosrseg.errors import OutputError
from geosrseg.raster.maps.manifest import OUTPUT, STRIPS, check_manifest
from geosrseg.raster.maps.row_layout import UNREADABLE, RowLayout, write_rows
from geosrseg.raster.storage.gdal import cause, reason
from geosrseg.raster.storage.holder_file import SUFFIX as HOLDER
from geosrseg.raster.storage.lock import locked
from geosrseg.regular_file import create_new, read_regular

SUFFIX = ".geosrseg"
"""Of the store's folder, which begins with a dot and the output's name."""

MANIFEST = "manifest.json"
LOCK = "lock"
PUBLISHING = "publishing"
"""Stands in the store once outputs may have been given their names, and lists those."""

MAX_BYTES = 2**20
"""Of a manifest or a list of names, which have some kB."""

MAX_STRIPS = 10**6
"""Of a map: the number of one has six digits in the name of its file."""

_OWN = re.compile(
    r"(manifest\.json|publishing|\d{6}\.npz)(\.partial)?|\d{6}\.partial|lock(\.holder)?", re.ASCII
)
"""Names that a store gives to its files; the drafts of the outputs are in it besides."""

_DRAFTS = (".tif", ".tiff", ".draft", ".xml", ".ovr", ".msk", ".tmp")


class RowStore:
    """An open store, see `open_row_store`.

    Args:
        output: the output.
        folder: the store.
        layout: of the rows.
    """

    def __init__(self, output: Path, folder: Path, layout: RowLayout) -> None:
        self.folder = folder
        self._output = output
        self._layout = layout
        self._count = 0
        while layout.is_whole(self._file(self._count), self._count):
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
            write_rows(draft, rows)
            draft.replace(path)
        self._count += 1

    def rows(self, layer: str) -> Iterator[NDArray[np.generic]]:
        """The rows of a layer from top to bottom, (channels, rows, width) for each band.

        Raises:
            OutputError: the disk does not give back what was written.
        """
        for index in range(self._count):
            with _as_output_error(self._output, UNREADABLE):
                rows = self._layout.read(self._file(index), index, layer)
            yield rows

    @property
    def noted(self) -> frozenset[Path]:
        """What the run that is resumed was giving a name when it was stopped: its own files."""
        return _read_names(self.folder)

    def start_publishing(self, names: Iterable[Path]) -> None:
        """Note which outputs are about to get their names."""
        listed = sorted({*map(str, self.noted), *map(_absolute, names)})
        with _as_output_error(self._output):
            _write_text(self.folder / PUBLISHING, json.dumps(listed))

    def remove(self) -> None:
        """Delete the store."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _file(self, index: int) -> Path:
        return self.folder / f"{index:06}.npz"


@contextmanager
def open_row_store(
    output: Path, manifest: Mapping[str, str], *, layout: RowLayout, overwrite: bool = False
) -> Iterator[RowStore]:
    """Begin a store, or go on with the one that a stopped process left.

    A store without any rows goes when the block ends; one with rows stays until
    `RowStore.remove`.

    Args:
        output: the output; the store lies beside it.
        manifest: all that decides what the rows are, as text by name.
        layout: of the rows.
        overwrite: begin anew where a store of another manifest is found.

    Raises:
        OutputError: another process is at work on this output, the store found is of
            another manifest or is none, or the folder cannot be written.
    """
    folder = store_folder(output)
    with ExitStack() as stack:
        with _as_output_error(output):
            if not os.path.lexists(folder):
                folder.mkdir(exist_ok=True)
            check_store(folder, output)
            stack.enter_context(_lock(output, folder))
            _match(output, folder, dict(manifest), overwrite=overwrite)
        store = RowStore(output, folder, layout)
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
    folder = store_folder(output)
    return _read_manifest(folder) if _is_folder(folder) else None


def names_in_store(output: Path) -> frozenset[Path]:
    """What the store of an output calls its own, if its manifest is that of the run to come.

    `RowStore.noted` says so once that is known.
    """
    folder = store_folder(output)
    return _read_names(folder) if _is_folder(folder) else frozenset()


def check_store(folder: Path, output: Path) -> None:
    """Refuse a folder that is no store: nothing in it is ours to remove.

    Raises:
        OutputError: it is a link, or holds what no store holds.
    """
    if not _is_folder(folder):
        raise OutputError(
            f"{output}: {folder} is a link or no folder, expected the folder of a stopped run: "
            "remove it, or choose another name"
        )
    with os.scandir(folder) as found:
        entries = list(found)
    for entry in entries:
        own = _OWN.fullmatch(entry.name) or (
            entry.name.startswith(output.stem) and entry.name.endswith(_DRAFTS)
        )
        if not own or not entry.is_file(follow_symlinks=False):
            raise OutputError(
                f"{output}: {folder} holds {entry.name}, which is of no stopped run: move it away, "
                "or choose another name"
            )


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
    return _examine(folder) if _is_store(folder) else None


def find_stores(folder: Path) -> list[Path]:
    """The stores of a folder."""
    return sorted(path for path in folder.glob(f".*{SUFFIX}") if _is_store(path))


def remove_stopped_run(stopped: StoppedRun) -> None:
    """Delete what a stopped run has left.

    Raises:
        OutputError: a process is at work on it, it is no store, or cannot be deleted.
    """
    folder = stopped.folder
    check_store(folder, _output_of(folder))
    with _lock(folder, folder):
        try:
            shutil.rmtree(folder)
        except OSError as error:
            raise OutputError(f"{folder}: cannot be removed ({reason(error)})") from error


def _output_of(folder: Path, stated: str = "") -> Path:
    """The output of a store: by its own name, which is cut where it is long, or as it says."""
    name = folder.name[1:].removesuffix(SUFFIX)
    return folder.with_name(stated if stated.startswith(name) and "/" not in stated else name)


def _is_folder(path: Path) -> bool:
    """A folder itself, and no link to one."""
    try:
        return stat.S_ISDIR(path.lstat().st_mode) and not path.is_symlink()
    except OSError:
        return False


def _is_store(path: Path) -> bool:
    manifest = path / MANIFEST
    return _is_folder(path) and manifest.is_file() and not manifest.is_symlink()


def _examine(folder: Path) -> StoppedRun:
    files = [path for path in folder.iterdir() if path.is_file() and not path.is_symlink()]
    manifest = _read_manifest(folder) or {}
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
        modified=max(path.stat().st_mtime for path in [*strips, folder / MANIFEST]),
        size=sum(path.stat().st_size for path in files),
        running=_is_running(folder),
    )


def _is_running(folder: Path) -> bool:
    if not os.path.lexists(folder / LOCK):
        return False
    try:
        with locked(folder / LOCK):
            return False
    except BlockingIOError:
        return True
    except OSError:  # a folder of somebody else, or what stands there is no lock
        return False


@contextmanager
def _lock(output: Path, folder: Path) -> Iterator[None]:
    try:
        with locked(folder / LOCK):
            yield
    except BlockingIOError as error:
        raise OutputError(
            f"{output}: another process is making it ({error}): wait for it, or choose another name"
        ) from error


def _match(output: Path, folder: Path, manifest: dict[str, str], *, overwrite: bool) -> None:
    """Keep what was done under the same manifest; clear the folder of anything else."""
    found = _read_manifest(folder)
    if found == manifest:
        return
    if found is not None and not overwrite:
        check_manifest(found, manifest, output=output)
    for path in folder.iterdir():
        if path.name not in (LOCK, LOCK + HOLDER):
            path.unlink()
    _write_text(folder / MANIFEST, json.dumps(manifest, indent=2))


def _write_text(path: Path, text: str) -> None:
    draft = path.with_name(f"{path.name}.partial")
    with create_new(draft) as file:
        file.write(text.encode() + b"\n")
    draft.replace(path)


def _read_manifest(folder: Path) -> dict[str, str] | None:
    values = _read_json(folder / MANIFEST)
    usable = isinstance(values, dict) and all(isinstance(v, str) for v in values.values())
    return values if usable else None


def _read_names(folder: Path) -> frozenset[Path]:
    values = _read_json(folder / PUBLISHING)
    usable = isinstance(values, list) and all(isinstance(value, str) for value in values)
    return frozenset(map(Path, values)) if usable else frozenset()


def _read_json(path: Path) -> Any:
    """None where nothing usable is there."""
    try:
        return parse_json(read_regular(path, limit=MAX_BYTES))
    except (OSError, ValueError):
        return None


def _absolute(path: Path) -> str:
    return str(path.absolute())


@contextmanager
def _as_output_error(
    output: Path, kinds: tuple[type[Exception], ...] = (OSError,)
) -> Iterator[None]:
    try:
        yield
    except kinds as error:
        folder = output.parent
        raise OutputError(
            f"{output}: its rows cannot be kept in {folder} ({cause(error, folder)}): run it again "
            "to resume, once that is mended"
        ) from error
