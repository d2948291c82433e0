"""The class map: the id of the most likely class of each target pixel."""

from rasterio.enums import Resampling

from geosrseg.core.legend import NODATA
from geosrseg.mapping.layers.layer import FinishedStrip, Layer, Raster
from geosrseg.products.asset import Asset
from geosrseg.raster.maps.cog import CogProfile


class Classes(Layer):
    """(1, rows, width) uint8 class ids on the target grid."""

    asset = Asset(title="Class map")
    styled = True

    def profile(self) -> CogProfile:
        return CogProfile(
            grid=self.frame.target_grid,
            bands=("class",),
            dtype="uint8",
            nodata=NODATA,
            overviews=Resampling.mode,
            legend=self.frame.spec.legend,
            tags=self.frame.tags,
        )

    def finish(self, canvas: Raster | None, strip: FinishedStrip) -> Raster:
        return self.frame.spec.legend.id_table()[strip.labels][None]
