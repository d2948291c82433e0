"""Merges several class maps that overlap or adjoin into one."""

import math
import warnings
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from functools import partial
from itertools import pairwise
from pathlib import Path

import numpy as np
from affine import Affine
from numpy.typing import NDArray
from rasterio.crs import CRS
from rasterio.errors import CRSError

from geosrseg.analysis.mosaic_rules import Rule, first, likeliest, surest
from geosrseg.core.legend import NODATA, common_legend
from geosrseg.core.tiling.windows import Window
from geosrseg.errors import OutputError, SceneWarning
from geosrseg.products.writing import left_over, map_contents
from geosrseg.raster.files.grid import Grid
from geosrseg.raster.maps.class_map import ClassMap, open_class_map
from geosrseg.raster.maps.cog import BLOCK, STALE, CogProfile, check_cog, write_cog
from geosrseg.raster.maps.confidence import RAMP, confidence_profile
from geosrseg.raster.maps.map_date import map_date
from geosrseg.raster.maps.map_on_grid import (
    ON_A_PIXEL,
    TURN,
    MapOnGrid,
    bounds_in,
    pixel_shift,
    put_on_grid,
)
from geosrseg.raster.maps.style import (
    SUFFIXES,
    check_styles,
    ramp_path,
    write_ramp_style,
    write_styles,
)
from geosrseg.raster.storage.publication import check_apart, check_output, open_drafts, publish
from geosrseg.version import __version__

RULES: dict[str, Rule] = {
    "order": first,
    "date": first,
    "confidence": surest,
    "probabilities": likeliest,
}
"""Rules by name; the last two also give the confidence."""

MOST_PIXELS = 2**34
"""Most pixels of a mosaic; a larger grid is a mistake in --crs or --res."""

Box = tuple[float, float, float, float]
"""Left, bottom, right, top."""

Combine = Callable[[Sequence[MapOnGrid], Window], NDArray[np.uint8]]
"""A rule with its legend."""


def mosaic(
    class_maps: Sequence[str | Path],
    output: str | Path,
    *,
    rule: str = "order",
    crs: str | None = None,
    res: float | None = None,
    dates: Sequence[date] = (),
    overwrite: bool = False,
) -> Grid:
    """Make one Cloud Optimized GeoTIFF of several class maps with one legend.

    Nodata never wins over a class. Maps aligned with the pixels of the mosaic are copied; others,
    for example from another UTM zone, are resampled to the nearest pixel.

    Args:
        class_maps: the maps, see `open_class_map`.
        output: the mosaic, ``.tif``.
        rule: what decides where several maps have a class: ``order``, the first map given;
            ``date``, the latest map; ``confidence``, the map with the highest confidence, then
            the least doubt; ``probabilities``, the highest mean probability over all maps. The
            last two write percent to ``OUTPUT.confidence.tif``.
        crs: CRS of the mosaic; None for that of the first map.
        res: pixel size in units of the CRS; None for that of the first map.
        dates: dates of the maps, for the rule ``date``; read from file names if empty.

    Returns:
        The mosaic's grid.

    Raises:
        OutputError: a map cannot be read or has other classes, a date or a layer needed by the
            rule is missing, or the output cannot be written.
    """
    if rule not in RULES:
        raise OutputError(f"`rule={rule}` is unknown, expected one of {', '.join(RULES)}")
    output, is_sure = Path(output), rule in ("confidence", "probabilities")
    layer = output.with_name(f"{output.stem}.confidence{output.suffix}")
    outputs = [output, layer] if is_sure else [output]
    _check_outputs(outputs, class_maps, overwrite=overwrite)
    maps = [open_class_map(path) for path in class_maps]
    if not maps:
        raise OutputError("a mosaic needs at least one map")
    legend = common_legend({str(item.path): item.legend for item in maps})
    if rule == "date":
        days = dates_of(maps, dates)
        order = sorted(range(len(maps)), key=lambda k: days[k], reverse=True)
        maps = [maps[k] for k in order]
    grid = mosaic_grid(maps, crs=crs, res=res)
    placed = [put_on_grid(item, grid) for item in maps]
    combine: Combine = partial(RULES[rule], legend=legend)
    if is_sure:  # fail early if a layer is missing
        for item in placed:
            combine([item], Window(0, 0, 1, 1))
    tags = {
        "TIFFTAG_SOFTWARE": f"geosrseg {__version__}",
        "GEOSRSEG_MOSAIC_OF": ", ".join(item.path.name for item in maps),
        "GEOSRSEG_MOSAIC_RULE": rule,
    }
    before = map_contents(output)
    with open_drafts(output) as folder:
        profile = CogProfile.of_classes(grid, legend, tags=tags)
        labels = (strip[:1] for strip in _rows(placed, grid, combine))
        drafts = {output: write_cog(folder, output, profile, labels)}
        if is_sure:
            percent = (strip[1:] for strip in _rows(placed, grid, combine))
            drafts[layer] = write_cog(folder, layer, confidence_profile(grid, tags), percent)
        for path, files in drafts.items():
            publish(files, path, stale=STALE)
    write_styles(output, legend, overwrite=True)
    if left := left_over(output, before=before, made=outputs):
        warnings.warn(left, SceneWarning, stacklevel=2)
    if is_sure:
        write_ramp_style(layer, RAMP, overwrite=True)
    return grid


def _check_outputs(
    outputs: Sequence[Path], class_maps: Sequence[str | Path], *, overwrite: bool
) -> None:
    """Refuse a mosaic, confidence layer or style that cannot be written."""
    output, *layers = outputs
    check_cog(output, overwrite=overwrite)
    for path in outputs:
        check_apart(path, class_maps)
    check_styles(output, overwrite=overwrite)
    for layer in layers:
        check_cog(layer, overwrite=overwrite)
        check_output(ramp_path(layer), suffixes=SUFFIXES, overwrite=overwrite)


