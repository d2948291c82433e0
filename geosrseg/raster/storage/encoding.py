"""Checks the encoding of file names: GDAL expects UTF-8, Python the locale's encoding."""

import os
import sys
from pathlib import Path


def check_encoding(path: Path) -> None:
    """Refuse a name that GDAL and Python would encode as different bytes.

    Raises:
        UnicodeError: the name is not UTF-8, or the locale's encoding encodes it differently.
    """
    text = str(path)
    encoding = sys.getfilesystemencoding()
    locale = (
        f"{text!a}: the locale's encoding ({encoding}) does not fit this name: set "
        "PYTHONUTF8=1 or LC_ALL=C.UTF-8"
    )
    try:
        utf8 = text.encode()
    except UnicodeEncodeError as error:
        if encoding != "utf-8":
            raise UnicodeError(locale) from error
        raise UnicodeError(f"{text!a}: the name is not UTF-8: choose another name") from error
    try:
        same = os.fsencode(text) == utf8
    except UnicodeEncodeError:
        same = False
    if not same:
        raise UnicodeError(locale)
