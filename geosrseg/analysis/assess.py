"""Compares a class map with a reference: a raster, points or polygons."""

import warnings
from collections.abc import Collection, Iterator, Sequence, Set
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import rasterio
import shapely
from numpy.typing import NDArray
from rasterio.enums import Resampling
from rasterio.vrt import WarpedVRT

from geosrseg.analysis.assessment import Assessment
from geosrseg.core.confusion import ConfusionMatrix
from geosrseg.core.legend import NODATA, Legend
from geosrseg.core.tiling.windows import Window
from geosrseg.errors import OutputError, SceneWarning
from geosrseg.products.areas import AreaCounter
from geosrseg.products.ground_area import pixel_areas
from geosrseg.raster.files.burning import burn
from geosrseg.raster.files.features import Features, read_features, value_text
from geosrseg.raster.files.grid import rasterio_window
from geosrseg.raster.files.warp import TOLERANCE
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
    """Compare a class map with reference data.

    A reference raster, on any grid and in any CRS, is sampled at the centre of each map pixel. A
    polygon covers the pixels whose centre it contains, a point the pixel that contains it. Classes
    match by name if all names of the reference are in the legend, else by id.

    Args:
        class_map: a map of classes, see `open_class_map`.
        reference: a GeoTIFF of classes, or a vector file.
        class_column: column of the vector file with ids or names; required for vector files.
        ignored: ids or names in the reference that are not classes.
        legend: a legend file for the map.

    Raises:
        OutputError: a file cannot be read, a value of the reference is not a class of the map,
            its column is empty, or no pixel can be compared.
    """
    opened = open_class_map(class_map, legend=legend)
    reference = Path(reference)
    counter = AreaCounter(opened.legend, pixel_areas(opened.grid))
    if reference.suffix.lower() in RASTERS:
        unit, (confusion, missing) = "pixels", _against_raster(opened, reference, ignored, counter)
    elif class_column is None:
        raise OutputError(f"{reference}: name the column of the classes with `class_column`")
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
            f"{reference}: none of its classes is on a mapped pixel of {opened.path}: check "
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
    """Yield all rows of the map, and add them to the counter."""
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
                nodata=NODATA if known.nodata is None else known.nodata, tolerance=TOLERANCE,
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
        burnt = burn(shapes, class_map.grid.part(strip), fill=NODATA, dtype=np.uint8)
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
    """Return (n, 2) x and y of all points, and the index of the feature of each."""
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
        """Count pairs from arrays of equal shape; pairs with NODATA are left out."""
        self._confusion += ConfusionMatrix.of(
            self._index[reference], self._index[labels], classes=self._classes
        )
        self._unknown += int((reference == NODATA).sum())
        self._unmapped += int(((reference != NODATA) & (labels == NODATA)).sum())

    def result(self, unknown: str) -> tuple[ConfusionMatrix, dict[str, int]]:
        """Return the matrix, and the number of left-out pairs by cause."""
        return self._confusion, {unknown: self._unknown, "nodata in the map": self._unmapped}


def _raster_ids(known: ClassMap, legend: Legend, ignored: Sequence[int | str]) -> NDArray[np.uint8]:
    """Return the class id in `legend` of each class of the reference; NODATA for ignored ones.

    Classes are matched by name if the map has all names that count, otherwise by id.
    """
    skipped = {_key(word) for word in ignored}
    _check_ignored(skipped, _words(legend) | _words(known.legend), name=str(known.path))
    ids = np.full(len(known.legend), NODATA, np.uint8)
    counted = [
        (index, item)
        for index, item in enumerate(known.legend.classes)
        if not skipped & {_key(item.name), _key(item.id)}
    ]
    by_name = {_key(item.name) for _, item in counted} <= {_key(name) for name in legend.names}
    values = [item.name if by_name else item.id for _, item in counted]
    ids[[index for index, _ in counted]] = _class_ids(values, legend, (), name=str(known.path))
    return ids


def _class_ids(
    values: Sequence[object], legend: Legend, ignored: Sequence[int | str], *, name: str
) -> NDArray[np.uint8]:
    """Return the class id of every value (id or name); NODATA for ignored and empty ones.

    An ignored class of the map is ignored under its name and its id.
    """
    words = {_key(word) for word in ignored}
    table = _words(legend)
    keys = [_key(value) for value in values]
    _check_ignored(words, table.keys() | set(keys), name=name)
    left_out = {table[word] for word in words if word in table}
    table = {word: NODATA if own in left_out else own for word, own in table.items()}
    table |= dict.fromkeys(("", *words), NODATA)
    unknown = sorted({key for key in keys if key not in table})
    if unknown:
        raise OutputError(
            f"{name}: {', '.join(unknown[:5])} is not a class of the map "
            f"({', '.join(f'{c.id} {c.name}' for c in legend.classes)}): rename it, or leave it "
            f"out with `ignored={unknown[0]}`"
        )
    return np.array([table[key] for key in keys], np.uint8)


def _words(legend: Legend) -> dict[str, int]:
    """Return the class id of every name and id, each as a lookup key."""
    names = {_key(item.name): item.id for item in legend.classes}
    return names | {_key(item.id): item.id for item in legend.classes}


def _check_ignored(words: Set[str], known: Collection[str], *, name: str) -> None:
    """Warn of a class to leave out that neither map nor reference has, as after a typing error."""
    for word in sorted(words - set(known)):
        warnings.warn(
            f"`ignored={word}` has no effect: neither the map nor {name} has such a class, by "
            "name or by id",
            SceneWarning,
            stacklevel=2,
        )


def _key(value: object) -> str:
    """Return the lookup key of a value: ``3`` for 3, 3.0 and "3"; empty for missing values."""
    return value_text(value).strip().casefold()
