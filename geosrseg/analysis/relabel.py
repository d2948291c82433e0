"""Edits a class map: merges classes, removes small or doubtful patches, crops."""

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import shapely
from numpy.typing import NDArray

from geosrseg.core.labels import CERTAIN
from geosrseg.core.legend import NODATA, Legend
from geosrseg.core.tiling.windows import Window
from geosrseg.errors import OutputError, SceneWarning
from geosrseg.products.ground_area import pixel_areas
from geosrseg.products.polygons.polygon_options import PolygonOptions
from geosrseg.products.polygons.sieve import Sieve
from geosrseg.products.writing import left_over, map_contents
from geosrseg.raster.files import burning
from geosrseg.raster.files.features import read_features
from geosrseg.raster.files.grid import Grid
from geosrseg.raster.maps.class_map import ClassMap, open_class_map, read_strips
from geosrseg.raster.maps.cog import STALE, CogProfile, check_cog, write_cog
from geosrseg.raster.maps.confidence import without_gaps
from geosrseg.raster.maps.legend_file import LegendFile, read_legend_file
from geosrseg.raster.maps.strips import open_strips
from geosrseg.raster.maps.style import check_styles, write_styles
from geosrseg.raster.storage.publication import check_apart, open_drafts, publish
from geosrseg.version import __version__

