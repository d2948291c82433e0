"""MapSummary: statistics of a finished map."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from geosrseg.core.legend import NODATA, Legend
from geosrseg.raster.files.resolution import ground_resolution
from geosrseg.raster.header.sample import take_sample
from geosrseg.raster.scene import Scene

SAMPLES = 512
"""Pixels along each axis of the sample that estimates the masked share."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MapSummary:
    """Statistics of a finished map.

    Attributes:
        height: rows of the map.
        width: columns of the map.
        pixel_metres: side of a pixel on the ground; None if unknown.
        mapped: share of the map's pixels that have a class.
        masked: approximate share outside the area of interest or masked by quality flags.
        ignored: approximate share whose class the map's legend ignores.
        empty: remaining share: nodata in the scene.
        classes: share of the mapped pixels by class name, the largest first.
        seconds: duration of this run, without the interrupted run that it resumes.
    """

    height: int
    width: int
    pixel_metres: float | None
    mapped: float
    masked: float
    ignored: float
    empty: float
    classes: dict[str, float]
    seconds: float

    @property
    def warning(self) -> str:
        """Warning about a map without classes; empty for all others."""
        if self.mapped:
            return ""
        ignored = f", and the legend ignores {self.ignored:.0%}" if self.ignored else ""
        return (
            f"the map has no classes: {self.empty:.0%} of the scene is nodata and "
            f"{self.masked:.0%} is masked or outside the area of interest{ignored}"
        )


@dataclass(slots=True)
class LabelCounter:
    """Counts the labels of a map while its rows pass by."""

    counts: NDArray[np.int64] = field(default_factory=lambda: np.zeros(NODATA + 1, np.int64))

    def counted(self, rows: Iterator[NDArray[np.generic]]) -> Iterator[NDArray[np.generic]]:
        """Yield the same rows, (1, rows, width) uint8, and count their labels."""
        for labels in rows:
            self.counts += np.bincount(labels.ravel(), minlength=NODATA + 1)
            yield labels

    def summary(
        self, scene: Scene, legend: Legend, *, ignoring: bool = False, factor: int, seconds: float
    ) -> MapSummary:
        """Summarise the counted rows.

        Args:
            scene: the part of the scene that the map shows.
            legend: legend of the map.
            ignoring: whether it ignores some of the model's classes.
            factor: the upscale factor.
            seconds: duration of the run.
        """
        grid = scene.grid.refined(factor)
        found: Counter[str] = Counter()
        for item in legend.classes:  # several may have the same name
            found[item.name] += int(self.counts[item.id])
        mapped, total = found.total(), max(int(self.counts.sum()), 1)
        rest = 1 - mapped / total
        masked = min(_masked_share(scene), rest)
        ignored = _usable_share(scene) - mapped / total if ignoring else 0.0
        ignored = min(max(ignored, 0.0), rest - masked)
        return MapSummary(
            height=grid.height,
            width=grid.width,
            pixel_metres=ground_resolution(grid),
            mapped=mapped / total,
            masked=masked,
            ignored=ignored,
            empty=rest - masked - ignored,
            classes={name: count / mapped for name, count in found.most_common() if count},
            seconds=seconds,
        )


def _masked_share(scene: Scene) -> float:
    height, width = scene.grid.height, scene.grid.width
    return float(scene.read_masked(min(height, SAMPLES), min(width, SAMPLES)).mean())


def _usable_share(scene: Scene) -> float:
    """Share of a sample of the scene that is valid and inside the area of interest."""
    height, width = scene.grid.height, scene.grid.width
    nothing = np.empty((len(scene.band_names), 0))
    sample = take_sample(
        scene.read_sampled, height, width, nothing, has_overviews=scene.has_overviews
    )
    return sample.where(scene.wanted_of).usable
