"""Chooses the parts of the evaluation areas that a report shows.

The reference alone decides, before any model runs: parts with the most pixels near class
boundaries are shown. So no one can pick parts that flatter a model.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from geosrseg.core.legend import NODATA
from geosrseg.core.tiling.windows import Window
from geosrseg.evaluation.evaluation_area import EvaluationArea

SIDE = 320
"""Side of a view in HR pixels."""

ZOOM = 4
"""Ratio of the sides of view and zoom."""


@dataclass(frozen=True, slots=True)
class View:
    """A part of an area, and a zoom into it.

    Attributes:
        area: index of the area.
        window: in HR pixels.
        zoom: in HR pixels, counted from the view's origin.
    """

    area: int
    window: Window
    zoom: Window


def choose_views(areas: Sequence[EvaluationArea], *, count: int) -> list[View]:
    """Choose up to `count` views with the most boundary pixels that do not overlap."""
    scored = [
        (_richness(area, window), index, window)
        for index, area in enumerate(areas)
        if not area.scene.is_lr
        for window in _candidates(area.window, SIDE)
    ]
    scored.sort(key=lambda item: item[0], reverse=True)
    views: list[View] = []
    for score, index, window in scored:
        if len(views) == count or not score:
            break
        if not any(view.area == index and view.window.overlap(window) for view in views):
            views.append(View(index, window, _zoom(areas[index], window)))
    return sorted(views, key=lambda view: view.area)


def _zoom(area: EvaluationArea, window: Window) -> Window:
    side = max(min(window.height, window.width) // ZOOM, 1)
    zooms = _candidates(window, side)
    return max(zooms, key=lambda zoom: _richness(area, zoom)).inside(window)


def _candidates(outer: Window, side: int) -> Iterator[Window]:
    """Yield squares in steps of half their side, the last ones at the edge."""
    height, width = min(side, outer.height), min(side, outer.width)
    for row in _steps(outer.height - height, max(side // 2, 1)):
        for col in _steps(outer.width - width, max(side // 2, 1)):
            yield Window(outer.row_off + row, outer.col_off + col, height, width)


def _steps(last: int, step: int) -> list[int]:
    return [*range(0, last, step), last]


def _richness(area: EvaluationArea, window: Window) -> int:
    """Return the number of counted pixels near a boundary."""
    place = (window.rows, window.cols)
    return int(np.count_nonzero(area.near_boundary[place] & (area.target[place] != NODATA)))
