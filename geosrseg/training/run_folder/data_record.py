"""DataRecord: hashes of a run's training data, so that it can only resume on the same data.

Files are compared by name and content, as size and time can stay the same when a file changes,
and change when it does not. Small datasets are hashed completely. In larger ones an equal share
of `HASHED` bytes is read from each file, including its start and end, so that a hundred
gigabytes take no longer than two.
"""

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np

from geosrseg.core.text.json_text import parse_json
from geosrseg.datasets.card.card import DatasetCard
from geosrseg.errors import DatasetError, RunError
from geosrseg.regular_file import open_regular, read_regular
from geosrseg.training.run_folder.draft import drafted
from geosrseg.training.run_folder.run import Run

HASHED = 2**31
"""Approximate number of bytes read from a dataset."""

BLOCK = 2**16
"""Bytes per read, and the least read from a file."""

MAX_BYTES = 2**28
"""Largest record accepted; a file takes about a hundred bytes."""

MEANING: Mapping[str, str] = {
    "coding": "the values of its classes",
    "polygons": "the columns of its classes",
    "scenes": "its images or their splits",
    "sources": "its sources or their splits",
    "guard": "its guard",
    "image": "how its images store reflectance",
    "lr": "how its LR images store reflectance",
}
"""Fields of a card that decide how its files are read, described for messages."""


@dataclass(frozen=True, slots=True)
class DataRecord:
    """Hashes of the training data of a run.

    Attributes:
        card: hash of each card field in `MEANING`.
        files: hash of each file, by its path below their common folder.
    """

    card: Mapping[str, str]
    files: Mapping[str, str]

    @classmethod
    def of(cls, card: DatasetCard) -> "DataRecord":
        """Hash a dataset in its current state.

        Raises:
            DatasetError: a file cannot be read.
        """
        paths = sorted({path.absolute() for path in card.files})
        folder = Path(os.path.commonpath([path.parent for path in paths]))
        names = {path: path.relative_to(folder).as_posix() for path in paths}
        share = max(HASHED // len(paths), BLOCK)
        described = {key: _described(getattr(card, key), names) for key in MEANING}
        return cls(
            card={
                key: hashlib.blake2b(json.dumps(value).encode(), digest_size=16).hexdigest()
                for key, value in described.items()
            },
            files={name: _hash_file(path, share) for path, name in names.items()},
        )

    def write(self, run: Run) -> None:
        text = json.dumps({"card": self.card, "files": self.files}, indent=1, ensure_ascii=False)
        with drafted(run.data_file) as draft:
            draft.write_text(text + "\n", encoding="utf-8")

    def check(self, run: Run) -> None:
        """Check that a run was started on this data.

        Runs of older versions have no record and are accepted.

        Raises:
            RunError: the run was started on other data, or its record is damaged.
        """
        try:
            values = parse_json(read_regular(run.data_file, limit=MAX_BYTES).decode())
            begun = DataRecord(dict(values["card"]), dict(values["files"]))
        except FileNotFoundError:
            return
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise RunError(f"{run.data_file} is not a data record: {error}") from error
        if other := self._other_than(begun):
            raise RunError(
                f"{run.path} cannot be continued on this data: {other}; restore the data, or "
                "start again with --overwrite"
            )

    def _other_than(self, begun: "DataRecord") -> str:
        """Describe the first difference; empty if there is none."""
        if gone := [name for name in begun.files if name not in self.files]:
            return f"it was started with {_some(gone)}, which the dataset no longer has"
        if new := [name for name in self.files if name not in begun.files]:
            return f"it was started without {_some(new)}"
        if changed := [name for name, value in self.files.items() if begun.files[name] != value]:
            return f"{_some(changed)} changed since it was started"
        if other := [key for key, value in self.card.items() if begun.card.get(key) != value]:
            return f"{MEANING[other[0]]} changed since it was started"
        return ""


def _some(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more files"


def _described(value: Any, names: Mapping[Path, str]) -> Any:
    """Convert a value to JSON types, replacing paths by file names."""
    if is_dataclass(value):
        return {each.name: _described(getattr(value, each.name), names) for each in fields(value)}
    if isinstance(value, list | tuple):
        return [_described(each, names) for each in value]
    if isinstance(value, Path):
        return names.get(value.absolute(), value.name)
    return value if value is None or isinstance(value, str | int | float) else repr(value)


def _hash_file(path: Path, share: int) -> str:
    """Hash a file's size and content, or evenly spaced blocks of the content."""
    digest = hashlib.blake2b(digest_size=16)
    try:
        with open_regular(path) as file:
            size = os.fstat(file.fileno()).st_size
            digest.update(str(size).encode())
            count = -(-min(size, share) // BLOCK)
            for start in np.linspace(0, max(size - BLOCK, 0), count).astype(np.int64):
                file.seek(int(start))
                digest.update(file.read(BLOCK))
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read ({error.strerror})") from error
    return digest.hexdigest()
