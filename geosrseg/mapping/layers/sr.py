"""The super-resolved image, as digital numbers like the scene's."""

import numpy as np
from rasterio.enums import Resampling

from geosrseg.core.sr_encoding import SrEncoding
from geosrseg.core.tiling.windows import Window
from geosrseg.mapping.layers.layer import FinishedStrip, FinishedWindow, Layer, MapFrame, Raster
from geosrseg.products.asset import Asset
from geosrseg.raster.maps.cog import CogProfile


class SuperResolved(Layer):
    """(bands, rows, width) on the target grid, encoded like the scene."""

    asset = Asset(title="Super-resolved image", roles=("data", "reflectance"))
    needs_sr = True

    def __init__(self, frame: MapFrame) -> None:
        super().__init__(frame)
        scene = frame.scene
        numbers, _ = scene.read(Window(0, 0, 1, 1))
        self._encoding = SrEncoding(numbers.dtype.name, scene.radiometry, frame.spec.normalization)

    def profile(self) -> CogProfile:
        encoding = self._encoding
        return CogProfile(
            grid=self.frame.target_grid,
            bands=self.frame.spec.bands,
            dtype=encoding.dtype,
            nodata=encoding.nodata,
            overviews=Resampling.average,
            scale=encoding.radiometry.scale,
            offset=encoding.radiometry.offset,
            units="reflectance",
            tags=self.frame.tags,
        )

    def canvas(self, rows: int, cols: int) -> Raster:
        return self._encoding.blank((len(self.frame.spec.bands), rows, cols))

    def paint(self, part: Raster, window: FinishedWindow) -> None:
        if window.sr is not None:
            part[:] = self._encoding.encode(window.sr)

    def finish(self, canvas: Raster | None, strip: FinishedStrip) -> Raster:
        painted: Raster = np.asarray(canvas)
        painted[:, strip.hidden] = self._encoding.nodata
        return painted
