"""The confidence of each label, and the doubt from unknown ground nearby."""

import numpy as np
from numpy.typing import NDArray

from geosrseg.core.labels import CERTAIN, doubt, percent
from geosrseg.core.legend import NODATA
from geosrseg.mapping.layers.layer import FinishedStrip, FinishedWindow, Layer, Raster
from geosrseg.products.asset import Asset
from geosrseg.raster.maps.cog import CogProfile
from geosrseg.raster.maps.confidence import RAMP, confidence_profile


class Confidence(Layer):
    """(2, rows, width) uint8 percent of confidence and of doubt on the target grid."""

    asset = Asset(
        title="Confidence of each label, and doubt where unknown ground is near, in percent"
    )
    ramp = RAMP

    def profile(self) -> CogProfile:
        frame = self.frame
        tags = {
            "GEOSRSEG_DOUBT": (
                f"how near an unknown pixel of the scene is (nodata, masked, beyond its edge): "
                f"{CERTAIN} beside it, 0 more than {frame.halo} pixels away"
            ),
            "GEOSRSEG_TEMPERATURE": str(frame.spec.temperature),
        }
        return confidence_profile(frame.target_grid, {**frame.tags, **tags})

    def canvas(self, rows: int, cols: int) -> Raster:
        """Return a canvas for the confidence alone."""
        return np.full((1, rows, cols), NODATA, np.uint8)

    def paint(self, part: Raster, window: FinishedWindow) -> None:
        part[0] = percent(
            window.probabilities, window.best, temperature=self.frame.spec.temperature
        )

    def finish(self, canvas: Raster | None, strip: FinishedStrip) -> Raster:
        sure: NDArray[np.uint8] = np.asarray(canvas, np.uint8)
        unsure = doubt(strip.distance, reach=self.frame.halo)
        finished = np.concatenate([sure, np.empty_like(sure)])
        finished[1] = unsure.repeat(strip.factor, axis=0).repeat(strip.factor, axis=1)
        finished[:, strip.hidden | (strip.labels == NODATA)] = NODATA
        return finished
