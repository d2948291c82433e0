"""Layer: the base class of rasters made from the probabilities, and their inputs.

While a strip of windows runs, a layer paints the pixels that each window finishes on a canvas of
target rows. After the strip it turns the canvas into rows of its file. A layer that follows
from the labels alone needs no canvas, only `finish`.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from geosrseg.core.spec import ModelSpec
from geosrseg.core.tiling.distance import distance
from geosrseg.products.asset import Asset
from geosrseg.raster.files.grid import Grid
from geosrseg.raster.maps.cog import CogProfile
from geosrseg.raster.maps.qml import Ramp
from geosrseg.raster.scene import Scene

Raster = NDArray[np.generic]
"""(channels, rows, cols) of any data type."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MapFrame:
    """Properties of a map that are known before its first window runs.

    Attributes:
        scene: the part of the open scene that the map shows.
        spec: the model's specification, with the classes of the map.
        halo: LR pixels around a pixel that may influence its label.
        tags: tags of every file about how it was made.
        merge: (256,) index of the map's class for each class of the model, `NODATA` if ignored;
            None if the map has the model's classes.
    """

    scene: Scene
    spec: ModelSpec
    halo: int
    tags: Mapping[str, str]
    merge: NDArray[np.uint8] | None = None

    @property
    def target_grid(self) -> Grid:
        return self.scene.grid.refined(self.spec.upscale_factor)


@dataclass(frozen=True, slots=True, eq=False)
class FinishedWindow:
    """The pixels that a window finishes, after blending.

    Attributes:
        probabilities: (classes, rows, cols).
        labels: (rows, cols) indices of the most likely classes.
        best: (rows, cols) probabilities of the labels.
        sr: (bands, rows, cols) super-resolved model input; None if no layer needs it.
    """

    probabilities: NDArray[np.float32]
    labels: NDArray[np.uint8]
    best: NDArray[np.float32]
    sr: NDArray[np.float32] | None


@dataclass(frozen=True, eq=False)
class FinishedStrip:
    """The rows that a strip of windows finishes, inside the scene.

    Attributes:
        labels: (s·rows, s·width) class indices; NODATA where `hidden`.
        hidden: (s·rows, s·width) True where the map has no data.
        around: (window rows, window cols) usable pixels of the scene in all windows; includes
            the frame's halo around the strip's own pixels, clipped to the scene.
        own: the strip's own rows and columns in `around`.
        factor: the upscale factor s.
    """

    labels: NDArray[np.uint8]
    hidden: NDArray[np.bool_]
    around: NDArray[np.bool_]
    own: tuple[slice, slice]
    factor: int

    @cached_property
    def distance(self) -> NDArray[np.int32]:
        """(rows, width) LR pixels to the nearest pixel that is unusable or beyond the scene.

        Up to the frame's halo the distance does not depend on the windows; any larger value
        only means "farther than the halo".
        """
        return distance(~self.around)[self.own]


class Layer(ABC):
    """A raster made from the probabilities, for one map.

    Attributes:
        help: description for ``--help``.
        asset: description for a STAC item.
        needs_sr: whether the layer is made from the super-resolved image.
        styled: whether pixels are class ids; then styles of the legend are written beside it.
        ramp: how QGIS draws the first band of a continuous layer; written as a style beside it.
    """

    help: ClassVar[str] = ""
    asset: ClassVar[Asset]
    needs_sr: ClassVar[bool] = False
    styled: ClassVar[bool] = False
    ramp: ClassVar[Ramp | None] = None

    def __init__(self, frame: MapFrame) -> None:
        self.frame = frame

    @abstractmethod
    def profile(self) -> CogProfile:
        """Return everything about the file except its pixels."""

    def canvas(self, rows: int, cols: int) -> Raster | None:
        """Return an array (channels, rows, cols) on the target grid to paint on, if needed."""
        return None

    def paint(self, part: Raster, window: FinishedWindow) -> None:  # noqa: B027
        """Paint the finished pixels of a window on its part (channels, rows, cols) of a canvas."""

    @abstractmethod
    def finish(self, canvas: Raster | None, strip: FinishedStrip) -> Raster:
        """Return the strip's rows (channels, rows, width) on the file's grid.

        Args:
            canvas: (channels, s·rows, s·width) the painted canvas, which may be changed.
            strip: labels and usable pixels of these rows.
        """
