"""Layer: a raster that is made from the probabilities, and what it is made from.

While a strip of windows runs, a layer paints what each window finishes on a canvas of target
rows. When the strip is done it turns the canvas into rows of its file. A layer that follows
from the labels alone needs no canvas: it has all it needs in `finish`.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class MapFrame:
    """What is known of a map before its first window runs.

    Attributes:
        scene: the open scene, or the part of it that the map shows.
        spec: of the model.
        halo: LR pixels around a pixel that may sway its label.
        tags: what every file says of its own making.
        merge: (256,) index of the map's class for each of the model's, `NODATA` for none; None
            where they are the model's own.
    """

    scene: Scene
    spec: ModelSpec
    halo: int
    tags: Mapping[str, str]
    merge: NDArray[np.uint8] | None = None

    @property
    def target_grid(self) -> Grid:
        """The grid of the class map."""
        return self.scene.grid.refined(self.spec.upscale_factor)


@dataclass(frozen=True, slots=True, eq=False)
class FinishedWindow:
    """The pixels that a window finishes, after blending.

    Attributes:
        probabilities: (classes, rows, cols).
        labels: (rows, cols) indices of the most likely classes.
        best: (rows, cols) their probabilities.
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
        labels: (s·rows, s·width) class indices; NODATA where the map has no pixel.
        hidden: (s·rows, s·width) True where the map has no pixel.
        around: (window rows, window cols) usable pixels of the scene in all windows, which
            hold the frame's halo around the strip's own, or else end with the scene.
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
        """(rows, width) LR pixels to the nearest one that is not usable, or beyond the scene.

        It is the scene's, whatever the windows are, as far as the frame's halo; farther away it
        is more than that halo, and says no more.
        """
        return distance(~self.around)[self.own]


class Layer(ABC):
    """A raster that is made from the probabilities, for one map.

    Args:
        frame: what is known of the map.

    Attributes:
        help: what the file is, for ``--help``.
        asset: what a STAC item says of the file.
        needs_sr: it is made from the super-resolved image, which the network then gives.
        styled: its pixels are class ids, and the styles of the legend stand beside it.
        ramp: how QGIS draws its first band, if that is measured; the style stands beside it.
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
        """What the file is, except its pixels."""

    def canvas(self, rows: int, cols: int) -> NDArray[np.generic] | None:
        """(channels, rows, cols) on the target grid to paint on, if the layer needs it."""
        return None

    def paint(self, part: NDArray[np.generic], window: FinishedWindow) -> None:  # noqa: B027
        """Paint what a window finishes on its part of the canvas, (channels, rows, cols)."""

    @abstractmethod
    def finish(
        self, canvas: NDArray[np.generic] | None, strip: FinishedStrip
    ) -> NDArray[np.generic]:
        """The strip's rows of the file, (channels, rows, width) on the file's grid.

        Args:
            canvas: (channels, s·rows, s·width) what was painted, which may be changed.
            strip: what else is known of these rows.
        """
