"""The metrics table: ``metrics.csv``, one row per epoch, rewritten after each epoch."""

import csv
from collections.abc import Mapping
from pathlib import Path

from geosrseg.errors import RunError
from geosrseg.regular_file import read_regular
from geosrseg.training.run_folder.draft import drafted

MONITOR = "val/mean_iou"
"""Metric that selects the best epoch, the one with the highest value."""

KEY = "epoch"
"""Column of the epoch, counted from 0."""

MAX_BYTES = 2**26
"""Largest table accepted; a row has about 300 bytes."""


def put_metrics(path: Path, epoch: int, metrics: Mapping[str, float]) -> None:
    """Add the row of an epoch, or replace it if the epoch was trained again after a kill."""
    rows: dict[int, Mapping[str, object]] = {}
    if path.exists():
        rows = {int(row[KEY]): row for row in _rows(path)}
    rows[epoch] = {KEY: epoch, **metrics}
    names = sorted({name for row in rows.values() for name in row} - {KEY})
    with drafted(path) as draft, draft.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, [KEY, *names])
        writer.writeheader()
        writer.writerows(rows[number] for number in sorted(rows))


def read_metrics(path: Path) -> list[dict[str, float]]:
    """Read the rows in the order of epochs, without empty cells.

    Raises:
        RunError: the file is not a metrics table.
    """
    try:
        return parse_metrics(path)
    except OSError as error:
        raise RunError(f"{path} cannot be read as a metrics table: {error.strerror}") from error
    except (ValueError, TypeError, AttributeError, csv.Error) as error:
        raise RunError(f"{path} cannot be read as a metrics table: {error}") from error


def parse_metrics(path: Path) -> list[dict[str, float]]:
    """Read the rows like `read_metrics`.

    Raises:
        OSError, ValueError, TypeError, AttributeError, csv.Error: the file is not a metrics table.
    """
    return [{name: float(value) for name, value in row.items() if value} for row in _rows(path)]


def _rows(path: Path) -> "csv.DictReader[str]":
    text = read_regular(path, limit=MAX_BYTES).decode("utf-8")
    return csv.DictReader(text.splitlines())