def mosaic_grid(maps: Sequence[ClassMap], *, crs: str | None, res: float | None) -> Grid:
    """Return the grid that covers all maps, aligned with the first one if possible.

    Raises:
        OutputError: the CRS is unknown, a map cannot be transformed to it, or the grid has more
            than `MOST_PIXELS`.
    """
    first = maps[0].grid
    target = first.crs if crs is None else _crs(crs)
    boxes = _boxes(maps, target)
    transform = first.transform
    if target != first.crs or res is not None:
        transform = _north_up(first, boxes[0], res)
    anchor = Grid(target, transform, 1, 1)
    corners = np.array([_corner_pixels(*item, anchor) for item in zip(maps, boxes, strict=True)])
    top, left = corners[:, :2].min(axis=0)
    bottom, right = corners[:, 2:].max(axis=0)
    height, width = max(int(bottom - top), 1), max(int(right - left), 1)
    if height * width > MOST_PIXELS:
        raise OutputError(
            f"the mosaic would have {width:,} x {height:,} pixels: choose a larger `res`, or check "
            "`crs` (units of a geographic CRS are degrees)"
        )
    return Grid(target, transform @ Affine.translation(int(left), int(top)), height, width)


def _crs(text: str) -> CRS:
    try:
        return CRS.from_user_input(text)
    except CRSError as error:
        raise OutputError(f"`crs={text}` is unknown, expected one such as EPSG:32636") from error


def _north_up(grid: Grid, box: Box, res: float | None) -> Affine:
    """Return a north-up transform whose pixel corners are multiples of the pixel size.

    Args:
        grid: the grid of the first map.
        box: its bounds in the CRS of the mosaic.
    """
    if res is None:
        left, bottom, right, top = box
        res = math.sqrt((right - left) * (top - bottom) / (grid.height * grid.width))
    if not 0 < res < math.inf:
        raise OutputError(f"`res={res:g}`: expected the side of a pixel, above 0")
    return Affine(res, 0, 0, 0, -res, 0)


def _boxes(maps: Sequence[ClassMap], crs: CRS | None) -> list[Box]:
    """Return the bounds of every map in a CRS, side by side if one crosses 180°."""
    boxes = [bounds_in(item, crs) for item in maps]
    if crs is None or not crs.is_geographic or all(right <= TURN / 2 for _, _, right, _ in boxes):
        return boxes
    middle = sum(boxes[0][::2]) / 2
    moved = []
    for item, (left, bottom, right, top) in zip(maps, boxes, strict=True):
        turn = TURN * round((middle - (left + right) / 2) / TURN) if item.grid.crs != crs else 0
        moved.append((left + turn, bottom, right + turn, top))
    return moved


def _corner_pixels(item: ClassMap, box: Box, anchor: Grid) -> tuple[int, int, int, int]:
    """Return first row and column, and one past the last, in pixels of the anchor."""
    shift = pixel_shift(item.grid, anchor)
    if shift is not None:
        return (*shift, shift[0] + item.grid.height, shift[1] + item.grid.width)
    left, bottom, right, top = box
    corners = [~anchor.transform @ (x, y) for x in (left, right) for y in (bottom, top)]
    cols, rows = zip(*corners, strict=True)
    first = [math.floor(min(axis) + ON_A_PIXEL) for axis in (rows, cols)]
    last = [math.ceil(max(axis) - ON_A_PIXEL) for axis in (rows, cols)]
    return first[0], first[1], last[0], last[1]


def dates_of(maps: Sequence[ClassMap], dates: Sequence[date]) -> list[date]:
    """Return the given dates, or those in the names of the maps.

    Raises:
        OutputError: a map has no date, or the number of dates differs from that of the maps.
    """
    if dates:
        if len(dates) != len(maps):
            raise OutputError(f"`dates` has {len(dates)} dates for {len(maps)} maps")
        return list(dates)
    found = []
    for item in maps:
        day = map_date(item)
        if day is None:
            raise OutputError(
                f"{item.path}: neither its name nor that of its scene holds a date: give all of "
                "them in the order of the maps, with `dates=2001-02-05,...`"
            )
        found.append(day)
    return found


def _rows(placed: Sequence[MapOnGrid], grid: Grid, combine: Combine) -> Iterator[NDArray[np.uint8]]:
    """Yield (3, rows, width) strips of the mosaic; channels without data are NODATA.

    Maps are read only where they overlap a strip.
    """
    for row_off in range(0, grid.height, BLOCK):
        strip = Window(row_off, 0, min(BLOCK, grid.height - row_off), grid.width)
        rows = np.full((3, strip.height, strip.width), NODATA, np.uint8)
        for part in _parts(placed, strip):
            reached = [item for item in placed if _overlaps(item.window, part)]
            cols = slice(part.col_off, part.col_off + part.width)
            found = combine(reached, part)
            rows[: len(found), :, cols] = found
        yield rows


def _parts(placed: Sequence[MapOnGrid], strip: Window) -> Iterator[Window]:
    """Split a strip into columns where a map starts or ends; skip columns without a map."""
    reached = [w.window for w in placed if w.window is not None and _overlaps(w.window, strip)]
    edges = sorted({edge for w in reached for edge in (w.col_off, w.col_off + w.width)})
    for left, right in pairwise(edges):
        part = Window(strip.row_off, left, strip.height, right - left)
        if any(_overlaps(window, part) for window in reached):
            yield part


def _overlaps(one: Window | None, other: Window) -> bool:
    return one is not None and one.overlap(other) is not None
