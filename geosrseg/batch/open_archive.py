"""Opens the archive of an address: a folder, or a bucket."""

from geosrseg.batch.archive import Archive, is_store
from geosrseg.batch.folder_archive import FolderArchive
from geosrseg.batch.store_archive import StoreArchive


def open_archive(address: str) -> Archive:
    """Open the archive that contains an address.

    Raises:
        MissingExtraError: an object store needs the extra ``cloud``.
    """
    return StoreArchive(address) if is_store(address) else FolderArchive()