Rows = Iterator[NDArray[np.uint8]]


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits for a label to be kept.

    Attributes:
        confidence: least percent.
        doubt: most percent.
    """

    confidence: int
    doubt: int

    def __post_init__(self) -> None:
        for name, value in (("min_confidence", self.confidence), ("max_doubt", self.doubt)):
            if not 0 <= value <= CERTAIN:
                raise OutputError(f"`{name}` {value}: expected 0 to {CERTAIN} percent")


def relabel(
    class_map: str | Path,
    output: str | Path,
    *,
    legend: str | Path | None = None,
    clip: str | Path | None = None,
    min_area: float | None = None,
    min_confidence: int | None = None,
    max_doubt: int | None = None,
    confidence: str | Path | None = None,
    overwrite: bool = False,
) -> Legend:
    """Merge, rename and recolour the classes of a map; remove small or doubtful patches; crop.

    The steps run in this order: pixels below `min_confidence` or above `max_doubt` become nodata,
    classes are merged, patches below `min_area` join their largest neighbour, and the map is cut
    to the polygons of `clip`. The output keeps the pixel grid and covers the polygons.

    Args:
        class_map: a map of classes, see `open_class_map`.
        output: the new map, ``.tif``.
        legend: a legend file; a class without ``from`` keeps the pixels of its own id.
        clip: a vector file of polygons in any CRS.
        min_area: smallest patch to keep, in square metres.
        min_confidence: percent; needs the map's confidence layer.
        max_doubt: percent; needs the same layer.
        confidence: the layer; None for ``MAP.confidence.tif`` beside the map.

    Returns:
        The classes of the new map.

    Raises:
        OutputError: a file cannot be read or written, the output is a layer or polygons that are
            read, `min_area` is not above 0, or a class of the map is neither in a ``from`` nor
            ignored.
    """
    output = Path(output)
    check_cog(output, overwrite=overwrite)
    check_styles(output, overwrite=overwrite)
    PolygonOptions(min_area=min_area)  # checks it
    source = open_class_map(class_map)
    rules = None if legend is None else read_legend_file(legend)
    if rules is not None:
        source = replace(source, ignored=rules.ignored)
    table = _table(source, rules)
    classes = source.legend if rules is None else rules.legend
    limits = Limits(min_confidence or 0, CERTAIN if max_doubt is None else max_doubt)
    filtered = min_confidence is not None or max_doubt is not None
    layer = _confidence(source, confidence) if filtered else None
    check_apart(output, [layer, clip])  # the map itself may be replaced
    window, polygons = Window(0, 0, source.grid.height, source.grid.width), None
    if clip is not None:
        polygons, window = _clipped(source.grid, clip)

    def read() -> Rows:
        return _merged(source, table, layer, limits)

    before = map_contents(output)
    with open_drafts(output) as folder:
        rows = read() if min_area is None else _sieved(source, read, min_area)
        profile = CogProfile.of_classes(source.grid.part(window), classes, tags=_tags(source))
        drafts = write_cog(folder, output, profile, _cut(rows, source.grid, window, polygons))
        publish(drafts, output, stale=STALE)
    write_styles(output, classes, overwrite=True)
    if left := left_over(output, before=before, made=[source.path]):
        warnings.warn(left, SceneWarning, stacklevel=2)
    return classes


def _tags(source: ClassMap) -> dict[str, str]:
    kept = {name: text for name, text in source.tags.items() if name.startswith("GEOSRSEG_")}
    return kept | {
        "TIFFTAG_SOFTWARE": f"geosrseg {__version__}",
        "GEOSRSEG_RELABELLED_FROM": source.path.name,
    }


def _table(source: ClassMap, rules: LegendFile | None) -> NDArray[np.uint8]:
    """Return (256,) the new class id for every old one."""
    if rules is None:
        table = np.full(256, NODATA, np.uint8)
        table[list(source.legend.ids)] = source.legend.ids
        return table
    return rules.table(source.legend, owner=str(source.path))


def _confidence(source: ClassMap, path: str | Path | None) -> Path:
    found = source.confidence_path if path is None else Path(path)
    if found is None or not found.is_file():
        raise OutputError(
            f"{source.path}: there is no confidence layer {found or 'beside it'}: predict writes "
            "one with `confidence`"
        )
    return found


def _merged(
    source: ClassMap, table: NDArray[np.uint8], confidence: Path | None, limits: Limits
) -> Rows:
    """Yield (rows, width) new class ids, from top to bottom."""
    if confidence is not None:
        doubt_is_known = limits.doubt == CERTAIN
        with open_strips(source.path, confidence) as strips:
            for strip in strips:
                labels = table[source.labels(strip.labels)]
                if strip.confidence is not None:
                    doubt_is_known |= bool((strip.confidence[1] != NODATA).any())
                    sure, doubt = without_gaps(strip.confidence)
                    labels[(sure < limits.confidence) | (doubt > limits.doubt)] = NODATA
                yield labels
        if not doubt_is_known:
            raise OutputError(f"{confidence}: holds no doubt: leave out `max_doubt`")
        return
    for _, labels in read_strips(source):
        yield table[labels]


def _sieved(source: ClassMap, read: Callable[[], Rows], min_area: float) -> Rows:
    """Yield the rows without patches below `min_area` square metres; reads them twice."""
    areas = pixel_areas(source.grid)
    if areas is None:
        raise OutputError(f"{source.path}: the area of its pixels is unknown: leave out `min_area`")
    sieve = Sieve(source.grid.width, areas)
    for labels in read():
        sieve.add(labels)
    yield from map(sieve.smoother(min_area), read())


def _clipped(grid: Grid, clip: str | Path) -> tuple[shapely.Geometry, Window]:
    """Return the union of the polygons, and the window of the map that covers it."""
    features = read_features(clip, grid, column=None, kinds="Polygon")
    polygons = shapely.union_all(features.geometries)
    window = grid.window(polygons.bounds)
    if window is None:
        raise OutputError(f"{clip}: its polygons hold no pixel of the map")
    return polygons, window


def _cut(
    rows: Rows, grid: Grid, part: Window, polygons: shapely.Geometry | None
) -> Iterator[NDArray[np.uint8]]:
    """Yield (1, rows, width) strips of a window; NODATA outside the polygons."""
    top = 0
    for labels in rows:
        first = max(part.row_off - top, 0)
        last = min(part.row_off + part.height - top, len(labels))
        if first < last:
            kept = labels[first:last, part.col_off : part.col_off + part.width].copy()
            if polygons is not None:
                here = Window(top + first, part.col_off, *kept.shape)
                kept[~burning.inside(polygons, grid.part(here))] = NODATA
            yield kept[None]
        top += len(labels)
