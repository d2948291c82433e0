"""Painter: what the model says of windows, blended and painted into the rows of each layer.

- classes: (1, rows, width) uint8 class ids on the target grid
- confidence: (1, rows, width) uint8 percent on the target grid
- sr: (bands, rows, width) on the target grid, in the scene's numbers
- fractions: (classes, rows, width) float32 on the source grid
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geosrseg.core.blending import WindowBlender
from geosrseg.core.dilation import dilate
from geosrseg.core.labels import NEAR_NODATA, best_class, fractions, percent
from geosrseg.core.legend import NODATA
from geosrseg.core.spec import ModelSpec
from geosrseg.core.sr_encoding import SrEncoding
from geosrseg.core.windows import Window, WindowPlan
from geosrseg.mapping.window_runner import WindowResult
from geosrseg.raster.maps.layers import CLASSES, CONFIDENCE, FRACTIONS, SR
from geosrseg.raster.scene import Scene

Rows = Mapping[str, NDArray[np.generic]]
"""Layer -> (channels, rows, width): the rows that one band of windows finishes."""


@dataclass(frozen=True, slots=True, eq=False)
class Band:
    """A band of rows of a scene, as the network gets it.

    Attributes:
        index: number of the band.
        inputs: (bands, height, padded width) normalized reflectance.
        valid: (height, padded width) usable in the scene; False in the padding.
        mapped: (height, padded width) valid and inside the area of interest, around which
            the ground is context but no part of the map.
    """

    index: int
    inputs: NDArray[np.float32]
    valid: NDArray[np.bool_]
    mapped: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Canvas:
    """The target rows that a band finishes, while its windows come in.

    Attributes:
        top: their first row on the source grid.
        labels: (rows, padded width) class indices.
        confidence: (rows, padded width) percent; None where it is not wanted.
        sr: (bands, rows, padded width) in the scene's numbers; likewise.
    """

    top: int
    labels: NDArray[np.uint8]
    confidence: NDArray[np.uint8] | None
    sr: NDArray[np.generic] | None


class Painter:
    """Paints the windows of a plan, which come in its order.

    Args:
        scene: the scene.
        spec: of the model.
        plan: the windows.
        layers: what is wanted besides the class map, of `raster.maps.layers.LAYERS`.
        encoding: how an SR image becomes the scene's numbers; needed for that layer only.
        first_band: the band that the first window belongs to.
    """

    def __init__(
        self,
        scene: Scene,
        spec: ModelSpec,
        plan: WindowPlan,
        *,
        layers: Sequence[str],
        encoding: SrEncoding | None = None,
        first_band: int = 0,
    ) -> None:
        self._spec, self._plan, self._layers, self._encoding = spec, plan, layers, encoding
        self._height, self._width = scene.grid.height, scene.grid.width

        def blender(channels: int) -> WindowBlender:
            factor = spec.upscale_factor
            return WindowBlender(plan, factor=factor, channels=channels, first_band=first_band)

        self._blender = blender(len(spec.legend))
        self._sr_blender = blender(len(spec.bands)) if encoding else None

    def canvas(self, index: int) -> Canvas:
        """An empty canvas for the band number `index`."""
        factor = self._spec.upscale_factor
        top, bottom = self._plan.rows.cores[index]
        shape = ((bottom - top) * factor, self._plan.cols.length * factor)
        labels = np.full(shape, NODATA, np.uint8)
        confidence = np.full(shape, NODATA, np.uint8) if CONFIDENCE in self._layers else None
        sr = self._encoding.blank((len(self._spec.bands), *shape)) if self._encoding else None
        return Canvas(top, labels, confidence, sr)

    def paint(self, canvas: Canvas, result: WindowResult | None, *, core: Window) -> None:
        """Blend the next window, whose core is given, and paint what it finishes."""
        probabilities = self._blender.add(result.probabilities if result else None)
        sr = None
        if self._sr_blender is not None:
            sr = self._sr_blender.add(result.sr if result else None)
        cols = core.scaled(self._spec.upscale_factor).cols
        if probabilities is not None:
            canvas.labels[:, cols], best = best_class(probabilities)
            if canvas.confidence is not None:
                canvas.confidence[:, cols] = percent(
                    probabilities, best, temperature=self._spec.temperature
                )
        if sr is not None and canvas.sr is not None and self._encoding is not None:
            canvas.sr[:, :, cols] = self._encoding.encode(sr)

    def finish(self, canvas: Canvas, band: Band) -> Rows:
        """The rows of a band whose windows have all been painted, inside the scene only.

        Pixels that are not mapped are nodata in every layer.
        """
        first = canvas.top - self._plan.rows.starts[band.index]
        rows = min(len(canvas.labels) // self._spec.upscale_factor, self._height - canvas.top)
        own = slice(first, first + rows)
        mapped = band.mapped[own, : self._width]
        factor = self._spec.upscale_factor
        inside = (slice(rows * factor), slice(self._width * factor))
        hidden = ~mapped.repeat(factor, axis=0).repeat(factor, axis=1)
        labels = canvas.labels[inside]
        labels[hidden] = NODATA
        layers: dict[str, NDArray[np.generic]] = {CLASSES: self._spec.legend.id_table()[labels]}
        if FRACTIONS in self._layers:
            layers[FRACTIONS] = fractions(labels, classes=len(self._spec.legend), factor=factor)
        if canvas.confidence is not None:
            layers[CONFIDENCE] = self._marked(canvas.confidence[inside], band, own)
            layers[CONFIDENCE][hidden] = NODATA
        if canvas.sr is not None and self._encoding is not None:
            layers[SR] = canvas.sr[:, *inside]
            layers[SR][:, hidden] = self._encoding.nodata
        return {name: rows if rows.ndim == 3 else rows[None] for name, rows in layers.items()}

    def _marked(self, confidence: NDArray[np.uint8], band: Band, own: slice) -> NDArray[np.uint8]:
        """Add NEAR_NODATA where a pixel within the halo is not valid."""
        inside = band.valid[: self._height - self._plan.rows.starts[band.index], : self._width]
        near = dilate(~inside, self._plan.rows.halo)[own]
        factor = self._spec.upscale_factor
        marked = near.repeat(factor, axis=0).repeat(factor, axis=1)
        return confidence + marked * np.uint8(NEAR_NODATA)
