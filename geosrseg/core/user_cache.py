"""The user's cache folder, for files that can be fetched or made again."""

import os
import sys
from pathlib import Path

VARIABLE = "GEOSRSEG_CACHE"
"""Environment variable that names the cache folder itself."""


def cache_root() -> Path:
    """Return ``$GEOSRSEG_CACHE``, otherwise ``geosrseg`` in the platform's cache folder.

    That is ``$XDG_CACHE_HOME`` or ``~/.cache``; on Windows it is ``%LOCALAPPDATA%``.
    """
    own = os.environ.get(VARIABLE, "")
    if own:
        return Path(own).absolute()
    base = Path(os.environ.get("XDG_CACHE_HOME", ""))
    # The XDG specification says to ignore a relative path.
    if not base.is_absolute():
        home = Path.home()
        local = os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local"
        base = Path(local) if sys.platform == "win32" else home / ".cache"
    return base / "geosrseg"
