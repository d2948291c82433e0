"""Cache: folders made once from a dataset's files and found again by what they depend on."""

import hashlib
import shutil
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from geosrseg.core.user_cache import VARIABLE, cache_root
from geosrseg.errors import DatasetError


def make_once(identity: str, make: Callable[[Path], None]) -> Path:
    """Return a folder of the cache, made on first use; a failure leaves no partial folder.

    Args:
        identity: everything that the content depends on.
        make: fills the empty folder that it receives.

    Raises:
        DatasetError: the cache cannot be written, for example because the disk is full.
    """
    folder = cache_root() / hashlib.sha256(identity.encode()).hexdigest()[:24]
    if folder.is_dir():
        return folder
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=f"{folder.name}.", dir=folder.parent))
        try:
            make(draft)
            with suppress(OSError):  # another process was faster
                draft.rename(folder)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    except OSError as error:
        raise DatasetError(
            f"cannot write the cache {folder.parent} ({error.strerror}): make room, or choose "
            f"another folder with {VARIABLE}"
        ) from error
    if not folder.is_dir():
        raise DatasetError(f"cannot write {folder}: a file of that name is in the way")
    return folder
