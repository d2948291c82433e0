"""Acquisition date of a scene, from its metadata or its file names."""

import re
from datetime import date

from geosrseg.core.text.day import parse_day
from geosrseg.raster.scene import Scene

_NAMES = (
    # LC08_L2SP_204023_20200927_20201006_02_T1: platform, level, path and row, then the date
    (re.compile(r"L[COTEM]\d{2}_[A-Z0-9]{4}_\d{6}_(\d{8})_", re.IGNORECASE), "%Y%m%d"),
    # LC08_CU_003008_20161026_20210502_02: a tile
    (re.compile(r"L[COTEM]\d{2}_(?:AK|CU|HI)_\d{6}_(\d{8})_", re.IGNORECASE), "%Y%m%d"),
    # HLS.L30.T36NYN.2020115T074512.v2.0: year and day of the year
    (re.compile(r"HLS\.[LS]30\.T\w{5}\.(\d{7})T", re.IGNORECASE), "%Y%j"),
    # S2A_MSIL2A_20220612T182919_N0400_R027_T11SKU_20220613T000000
    (re.compile(r"S2[A-D]_MSIL(?:1C|2A)_(\d{8})T", re.IGNORECASE), "%Y%m%d"),
)


def acquisition_date(scene: Scene) -> date | None:
    """Return the day that the product's metadata or a file name states; None without either."""
    if scene.header.taken is not None:
        return scene.header.taken
    for name in (scene.location.name, *(file.location.name for file in scene.header.files)):
        for pattern, form in _NAMES:
            found = pattern.search(name)
            if found and (day := parse_day(found[1], form)):
                return day
    return None
