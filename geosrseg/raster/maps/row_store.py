"""RowStore: the finished rows of a map, kept beside the output until it is published.

It is a hidden folder with a manifest, which says what is being made of what, and one file
for the rows of each strip of windows, in any order. A file gets its name when it is whole, and has
the manifest's hash in it: a process that is stopped at any moment, killed or not, leaves a store
that the next one can resume, and several may fill one together.
"""

import hashlib
import json
import os
import re
import secrets
import shutil
import stat
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geosrseg.core.text.json_text import parse_json
from geosrseg.errors import OutputBusyError, OutputError
from geosrseg.raster.maps.manifest import check_manifest
from geosrseg.raster.maps.row_layout import UNREADABLE, RowLayout, write_rows
from geosrseg.raster.storage.gdal import cause
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

_OWN = re.compile(
    r"(manifest\.json|publishing|\d{6}\.npz)(\.partial)?|\d{6}(\.[0-9a-f]{16})?\.partial"
    r"|lock(\.holder(\.[0-9a-f]{16})?)?",
    re.ASCII,
)
"""Names that a store gives to its files; the drafts of the outputs are in it besides."""

BEGINNINGS = 600
"""Looks, a tenth of a second apart, at a store that another process is about to begin."""

_DRAFTS = (".tif", ".tiff", ".draft", ".xml", ".ovr", ".msk", ".tmp")


class RowStore:
    """An open store, see `open_row_store`.

    Args:
        output: the output.
        folder: the store.
        layout: of the rows.
        strips: those that are asked for, all by default.
    """

    def __init__(
        self, output: Path, folder: Path, layout: RowLayout, strips: range | None = None
    ) -> None:
        self.folder = folder
        self._output = output
        self._layout = layout
        self._strips = range(len(layout.heights)) if strips is None else strips
        self._kept = {k for k in self._strips if layout.is_whole(self._file(k), k)}

    def __len__(self) -> int:
        """How many of the strips that are asked for are finished."""
        return len(self._kept)

    @property
    def missing(self) -> list[range]:
        """The strips that are asked for and not finished, those that follow each other as one."""
        found: list[range] = []
        for index in self._strips:
            if index in self._kept:
                continue
            if found and found[-1].stop == index:
                found[-1] = range(found[-1].start, index + 1)
            else:
                found.append(range(index, index + 1))
        return found

    def absent(self) -> list[int]:
        """The strips of the whole map that have no file, whoever was to make them.

        Raises:
            OutputError: the folder cannot be read.
        """
        with _as_output_error(self._output):  # a listing is fresher than single names on NFS
            names = {path.name for path in self.folder.iterdir()}
        every = range(len(self._layout.heights))
        return [index for index in every if self._file(index).name not in names]

    def keep(self, index: int, rows: Mapping[str, NDArray[np.generic]]) -> None:
        """Keep the rows of a strip; another process may do so too, with the same ones.

        Args:
            index: number of the strip.
            rows: layer -> (channels, rows, width).

        Raises:
            OutputError: the disk does not take them.
        """
        path = self._file(index)
        draft = path.with_suffix(f".{secrets.token_hex(8)}.partial")
        with _as_output_error(self._output):
            write_rows(draft, rows, made_for=self._layout.made_for)
            draft.replace(path)
        self._kept.add(index)

    def rows(self, layer: str) -> Iterator[NDArray[np.generic]]:
        """The finished rows of a layer from top to bottom, (channels, rows, width) per strip.

        Raises:
            OutputError: the disk does not give back what was written.
        """
        for index in sorted(self._kept):
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
        """Delete the store; a process that still fills it finds it gone, not half there."""
        gone = self.folder
        with suppress(OSError):  # Windows moves no folder in which a file is open
            aside = tempfile.mkdtemp(prefix=f"{gone.name}.", suffix=".partial", dir=gone.parent)
            gone = gone.rename(aside)
        shutil.rmtree(gone, ignore_errors=True)

    def _file(self, index: int) -> Path:
        return self.folder / f"{index:06}.npz"


@contextmanager
def open_row_store(
    output: Path, manifest: Mapping[str, str], *, layout: RowLayout, overwrite: bool = False
) -> Iterator[RowStore]:
    """Begin a store, or resume the one that a stopped process left.

    A store without any rows goes when the block ends; one with rows stays until
    `RowStore.remove`.

    Args:
        output: the output; the store lies beside it.
        manifest: all that decides what the rows are, as text by name.
        layout: of the rows.
        overwrite: begin anew where a store of another manifest is found.

    Raises:
        OutputBusyError: another process is at work on this output.
        OutputError: the store found is of another manifest or is none, or the folder cannot be
            written.
    """
    with ExitStack() as stack:
        with _as_output_error(output):
            folder = _make_folder(output)
            stack.enter_context(lock_store(output, folder))
            _match(output, folder, dict(manifest), overwrite=overwrite)
        store = RowStore(output, folder, replace(layout, made_for=_hash(manifest)))
        try:
            yield store
        finally:
            if not len(store):
                store.remove()


