"""Compares class maps of one place and several dates: areas and transitions between classes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geosrseg.analysis.mosaic import dates_of
from geosrseg.core.legend import NODATA, Legend, LegendClass, common_legend
from geosrseg.core.tiling.windows import Window
from geosrseg.errors import OutputError
from geosrseg.products.areas import AreaCounter, Areas
from geosrseg.products.ground_area import pixel_areas
from geosrseg.raster.files.grid import Grid
from geosrseg.raster.maps.class_map import ClassMap, open_class_map, read_strips
from geosrseg.raster.maps.cog import BLOCK, STALE, CogProfile, check_cog, write_cog
from geosrseg.raster.maps.map_on_grid import MapOnGrid, put_on_grid
from geosrseg.raster.maps.style import check_styles, write_styles
from geosrseg.raster.storage.publication import check_apart, open_drafts, publish
from geosrseg.version import __version__

SURE = 50
"""Least product of both confidences, in percent; below it a change may be noise."""

DOUBTFUL = 254
"""Class id of changes that may be noise."""

MOST_CLASSES = 15
"""Most classes whose pairs fit into one byte, beside `DOUBTFUL` and NODATA."""


@dataclass(frozen=True, slots=True, eq=False)
class Transition:
    """Transitions between two dates, on the ground that both maps show.

    Attributes:
        pixels: (classes, classes) rows before, columns after.
        square_metres: the same in ground area; None if unknown.
        doubtful: (classes, classes) changed pixels that may be noise; None if one of the maps has
            no confidence layer.
    """

    before: date
    after: date
    pixels: NDArray[np.int64]
    square_metres: NDArray[np.float64] | None
    doubtful: NDArray[np.int64] | None


@dataclass(frozen=True, slots=True, eq=False)
class Change:
    """The history of a place.

    Attributes:
        dates: dates of the maps, increasing.
        areas: areas in each whole map.
        transitions: from each date to the next; with more than two dates, then from first to
            last.
    """

    legend: Legend
    dates: tuple[date, ...]
    areas: tuple[Areas, ...]
    transitions: tuple[Transition, ...]

    def to_json(self) -> dict[str, Any]:
        """Return a dictionary of plain values."""
        return {
            "classes": self.legend.to_json(),
            "areas": [
                {"date": day.isoformat(), **areas.to_json()}
                for day, areas in zip(self.dates, self.areas, strict=True)
            ],
            "transitions": [
                {
                    "before": item.before.isoformat(),
                    "after": item.after.isoformat(),
                    "pixels": item.pixels.tolist(),
                    "hectares": None
                    if item.square_metres is None
                    else (item.square_metres / 1e4).tolist(),
                    "doubtful_pixels": None if item.doubtful is None else item.doubtful.tolist(),
                }
                for item in self.transitions
            ],
        }


def change(
    class_maps: Sequence[str | Path],
    output: str | Path | None = None,
    *,
    dates: Sequence[date] = (),
    overwrite: bool = False,
) -> Change:
    """Compare class maps of one place.

    Maps are sorted by date. If both maps of a pair have a confidence layer, a change is doubtful
    where the product of their confidences is below `SURE` percent: two maps that are each 80 %
    right differ on a third of the ground without any change.

    Args:
        class_maps: two or more with the same legend; the grid of the first date is used.
        output: class map of the change from first to last date, ``.tif``. Each pair of classes
            is a class; unchanged ground has paler colours.
        dates: dates of the maps; read from file names if empty.

    Raises:
        OutputError: a map cannot be read, has no date, covers other ground, has other classes,
            or the output cannot be written.
    """
    if len(class_maps) < 2:
        raise OutputError(f"a change needs at least two maps, got {len(class_maps)}")
    if output is not None:
        check_cog(Path(output), overwrite=overwrite)
        check_styles(Path(output), overwrite=overwrite)
        check_apart(Path(output), class_maps)
    maps = [open_class_map(path) for path in class_maps]
    legend = common_legend({str(item.path): item.legend for item in maps})
    days = dates_of(maps, dates)
    order = sorted(range(len(maps)), key=lambda k: days[k])
    maps, days = [maps[k] for k in order], [days[k] for k in order]
    if len(set(days)) < len(days):
        raise OutputError(
            f"two maps have the same date ({min(d for d in days if days.count(d) > 1)})"
        )
    grid = maps[0].grid
    placed = [put_on_grid(item, grid) for item in maps]
    sure = [item.confidence_path is not None for item in maps]
    pairs = [(k, k + 1) for k in range(len(maps) - 1)]
    if len(maps) > 2:
        pairs.append((0, len(maps) - 1))
    counters = [
        _TransitionCounter(legend, grid, sure=sure[one] and sure[other]) for one, other in pairs
    ]
    for strip in _strips(grid):
        labels = [item.read(strip) for item in placed]
        percents = [
            item.read_confidence(strip)[0] if known else None
            for item, known in zip(placed, sure, strict=True)
        ]
        for (one, other), counter in zip(pairs, counters, strict=True):
            noise = _noise(percents[one], percents[other])
            counter.add(labels[one], labels[other], noise, strip.row_off)
    transitions = tuple(
        counter.transition(days[one], days[other])
        for (one, other), counter in zip(pairs, counters, strict=True)
    )
    if not transitions[-1].pixels.any():
        raise OutputError(f"{maps[0].path} and {maps[-1].path} have no mapped ground in common")
    if output is not None:
        _write(Path(output), legend, (placed[0], placed[-1]), sure=sure[0] and sure[-1], days=days)
    areas = tuple(_areas(item, legend) for item in maps)
    return Change(legend, tuple(days), areas, transitions)


def _areas(class_map: ClassMap, legend: Legend) -> Areas:
    counter = AreaCounter(legend, pixel_areas(class_map.grid))
    for strip, labels in read_strips(class_map):
        counter.add(labels, strip.row_off)
    return counter.areas()


def _strips(grid: Grid) -> Iterator[Window]:
    for row_off in range(0, grid.height, BLOCK):
        yield Window(row_off, 0, min(BLOCK, grid.height - row_off), grid.width)


def _noise(
    one: NDArray[np.uint8] | None, other: NDArray[np.uint8] | None
) -> NDArray[np.bool_] | None:
    """Mark pixels where the product of both confidences is below `SURE` percent."""
    if one is None or other is None:
        return None
    return one.astype(np.int32) * other < SURE * 100


class _TransitionCounter:
    """Counts pairs of labels, row by row."""

    def __init__(self, legend: Legend, grid: Grid, *, sure: bool) -> None:
        self._sure = sure
        self._index, self._classes = legend.index_table(), len(legend)
        self._ground = pixel_areas(grid)
        size = self._classes**2
        self._pixels, self._doubtful = np.zeros(size, np.int64), np.zeros(size, np.int64)
        self._square_metres = np.zeros(size)

    def add(
        self,
        before: NDArray[np.uint8],
        after: NDArray[np.uint8],
        noise: NDArray[np.bool_] | None,
        row_off: int,
    ) -> None:
        size = self._classes**2
        for row in range(len(before)):
            known = (before[row] != NODATA) & (after[row] != NODATA)
            one, other = (self._index[labels[row][known]] for labels in (before, after))
            pairs = one.astype(np.int64) * self._classes + other
            self._pixels += np.bincount(pairs, minlength=size)
            if self._ground is not None:
                weights = self._ground.row(row_off + row)[known]
                self._square_metres += np.bincount(pairs, weights=weights, minlength=size)
            if noise is not None:
                unsure = pairs[noise[row][known] & (one != other)]
                self._doubtful += np.bincount(unsure, minlength=size)

    def transition(self, before: date, after: date) -> Transition:
        shape = (self._classes, self._classes)
        ground = None if self._ground is None else self._square_metres.reshape(shape)
        doubtful = self._doubtful.reshape(shape) if self._sure else None
        return Transition(before, after, self._pixels.reshape(shape), ground, doubtful)


def change_legend(legend: Legend) -> Legend:
    """Return a legend with every pair of classes, and one class for doubtful changes.

    Raises:
        OutputError: there are more than `MOST_CLASSES` classes.
    """
    count = len(legend)
    if count > MOST_CLASSES:
        raise OutputError(
            f"{count} classes have {count**2} pairs, but a map of change holds the pairs of at "
            f"most {MOST_CLASSES}: merge classes with geosrseg relabel"
        )
    classes = [
        LegendClass(
            one * count + other,
            f"{a.name}, unchanged" if one == other else f"{a.name} → {b.name}",
            _pale(b.rgb) if one == other else b.colour,
        )
        for one, a in enumerate(legend.classes)
        for other, b in enumerate(legend.classes)
    ]
    return Legend((*classes, LegendClass(DOUBTFUL, "doubtful change", "#808080")))


def _pale(rgb: tuple[int, int, int]) -> str:
    return "#{:02x}{:02x}{:02x}".format(*(value + (255 - value) * 3 // 4 for value in rgb))


def _write(
    output: Path,
    legend: Legend,
    ends: tuple[MapOnGrid, MapOnGrid],
    *,
    sure: bool,
    days: Sequence[date],
) -> None:
    pairs, index, grid = change_legend(legend), legend.index_table(), ends[0].grid

    def rows() -> Iterator[NDArray[np.uint8]]:
        for strip in _strips(grid):
            before, after = (item.read(strip) for item in ends)
            known = (before != NODATA) & (after != NODATA)
            one, other = index[before], index[after]
            codes = np.where(known, one * len(legend) + other, NODATA).astype(np.uint8)
            if sure:
                noise = _noise(*(item.read_confidence(strip)[0] for item in ends))
                codes[known & (one != other) & noise] = DOUBTFUL
            yield codes[None]

    profile = CogProfile.of_classes(
        grid,
        pairs,
        band="change",
        tags={
            "TIFFTAG_SOFTWARE": f"geosrseg {__version__}",
            "GEOSRSEG_CHANGE": f"{days[0]} to {days[-1]}",
            "GEOSRSEG_CHANGE_OF": f"{ends[0].class_map.path.name}, {ends[1].class_map.path.name}",
        },
    )
    with open_drafts(output) as folder:
        publish(write_cog(folder, output, profile, rows()), output, stale=STALE)
    write_styles(output, pairs, overwrite=True)
