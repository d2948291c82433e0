"""Distribution: the files in a dataset's folder, unpacked or in zips."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from geosrseg.datasets.named.zip_archive import ZipArchive, open_archive
from geosrseg.errors import DatasetError


@dataclass(frozen=True, slots=True)
class DatasetFile:
    """A file in a folder or in a zip.

    Attributes:
        name: path below the dataset's folder, with ``/``; a zip counts as a folder.
        path: path of the file, or its name in the zip.
        archive: the zip; None for an unpacked file.
    """

    name: str
    path: Path | str
    archive: ZipArchive | None = None


@dataclass(frozen=True, slots=True)
class Distribution:
    """All files of a dataset's folder, sorted by name, unpacked ones first."""

    folder: Path
    files: tuple[DatasetFile, ...]

    def find(self, pattern: str) -> dict[str, DatasetFile]:
        """Find the files whose name matches a regular expression, ignoring case.

        Args:
            pattern: regular expression; its first group is the key of a file.

        Returns:
            Files by key, in lower case; the first of several with one key.
        """
        expression = re.compile(pattern, re.IGNORECASE)
        found: dict[str, DatasetFile] = {}
        for file in self.files:
            if match := expression.fullmatch(file.name):
                found.setdefault(match[1].lower(), file)
        return found

    def lacking(self, needed: str, *, source: str) -> DatasetError:
        """Make the error about missing files, which lists those found and the data's source."""
        names = [file.name for file in self.files]
        found = ", ".join(names[:8]) or "no file at all"
        more = f" and {len(names) - 8} more files" if len(names) > 8 else ""
        return DatasetError(
            f"{needed} in {self.folder} or in its zips; found {found}{more}; the data comes from "
            f"{source}"
        )


def open_distribution(folder: Path) -> Distribution:
    """List a dataset's folder and the zips in it.

    Raises:
        DatasetError: a zip is not safe.
    """
    loose: list[DatasetFile] = []
    zipped: list[DatasetFile] = []
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.name.startswith("."):
            if path.suffix.lower() == ".zip":
                zipped += _members(path, folder)
            else:
                loose.append(DatasetFile(path.relative_to(folder).as_posix(), path))
    return Distribution(folder, (*loose, *zipped))


def _members(path: Path, folder: Path) -> Iterator[DatasetFile]:
    archive = open_archive(path)
    place = path.relative_to(folder).with_suffix("").as_posix()
    for member in sorted(archive.members, key=lambda member: member.filename):
        if not member.filename.rpartition("/")[2].startswith((".", "__MACOSX")):
            yield DatasetFile(f"{place}/{member.filename}", member.filename, archive)


def unpack(files: dict[str, DatasetFile]) -> dict[str, Path]:
    """Return the paths of files, after unpacking those in zips."""
    archives = {file.archive.path: file.archive for file in files.values() if file.archive}
    places = {
        path: archive.unpack(
            str(file.path) for file in files.values() if file.archive and file.archive.path == path
        )
        for path, archive in archives.items()
    }
    return {
        key: places[file.archive.path] / str(file.path) if file.archive else Path(file.path)
        for key, file in files.items()
    }
