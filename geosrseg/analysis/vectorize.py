"""Writes the polygons of any class map."""

from pathlib import Path

from geosrseg.extras import extra
from geosrseg.products.polygons.polygon_options import PolygonOptions
from geosrseg.raster.maps.class_map import open_class_map, plain_class_map


def vectorize(
    class_map: str | Path,
    output: str | Path,
    *,
    min_area: float | None = None,
    simplify: float | None = None,
    legend: str | Path | None = None,
    overwrite: bool = False,
) -> None:
    """Write the polygons of a class map; see `products.polygons.vector.write_polygons`.

    Args:
        class_map: a map of classes, see `open_class_map`.
        output: ``.gpkg``, ``.fgb``, ``.geojson`` or ``.parquet``.
        min_area: smallest polygon to keep, in square metres.
        simplify: tolerance of the simplified borders, in units of the CRS.
        legend: a legend file for the map.

    Raises:
        OutputError: the map cannot be read, or the output cannot be written.
        MissingExtraError: the extra ``gis`` is not installed.
    """
    with extra("gis"):
        from geosrseg.products.polygons.vector import write_polygons  # noqa: PLC0415
    PolygonOptions(min_area=min_area, simplify=simplify)  # checks them
    output = Path(output)
    opened = open_class_map(class_map, legend=legend)
    with plain_class_map(opened, output.parent) as path:
        write_polygons(
            path,
            output,
            legend=opened.legend,
            confidence_path=opened.confidence_path,
            min_area=min_area,
            simplify=simplify,
            overwrite=overwrite,
        )
