"""Validation: what the result of a run did on the validation data."""

import csv
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from geosrseg.core.text.json_text import parse_json
from geosrseg.regular_file import read_regular

MAX_BYTES = 2**26
"""Of a table of metrics; a row has some 300 bytes."""


@dataclass(frozen=True, slots=True)
class Validation:
    """Figures of a network's final weights.

    Attributes:
        metrics: by name; none where there is no validation data.
        temperature: see `training.validating.calibration`; 1 where it was not fitted.
        confusion: (classes, classes) pixels, rows reference, columns prediction; empty
            where there is no validation data.
    """

    metrics: Mapping[str, float] = field(default_factory=dict)
    temperature: float = 1.0
    confusion: tuple[tuple[int, ...], ...] = ()

    def to_json(self) -> str:
        """One JSON object, without the metrics that are no numbers."""
        finite = {name: value for name, value in self.metrics.items() if math.isfinite(value)}
        values = {
            "metrics": finite,
            "temperature": self.temperature,
            "confusion": self.confusion,
        }
        return json.dumps(values, indent=2)

    @classmethod
    def from_json(cls, text: str) -> "Validation":
        """Read what `to_json` wrote.

        Raises:
            ValueError, KeyError, TypeError, AttributeError: a value is missing or wrong.
        """
        values: dict[str, Any] = parse_json(text)
        return cls(
            metrics={name: float(value) for name, value in values["metrics"].items()},
            temperature=float(values["temperature"]),
            confusion=tuple(tuple(map(int, row)) for row in values["confusion"]),
        )


def best_validation(table: Path) -> Validation:
    """What a run's table of metrics says of its best epoch; nothing where none was validated.

    Raises:
        OSError, ValueError, TypeError, AttributeError, csv.Error: it is no such table.
    """
    prefix = "val/"
    text = read_regular(table, limit=MAX_BYTES).decode("utf-8")
    rows = [
        {name.removeprefix(prefix): float(value) for name, value in row.items() if value}
        for row in csv.DictReader(text.splitlines())
    ]
    validated = [row for row in rows if math.isfinite(row.get("mean_iou", math.nan))]
    if not validated:
        return Validation()
    best = max(validated, key=lambda row: row["mean_iou"])
    metrics = {name: value for name, value in best.items() if "/" not in name and name != "epoch"}
    return Validation(metrics)
