"""The metrics table: ``metrics.csv``, one row an epoch, rewritten whole after each."""

import csv
from collections.abc import Mapping
from pathlib import Path

from geosrseg.errors import RunError
from geosrseg.regular_file import read_regular
from geosrseg.training.run_folder.run import drafted
from geosrseg.training.run_folder.validation import MAX_BYTES

MONITOR = "val/mean_iou"
"""The epoch with the highest is the best one."""

KEY = "epoch"


def put_metrics(path: Path, epoch: int, metrics: Mapping[str, float]) -> None:
    """Write the row of an epoch; one that is trained again after a kill replaces its row.

    Args:
        path: the CSV file; rows that it has already are kept.
        epoch: counted from 0.
        metrics: by name.
    """
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
    """The rows, epoch after epoch, each with the figures that it has.

    Raises:
        RunError: it is no metrics table.
    """
    try:
        return [{name: float(value) for name, value in row.items() if value} for row in _rows(path)]
    except OSError as error:
        raise RunError(f"{path} cannot be read as a metrics table: {error.strerror}") from error
    except (ValueError, TypeError, AttributeError, csv.Error) as error:
        raise RunError(f"{path} cannot be read as a metrics table: {error}") from error


def _rows(path: Path) -> "csv.DictReader[str]":
    text = read_regular(path, limit=MAX_BYTES).decode("utf-8")
    return csv.DictReader(text.splitlines())
