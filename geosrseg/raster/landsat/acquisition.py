"""When a scene was taken, as far as its name says."""

import re
from datetime import date

from geosrseg.raster.scene import Scene

# LC08_L2SP_204023_20200927_20201006_02_T1: platform, level, path and row, then the date
_PRODUCT = re.compile(r"L[COTEM]\d{2}_[A-Z0-9]{4}_\d{6}_(\d{8})_", re.IGNORECASE)


def acquisition_date(scene: Scene) -> date | None:
    """The day of a Landsat product, by its name or that of a band; None for other scenes."""
    names = [scene.location.name, *(file.location.name for file in scene.header.files)]
    for name in names:
        if found := _PRODUCT.search(name):
            text = found.group(1)
            try:
                return date(int(text[:4]), int(text[4:6]), int(text[6:]))
            except ValueError:
                continue
    return None
