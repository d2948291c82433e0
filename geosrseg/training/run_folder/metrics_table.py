"""The metrics table: ``metrics.csv``, one row an epoch, rewritten whole after each."""

import csv
from collections.abc import Mapping
from pathlib import Path

from geosrseg.errors import RunError
from geosrseg.training.run_folder.run import drafted

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
        with path.open(newline="", encoding="utf-8") as file:
            rows = {int(row[KEY]): row for row in csv.DictReader(file)}
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
        with path.open(newline="", encoding="utf-8") as file:
            return [
                {name: float(value) for name, value in row.items() if value}
                for row in csv.DictReader(file)
            ]
    except (OSError, ValueError, TypeError) as error:
        raise RunError(f"{path} cannot be read as a metrics table: {error}") from error
