"""When the ground of a class map was seen, as far as names say."""

import re
from datetime import date, datetime

from geosrseg.raster.maps.class_map import ClassMap

# In turn: 2021-07-09, 20210709 (also within a Landsat product's name), 2021190 (HLS: day of year)
_PATTERNS = (
    (re.compile(r"(?<!\d)((?:19|20)\d\d-\d\d-\d\d)(?!\d)"), "%Y-%m-%d"),
    (re.compile(r"(?<!\d)((?:19|20)\d\d[01]\d[0-3]\d)(?!\d)"), "%Y%m%d"),
    (re.compile(r"(?<!\d)((?:19|20)\d\d[0-3]\d\d)(?!\d)"), "%Y%j"),
)


def map_date(class_map: ClassMap) -> date | None:
    """The first date in the name of the scene that it was made from, or in its own name."""
    for name in (class_map.tags.get("GEOSRSEG_INPUT", ""), class_map.path.name):
        found = date_in(name)
        if found is not None:
            return found
    return None


def date_in(name: str) -> date | None:
    """The first date that a name holds; None for none."""
    for pattern, layout in _PATTERNS:
        for text in pattern.findall(name):
            try:
                return datetime.strptime(text, layout).date()
            except ValueError:
                continue
    return None
