"""Measures the area of each class of a map, in total or per polygon."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import shapely

from geosrseg.core.text.csv_text import as_csv
from geosrseg.errors import OutputError
from geosrseg.products.area_table import area_rows
from geosrseg.products.areas import AreaCounter, Areas
from geosrseg.products.ground_area import pixel_areas
from geosrseg.products.pixel_areas import PixelAreas
from geosrseg.raster.files import burning
from geosrseg.raster.files.features import read_features, value_text
from geosrseg.raster.maps.class_map import ClassMap, open_class_map, read_strips
from geosrseg.raster.storage.publication import check_output, publish_text

SUFFIXES = (".csv",)

COLUMNS = ("class_id", "class_name", "pixels", "hectares", "percent")
"""Columns of the table, after the zone."""

WHOLE = "map"
"""Name of the only zone if no polygons are given."""


@dataclass(frozen=True, slots=True)
class ZoneAreas:
    """The areas of one zone.

    Attributes:
        zone: name or number.
        areas: areas of the classes, from the pixels whose centre is in the zone.
    """

    zone: str
    areas: Areas

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield a row per class, then one for unmapped ground and one for the sum of classes."""
        for row in area_rows(self.areas):
            cells = {name: "" if row[name] is None else row[name] for name in COLUMNS}
            yield {"zone": self.zone, **cells}


def zonal_areas(
    class_map: str | Path,
    *,
    zones: str | Path | None = None,
    zone_column: str | None = None,
    legend: str | Path | None = None,
) -> list[ZoneAreas]:
    """Measure the geodesic areas of a map's classes, in the whole map or in each polygon.

    Polygons may overlap; each is measured separately.

    Args:
        class_map: a map of classes, see `open_class_map`.
        zones: a vector file of polygons, in any CRS; None for the whole map.
        zone_column: column with their names; None numbers them from 1.
        legend: a legend file for the map.

    Raises:
        OutputError: a file cannot be read, or no polygon overlaps the map.
        MissingExtraError: the extra ``gis`` is not installed.
    """
    opened = open_class_map(class_map, legend=legend)
    ground = pixel_areas(opened.grid)
    if zones is None:
        return [ZoneAreas(WHOLE, _count(opened, None, ground))]
    features = read_features(zones, opened.grid, column=zone_column, kinds="Polygon")
    found = [
        ZoneAreas(value_text(value), _count(opened, polygon, ground))
        for polygon, value in zip(features.geometries, features.values, strict=True)
    ]
    if not any(item.areas.pixels or item.areas.nodata_pixels for item in found):
        raise OutputError(f"{zones}: no polygon contains a pixel of {opened.path}")
    return found


def write_zonal_areas(path: str | Path, found: list[ZoneAreas], *, overwrite: bool = False) -> None:
    """Write areas as CSV: one row per zone and class.

    Raises:
        OutputError: the output cannot be written.
    """
    path = Path(path)
    check_output(path, suffixes=SUFFIXES, overwrite=overwrite)
    rows = [row for item in found for row in item.rows()]
    publish_text(path, as_csv([rows[0].keys(), *(row.values() for row in rows)]))


def _count(class_map: ClassMap, zone: shapely.Geometry | None, ground: PixelAreas | None) -> Areas:
    counter = AreaCounter(class_map.legend, ground)
    window = None if zone is None else class_map.grid.window(zone.bounds)
    if zone is not None and window is None:
        return counter.areas()
    for strip, labels in read_strips(class_map, window):
        inside = None if zone is None else burning.inside(zone, class_map.grid.part(strip))
        counter.add(labels, strip.row_off, col_off=strip.col_off, inside=inside)
    return counter.areas()


def format_zones(found: list[ZoneAreas]) -> str:
    """Format the areas for a terminal, one table per zone."""
    lines = []
    for item in found:
        lines.append(item.zone)
        for row in item.rows():
            hectares = f"{row['hectares']:,.2f} ha" if row["hectares"] != "" else ""
            percent = f"{row['percent']:.1f} %" if row["percent"] != "" else ""
            name = f"{row['class_id']} {row['class_name']}".strip()
            lines.append(f"  {name:<24} {row['pixels']:>14,} {hectares:>18} {percent:>8}")
    return "\n".join(lines)
