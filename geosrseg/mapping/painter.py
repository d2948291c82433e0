"""Painter: blends the model's outputs and paints them into the rows of each layer."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from geosrseg.core.labels import best_class
from geosrseg.core.legend import NODATA
from geosrseg.core.tiling.blending import WindowBlender
from geosrseg.core.tiling.windows import Window
from geosrseg.mapping.layers.layer import FinishedStrip, FinishedWindow
from geosrseg.mapping.map_job import MapJob
from geosrseg.mapping.window_runner import WindowResult

Rows = Mapping[str, NDArray[np.generic]]
"""Layer -> (channels, rows, width): the rows that one strip of windows finishes."""


@dataclass(frozen=True, slots=True, eq=False)
class Strip:
    """The rows of a scene that one row of windows needs, as model input.

    Attributes:
        index: number of the strip.
        inputs: (bands, height, padded width) normalized reflectance.
        valid: (height, padded width) usable pixels of the scene; False in the padding.
        mapped: (height, padded width) valid pixels inside the area of interest, if there is one;
            the ground around it is only context.
    """

    index: int
    inputs: NDArray[np.float32]
    valid: NDArray[np.bool_]
    mapped: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Canvas:
    """The target rows that a strip finishes, while its windows arrive.

    Attributes:
        top: first row of the canvas on the source grid.
        labels: (rows, padded width) class indices.
        layers: (channels, rows, padded width) of each layer with a canvas.
    """

    top: int
    labels: NDArray[np.uint8]
    layers: Mapping[str, NDArray[np.generic]]


class Painter:
    """Paints the windows of a plan, which arrive in the plan's order.

    Args:
        first_strip: strip of the first window.
    """

    def __init__(self, job: MapJob, *, first_strip: int) -> None:
        spec = job.session.spec
        self._factor, self._plan, self._layers = spec.upscale_factor, job.plan, job.layers
        self._scene, self._shown, self._merge = job.scene, job.shown, job.legend.merge
        blender = partial(
            WindowBlender, job.plan, factor=spec.upscale_factor, first_strip=first_strip
        )
        self._blender = blender(channels=len(spec.legend))
        self._sr_blender = blender(channels=len(spec.bands)) if job.needs_sr else None

    def canvas(self, index: int) -> Canvas:
        """Return an empty canvas for strip number `index`."""
        top, bottom = self._plan.rows.cores[index]
        rows, cols = (bottom - top) * self._factor, self._plan.cols.length * self._factor
        canvases = {name: layer.canvas(rows, cols) for name, layer in self._layers.items()}
        return Canvas(
            top,
            np.full((rows, cols), NODATA, np.uint8),
            {name: canvas for name, canvas in canvases.items() if canvas is not None},
        )

    def paint(self, canvas: Canvas, result: WindowResult | None, *, core: Window) -> None:
        """Blend the next window with its core, and paint the finished pixels."""
        probabilities = self._blender.add(result.probabilities if result else None)
        sr = None
        if self._sr_blender is not None:
            sr = self._sr_blender.add(result.sr if result else None)
        if probabilities is None:
            return
        cols = core.scaled(self._factor).cols
        labels, best = best_class(probabilities)
        canvas.labels[:, cols] = labels
        window = FinishedWindow(probabilities, labels, best, sr)
        for name, painted in canvas.layers.items():
            self._layers[name].paint(painted[:, :, cols], window)

    def finish(self, canvas: Canvas, strip: Strip) -> Rows:
        """Return the rows of a strip that the map shows, after all its windows were painted."""
        factor, grid = self._factor, self._scene.grid
        start = self._plan.rows.starts[strip.index]
        rows = self._plan.rows.core_within(strip.index, self._shown.row_off, self._shown.row_stop)
        own = (slice(rows.start - start, rows.stop - start), self._shown.cols)
        inside = (
            slice((rows.start - canvas.top) * factor, (rows.stop - canvas.top) * factor),
            slice(self._shown.col_off * factor, self._shown.col_stop * factor),
        )
        hidden = ~strip.mapped[own].repeat(factor, axis=0).repeat(factor, axis=1)
        if rows:
            part = Window(rows.start, self._shown.col_off, len(rows), self._shown.width)
            hidden |= ~self._scene.wanted(part, factor=factor)
        labels = canvas.labels[inside]
        labels[hidden] = NODATA
        finished = FinishedStrip(
            labels=self._merge[labels],
            hidden=hidden,
            around=strip.valid[: grid.height - start, : grid.width],
            own=own,
            factor=factor,
        )
        painted = {name: values[:, *inside] for name, values in canvas.layers.items()}
        return {
            name: layer.finish(painted.get(name), finished) for name, layer in self._layers.items()
        }
