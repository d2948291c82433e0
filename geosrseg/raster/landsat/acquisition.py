"""When a scene was taken, as far as its name says."""

import re
from datetime import date, datetime

from geosrseg.raster.scene import Scene

_NAMES = (
    # LC08_L2SP_204023_20200927_20201006_02_T1: platform, level, path and row, then the date
    (re.compile(r"L[COTEM]\d{2}_[A-Z0-9]{4}_\d{6}_(\d{8})_", re.IGNORECASE), "%Y%m%d"),
    # HLS.L30.T36NYN.2020115T074512.v2.0: year and day of the year
    (re.compile(r"HLS\.[LS]30\.T\w{5}\.(\d{7})T", re.IGNORECASE), "%Y%j"),
)


def acquisition_date(scene: Scene) -> date | None:
    """The day of a product, by its name or that of a band; None for other scenes."""
    names = [scene.location.name, *(file.location.name for file in scene.header.files)]
    for name in names:
        for pattern, form in _NAMES:
            if found := pattern.search(name):
                try:
                    return datetime.strptime(found.group(1), form).date()
                except ValueError:
                    continue
    return None
