"""Flags: meaning of the bits in the quality files of a Landsat product.

Source: the Landsat Collection 2 data format control books. QA_PIXEL is the same for all
sensors since Landsat 4, except that cirrus exists only since Landsat 8.
"""

from collections.abc import Iterator

from geosrseg.raster.header.quality import Marks
from geosrseg.raster.landsat.product_id import ProductId
from geosrseg.raster.sensors.product import SensorFlags
from geosrseg.raster.storage.location import Location

FILL = Marks(1 << 0)

MASKS = {
    "cloud": Marks(1 << 3 | 1 << 1),  # cloud, and dilated cloud
    "shadow": Marks(1 << 4),
    "cirrus": Marks(1 << 2),
    "snow": Marks(1 << 5),
}
"""Bits of QA_PIXEL by mask name."""

DROPPED = Marks(1 << 9)
"""Bit of QA_RADSAT: the sensor did not deliver the pixel (Landsat 4 to 7)."""


def landsat_flags(
    product: ProductId, qa_pixel: Location | None, qa_radsat: Location | None
) -> Iterator[SensorFlags]:
    """Describe the files of flags that exist."""
    if qa_pixel is not None:
        has_cirrus = "coastal" in product.numbers
        masks = {name: bits for name, bits in MASKS.items() if has_cirrus or name != "cirrus"}
        yield SensorFlags(location=qa_pixel, masks=masks, fill=FILL)
    if qa_radsat is not None:
        saturated = {number: Marks(1 << (number - 1)) for number in product.numbers.values()}
        yield SensorFlags(location=qa_radsat, fill=DROPPED, by_band=saturated)
