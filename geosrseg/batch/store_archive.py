"""StoreArchive: an archive in a bucket, and the local folder in which its maps are made."""

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from glob import escape
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from geosrseg.batch.archive import Archive, draft_address, item_address, write_mark
from geosrseg.batch.work import Task
from geosrseg.errors import OutputError
from geosrseg.extras import extra
from geosrseg.raster.storage.location import Location, check_address, without_secrets


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
        write_mark(item, task)
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
