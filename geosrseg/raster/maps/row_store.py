"""RowStore: keeps the finished rows of a map beside the output until it is published.

A store is a hidden folder with a manifest, which describes the run, and one file of rows per strip
of windows, in any order. A file gets its final name once complete, and contains the manifest's
hash. So a process may be killed at any moment and the next one resumes; several may share a store.
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
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from geosrseg.errors import OutputBusyError, OutputError
from geosrseg.raster.maps.manifest import MANIFEST, check_manifest, manifest_of, read_json
from geosrseg.raster.maps.row_layout import UNREADABLE, RowLayout, read_bad_blocks, write_rows
from geosrseg.raster.storage.gdal import cause
from geosrseg.raster.storage.holder_file import SUFFIX as HOLDER
from geosrseg.raster.storage.lock import locked
from geosrseg.regular_file import create_new

SUFFIX = ".geosrseg"
"""Suffix of the store's folder, whose name starts with a dot and the output's name."""

LOCK = "lock"
PUBLISHING = "publishing"
"""File that lists the outputs which may already have their final names."""

_OWN = re.compile(
    r"(manifest\.json|publishing|\d{6}\.npz)(\.partial)?|\d{6}(\.[0-9a-f]{16})?\.partial"
    r"|lock(\.holder(\.[0-9a-f]{16})?)?",
    re.ASCII,
)
"""Names of a store's files, apart from drafts of the outputs."""

BEGINNINGS = 600
"""Attempts, a tenth of a second apart, to join a store that another process is creating."""

_DRAFTS = (".tif", ".tiff", ".draft", ".xml", ".ovr", ".msk", ".tmp")


class RowStore:
    """An open store, see `open_row_store`. `strips` are those that this process fills."""

    def __init__(
        self, output: Path, folder: Path, layout: RowLayout, strips: range | None = None
    ) -> None:
        self.folder = folder
        self._output = output
        self._layout = layout
        self._strips = range(len(layout.heights)) if strips is None else strips
        self._kept = {k for k in self._strips if layout.is_whole(self._file(k), k)}

    def __len__(self) -> int:
        """Number of this process's strips that are finished."""
        return len(self._kept)

    @property
    def missing(self) -> list[range]:
        """This process's unfinished strips, as ranges of consecutive ones."""
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
        """Return the strips of the whole map that no process has finished.

        Raises:
            OutputError: the folder cannot be read.
        """
        with _as_output_error(self._output):  # a listing is fresher than single names on NFS
            found = set(self.folder.iterdir())
        return [k for k in range(len(self._layout.heights)) if self._file(k) not in found]

    @property
    def bad_blocks(self) -> list[str]:
        """Blocks of the scene that this process's finished strips were made without, in words.

        Raises:
            OutputError: a file cannot be read back.
        """
        with _as_output_error(self._output, UNREADABLE):
            found = [block for k in sorted(self._kept) for block in read_bad_blocks(self._file(k))]
        return list(dict.fromkeys(found))

    def keep(
        self, index: int, rows: Mapping[str, NDArray[np.generic]], *, bad_blocks: Sequence[str] = ()
    ) -> None:
        """Store the rows of a strip; another process may safely store the same rows.

        Args:
            index: number of the strip.
            rows: layer -> (channels, rows, width).
            bad_blocks: blocks of the scene that may be missing in these rows.

        Raises:
            OutputError: the rows cannot be written.
        """
        path = self._file(index)
        draft = path.with_suffix(f".{secrets.token_hex(8)}.partial")
        with _as_output_error(self._output):
            write_rows(draft, rows, made_for=self._layout.made_for, bad_blocks=bad_blocks)
            draft.replace(path)
        self._kept.add(index)

    def rows(self, layer: str) -> Iterator[NDArray[np.generic]]:
        """Yield the finished rows of a layer from top to bottom, (channels, rows, width) per strip.

        Raises:
            OutputError: rows cannot be read back.
        """
        for index in sorted(self._kept):
            with _as_output_error(self._output, UNREADABLE):
                rows = self._layout.read(self._file(index), index, layer)
            yield rows

    @property
    def noted(self) -> frozenset[Path]:
        """Outputs that the resumed run was publishing when it stopped; they are its own."""
        return _read_names(self.folder)

    def start_publishing(self, names: Iterable[Path]) -> None:
        """Record the outputs that are about to get their final names."""
        listed = sorted({*map(str, self.noted), *(str(path.absolute()) for path in names)})
        with _as_output_error(self._output):
            _write_text(self.folder / PUBLISHING, json.dumps(listed))

    def forget(self) -> None:
        """Delete this process's finished strips, so that they are made again."""
        with _as_output_error(self._output):
            for index in self._kept:
                self._file(index).unlink(missing_ok=True)
        self._kept.clear()

    def remove(self) -> None:
        """Delete the store at once, so that no other process finds a part of it."""
        gone = self.folder
        with suppress(OSError):  # Windows cannot move a folder with an open file
            aside = tempfile.mkdtemp(prefix=f"{gone.name}.", suffix=".partial", dir=gone.parent)
            gone = gone.rename(aside)
        shutil.rmtree(gone, ignore_errors=True)

    def _file(self, index: int) -> Path:
        return self.folder / f"{index:06}.npz"


