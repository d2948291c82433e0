"""The confidence: how sure each label is, and where nodata makes it less so."""

import numpy as np
from numpy.typing import NDArray
from rasterio.enums import Resampling

from geosrseg.core.labels import CERTAIN, NEAR_NODATA, percent
from geosrseg.core.legend import NODATA
from geosrseg.mapping.layers.layer import FinishedStrip, FinishedWindow, Layer
from geosrseg.products.asset import Asset
from geosrseg.raster.maps.cog import CogProfile
from geosrseg.raster.maps.qml import Ramp


class Confidence(Layer):
    """(1, rows, width) uint8 percent on the target grid."""

    asset = Asset(title="Confidence of each label, in percent")
    ramp = Ramp(0, 100, "%")

    def profile(self) -> CogProfile:
        """See `Layer.profile`."""
        frame = self.frame
        return CogProfile(
            grid=frame.target_grid,
            bands=("confidence",),
            dtype="uint8",
            nodata=NODATA,
            overviews=Resampling.nearest,
            units="percent",
            tags={
                **frame.tags,
                "GEOSRSEG_CONFIDENCE": f"0 to {CERTAIN}: percent",
                "GEOSRSEG_UNCERTAIN_BY_NODATA": (
                    f"{NEAR_NODATA} to {NEAR_NODATA + CERTAIN}: {NEAR_NODATA} + percent, where "
                    f"nodata lies within {frame.halo} pixels of the scene"
                ),
                "GEOSRSEG_TEMPERATURE": str(frame.spec.temperature),
            },
        )

    def canvas(self, rows: int, cols: int) -> NDArray[np.generic]:
        """See `Layer.canvas`."""
        return np.full((1, rows, cols), NODATA, np.uint8)

    def paint(self, part: NDArray[np.generic], window: FinishedWindow) -> None:
        """See `Layer.paint`."""
        part[0] = percent(
            window.probabilities, window.best, temperature=self.frame.spec.temperature
        )

    def finish(
        self, canvas: NDArray[np.generic] | None, strip: FinishedStrip
    ) -> NDArray[np.generic]:
        """See `Layer.finish`."""
        marked: NDArray[np.uint8] = np.asarray(canvas, np.uint8) + strip.near_nodata * np.uint8(
            NEAR_NODATA
        )
        marked[:, strip.hidden] = NODATA
        return marked
