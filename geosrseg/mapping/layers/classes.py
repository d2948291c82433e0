"""The class map: the id of the most likely class of each target pixel."""

from geosrseg.mapping.layers.layer import FinishedStrip, Layer, Raster
from geosrseg.products.asset import Asset
from geosrseg.raster.maps.cog import CogProfile


class Classes(Layer):
    """(1, rows, width) uint8 class ids on the target grid."""

    asset = Asset(title="Class map")
    styled = True

    def profile(self) -> CogProfile:
        frame = self.frame
        return CogProfile.of_classes(frame.target_grid, frame.spec.legend, tags=frame.tags)

    def finish(self, canvas: Raster | None, strip: FinishedStrip) -> Raster:
        return self.frame.spec.legend.id_table()[strip.labels][None]
