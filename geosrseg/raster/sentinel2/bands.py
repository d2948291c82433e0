"""Bands of Sentinel-2's MSI, and the classes of its scene classification."""

import re

from geosrseg.raster.header.quality import Marks

# In the order of the band ids in ESA's metadata.
IDS = ("B01", "B02", "B03", "B04", "B05", "B06", "B07", "B08", "B8A", "B09", "B10", "B11", "B12")

NAMES = {
    **{"B01": "coastal", "B02": "blue", "B03": "green", "B04": "red", "B05": "red edge 1"},
    **{"B06": "red edge 2", "B07": "red edge 3", "B08": "nir", "B8A": "nir narrow"},
    **{"B11": "swir1", "B12": "swir2"},
}
"""Names of the bands that measure the ground; the others measure the atmosphere."""

NUMBERS = {band: 80 if band == "B8A" else int(band[1:]) for band in NAMES}
"""Numbers of the bands in ``--bands``; 80 means 8A."""

COARSER = (20.0, 30.0, 60.0)
"""Pixel sizes in metres to which bands are averaged for a model that is not for 10 m."""

MASKS = {
    "cloud": Marks(values=(8, 9)),
    "shadow": Marks(values=(3,)),
    "cirrus": Marks(values=(10,)),
    "snow": Marks(values=(11,)),
}
"""Classes of the scene classification (SCL) by mask name."""

FILL = Marks(values=(0, 1))
"""No data, and saturated or defective."""

BAND_FILE = re.compile(
    r"(?:.*_)?(?P<band>B\d\d|B8A|SCL)(?:_(?P<metres>10|20|60)m)?\.(?P<suffix>jp2|tiff?)",
    re.IGNORECASE,
)
"""Matches band files such as T31TFJ_20200101T104431_B02_10m.jp2 and B02.tif."""

OFFSET_SINCE = 4.0
"""First processing baseline that adds 1000 to all digital numbers."""
