"""Archives: the folder or bucket for finished maps, and the mark that says a map is complete.

A map's STAC item is written last and holds the id of its task. A map without an item, or with
another id, is not done. So a worker may die at any time, and two may make the same map. What a
dead worker left is known as the task's own by the rows that it kept, or in an object store by the
draft of the item; any other map without an item is somebody else's.
"""

import json
import os
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from glob import escape
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from geosrseg.batch.work import Task
from geosrseg.core.text.json_text import parse_json
from geosrseg.errors import OutputError
from geosrseg.extras import extra
from geosrseg.raster.maps.row_store import names_in_store
from geosrseg.raster.maps.stopped_runs import find_stopped_run
from geosrseg.raster.storage.gdal import reason
from geosrseg.raster.storage.location import Location, check_address, without_secrets
from geosrseg.raster.storage.publication import open_drafts, publish
from geosrseg.regular_file import create_new, read_regular

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
        raise OutputError(f"{text}: expected a folder, or an address that starts with {schemes}")
    return str(Path(text or "/").absolute())


def open_archive(address: str) -> Archive:
    """Open the archive that contains an address.

    Raises:
        MissingExtraError: an object store needs the extra ``cloud``.
    """
    return StoreArchive(address) if is_store(address) else FolderArchive()


class FolderArchive(Archive):
    """A folder of a file system, local or shared. Maps are made in it, so only items move."""

    def read(self, address: str) -> bytes | None:
        path = Path(address)
        try:
            return read_regular(path, limit=MOST_BYTES)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise OutputError(f"{path}: cannot be read ({reason(error)})") from error

    def exists(self, address: str) -> bool:
        return Path(address).exists()

    @contextmanager
    def publishing(self, item: Path, task: Task, *, replace: bool) -> Iterator[None]:
        target = Path(item_address(task))
        with _writing(target):
            if replace:
                target.unlink(missing_ok=True)
        yield
        with _writing(target):
            _write_mark(item, task)
            try:
                _give_new_name(item, target)
            except FileExistsError:
                self._check_twin(task)
                item.unlink(missing_ok=True)

    def _begun(self, task: Task) -> str | None:
        """See `Archive._begun`. Making the map refuses kept rows that are not the task's."""
        output = Path(task.output)
        return task.map_id if output in names_in_store(output) else None

    def tidy(self, task: Task) -> None:
        output, draft = Path(task.output), draft_address(task)
        with suppress(OutputError):  # a process is at work there, or the folder is read-only
            if output in names_in_store(output) and (left := find_stopped_run(output)):
                left.remove()
            if self._mark_at(draft) == task.map_id:
                with _writing(Path(draft)):
                    Path(draft).unlink(missing_ok=True)

    def names(self, folder: str) -> list[str]:
        try:
            return sorted(entry.name for entry in os.scandir(folder) if entry.is_file())
        except OSError as error:
            raise OutputError(f"{folder}: cannot be read ({reason(error)})") from error

    def drafts(self, folder: str) -> AbstractContextManager[Path]:
        """Open a folder on the same file system, so that each draft can be renamed."""
        return open_drafts(Path(folder) / "index")

    def put(self, folder: str, files: Sequence[Path], stale: Sequence[str]) -> None:
        for file in files:
            publish([file], Path(folder) / file.name)
        for name in stale:
            with suppress(FileNotFoundError):
                (Path(folder) / name).unlink()


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OutputError(f"{path}: cannot be written ({reason(error)})") from error


def _give_new_name(file: Path, target: Path) -> None:
    """Move a file to a name that must be free; of several processes that try, one succeeds.

    Raises:
        FileExistsError: the name is taken.
    """
    try:
        os.link(file, target)  # unlike a rename, it never replaces a file, even on NFS
    except FileExistsError:
        if not target.samefile(file):  # NFS may repeat a call whose reply was lost
            raise
    except OSError:  # a file system without links
        if os.path.lexists(target):
            raise FileExistsError(target) from None
        file.replace(target)
    file.unlink(missing_ok=True)


