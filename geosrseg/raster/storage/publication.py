"""Writes an output under a temporary name and renames it when it is complete."""

import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from geosrseg.errors import OutputError
from geosrseg.raster.storage.encoding import check_encoding
from geosrseg.raster.storage.gdal import reason
from geosrseg.raster.storage.lock import locked

DRAFTS = ".partial"
"""Suffix of the folder of an unfinished output."""

LOCK = ".lock"
"""File in that folder, locked while a process works there."""


def check_output(path: Path, *, suffixes: Sequence[str], overwrite: bool) -> None:
    """Refuse an unusable output name before any work is done.

    Raises:
        OutputError: see `check_name`; or the suffix is wrong, the path exists already, or its
            folder does not exist.
    """
    check_local(path)
    check_name(path)
    if path.is_dir():
        raise OutputError(f"{path}: is a folder, expected the name of a file in it")
    if path.suffix.lower() not in suffixes:
        raise OutputError(f"{path}: expected a name that ends in {' or '.join(suffixes)}")
    if not path.parent.is_dir():
        if path.parent.exists():
            raise OutputError(f"{path}: {path.parent} is not a folder: choose another name")
        raise OutputError(f"{path}: there is no folder {path.parent}: make it first")
    if os.path.lexists(path) and not path.is_file():  # nor is a broken link
        raise OutputError(f"{path}: is not a regular file: choose another name")
    if path.exists() and not overwrite:
        raise OutputError(
            f"{path}: exists: choose another name, or replace it with `overwrite=True`"
        )


def check_apart(path: Path, inputs: Iterable[str | Path | None]) -> None:
    """Refuse an output that is a file it is made from, which `overwrite` would lose.

    Args:
        inputs: files that are read; None and missing files are passed over.

    Raises:
        OutputError: the output is one of the inputs.
    """
    for item in inputs if path.exists() else ():
        if item is not None and os.path.exists(item) and path.samefile(item):  # noqa: PTH110
            raise OutputError(f"{path}: is read to make it: choose another name")


def check_name(path: Path) -> None:
    """Refuse a name that no file can have here.

    Raises:
        OutputError: the name is not UTF-8, which GDAL cannot open; the locale cannot encode it;
            or it is too long.
    """
    try:
        check_encoding(path)
        path.lstat()
    except UnicodeError as error:
        raise OutputError(str(error)) from error
    except (FileNotFoundError, NotADirectoryError):
        pass
    except OSError as error:
        raise OutputError(f"{path}: {reason(error)}: choose another name") from error


def check_local(path: Path) -> None:
    """Refuse a URL, or one of GDAL's own names, where a local path is expected.

    Raises:
        OutputError: says what to give instead.
    """
    if found := re.match(r"file:/+(.*)", str(path), re.IGNORECASE):
        raise OutputError(f"{path}: outputs are paths: give /{found[1]}")
    if str(path).lower().startswith("/vsi"):
        raise OutputError(f"{path}: outputs are local files: write it here, then upload it")
    if address := re.match(r"([a-z][a-z0-9+.-]+):/+(.*)", str(path), re.IGNORECASE):
        raise OutputError(
            f"{address[1]}://{address[2]}: outputs are local files: write it here, then upload it"
        )


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Raise an `OutputError` that names the output where the disk refuses it."""
    try:
        yield
    except OSError as error:
        raise OutputError(f"{path}: cannot be written ({reason(error)})") from error


@contextmanager
def open_drafts(path: Path) -> Iterator[Path]:
    """A hidden folder beside an output, for its unfinished files.

    It is on the output's file system, so that renaming is atomic. On exit, also after an error, it
    is deleted with everything left in it, GDAL's by-products included. A killed process leaves
    the folder unlocked; `find_left_drafts` finds it.

    Raises:
        OutputError: the output's folder is not writable.
    """
    try:
        folder = tempfile.mkdtemp(prefix=f".{path.name[:100]}.", suffix=DRAFTS, dir=path.parent)
    except OSError as error:
        raise OutputError(
            f"{path}: cannot write to the folder {path.parent} ({reason(error)}): choose another"
        ) from error
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        with writing(path):
            stack.enter_context(locked(Path(folder) / LOCK))
        yield Path(folder)


def publish(drafts: Sequence[Path], path: Path, *, stale: Sequence[str] = ()) -> None:
    """Move finished files to the output's folder, the output first and then its sidecars.

    All files are flushed to disk before the first move, so a crash or power cut leaves the old
    output or the new one, never part of one. Between two moves, the new output is beside the old
    one's sidecar.

    Args:
        drafts: files of `open_drafts`, under their final names.
        stale: suffixes of sidecars of an older output that would be read with the new one;
            those without a new draft are deleted.

    Raises:
        OutputError: the disk refuses them.
    """
    with writing(path):
        for draft in drafts:
            with draft.open("r+b") as file:
                os.fsync(file.fileno())
        for draft in drafts:
            draft.replace(path.parent / draft.name)
        published = {draft.name for draft in drafts}
        for name in (path.name + suffix for suffix in stale):
            if name not in published:
                path.with_name(name).unlink(missing_ok=True)
        _sync_folder(path.parent)


def publish_text(path: Path, text: str) -> None:
    """Write a UTF-8 text file atomically.

    Raises:
        OutputError: it cannot be written.
    """
    publish_texts({path: text})


def publish_texts(texts: Mapping[Path, str]) -> None:
    """Write text files of one folder, all of them or none; existing ones are replaced.

    Raises:
        OutputError: one cannot be written.
    """
    first = next(iter(texts))
    with open_drafts(first) as folder:
        for path, text in texts.items():
            with writing(path):
                (folder / path.name).write_text(text, encoding="utf-8", newline="\n")
        publish([folder / path.name for path in texts], first)


def _sync_folder(folder: Path) -> None:
    """Flush the new names to disk where possible; Windows and some shares cannot."""
    if os.name != "posix":
        return
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
