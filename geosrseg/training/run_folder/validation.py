"""Validation: the metrics of a run's result on the validation data."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from geosrseg.core.text.json_text import parse_json
from geosrseg.training.run_folder.metrics_table import KEY, MONITOR, parse_metrics


@dataclass(frozen=True, slots=True)
class Validation:
    """Metrics of a network's final weights.

    Attributes:
        metrics: values by name; empty without validation data.
        temperature: see `training.finishing.temperature`; 1 if it was not fitted.
        confusion: (classes, classes) pixels, rows reference, columns prediction; empty
            without validation data.
    """

    metrics: Mapping[str, float] = field(default_factory=dict)
    temperature: float = 1.0
    confusion: tuple[tuple[int, ...], ...] = ()

    def to_json(self) -> str:
        """Return a JSON object, without metrics that are not finite."""
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
    """Read the finite metrics of the best epoch from a table; empty if none was validated.

    Raises:
        OSError, ValueError, TypeError, AttributeError, csv.Error: see `parse_metrics`.
    """
    rows = [row for row in parse_metrics(table) if math.isfinite(row.get(MONITOR, math.nan))]
    if not rows:
        return Validation()
    best = max(rows, key=lambda row: row[MONITOR])
    named = {name.removeprefix("val/"): value for name, value in best.items()}
    finite = {name: value for name, value in named.items() if math.isfinite(value)}
    return Validation({k: v for k, v in finite.items() if "/" not in k and k != KEY})
