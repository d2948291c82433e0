"""The encoding of file names: GDAL takes them for UTF-8, Python for what the locale says."""

import os
import sys
from pathlib import Path


def check_encoding(path: Path) -> None:
    """Refuse a name that GDAL would look for under other bytes than Python.

    Raises:
        UnicodeError: the name is not UTF-8, or the locale's encoding is another one in which
            it is other bytes.
    """
    text = str(path)
    encoding = sys.getfilesystemencoding()
    locale = (
        f"{text!a}: this name does not go with the locale's encoding ({encoding}): set "
        "PYTHONUTF8=1 or LC_ALL=C.UTF-8"
    )
    try:
        utf8 = text.encode()
    except UnicodeEncodeError as error:
        if encoding != "utf-8":
            raise UnicodeError(locale) from error
        raise UnicodeError(f"{text!a}: is not UTF-8: choose another name") from error
    try:
        same = os.fsencode(text) == utf8
    except UnicodeEncodeError:
        same = False
    if not same:
        raise UnicodeError(locale)
