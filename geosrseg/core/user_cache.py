"""User cache: the folder of what can be fetched or made again."""

import os
import sys
from pathlib import Path

VARIABLE = "GEOSRSEG_CACHE"
"""The environment variable that names the folder itself."""


def cache_root() -> Path:
    """``$GEOSRSEG_CACHE``, else ``geosrseg`` where the platform keeps caches.

    That is ``$XDG_CACHE_HOME`` or ``~/.cache``; on Windows it is ``%LOCALAPPDATA%``.
    """
    own = os.environ.get(VARIABLE, "")
    if own:
        return Path(own).absolute()
    base = Path(os.environ.get("XDG_CACHE_HOME", ""))
    # The specification wants a relative path ignored.
    if not base.is_absolute():
        home = Path.home()
        local = os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local"
        base = Path(local) if sys.platform == "win32" else home / ".cache"
    return base / "geosrseg"
