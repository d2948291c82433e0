"""FolderArchive: an archive in a folder of a file system, local or shared."""

import os
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

from geosrseg.batch.archive import MOST_BYTES, Archive, draft_address, item_address, write_mark
from geosrseg.batch.work import Task
from geosrseg.errors import OutputError
from geosrseg.raster.maps.row_store import names_in_store
from geosrseg.raster.maps.stopped_runs import find_stopped_run
from geosrseg.raster.storage.gdal import reason
from geosrseg.raster.storage.publication import open_drafts, publish, writing
from geosrseg.regular_file import read_regular


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
        with writing(target):
            if replace:
                target.unlink(missing_ok=True)
        yield
        with writing(target):
            write_mark(item, task)
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
                with writing(Path(draft)):
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
