"""Finds the acquisition date of a class map in file names."""

import re
from datetime import date

from geosrseg.core.text.day import parse_day
from geosrseg.raster.maps.class_map import ClassMap

# 2021-07-09, 20210709 (also within a Landsat product's name), 2021190 (HLS: day of year)
_PATTERNS = (
    (re.compile(r"(?<!\d)((?:19|20)\d\d-\d\d-\d\d)(?!\d)"), "%Y-%m-%d"),
    (re.compile(r"(?<!\d)((?:19|20)\d\d[01]\d[0-3]\d)(?!\d)"), "%Y%m%d"),
    (re.compile(r"(?<!\d)((?:19|20)\d\d[0-3]\d\d)(?!\d)"), "%Y%j"),
)


def map_date(class_map: ClassMap) -> date | None:
    """Return the first date in the name of the map's scene, or else in the map's own name."""
    return date_in(class_map.tags.get("GEOSRSEG_INPUT", "")) or date_in(class_map.path.name)


def date_in(name: str) -> date | None:
    """Return the first date in a name; None without one."""
    found = []
    for pattern, layout in _PATTERNS:
        for match in pattern.finditer(name):
            if day := parse_day(match[1], layout):
                found.append((match.start(), day))
    return min(found)[1] if found else None
