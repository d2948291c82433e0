"""Archives: the files of a product in a folder or a tar, which is read in place."""

import tarfile
from pathlib import PurePosixPath

from geosrseg.errors import SceneError
from geosrseg.raster.files.gdal import reason
from geosrseg.raster.storage.location import Location
from geosrseg.raster.storage.remote import read_remote
from geosrseg.regular_file import check_regular, open_regular

COMPRESSED = (".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz", ".tar.zst")

MOST_MEMBERS = 10_000
"""A product has about thirty files."""

_TAR_ERRORS: tuple[type[Exception], ...] = (
    tarfile.TarError,
    ValueError,  # numbers and names in headers
    OverflowError,
    EOFError,
)
_UNREADABLE: tuple[type[Exception], ...] = (OSError, KeyError, *_TAR_ERRORS)


def is_archive(location: Location) -> bool:
    """It is a tar by its name, compressed or not."""
    return location.name.lower().endswith((".tar", *COMPRESSED))


def list_files(location: Location) -> dict[str, Location]:
    """The files of a local folder, without its subfolders, or of a tar.

    Nothing is unpacked, so a member's name cannot lead anywhere; it still has to be one
    that a file of a product may have.

    Returns:
        Own name -> location.

    Raises:
        SceneError: it cannot be listed, or is no plain tar of files with names that differ.
    """
    if location.is_remote:
        raise SceneError(f"{location}: is a tar behind a URL, download it first")
    try:
        if location.path.is_dir():
            paths = sorted(path for path in location.path.iterdir() if path.is_file())
            return {path.name: Location(str(path)) for path in paths}
        return _list_tar(location)
    except OSError as error:
        raise SceneError(f"{location}: cannot be read ({reason(error)})") from error


def read_file(location: Location, *, most: int) -> bytes:
    """The content of a small file, wherever it lies.

    Raises:
        SceneError: it cannot be read, or is larger than `most` bytes.
    """
    if location.is_remote:
        return read_remote(location, most=most)
    try:
        if location.member:
            check_regular(location.path)
            with tarfile.open(location.path, "r:") as archive:
                file = archive.extractfile(location.member)
                content = file.read(most + 1) if file else b""
        else:
            with open_regular(location.path) as file:
                content = file.read(most + 1)
    except _UNREADABLE as error:
        raise SceneError(f"{location}: cannot be read ({reason(error)})") from error
    if len(content) > most:
        raise SceneError(f"{location}: is larger than {most} bytes: expected metadata")
    return content


def _list_tar(location: Location) -> dict[str, Location]:
    if location.name.lower().endswith(COMPRESSED):
        raise SceneError(
            f"{location}: is a compressed tar, which cannot be read in place: unpack it, and "
            f"give the folder or the .tar inside"
        )
    files: dict[str, Location] = {}
    check_regular(location.path)
    try:
        with tarfile.open(location.path, "r:") as archive:
            for member in archive:
                if member.isdir():
                    continue
                _check_member(location, member)
                name = PurePosixPath(member.name).name
                if name in files or len(files) >= MOST_MEMBERS:
                    raise SceneError(
                        f"{location}: has {name!r} twice, or more than {MOST_MEMBERS} files: "
                        f"expected one product"
                    )
                files[name] = Location(location.address, member.name)
    except _TAR_ERRORS as error:
        raise SceneError(f"{location}: is no tar ({reason(error)}): get it again") from error
    return files


def _check_member(location: Location, member: tarfile.TarInfo) -> None:
    path = PurePosixPath(member.name)
    plain = member.isreg() and not member.issparse()
    if not plain or path.is_absolute() or ".." in path.parts or "\\" in member.name:
        raise SceneError(
            f"{location}: has the member {member.name!r}, which is no plain file inside it: "
            f"get the product again"
        )
