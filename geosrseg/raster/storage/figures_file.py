"""Figures as a file: what ``--json`` prints, kept."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from geosrseg.raster.storage.publication import check_output, publish_text

SUFFIXES = (".json",)


def check_figures(output: Path, *, overwrite: bool) -> None:
    """Refuse before minutes of work what `write_figures` would refuse after them."""
    check_output(output, suffixes=SUFFIXES, overwrite=overwrite)


def write_figures(figures: Mapping[str, Any], output: Path, *, overwrite: bool) -> None:
    """Write figures as one JSON object.

    Raises:
        OutputError: the suffix is not .json, something stands there already, or it cannot be
            written.
    """
    check_figures(output, overwrite=overwrite)
    publish_text(output, json.dumps(figures, indent=2) + "\n")
