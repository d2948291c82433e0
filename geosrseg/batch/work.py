"""Work: a file of tasks, one line per scene, with everything in it that decides a map's bytes.

Whoever runs a line gives the same bytes or fails: a worker never falls back to another
precision, window or model. A line stands for itself, so the file can be cut into shards or sent to
any queue.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from geosrseg.core.text.json_text import parse_json
from geosrseg.core.text.record import Record
from geosrseg.errors import WorkError
from geosrseg.raster.storage.gdal import reason
from geosrseg.raster.storage.publication import publish_text
from geosrseg.regular_file import open_regular

MOST_BYTES = 2**28
"""Of a work file; a line has about 700 bytes."""

SUFFIXES = (".jsonl",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """The map of one scene.

    Attributes:
        scene: path or URL, absolute.
        output: path or URL of the class map, absolute.
        options: what is wanted, by the names of `MapOptions.having`; windows are pinned.
        files: SHA-256 of the files that options name, by the option: what is in them decides
            the bytes too.
        products: product files to make beside the map, by name.
        model: name or path of the model.
        sha256: of the model file.
        device: where it runs.
        precision: in which it computes.
        version: of geosrseg.
        windows: how many, for the progress.
        seconds: how long it was reckoned to take, where it was planned; 0 for unknown.
        error: why the scene cannot be mapped; empty where it can. Such a task fails, so that no
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
    error: str = ""

    @property
    def id(self) -> str:
        """A hash of all that decides the bytes, and of where they go."""
        values = self.to_json()
        for name in ("model", "windows", "seconds", "error"):  # not the model's place, its hash
            del values[name]
        text = json.dumps(values, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:32]

    @property
    def name(self) -> str:
        """The map's name without its suffix."""
        return self.output.rpartition("/")[2].removesuffix(".tif")

    def to_json(self) -> dict[str, Any]:
        """A plain dictionary."""
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
            error=record.text("error") if "error" in values else "",
        )


def hash_option_file(path: str | Path) -> str:
    """The SHA-256 of a file that an option names.

    Raises:
        WorkError: it cannot be read.
    """
    try:
        with open_regular(Path(path)) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise WorkError(f"{path}: cannot be read ({reason(error)})") from error


def write_work(path: str | Path, tasks: Iterable[Task]) -> None:
    """Write a work file.

    Raises:
        OutputError: it cannot be written.
    """
    publish_text(Path(path), "".join(json.dumps(task.to_json()) + "\n" for task in tasks))


def read_work(path: str | Path) -> list[Task]:
    """Read a work file.

    Raises:
        WorkError: it cannot be read, or a line is no task; two tasks make one map.
    """
    path = Path(path)
    try:
        if not path.is_file():
            raise FileNotFoundError("no such file")
        if path.stat().st_size > MOST_BYTES:
            raise ValueError(f"it is larger than {MOST_BYTES} bytes")
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError) as error:
        raise WorkError(f"{path}: cannot be read ({reason(error)})") from error
    tasks = [_read_line(path, number, line) for number, line in enumerate(lines, 1) if line.strip()]
    outputs: dict[str, int] = {}
    for number, task in enumerate(tasks, 1):
        first = outputs.setdefault(task.output, number)
        if first != number:
            raise WorkError(f"{path}: lines {first} and {number} both make {task.output}")
    return tasks


def _read_line(path: Path, number: int, line: str) -> Task:
    try:
        return Task.from_json(parse_json(line))
    except ValueError as error:
        raise WorkError(
            f"{path}: line {number} is no task ({reason(error)}): write the file with geosrseg plan"
        ) from error