class StoreArchive(Archive):
    """A bucket, accessed by obstore; credentials and endpoint come from the environment."""

    def __init__(self, address: str) -> None:
        with extra("cloud"):
            import obstore  # noqa: PLC0415
            from obstore.exceptions import AlreadyExistsError, BaseError  # noqa: PLC0415
            from obstore.store import from_url  # noqa: PLC0415
        self._obstore, self._exists, self._error = obstore, AlreadyExistsError, BaseError
        try:
            check_address(Location(address))
            parts = urlsplit(address)
        except ValueError as error:
            raise OutputError(f"{without_secrets(address)}: is not an address ({error})") from error
        self._root = f"{parts.scheme}://{parts.netloc}"
        options: dict[str, Any] = {}
        if parts.scheme == "s3" and (endpoint := _s3_endpoint()):
            options = {"endpoint": endpoint, "virtual_hosted_style_request": "false"}
        client = {"allow_http": True} if options.get("endpoint", "").startswith("http:") else {}
        self._store: Any = from_url(self._root, client_options=client, **options)  # type: ignore[call-overload]

    def read(self, address: str) -> bytes | None:
        try:
            return bytes(self._obstore.get(self._store, self._key(address)).bytes())
        except FileNotFoundError:
            return None
        except self._error as error:
            raise self._failure(address, "read", error) from error

    def exists(self, address: str) -> bool:
        try:
            self._obstore.head(self._store, self._key(address))
        except FileNotFoundError:
            return False
        except self._error as error:
            raise self._failure(address, "read", error) from error
        return True

    @contextmanager
    def publishing(self, item: Path, task: Task, *, replace: bool) -> Iterator[None]:
        yield
        _write_mark(item, task)
        self._claim(item, task, replace=replace)
        folder = task.output.rpartition("/")[0]
        for file in sorted(item.parent.glob(f"{escape(task.name)}.*")):
            if file.is_file():
                self._put(f"{folder}/{file.name}", file, mode="overwrite")
        try:
            self._put(item_address(task), item, mode="create")
        except FileExistsError:
            self._check_twin(task)
        self._remove(draft_address(task))

    def _claim(self, item: Path, task: Task, *, replace: bool) -> None:
        """Publish the item's draft, which keeps other tasks from the map until the item does."""
        draft = draft_address(task)
        try:
            self._put(draft, item, mode="overwrite" if replace else "create")
        except FileExistsError:
            if self._begun(task) != task.map_id:
                raise OutputError(
                    f"{task.output}: another task has begun to publish it: finish that, or "
                    "replace it with `overwrite`"
                ) from None
        if replace:
            self._remove(item_address(task))
        elif self._mark_at(item_address(task)) is not None:
            self._remove(draft)
            self._check_twin(task)

    def _begun(self, task: Task) -> str | None:
        return self._mark_at(draft_address(task))

    def tidy(self, task: Task) -> None:
        if self._begun(task) == task.map_id:
            self._remove(draft_address(task))

    def names(self, folder: str) -> list[str]:
        prefix = self._key(folder)
        try:
            found = self._obstore.list_with_delimiter(self._store, prefix or None)["objects"]
        except (self._error, OSError) as error:
            raise self._failure(folder, "read", error) from error
        return sorted(str(item["path"]).rpartition("/")[2] for item in found)

    @contextmanager
    def drafts(self, folder: str) -> Iterator[Path]:
        with scratch_folder() as path:
            yield path

    def put(self, folder: str, files: Sequence[Path], stale: Sequence[str]) -> None:
        for file in files:
            self._put(f"{folder}/{file.name}", file, mode="overwrite")
        for name in stale:
            self._remove(f"{folder}/{name}")

    def _remove(self, address: str) -> None:
        try:
            self._obstore.delete(self._store, self._key(address))
        except FileNotFoundError:
            return
        except (self._error, OSError) as error:
            raise self._failure(address, "removed", error) from error

    def _put(self, address: str, file: Path, *, mode: Any) -> None:
        try:
            self._obstore.put(self._store, self._key(address), file, mode=mode)
        except self._exists as error:
            raise FileExistsError(address) from error
        except (self._error, OSError) as error:  # OSError if the bucket does not exist
            raise self._failure(address, "written", error) from error

    def _key(self, address: str) -> str:
        return address.removeprefix(self._root).lstrip("/")

    def _failure(self, address: str, what: str, error: Exception) -> OutputError:
        lines = str(error).strip().splitlines()
        why = without_secrets(lines[0] if lines else str(error))
        return OutputError(f"{address}: cannot be {what} ({why})")


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """Open a temporary local folder, in `GEOSRSEG_SCRATCH` if that is set."""
    parent = os.environ.get("GEOSRSEG_SCRATCH")
    with tempfile.TemporaryDirectory(prefix="geosrseg-task-", dir=parent) as folder:
        yield Path(folder)


def _s3_endpoint() -> str:
    """Return the endpoint set for the AWS tools or for GDAL; empty for Amazon's own."""
    if url := os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL"):
        return url
    host = os.environ.get("AWS_S3_ENDPOINT", "")
    if not host or "://" in host:
        return host
    return f"{'http' if os.environ.get('AWS_HTTPS', 'YES').upper() == 'NO' else 'https'}://{host}"


def _write_mark(item: Path, task: Task) -> None:
    """Write the id of the task's map into its item."""
    document = json.loads(item.read_text(encoding="utf-8"))
    document["properties"][MARK] = task.map_id
    draft = item.with_name(f".{item.name}.marked")
    with create_new(draft) as file:
        file.write((json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode())
    draft.replace(item)
