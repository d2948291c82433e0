"""Work files: one task per line, with everything that decides the bytes of its map.

A worker produces exactly those bytes or fails; it never falls back to another precision, window
or model. Each line is self-contained, so a file can be split into shards or sent to any queue.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from geosrseg.core.text.json_text import parse_json
from geosrseg.core.text.record import Record
from geosrseg.errors import WorkError
from geosrseg.raster.storage.gdal import reason
from geosrseg.raster.storage.publication import publish_text
from geosrseg.regular_file import hash_file, read_regular

MOST_BYTES = 2**28
"""Largest work file accepted, in bytes; a line has about 700."""

SUFFIXES = (".jsonl",)

_NOT_DECISIVE = ("model", "windows", "seconds", "part", "parts", "error")
"""Fields that do not affect a map's bytes. The model counts by its hash, not by its path."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """The map of one scene, or a part of its rows.

    Attributes:
        scene: path or URL, absolute.
        output: path or URL of the class map, absolute.
        options: map options by the names of `MapOptions.having`; windows are pinned.
        files: SHA-256 of each file named by an option, by option name.
        products: product files to make beside the map, by name.
        model: name or path of the model.
        sha256: SHA-256 of the model file.
        version: geosrseg version that planned the task.
        windows: number of windows, for the progress bar.
        seconds: time estimated on the planning machine; 0 if unknown.
        part: number of the part, from 1.
        parts: number of parts of the scene. Each has its own line; the worker that finishes the
            last one assembles the map.
        error: why the scene cannot be mapped; empty if it can. Such a task fails, so that no
            scene is lost between plan and run.
    """

    scene: str
    output: str
    options: Mapping[str, Any] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    products: tuple[str, ...] = ()
    model: str
    sha256: str
    device: str
    precision: str
    version: str
    windows: int = 0
    seconds: float = 0.0
    part: int = 1
    parts: int = 1
    error: str = ""

    def __post_init__(self) -> None:
        if not 1 <= self.part <= self.parts:
            raise ValueError(f"there is no part {self.part} of {self.parts}")

    @property
    def map_id(self) -> str:
        """Hash of everything that decides the map's bytes, and of its address."""
        values = self.to_json()
        for name in _NOT_DECISIVE:
            del values[name]
        text = json.dumps(values, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:32]

    @property
    def id(self) -> str:
        """The map's id, with the part number if the map has several parts."""
        return self.map_id if self.parts == 1 else f"{self.map_id}-{self.part}-{self.parts}"

    def split(self, parts: int) -> list["Task"]:
        """Split the task into parts with about the same number of windows."""
        if parts == 1:
            return [self]
        share = replace(
            self,
            parts=parts,
            windows=-(-self.windows // parts),
            seconds=round(self.seconds / parts, 3),
        )
        return [replace(share, part=k) for k in range(1, parts + 1)]

    @property
    def name(self) -> str:
        """The map's name without its suffix."""
        return self.output.rpartition("/")[2].removesuffix(".tif")

    def to_json(self) -> dict[str, Any]:
        """Return a dictionary of plain values."""
        return asdict(self) | {"products": list(self.products)}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "Task":
        """Read what `to_json` wrote.

        Raises:
            ValueError: a value is missing or has another type.
        """
        record = Record(values)
        return cls(
            scene=record.text("scene"),
            output=record.text("output"),
            options=record.mapping("options"),
            files=record.mapping("files") if "files" in values else {},
            products=record.texts("products"),
            model=record.text("model"),
            sha256=record.text("sha256"),
            device=record.text("device"),
            precision=record.text("precision"),
            version=record.text("version"),
            windows=record.integer("windows"),
            seconds=record.number("seconds", default=0.0),
            part=record.integer("part") if "part" in values else 1,
            parts=record.integer("parts") if "parts" in values else 1,
            error=record.text("error") if "error" in values else "",
        )


def hash_option_file(path: str | Path) -> str:
    """Return the SHA-256 of a file named by an option.

    Raises:
        WorkError: the file cannot be read.
    """
    try:
        return hash_file(Path(path))
    except OSError as error:
        raise WorkError(f"{path}: cannot be read ({reason(error)})") from error


def write_work(path: str | Path, tasks: Iterable[Task]) -> None:
    """Write a work file; raises OutputError if that fails."""
    publish_text(Path(path), "".join(json.dumps(task.to_json()) + "\n" for task in tasks))


def read_work(path: str | Path) -> list[Task]:
    """Read a work file.

    Raises:
        WorkError: the file cannot be read, a line is not a task, or two tasks make the same map
            or part.
    """
    path = Path(path)
    try:
        lines = read_regular(path, limit=MOST_BYTES).decode("utf-8-sig").splitlines()
    except (OSError, ValueError) as error:
        raise WorkError(f"{path}: cannot be read ({reason(error)})") from error
    tasks = [_read_line(path, number, line) for number, line in enumerate(lines, 1) if line.strip()]
    firsts: dict[str, int] = {}
    seen: dict[tuple[str, int], int] = {}
    for number, task in enumerate(tasks, 1):
        first = firsts.setdefault(task.output, number)
        other = tasks[first - 1]
        if (other.map_id, other.parts) == (task.map_id, task.parts):
            first = seen.setdefault((task.output, task.part), number)
        if first != number:
            raise WorkError(f"{path}: lines {first} and {number} both make {task.output}")
    return tasks


def _read_line(path: Path, number: int, line: str) -> Task:
    try:
        return Task.from_json(parse_json(line))
    except ValueError as error:
        raise WorkError(
            f"{path}: line {number} is not a task ({reason(error)}): write the file with geosrseg "
            "plan"
        ) from error
