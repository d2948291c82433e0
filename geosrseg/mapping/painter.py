"""Painter: what the model says of windows, blended and painted into the rows of each layer."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geosrseg.core.labels import best_class
from geosrseg.core.legend import NODATA
from geosrseg.core.spec import ModelSpec
from geosrseg.core.tiling.blending import WindowBlender
from geosrseg.core.tiling.windows import Window, WindowPlan
from geosrseg.mapping.layers.layer import FinishedStrip, FinishedWindow, Layer
from geosrseg.mapping.window_runner import WindowResult
from geosrseg.raster.scene import Scene

Rows = Mapping[str, NDArray[np.generic]]
"""Layer -> (channels, rows, width): the rows that one strip of windows finishes."""


@dataclass(frozen=True, slots=True, eq=False)
class Strip:
    """The rows of a scene that one row of windows needs, as the network gets them.

    Attributes:
        index: number of the strip.
        inputs: (bands, height, padded width) normalized reflectance.
        valid: (height, padded width) usable in the scene; False in the padding.
        mapped: (height, padded width) valid and, if there is one, inside the area of interest,
            around which the ground is context but no part of the map.
    """

    index: int
    inputs: NDArray[np.float32]
    valid: NDArray[np.bool_]
    mapped: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Canvas:
    """The target rows that a strip finishes, while its windows come in.

    Attributes:
        top: their first row on the source grid.
        labels: (rows, padded width) class indices.
        layers: (channels, rows, padded width) of each layer that paints.
    """

    top: int
    labels: NDArray[np.uint8]
    layers: Mapping[str, NDArray[np.generic]]


class Painter:
    """Paints the windows of a plan, which come in its order.

    Args:
        scene: the scene.
        spec: of the model.
        plan: the windows.
        shown: the part of the scene that the map shows.
        layers: what is painted, by name.
        first_strip: the strip that the first window belongs to.
        merge: (256,) index of the map's class for each of the model's; by default its own.
    """

    def __init__(
        self,
        scene: Scene,
        spec: ModelSpec,
        plan: WindowPlan,
        *,
        shown: Window,
        layers: Mapping[str, Layer],
        first_strip: int = 0,
        merge: NDArray[np.uint8] | None = None,
    ) -> None:
        self._merge = merge
        self._factor, self._plan, self._layers = spec.upscale_factor, plan, layers
        self._scene, self._shown = scene, shown

        def blender(channels: int) -> WindowBlender:
            factor = spec.upscale_factor
            return WindowBlender(plan, factor=factor, channels=channels, first_strip=first_strip)

        self._blender = blender(len(spec.legend))
        needs_sr = any(layer.needs_sr for layer in layers.values())
        self._sr_blender = blender(len(spec.bands)) if needs_sr else None

    def canvas(self, index: int) -> Canvas:
        """An empty canvas for the strip number `index`."""
        top, bottom = self._plan.rows.cores[index]
        rows, cols = (bottom - top) * self._factor, self._plan.cols.length * self._factor
        canvases = {name: layer.canvas(rows, cols) for name, layer in self._layers.items()}
        return Canvas(
            top,
            np.full((rows, cols), NODATA, np.uint8),
            {name: canvas for name, canvas in canvases.items() if canvas is not None},
        )

    def paint(self, canvas: Canvas, result: WindowResult | None, *, core: Window) -> None:
        """Blend the next window, whose core is given, and paint what it finishes."""
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
        """The rows of a strip whose windows have all been painted, as far as the map shows them."""
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
        if self._merge is not None:
            labels = self._merge[labels]
        finished = FinishedStrip(
            labels=labels,
            hidden=hidden,
            around=strip.valid[: grid.height - start, : grid.width],
            own=own,
            factor=factor,
        )
        painted = {name: values[:, *inside] for name, values in canvas.layers.items()}
        return {
            name: layer.finish(painted.get(name), finished) for name, layer in self._layers.items()
        }
