"""View: a part of an evaluation area that is shown to readers.

Which parts are shown is decided by the reference alone, before any model has run: those with
the most pixels near a boundary of classes. Nobody can pick what flatters a model.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from geosrseg.core.legend import NODATA
from geosrseg.core.tiling.windows import Window
from geosrseg.evaluation.evaluation_area import EvaluationArea

SIDE = 320
"""HR pixels of a view along each side."""

ZOOM = 4
"""The zoom shows a part so many times smaller."""


@dataclass(frozen=True, slots=True)
class View:
    """A part of an area, and a part of that to look at closely.

    Attributes:
        area: index of the area.
        window: in HR pixels.
        zoom: in HR pixels, counted from the view's origin.
    """

    area: int
    window: Window
    zoom: Window


def choose_views(areas: Sequence[EvaluationArea], *, count: int) -> list[View]:
    """The `count` richest views that do not overlap, or fewer, by area."""
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
    """Squares in steps of half their side, the last ones at the edge."""
    height, width = min(side, outer.height), min(side, outer.width)
    for row in _steps(outer.height - height, max(side // 2, 1)):
        for col in _steps(outer.width - width, max(side // 2, 1)):
            yield Window(outer.row_off + row, outer.col_off + col, height, width)


def _steps(last: int, step: int) -> list[int]:
    return [*range(0, last, step), last]


def _richness(area: EvaluationArea, window: Window) -> int:
    """Counted pixels near a boundary."""
    place = (window.rows, window.cols)
    return int(np.count_nonzero(area.near_boundary[place] & (area.target[place] != NODATA)))
