"""Assess: compare a class map with a reference, a raster or points and polygons."""

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import rasterio
import shapely
from numpy.typing import NDArray
from rasterio.enums import Resampling
from rasterio.features import rasterize
from rasterio.vrt import WarpedVRT

from geosrseg.analysis.assessment import Assessment
from geosrseg.core.confusion import ConfusionMatrix
from geosrseg.core.legend import NODATA, Legend
from geosrseg.core.tiling.windows import Window
from geosrseg.errors import OutputError
from geosrseg.products.areas import AreaCounter
from geosrseg.products.ground_area import pixel_areas
from geosrseg.raster.files.features import Features, read_features
from geosrseg.raster.files.grid import rasterio_window
from geosrseg.raster.maps.class_map import ClassMap, open_class_map, read_strips
from geosrseg.raster.storage.gdal import GDAL_ERRORS, reason, unreferenced_allowed

RASTERS = (".tif", ".tiff")


def assess(
    class_map: str | Path,
    reference: str | Path,
    *,
    class_column: str | None = None,
    ignored: Sequence[int | str] = (),
    legend: str | Path | None = None,
) -> Assessment:
    """Compare a class map with what is known to be there.

    A raster is looked up at the centre of each pixel of the map, on any grid and in any CRS. A
    polygon counts the pixels whose centre it holds, a point the pixel it lies in. Classes
    are matched by name where the reference has names that are all in the legend, else by id.

    Args:
        class_map: a map of classes, see `open_class_map`.
        reference: a GeoTIFF of classes, or a vector file.
        class_column: column of the vector file that holds ids or names; needed for one.
        ignored: ids or names of the reference that are no class.
        legend: a legend file for the map.

    Raises:
        OutputError: a file cannot be read, a value of the reference is no class of the map,
            its column is empty, or not one pixel can be compared.
    """
    opened = open_class_map(class_map, legend=legend)
    reference = Path(reference)
    counter = AreaCounter(opened.legend, pixel_areas(opened.grid))
    if reference.suffix.lower() in RASTERS:
        unit, (confusion, missing) = "pixels", _against_raster(opened, reference, ignored, counter)
    elif class_column is None:
        raise OutputError(f"{reference}: say which column holds the class, with `class_column`")
    else:
        features = read_features(reference, opened.grid, column=class_column, kinds="Point Polygon")
        if not any(map(_key, features.values)):
            raise OutputError(
                f"{reference}: column {class_column!r} is empty: write the class of each feature "
                "into it, by name or id"
            )
        points = all("Point" in item.geom_type for item in features.geometries)
        unit = "points" if points else "pixels"
        ids = _class_ids(features.values, opened.legend, ignored, name=str(reference))
        compare = _against_points if points else _against_polygons
        confusion, missing = compare(opened, features, ids, counter)
    if not confusion.total:
        raise OutputError(
            f"{reference}: not one of its classes lies on a mapped pixel of {opened.path}: check "
            "that both show the same ground"
        )
    areas = counter.areas()
    known = areas.square_metres is not None
    mapped = tuple(
        (item.square_metres or 0.0) if known else float(item.pixels) for item in areas.classes
    )
    return Assessment(opened.legend, confusion, mapped, known, unit, missing)


def _counted(
    class_map: ClassMap, counter: AreaCounter
) -> Iterator[tuple[Window, NDArray[np.uint8]]]:
    """All rows of the map, counted for its areas on their way."""
    for strip, labels in read_strips(class_map):
        counter.add(labels, strip.row_off)
        yield strip, labels


def _against_raster(
    class_map: ClassMap, reference: Path, ignored: Sequence[int | str], counter: AreaCounter
) -> tuple[ConfusionMatrix, dict[str, int]]:
    known = open_class_map(reference)
    grid, other = class_map.grid, known.grid
    if (grid.crs is None) != (other.crs is None):
        raise OutputError(f"{reference}: one of reference and map has a CRS and the other has none")
    table = np.full(256, NODATA, np.uint8)
    table[list(known.legend.ids)] = _raster_ids(known, class_map.legend, ignored)
    tally = _Tally(class_map.legend)
    with ExitStack() as stack:
        stack.enter_context(unreferenced_allowed())
        dataset = stack.enter_context(rasterio.open(reference, driver="GTiff"))
        warped = stack.enter_context(
            WarpedVRT(
                dataset, crs=grid.crs, src_crs=other.crs, transform=grid.transform,
                width=grid.width, height=grid.height, resampling=Resampling.nearest,
                nodata=NODATA if known.nodata is None else known.nodata,
            )
        )  # fmt: skip
        for strip, labels in _counted(class_map, counter):
            try:
                values = warped.read(1, window=rasterio_window(strip))
            except GDAL_ERRORS as error:
                raise OutputError(f"{reference}: cannot be read ({reason(error)})") from error
            tally.add(table[known.labels(values)], labels)
    return tally.result("outside the reference, or ignored in it")