@contextmanager
def open_row_store(
    output: Path, manifest: Mapping[str, str], *, layout: RowLayout, overwrite: bool = False
) -> Iterator[RowStore]:
    """Create a store beside the output, or resume the one that a stopped process left.

    The end of the block deletes a store without rows; one with rows stays until
    `RowStore.remove`.

    Args:
        output: the map to make.
        manifest: name -> text of everything that decides the rows.
        layout: shapes and types of the rows.
        overwrite: discard an existing store with another manifest.

    Raises:
        OutputBusyError: another process is making this output.
        OutputError: the existing store has another manifest, its folder is not a store, or the
            folder cannot be written.
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
    """Open a store that several processes fill; only its creator locks it, briefly.

    `open_row_store` explains the other arguments and the errors.

    Args:
        strips: the strips that this process fills.
        pause: sleeps while another process creates the store.
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
    """Return the folder of an output's store."""
    stem = os.fsdecode(os.fsencode(output.name)[:200])
    return output.with_name(f".{stem}{SUFFIX}")


def read_manifest(output: Path) -> dict[str, str] | None:
    """Return the manifest in an output's store; None without a usable one."""
    folder = store_folder(output)
    return manifest_of(folder) if is_folder(folder) else None


def names_in_store(output: Path) -> frozenset[Path]:
    """Return what `RowStore.noted` will be if the run resumes the store of an output."""
    folder = store_folder(output)
    return _read_names(folder) if is_folder(folder) else frozenset()


def check_store(folder: Path, output: Path) -> None:
    """Refuse a folder that is not a store, because its files must not be deleted.

    Raises:
        OutputError: the folder is a link, or holds foreign files.
    """
    if not is_folder(folder):
        raise OutputError(
            f"{output}: {folder} is a link or not a folder, expected the folder of a stopped run: "
            "remove it, or choose another name"
        )
    with os.scandir(folder) as found:
        entries = list(found)
    for entry in entries:
        own = _OWN.fullmatch(entry.name) or (
            entry.name.startswith(output.stem) and entry.name.endswith(_DRAFTS)
        )
        if own and not os.path.lexists(entry.path):
            continue  # another process has just renamed or deleted it
        if not own or not entry.is_file(follow_symlinks=False):
            raise OutputError(
                f"{output}: {folder} holds {entry.name}, which no stopped run made: move it away, "
                "or choose another name"
            )


def is_folder(path: Path) -> bool:
    """True for a folder that is not a link."""
    with suppress(OSError):
        return stat.S_ISDIR(path.lstat().st_mode)
    return False


@contextmanager
def lock_store(output: Path, folder: Path) -> Iterator[None]:
    """Lock a store for this process.

    Raises:
        OutputBusyError: another process holds the lock.
    """
    try:
        with locked(folder / LOCK):
            yield
    except BlockingIOError as error:
        raise OutputBusyError(
            f"{output}: another process is making it ({error}): wait for it, or choose another name"
        ) from error


def _match(output: Path, folder: Path, manifest: dict[str, str], *, overwrite: bool) -> None:
    """Keep a store with the same manifest; otherwise empty the folder and write the manifest.

    A store with another manifest is refused only if it holds finished work.
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


def _read_names(folder: Path) -> frozenset[Path]:
    values = read_json(folder / PUBLISHING)
    usable = isinstance(values, list) and all(isinstance(value, str) for value in values)
    return frozenset(map(Path, values)) if usable else frozenset()


@contextmanager
def _as_output_error(
    output: Path, kinds: tuple[type[Exception], ...] = (OSError,)
) -> Iterator[None]:
    try:
        yield
    except kinds as error:
        raise OutputError(
            f"{output}: its rows cannot be kept in {output.parent} "
            f"({cause(error, output.parent)}): fix that, then run it again to resume"
        ) from error
