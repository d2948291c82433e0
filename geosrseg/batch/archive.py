"""Archives: the folder or bucket for finished maps, and the mark that says a map is complete.

A map's STAC item is written last and holds the id of its task. A map without an item, or with
another id, is not done. So a worker may die at any time, and two may make the same map. What a
dead worker left is known as the task's own by the rows that it kept, or in an object store by the
draft of the item; any other map without an item is somebody else's.
"""

import json
from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from urllib.parse import urlsplit

from geosrseg.batch.work import Task
from geosrseg.core.text.json_text import parse_json
from geosrseg.errors import OutputError
from geosrseg.raster.storage.location import without_secrets
from geosrseg.regular_file import create_new

MARK = "geosrseg:task"
"""Property of the item that holds `Task.map_id`."""

_DRAFT = ".item.json"
"""End of the name of an item's draft, which starts with a dot."""

STORES = ("s3", "gs", "az", "abfs")
"""Schemes of object stores."""

MOST_BYTES = 2**24
"""Largest item accepted, in bytes."""


class Archive(ABC):
    """A place where maps are published. All methods raise OutputError if it cannot be used."""

    @abstractmethod
    def read(self, address: str) -> bytes | None:
        """Read a small file; None if it is missing."""

    @abstractmethod
    def exists(self, address: str) -> bool:
        """Whether a file exists at the address."""

    @abstractmethod
    def publishing(self, item: Path, task: Task, *, replace: bool) -> AbstractContextManager[None]:
        """Publish a map: its files get their names in the block, its STAC item at the end.

        Args:
            item: the STAC item that the block writes, beside the map's files.
            replace: replace the existing map. Its item goes before the first of its files, as
                it would vouch for a map that is half another's if the process were killed.
        """

    @abstractmethod
    def _begun(self, task: Task) -> str | None:
        """Return the id of a map whose publication a process began, and may not have ended."""

    @abstractmethod
    def tidy(self, task: Task) -> None:
        """Remove what a process left that was killed after it had published the task's item."""

    @abstractmethod
    def names(self, folder: str) -> list[str]:
        """Return the names of the files directly in a folder, sorted."""

    @abstractmethod
    def drafts(self, folder: str) -> AbstractContextManager[Path]:
        """Open a local folder for drafts, which `put` publishes."""

    @abstractmethod
    def put(self, folder: str, files: Sequence[Path], stale: Sequence[str]) -> None:
        """Publish drafts to a folder in order, replacing each file atomically.

        Args:
            files: paths in the folder that `drafts` opened.
            stale: names of files to remove afterwards.
        """

    def mark(self, task: Task) -> str | None:
        """Return the id of the existing map: empty if it has none, None if there is no map."""
        mark = self._mark_at(item_address(task))
        return "" if mark is None and self.exists(task.output) else mark

    def is_free(self, task: Task, mark: str | None) -> bool:
        """Whether the task may write its map there without replacing that of another."""
        if mark:
            return mark == task.map_id
        begun = self._begun(task)
        return begun == task.map_id or (mark is None and begun is None)

    def _mark_at(self, address: str) -> str | None:
        """Return the mark in an item; empty if it has none, None without an item."""
        text = self.read(address)
        return None if text is None else _marked(text)

    def _check_twin(self, task: Task) -> None:
        """Refuse an item published meanwhile, unless it is for the same map."""
        if self._mark_at(item_address(task)) != task.map_id:
            raise OutputError(f"{item_address(task)}: another map was published there meanwhile")

    def is_done(self, task: Task, mark: str | None) -> bool:
        """Whether the mark is the task's and its map still exists."""
        return mark == task.map_id and self.exists(task.output)


def _marked(text: bytes) -> str:
    """Return the mark in an item; empty without one."""
    try:
        value = parse_json(text)["properties"][MARK]
    except (ValueError, LookupError, TypeError):
        return ""
    return value if isinstance(value, str) else ""


def item_address(task: Task) -> str:
    """Return the address of the STAC item of a task's map."""
    return task.output.removesuffix(".tif") + ".json"


def draft_address(task: Task) -> str:
    """Return the address of the item's draft; under its final name it marks a map as complete."""
    return f"{task.output.rpartition('/')[0]}/.{task.name}{_DRAFT}"


def is_draft(name: str) -> bool:
    """Whether a file is named like the draft of an item."""
    return name.startswith(".") and name.endswith(_DRAFT)


def is_store(address: str) -> bool:
    """Whether the address is in an object store."""
    return urlsplit(address).scheme.lower() in STORES


def archive_folder(address: str | Path) -> str:
    """Return the absolute address of a folder or object store prefix, without a trailing slash.

    Raises:
        OutputError: the address has another scheme.
    """
    text = str(address).rstrip("/")
    if is_store(text):
        return text
    if "://" in str(address):
        schemes = ", ".join(f"{scheme}://" for scheme in STORES)
        raise OutputError(
            f"{without_secrets(text)}: expected a folder, or an address that starts with {schemes}"
        )
    return str(Path(text or "/").absolute())


def write_mark(item: Path, task: Task) -> None:
    """Write the id of the task's map into its item."""
    document = json.loads(item.read_text(encoding="utf-8"))
    document["properties"][MARK] = task.map_id
    draft = item.with_name(f".{item.name}.marked")
    with create_new(draft) as file:
        file.write((json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode())
    draft.replace(item)
