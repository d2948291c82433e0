"""The probability of each class, for mosaics of several maps."""

import numpy as np
from numpy.typing import NDArray
from rasterio.enums import Resampling

from geosrseg.core.legend import NODATA
from geosrseg.mapping.layers.layer import FinishedStrip, FinishedWindow, Layer, Raster
from geosrseg.products.asset import Asset
from geosrseg.raster.maps.class_map import CERTAINTY
from geosrseg.raster.maps.cog import CogProfile
from geosrseg.raster.maps.qml import Ramp


class Probabilities(Layer):
    """(classes, rows, width) uint8 on the target grid, `CERTAINTY` for 1."""

    asset = Asset(title="Probability of each class")
    ramp = Ramp(0, 1)

    def profile(self) -> CogProfile:
        classes = len(self.frame.spec.legend)
        return CogProfile(
            grid=self.frame.target_grid,
            bands=self.frame.spec.legend.names,
            dtype="uint8",
            nodata=NODATA,
            overviews=Resampling.average,
            scale=(1 / CERTAINTY,) * classes,
            offset=(0.0,) * classes,
            units="probability",
            tags=self.frame.tags,
        )

    def canvas(self, rows: int, cols: int) -> Raster:
        return np.full((len(self.frame.spec.legend), rows, cols), NODATA, np.uint8)

    def paint(self, part: Raster, window: FinishedWindow) -> None:
        part[:] = np.rint(self._merged(window.probabilities) * np.float32(CERTAINTY))

    def _merged(self, probabilities: NDArray[np.float32]) -> NDArray[np.float32]:
        """Sum the probabilities of the model's classes that form each class of the map."""
        merge = self.frame.merge
        if merge is None:
            return probabilities
        sums = np.zeros((len(self.frame.spec.legend), *probabilities.shape[1:]), np.float32)
        for index, probability in enumerate(probabilities):
            if merge[index] != NODATA:
                sums[merge[index]] += probability
        return np.minimum(sums, 1)

    def finish(self, canvas: Raster | None, strip: FinishedStrip) -> Raster:
        painted: NDArray[np.uint8] = np.asarray(canvas, np.uint8)
        painted[:, strip.hidden | (strip.labels == NODATA)] = NODATA
        return painted
