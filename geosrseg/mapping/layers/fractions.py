"""The share of each class in each pixel of the scene."""

from rasterio.enums import Resampling

from geosrseg.core.labels import fractions
from geosrseg.mapping.layers.layer import FinishedStrip, Layer, Raster
from geosrseg.products.asset import Asset
from geosrseg.raster.maps.cog import CogProfile
from geosrseg.raster.maps.qml import Ramp


class Fractions(Layer):
    """(classes, rows, width) float32 on the source grid."""

    asset = Asset(title="Share of each class in each pixel of the scene")
    ramp = Ramp(0, 1)

    def profile(self) -> CogProfile:
        return CogProfile(
            grid=self.frame.scene.grid,
            bands=self.frame.spec.legend.names,
            dtype="float32",
            nodata=float("nan"),
            overviews=Resampling.average,
            units="share of 1",
            tags=self.frame.tags,
        )

    def finish(self, canvas: Raster | None, strip: FinishedStrip) -> Raster:
        classes = len(self.frame.spec.legend)
        return fractions(strip.labels, classes=classes, factor=strip.factor)
