"""Judges a finished map: finds dominant classes and low confidence."""

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from geosrseg.core.labels import CERTAIN
from geosrseg.core.legend import NODATA
from geosrseg.core.spec import ModelSpec
from geosrseg.mapping.layers.layers import CLASSES, CONFIDENCE

ABOUNDS = 0.2
"""Least share of a class in the map for a warning about it."""

TIMES = 5
"""Least ratio of a class's share in the map to its share in the validation data for a warning."""

LACKS = 0.15
"""Largest difference by which the mean confidence may be below the validation accuracy; on the
validation data they are equal."""


class MapCounts:
    """Counts of the values in the rows of a map."""

    def __init__(self) -> None:
        self._counts: dict[str, NDArray[np.int64]] = {}

    def add(self, rows: Mapping[str, NDArray[np.generic]]) -> None:
        """Count the class map, and the confidence (first band of its layer) if present."""
        for layer in (CLASSES, CONFIDENCE):
            if layer in rows:
                known = self._counts.setdefault(layer, np.zeros(256, np.int64))
                known += np.bincount(rows[layer][0].ravel(), minlength=256)

    def unlike(self, spec: ModelSpec) -> Iterator[str]:
        """Yield differences between the map and the model's validation data, one line each."""
        yield from self._abounding(spec)
        accuracy = spec.metrics.get("overall_accuracy")
        counts = self._counts.get(CONFIDENCE)
        if accuracy is None or counts is None:
            return
        sure = counts[: CERTAIN + 1]
        mean = float(sure @ np.arange(CERTAIN + 1)) / max(int(sure.sum()), 1) / CERTAIN
        if sure.any() and mean < accuracy - LACKS:
            yield (
                f"the mean confidence of its map is {mean:.0%}, and {spec.name} was right on "
                f"{accuracy:.0%} of its validation pixels"
            )

    def _abounding(self, spec: ModelSpec) -> Iterator[str]:
        counts = self._counts.get(CLASSES)
        if counts is None or not spec.confusion:
            return
        mapped = int(counts[:NODATA].sum())
        validated = np.array(spec.confusion).sum(axis=1)
        most = spec.domain.shares or (0.0,) * len(spec.legend)
        for item, pixels, learned in zip(spec.legend.classes, validated, most, strict=True):
            here = counts[item.id] / max(mapped, 1)
            there = pixels / max(int(validated.sum()), 1)
            if here > max(ABOUNDS, TIMES * there, learned):
                yield (
                    f"{here:.0%} of its map is {item.name}, which is {there:.1%} of the pixels "
                    f"that {spec.name} was validated on"
                )