def join_row_store(
    output: Path,
    manifest: Mapping[str, str],
    strips: range,
    *,
    layout: RowLayout,
    overwrite: bool = False,
    pause: Callable[[float], object] = time.sleep,
) -> RowStore:
    """A store that several processes fill together; only who begins it locks it, for a moment.

    Args:
        output: see `open_row_store`.
        manifest: see `open_row_store`.
        strips: those that this process is to fill.
        layout: see `open_row_store`.
        overwrite: see `open_row_store`.
        pause: waits for a process that is about to begin it.

    Raises:
        OutputError: see `open_row_store`.
    """
    with _as_output_error(output):
        folder = _make_folder(output)
        for attempt in range(BEGINNINGS):
            if manifest_of(folder) == dict(manifest):
                break
            try:
                with lock_store(output, folder):
                    _match(output, folder, dict(manifest), overwrite=overwrite)
            except OutputBusyError:
                if attempt + 1 == BEGINNINGS:
                    raise
                pause(0.1)
    return RowStore(output, folder, replace(layout, made_for=_hash(manifest)), strips)


def _make_folder(output: Path) -> Path:
    folder = store_folder(output)
    if not os.path.lexists(folder):
        folder.mkdir(exist_ok=True)
    check_store(folder, output)
    return folder


def _hash(manifest: Mapping[str, str]) -> bytes:
    return hashlib.sha256(json.dumps(manifest, sort_keys=True).encode()).hexdigest().encode()


def store_folder(output: Path) -> Path:
    """Where the store of an output lies."""
    stem = os.fsdecode(os.fsencode(output.name)[:200])
    return output.with_name(f".{stem}{SUFFIX}")


def read_manifest(output: Path) -> dict[str, str] | None:
    """What the store of an output says of itself; None where nothing usable is said."""
    folder = store_folder(output)
    return manifest_of(folder) if is_folder(folder) else None


def names_in_store(output: Path) -> frozenset[Path]:
    """What the store of an output calls its own, if its manifest is that of the run to come.

    `RowStore.noted` says so once that is known.
    """
    folder = store_folder(output)
    return _read_names(folder) if is_folder(folder) else frozenset()


def check_store(folder: Path, output: Path) -> None:
    """Refuse a folder that is no store: nothing in it is ours to remove.

    Raises:
        OutputError: it is a link, or holds what no store holds.
    """
    if not is_folder(folder):
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
        if own and not os.path.lexists(entry.path):
            continue  # another process has just given it its name
        if not own or not entry.is_file(follow_symlinks=False):
            raise OutputError(
                f"{output}: {folder} holds {entry.name}, which is of no stopped run: move it away, "
                "or choose another name"
            )


def is_folder(path: Path) -> bool:
    """A folder itself, and no link to one."""
    try:
        return stat.S_ISDIR(path.lstat().st_mode) and not path.is_symlink()
    except OSError:
        return False


@contextmanager
def lock_store(output: Path, folder: Path) -> Iterator[None]:
    """Hold a store for this process alone.

    Raises:
        OutputBusyError: another process holds it.
    """
    try:
        with locked(folder / LOCK):
            yield
    except BlockingIOError as error:
        raise OutputBusyError(
            f"{output}: another process is making it ({error}): wait for it, or choose another name"
        ) from error


def _match(output: Path, folder: Path, manifest: dict[str, str], *, overwrite: bool) -> None:
    """Keep what was done under the same manifest; clear the folder of anything else.

    A manifest without a finished strip keeps nothing, so whatever it says is no matter.
    """
    found = manifest_of(folder)
    if found == manifest:
        return
    begun = (folder / PUBLISHING).exists() or any(folder.glob("*.npz"))
    if found is not None and begun and not overwrite:
        check_manifest(found, manifest, output=output)
    for path in folder.iterdir():
        if path.name not in (LOCK, LOCK + HOLDER):
            path.unlink(missing_ok=True)
    _write_text(folder / MANIFEST, json.dumps(manifest, indent=2))


def _write_text(path: Path, text: str) -> None:
    draft = path.with_name(f"{path.name}.partial")
    with create_new(draft) as file:
        file.write(text.encode() + b"\n")
    draft.replace(path)


def manifest_of(folder: Path) -> dict[str, str] | None:
    """What a store says of itself; None where nothing usable is said."""
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
