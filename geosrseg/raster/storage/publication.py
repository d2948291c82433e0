"""Publication: an output is made under another name and moved to its own when it is done."""

import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from geosrseg.errors import OutputError
from geosrseg.raster.storage.encoding import check_encoding
from geosrseg.raster.storage.gdal import reason
from geosrseg.raster.storage.lock import locked

DRAFTS = ".partial"
"""Suffix of the folder of an output that is being made."""

LOCK = ".lock"
"""In that folder: held as long as somebody is at work in it."""


def check_output(path: Path, *, suffixes: Sequence[str], overwrite: bool) -> None:
    """Refuse a name that an output cannot have, before any work is done for it.

    Raises:
        OutputError: see `check_name`; or the suffix is another, something stands there
            already, or there is no such folder.
    """
    check_local(path)
    check_name(path)
    if path.is_dir():
        raise OutputError(f"{path}: is a folder, expected the name of a file in it")
    if path.suffix.lower() not in suffixes:
        raise OutputError(f"{path}: expected a name that ends in {' or '.join(suffixes)}")
    if not path.parent.is_dir():
        if path.parent.exists():
            raise OutputError(f"{path}: {path.parent} is no folder: choose another name")
        raise OutputError(f"{path}: there is no folder {path.parent}: make it first")
    if os.path.lexists(path) and not path.is_file():  # a link that leads nowhere is none either
        raise OutputError(f"{path}: is no regular file: choose another name")
    if path.exists() and not overwrite:
        raise OutputError(
            f"{path}: exists: choose another name, or replace it with `overwrite=True`"
        )


def check_name(path: Path) -> None:
    """Refuse a name that no file can have here.

    Raises:
        OutputError: it is not UTF-8, which GDAL cannot open, cannot be said in the encoding of
            the locale, or is too long.
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
    """Refuse an address where a local file or folder is expected.

    Raises:
        OutputError: it is a URL, or one of GDAL's own names.
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
def open_drafts(path: Path) -> Iterator[Path]:
    """A hidden folder beside an output, for the files that will become it.

    It is on the output's file system, so that moving is atomic, and it goes with all
    that is left in it, also after an error: GDAL's by-products too. A process that is killed
    leaves it, and no lock on it: see `find_left_drafts`.

    Raises:
        OutputError: the folder of the output cannot be written.
    """
    try:
        folder = tempfile.mkdtemp(prefix=f".{path.name[:100]}.", suffix=DRAFTS, dir=path.parent)
    except OSError as error:
        raise OutputError(
            f"{path}: cannot write to the folder {path.parent} ({reason(error)}): choose another"
        ) from error
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        try:
            stack.enter_context(locked(Path(folder) / LOCK))
        except OSError as error:
            raise OutputError(f"{path}: cannot be written ({reason(error)})") from error
        yield Path(folder)


def publish(drafts: Sequence[Path], path: Path, *, stale: Sequence[str] = ()) -> None:
    """Give finished files their names, the output first and then its sidecars.

    Nothing is moved before all of them are on the disk, so a crash or a power cut leaves
    the old output or the new one, never a part of one. Between two moves, the new output
    stands beside the old one's sidecar.

    Args:
        drafts: files of `open_drafts`, with the names that they shall have.
        path: the output; its folder is theirs.
        stale: suffixes of what may stand beside an older output and would be taken for a
            part of the new one; what is not among the drafts is deleted.

    Raises:
        OutputError: the disk does not take them.
    """
    try:
        for draft in drafts:
            _sync(draft)
        for draft in drafts:
            draft.replace(path.parent / draft.name)
        published = {draft.name for draft in drafts}
        for name in (path.name + suffix for suffix in stale):
            if name not in published:
                path.with_name(name).unlink(missing_ok=True)
        _sync_folder(path.parent)
    except OSError as error:
        raise OutputError(f"{path}: cannot be written ({reason(error)})") from error


def publish_text(path: Path, text: str) -> None:
    """Write a file of text, in UTF-8, so that its name never holds a part of the text.

    Raises:
        OutputError: it cannot be written.
    """
    publish_texts({path: text})


def publish_texts(texts: Mapping[Path, str]) -> None:
    """Write files of one folder, all of them or none; what stands there is replaced.

    Raises:
        OutputError: one cannot be written.
    """
    first = next(iter(texts))
    with open_drafts(first) as folder:
        for path, text in texts.items():
            try:
                (folder / path.name).write_text(text, encoding="utf-8", newline="\n")
            except OSError as error:
                raise OutputError(f"{path}: cannot be written ({reason(error)})") from error
        publish([folder / path.name for path in texts], first)


def _sync(path: Path) -> None:
    with path.open("r+b") as file:
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    """Make the new names last, where the system can: Windows and some shares cannot."""
    if os.name != "posix":
        return
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
