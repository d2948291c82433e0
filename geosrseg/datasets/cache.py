"""Cache: what was made once out of a dataset's files, and is found again by what it is made of."""

import hashlib
import shutil
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from geosrseg.core.user_cache import VARIABLE, cache_root
from geosrseg.errors import DatasetError


def make_once(identity: str, make: Callable[[Path], None]) -> Path:
    """A folder of the cache, made if it is not there; it is there whole or not at all.

    Args:
        identity: all that the content depends on.
        make: fills the empty folder that it is given.

    Raises:
        DatasetError: the cache cannot be written, a full disk for example.
    """
    folder = cache_root() / hashlib.sha256(identity.encode()).hexdigest()[:24]
    if folder.is_dir():
        return folder
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=f"{folder.name}.", dir=folder.parent))
        try:
            make(draft)
            with suppress(OSError):  # another process was quicker
                draft.rename(folder)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    except OSError as error:
        raise DatasetError(
            f"cannot write the cache {folder.parent} ({error.strerror}): make room, or choose "
            f"another folder with {VARIABLE}"
        ) from error
    if not folder.is_dir():
        raise DatasetError(f"cannot write {folder}: is something else called so?")
    return folder
