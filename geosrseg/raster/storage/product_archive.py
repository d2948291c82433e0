"""Lists and reads the files of a product in a folder, tar or ZIP archive, without unpacking it.

As nothing is unpacked, a member's name cannot overwrite any file. Names that no product file may
have are refused all the same.
"""

import os
import tarfile
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from geosrseg.errors import SceneError
from geosrseg.raster.storage.gdal import reason
from geosrseg.raster.storage.location import Location
from geosrseg.raster.storage.remote import read_remote
from geosrseg.raster.storage.zip_directory import check_member, open_zip
from geosrseg.regular_file import check_regular, open_regular

COMPRESSED = (".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz", ".tar.zst")

ZIP = ".zip"

MOST_MEMBERS = 10_000
"""Most files accepted; a product has 30 to 200."""

DEEPEST = 6
"""Most nested folders followed; a SAFE has four."""

_ARCHIVE_ERRORS: tuple[type[Exception], ...] = (
    tarfile.TarError,
    zipfile.BadZipFile,
    NotImplementedError,  # a ZIP version or method of the future
    RuntimeError,  # an encrypted member
    ValueError,  # numbers and names in headers
    OverflowError,
    EOFError,
)
_UNREADABLE: tuple[type[Exception], ...] = (OSError, KeyError, *_ARCHIVE_ERRORS)


def is_archive(location: Location) -> bool:
    """Whether its name is that of a tar, compressed or not, or of a ZIP archive."""
    return not location.member and location.name.lower().endswith((".tar", ZIP, *COMPRESSED))


def list_files(location: Location) -> dict[str, Location]:
    """The files of a local folder, without its subfolders, or all files of an archive.

    Returns:
        File name -> location. Names that occur more than once in an archive are left out.

    Raises:
        SceneError: the folder or archive cannot be listed, or is no plain archive.
    """
    if not location.is_remote and location.path.is_dir():
        with _in_words(location):
            paths = sorted(path for path in location.path.iterdir() if path.is_file())
        return {path.name: Location(str(path)) for path in paths}
    tree = list_tree(location)
    names = [PurePosixPath(path).name for path in tree]
    counts = Counter(names)
    return {
        name: place for name, place in zip(names, tree.values(), strict=True) if counts[name] == 1
    }


def list_tree(location: Location) -> dict[str, Location]:
    """The files of a local folder and its subfolders, or of an archive.

    Returns:
        Relative path, with ``/`` -> location. Links to folders are not followed.

    Raises:
        SceneError: the folder or archive cannot be listed, is too large, or is no plain archive.
    """
    if location.is_remote:
        raise SceneError(f"{location}: is an archive behind a URL, download it first")
    if location.name.lower().endswith(COMPRESSED):
        raise SceneError(
            f"{location}: is a compressed tar, which cannot be read in place: unpack it, and "
            f"give the folder or the .tar inside"
        )
    with _in_words(location):
        if location.path.is_dir():
            return _within_limits(location, _walk(location.path))
        check_regular(location.path)
        is_zip = location.name.lower().endswith(ZIP)
        return _within_limits(location, (_zip if is_zip else _tar)(location))


def read_file(location: Location, *, most: int) -> bytes:
    """The content of a small file on disk, in an archive, or behind a URL.

    Raises:
        SceneError: the file cannot be read, or is larger than `most` bytes.
    """
    if location.is_remote:
        return read_remote(location, most=most)
    try:
        content = _read_local(location, most)
    except _UNREADABLE as error:
        raise SceneError(f"{location}: cannot be read ({reason(error)})") from error
    if len(content) > most:
        raise SceneError(f"{location}: is larger than {most} bytes: expected metadata")
    return content


def _read_local(location: Location, most: int) -> bytes:
    if not location.member:
        with open_regular(location.path) as file:
            return file.read(most + 1)
    check_regular(location.path)
    if location.path.name.lower().endswith(ZIP):
        with open_zip(location.path) as archive, archive.open(location.member) as member:
            return member.read(most + 1)
    with tarfile.open(location.path, "r:") as tar:
        found = tar.extractfile(location.member)
        return found.read(most + 1) if found else b""


@contextmanager
def _in_words(location: Location) -> Iterator[None]:
    """Turn the errors of a folder or archive into SceneError."""
    try:
        yield
    except OSError as error:
        raise SceneError(f"{location}: cannot be read ({reason(error)})") from error
    except _ARCHIVE_ERRORS as error:
        what = "ZIP archive" if location.name.lower().endswith(ZIP) else "tar archive"
        raise SceneError(f"{location}: is not a {what} ({reason(error)}): get it again") from error


def _within_limits(
    location: Location, found: Iterable[tuple[str, Location]]
) -> dict[str, Location]:
    files: dict[str, Location] = {}
    for path, place in found:
        if path in files or len(files) >= MOST_MEMBERS:
            raise SceneError(
                f"{location}: has {path!r} twice, or more than {MOST_MEMBERS} files: "
                f"expected one product"
            )
        files[path] = place
    return files


def _walk(folder: Path) -> Iterator[tuple[str, Location]]:
    for here, folders, names in os.walk(folder):
        within = Path(here).relative_to(folder)
        folders[:] = sorted(folders) if len(within.parts) < DEEPEST else []
        for name in sorted(names):
            yield (within / name).as_posix(), Location(str(Path(here) / name))


def _tar(location: Location) -> Iterator[tuple[str, Location]]:
    with tarfile.open(location.path, "r:") as archive:
        for member in archive:
            if member.isdir():
                continue
            path = PurePosixPath(member.name)
            plain = member.isreg() and not member.issparse()
            if not plain or path.is_absolute() or ".." in path.parts or "\\" in member.name:
                raise _odd_member(location, member.name, "is not a plain file inside it")
            yield path.as_posix(), Location(location.address, member.name)


def _zip(location: Location) -> Iterator[tuple[str, Location]]:
    with open_zip(location.path) as archive:
        for member in archive.infolist():
            if member.is_dir():
                continue
            if why := check_member(member):
                raise _odd_member(location, member.filename, why)
            path = PurePosixPath(member.filename)
            yield path.as_posix(), Location(location.address, member.filename)


def _odd_member(location: Location, name: str, why: str) -> SceneError:
    return SceneError(f"{location}: has the member {name!r}, which {why}: get the product again")