def _against_polygons(
    class_map: ClassMap, features: Features, ids: NDArray[np.uint8], counter: AreaCounter
) -> tuple[ConfusionMatrix, dict[str, int]]:
    tally = _Tally(class_map.legend)
    shapes = list(zip(features.geometries, ids.tolist(), strict=True))
    for strip, labels in _counted(class_map, counter):
        burnt = rasterize(
            shapes,
            out_shape=labels.shape,
            transform=class_map.grid.part(strip).transform,
            fill=NODATA,
            dtype="uint8",
        )
        tally.add(burnt, labels)
    return tally.result("outside the polygons, or ignored in them")


def _against_points(
    class_map: ClassMap, features: Features, ids: NDArray[np.uint8], counter: AreaCounter
) -> tuple[ConfusionMatrix, dict[str, int]]:
    grid, tally = class_map.grid, _Tally(class_map.legend)
    places, owners = _positions(features)
    cols, rows = (np.floor(value).astype(np.int64) for value in ~grid.transform @ tuple(places.T))
    inside = (rows >= 0) & (rows < grid.height) & (cols >= 0) & (cols < grid.width)
    seen = 0
    for strip, labels in _counted(class_map, counter):
        here = inside & (rows >= strip.row_off) & (rows < strip.row_off + strip.height)
        tally.add(ids[owners[here]], labels[rows[here] - strip.row_off, cols[here]])
        seen += int(here.sum())
    confusion, missing = tally.result("ignored in the reference")
    return confusion, missing | {"outside the map": len(places) - seen}


def _positions(features: Features) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """(n, 2) x and y of all points, and which feature each is of."""
    points, owners = shapely.get_parts(features.geometries, return_index=True)
    return shapely.get_coordinates(points), np.asarray(owners, np.int64)


class _Tally:
    """Adds up pairs of class ids."""

    def __init__(self, legend: Legend) -> None:
        self._index = legend.index_table()
        self._classes = len(legend)
        self._confusion = ConfusionMatrix.empty(self._classes)
        self._unmapped = self._unknown = 0

    def add(self, reference: NDArray[np.uint8], labels: NDArray[np.uint8]) -> None:
        """Count arrays of one shape; NODATA in either is left out."""
        self._confusion += ConfusionMatrix.of(
            self._index[reference], self._index[labels], classes=self._classes
        )
        self._unknown += int((reference == NODATA).sum())
        self._unmapped += int(((reference != NODATA) & (labels == NODATA)).sum())

    def result(self, unknown: str) -> tuple[ConfusionMatrix, dict[str, int]]:
        """The matrix, and what was left out."""
        return self._confusion, {unknown: self._unknown, "nodata in the map": self._unmapped}


def _raster_ids(known: ClassMap, legend: Legend, ignored: Sequence[int | str]) -> NDArray[np.uint8]:
    names = [item.name.casefold() for item in known.legend.classes]
    skipped = {str(word).casefold() for word in ignored}
    wanted = [name for name in names if name not in skipped]
    by_name = set(wanted) <= {name.casefold() for name in legend.names}
    values: tuple[object, ...] = known.legend.names if by_name else known.legend.ids
    return _class_ids(values, legend, ignored, name=str(known.path))


def _class_ids(
    values: Sequence[object], legend: Legend, ignored: Sequence[int | str], *, name: str
) -> NDArray[np.uint8]:
    """The class id of every value, an id or a name; NODATA for ignored and empty ones.

    Raises:
        OutputError: a value is no class.
    """
    table = _lookup(legend, ignored)
    keys = [_key(value) for value in values]
    unknown = sorted({key for key in keys if key not in table})
    if unknown:
        raise OutputError(
            f"{name}: {', '.join(unknown[:5])} is no class of the map "
            f"({', '.join(f'{c.id} {c.name}' for c in legend.classes)}): rename it, or leave it "
            f"out with `ignored={unknown[0]}`"
        )
    return np.array([table[key] for key in keys], np.uint8)


def _lookup(legend: Legend, ignored: Sequence[int | str]) -> Mapping[str, int]:
    table = {item.name.casefold(): item.id for item in legend.classes}
    table |= {str(item.id): item.id for item in legend.classes}
    return table | {_key(value): NODATA for value in ("", *ignored)}


def _key(value: object) -> str:
    """A class as it is looked up: ``3`` for 3, 3.0 and "3"; empty for what has no value."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value).strip().casefold()
