"""The polygons of a class map, streamed into a feature file.

The map is read in strips, and a polygon is written when the strip below it has been read, so memory
holds only unfinished polygons. Simplifying needs all polygons in memory, because a border belongs
to two of them.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import shapely
from affine import Affine
from numpy.typing import NDArray

from geosrseg.core.legend import NODATA, Legend
from geosrseg.errors import OutputError
from geosrseg.products.asset import Asset
from geosrseg.products.ground_area import pixel_areas
from geosrseg.products.pixel_areas import PixelAreas
from geosrseg.products.polygons.feature_file import DRIVERS, GEOMETRY, write_features
from geosrseg.products.polygons.map_polygons import MapPolygons, PolygonTracer
from geosrseg.products.polygons.outlines import Rings
from geosrseg.products.polygons.polygon_options import PolygonOptions
from geosrseg.products.polygons.sieve import Sieve
from geosrseg.products.product_file import FinishedMap, ProductFile
from geosrseg.raster.files.grid import Grid
from geosrseg.raster.maps.qml import CLASS_ID, class_qml
from geosrseg.raster.maps.strips import Strips, open_strips
from geosrseg.raster.maps.style import write_polygon_style
from geosrseg.raster.storage.publication import check_output, open_drafts, publish

SUFFIXES = tuple(DRIVERS)


MEDIA_TYPES = {
    ".gpkg": "application/geopackage+sqlite3",
    ".fgb": "application/vnd.flatgeobuf",
    ".geojson": "application/geo+json",
    ".parquet": "application/x-parquet",
}


class Polygons(ProductFile):
    """The polygons as a product of `predict`."""

    suffixes = SUFFIXES
    options = PolygonOptions

    def asset(self, path: Path) -> Asset:
        return Asset(title="Polygons of the class map", media_type=MEDIA_TYPES[path.suffix.lower()])

    def check(self, path: Path, grid: Grid, options: PolygonOptions) -> None:
        check_polygons(path, grid=grid, min_area=options.min_area)

    def write(self, path: Path, finished: FinishedMap, options: PolygonOptions) -> None:
        write_polygons(
            finished.class_map,
            path,
            legend=finished.legend,
            confidence_path=finished.confidence,
            min_area=options.min_area,
            simplify=options.simplify,
            overwrite=True,
        )


def write_polygons(
    class_map_path: str | Path,
    output: str | Path,
    *,
    legend: Legend,
    confidence_path: str | Path | None = None,
    min_area: float | None = None,
    simplify: float | None = None,
    overwrite: bool = False,
) -> None:
    """Write the polygons of a class map: connected pixels of one class.

    Every polygon has ``class_id``, ``class_name``, ``area_m2`` (the sum of its pixels' areas on
    the ellipsoid, null if the map is not georeferenced) and, with a confidence layer,
    ``confidence`` and ``doubt`` (means of its pixels in percent, null if no pixel has one).
    Neighbours share the vertices of their common border. QGIS draws polygons by class: a
    GeoPackage contains the style, other formats get a ``.qml`` beside them unless one exists.

    Args:
        output: ``.gpkg``, ``.fgb``, ``.geojson`` (longitude and latitude) or ``.parquet``.
        min_area: square metres; smaller polygons merge into their largest neighbour.
        simplify: tolerance in units of the CRS: the square root of the area that a corner may
            cut off (Visvalingam and Whyatt 1993). Borders stay shared, and ``area_m2`` stays
            that of the pixels.
        overwrite: replace an existing file.

    Raises:
        OutputError: the class map cannot be read, or the output cannot be written.
    """
    output = Path(output)
    check_output(output, suffixes=SUFFIXES, overwrite=overwrite)
    with open_strips(class_map_path, confidence_path) as strips, open_drafts(output) as folder:
        check_polygons(output, grid=strips.grid, min_area=min_area)
        schema = _schema(with_confidence=confidence_path is not None)
        batches = (
            _batch(polygons, geometry, legend, schema)
            for polygons, geometry in _features(strips, min_area=min_area, simplify=simplify)
        )
        draft = folder / output.name
        write_features(
            draft, batches, schema=schema, crs=strips.grid.crs, qml=class_qml(legend), name=output
        )
        publish([draft], output)
    if output.suffix.lower() != ".gpkg":  # which contains its style
        write_polygon_style(output, legend)


def check_polygons(output: Path, *, grid: Grid, min_area: float | None) -> None:
    """Refuse polygons that cannot be made from a map on this grid.

    Raises:
        OutputError: GeoJSON or `min_area` for a grid that has no longitude and latitude.
    """
    if pixel_areas(grid) is not None:
        return
    if output.suffix.lower() == ".geojson":
        problem = "has no CRS" if grid.crs is None else "has a CRS that cannot be converted to them"
        raise OutputError(
            f"{output}: GeoJSON is in longitude and latitude, and the map {problem}: choose "
            "another format, such as .gpkg"
        )
    if min_area is not None:
        raise OutputError(
            f"{output}: `min_area` of {min_area:g} m² cannot be applied, because the map's pixels "
            "have no known area: leave it out"
        )


def _features(
    strips: Strips, *, min_area: float | None, simplify: float | None
) -> Iterator[tuple[MapPolygons, NDArray[np.object_]]]:
    """Attributes and shapes of polygons, in batches that ended in the same strip."""
    areas = pixel_areas(strips.grid)
    smooth = _smoother(strips, areas, min_area)
    pieces = (
        (polygons, _shapes(polygons.rings, strips.grid.transform))
        for polygons in _trace(strips, areas, smooth)
        if len(polygons)
    )
    if simplify is None:
        yield from pieces
        return
    parts = list(pieces)
    shapes = np.concatenate([np.empty(0, np.object_), *(shapes for _, shapes in parts)])
    simple = shapely.coverage_simplify(shapes, simplify)
    ends = np.cumsum([len(polygons) for polygons, _ in parts])
    for (polygons, _), end in zip(parts, ends, strict=True):
        yield polygons, simple[end - len(polygons) : end]


Smooth = Callable[[NDArray[np.uint8]], NDArray[np.uint8]]


def _smoother(strips: Strips, areas: PixelAreas | None, min_area: float | None) -> Smooth:
    """A function that removes polygons that are too small; reads the whole map first."""
    if min_area is None or areas is None:
        return lambda labels: labels
    sieve = Sieve(strips.grid.width, areas)
    for strip in strips:
        sieve.add(strip.labels)
    return sieve.smoother(min_area)


def _trace(strips: Strips, areas: PixelAreas | None, smooth: Smooth) -> Iterator[MapPolygons]:
    tracer = PolygonTracer(strips.grid.width, areas)
    for strip in strips:
        yield tracer.add(smooth(strip.labels), strip.confidence)
    yield tracer.finish()


def _shapes(rings: Rings, transform: Affine) -> NDArray[np.object_]:
    """Polygons in the CRS, outlines counter-clockwise."""
    a, b, c, d, e, f = transform[:6]
    col, row = rings.vertices.T.astype(np.float64)
    places = np.stack([a * col + b * row + c, d * col + e * row + f], axis=1)
    offsets = (rings.ring_offsets, rings.polygon_offsets)
    polygons = shapely.from_ragged_array(shapely.GeometryType.POLYGON, places, offsets)
    # Only a south-up map reverses the direction of rings.
    return polygons if transform.determinant < 0 else shapely.reverse(polygons)


def _schema(*, with_confidence: bool) -> pa.Schema:
    fields = [
        pa.field(CLASS_ID, pa.int16()),
        pa.field("class_name", pa.string()),
        pa.field("area_m2", pa.float64()),
    ]
    if with_confidence:
        fields += [pa.field(name, pa.float32()) for name in ("confidence", "doubt")]
    return pa.schema([*fields, pa.field(GEOMETRY, pa.binary())])


def _batch(
    polygons: MapPolygons, shapes: NDArray[np.object_], legend: Legend, schema: pa.Schema
) -> pa.RecordBatch:
    index = legend.index_table()[polygons.classes]
    if (index == NODATA).any():
        foreign = polygons.classes[index == NODATA][0]
        raise OutputError(f"the class map contains {foreign}, which is not in its legend")
    names = np.array(legend.names, np.object_)[index]
    columns = {
        CLASS_ID: polygons.classes,
        "class_name": names,
        "area_m2": polygons.square_metres,
        "confidence": polygons.confidence,
        "doubt": polygons.doubt,
        GEOMETRY: shapely.to_wkb(shapes),
    }
    arrays = [pa.array(columns[field.name], field.type, from_pandas=True) for field in schema]
    return pa.record_batch(arrays, schema=schema)
