"""The quicklook: a PNG of the class map with its legend, and the scene beside it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.enums import Resampling

from geosrseg.core.composite import choose_composite
from geosrseg.core.legend import NODATA, Legend, LegendClass
from geosrseg.errors import OutputError
from geosrseg.products.asset import Asset
from geosrseg.products.lettering import (
    LINE_HEIGHT,
    can_draw,
    draw_text,
    fit_text,
    text_width,
    wrap_text,
)
from geosrseg.products.png import encode_picture
from geosrseg.products.product_file import FinishedMap, ProductFile
from geosrseg.raster.composite import EMPTY, find_limits, pick_bands, stretch
from geosrseg.raster.files.grid import Grid
from geosrseg.raster.maps.cog import read_row_blocks
from geosrseg.raster.maps.strips import open_strips
from geosrseg.raster.scene import Scene
from geosrseg.raster.storage.gdal import GDAL_ERRORS, reason, unreferenced_allowed
from geosrseg.raster.storage.publication import check_output, open_drafts, publish

SUFFIXES = (".png",)

MARGIN, GAP = 28, 12
SWATCH = 18
MIN_WIDTH, MIN_PANEL = 640, 8

Colour = tuple[int, int, int]
WHITE: Colour = (255, 255, 255)
FRAME: Colour = (200, 200, 200)
INK: Colour = (45, 45, 45)
WARNING: Colour = (170, 60, 0)
FAINT: Colour = (115, 115, 115)


@dataclass(frozen=True, slots=True, eq=False)
class Panel:
    """A picture with a caption above it.

    Attributes:
        pixels: (rows, cols, 3) uint8.
    """

    pixels: NDArray[np.uint8]
    caption: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One class in the legend.

    Attributes:
        share: percent of the map, as text.
    """

    colour: Colour
    name: str
    share: str

    @property
    def width(self) -> int:
        """Columns of swatch and text."""
        return SWATCH + GAP + text_width(f"{self.name}  {self.share}")


class Quicklook(ProductFile):
    """The quicklook as a product of `predict`."""

    suffixes = SUFFIXES

    def asset(self, path: Path) -> Asset:
        return Asset(title="Scene and class map", media_type="image/png", roles=("overview",))

    def write(self, path: Path, finished: FinishedMap, options: Any) -> None:
        write_quicklook(
            path,
            scene=finished.scene,
            class_map_path=finished.class_map,
            legend=finished.legend,
            title=finished.name,
            caution="; ".join(finished.unlike),
            overwrite=True,
        )


def write_quicklook(
    path: str | Path,
    *,
    class_map_path: str | Path,
    legend: Legend,
    title: str = "",
    scene: Scene | None = None,
    caution: str = "",
    max_side: int = 1400,
    overwrite: bool = False,
) -> None:
    """Draw a class map with the legend below, and its scene on the left if given.

    Both are read at the picture's size, and the classes are counted in rows of blocks, so memory
    does not grow with the map.

    Args:
        path: the output, ``.png``.
        title: the scene's name, or else the map's, by default.
        scene: the open scene that the map was made from.
        caution: how the scene differs from the training data.
        max_side: largest number of columns of the picture, and of rows of a panel.
        overwrite: replace an existing picture.

    Raises:
        OutputError: the class map cannot be read, or the picture cannot be written.
        SceneError: the scene cannot be read.
    """
    path, class_map_path = Path(path), Path(class_map_path)
    check_output(path, suffixes=SUFFIXES, overwrite=overwrite)
    with open_strips(class_map_path) as strips:
        grid = strips.grid
    height, width = _panel_size(grid, max_side=max_side, panels=2 if scene else 1)
    labels, counts = _read_class_map(class_map_path, height, width)
    palette = legend.palette()
    palette[NODATA] = EMPTY
    panels = [Panel(grid.upright(palette[labels]), f"Class map · {class_map_path.name}")]
    if scene is not None:
        panels.insert(0, _draw_scene(scene, legend.is_land()[labels]))
    title = title or (scene.header.name if scene else class_map_path.name)
    picture = compose(title, panels, _entries(legend, counts), caution=caution)
    with open_drafts(path) as folder:
        draft = folder / path.name
        write_png(draft, picture, name=path)
        publish([draft], path)


def compose(
    title: str, panels: Sequence[Panel], entries: Sequence[Entry], *, caution: str = ""
) -> NDArray[np.uint8]:
    """Lay out the title, a caution, panels of one size with their captions, and the legend.

    Returns:
        (rows, cols, 3) uint8.
    """
    rows, cols = panels[0].pixels.shape[:2]
    width = max(len(panels) * (cols + MARGIN) + MARGIN, MIN_WIDTH)
    lines = wrap_text(caution, width - 2 * MARGIN)
    panel_row = MARGIN + (2 + len(lines)) * LINE_HEIGHT + GAP
    legend_row = panel_row + rows + MARGIN
    places = list(_legend_places(entries, width))
    height = legend_row + places[-1][0] + LINE_HEIGHT + MARGIN
    picture = np.full((height, width, 3), WHITE, np.uint8)
    text = fit_text(title, width - 2 * MARGIN, bold=True)
    draw_text(picture, text, row=MARGIN, col=MARGIN, colour=INK, bold=True)
    for number, line in enumerate(lines, start=1):
        draw_text(picture, line, row=MARGIN + number * LINE_HEIGHT, col=MARGIN, colour=WARNING)
    column = (width - MARGIN) // len(panels)  # width of a panel and its left margin
    for number, panel in enumerate(panels):
        left = MARGIN + number * column
        text = fit_text(panel.caption, column - MARGIN)
        draw_text(picture, text, row=panel_row - GAP - LINE_HEIGHT, col=left, colour=FAINT)
        _place_framed(picture, panel.pixels, row=panel_row, col=left)
    for entry, (row, col) in zip(entries, places, strict=True):
        _draw_entry(picture, entry, row=legend_row + row, col=MARGIN + col)
    return picture


def _panel_size(grid: Grid, *, max_side: int, panels: int) -> tuple[int, int]:
    """Rows and columns of a panel; a small map is enlarged by an integer factor."""
    cols = max((max_side - MARGIN) // panels - MARGIN, MIN_PANEL)
    zoom = min(cols / grid.width, max_side / grid.height)
    if zoom > 1:
        zoom = int(zoom)
    return max(round(grid.height * zoom), MIN_PANEL), max(round(grid.width * zoom), MIN_PANEL)


def _draw_scene(scene: Scene, land: NDArray[np.bool_]) -> Panel:
    numbers, valid = scene.read_decimated(*land.shape)
    bands = choose_composite(scene.band_names)
    shown = pick_bands(numbers, scene.band_names, bands)
    pixels = stretch(shown, valid, find_limits(shown, valid, land))
    return Panel(scene.grid.upright(pixels), f"Scene · {', '.join(dict.fromkeys(bands))}")


def _read_class_map(
    path: Path, height: int, width: int
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """The labels at the panel's size, and (256,) pixel counts of the whole map."""
    try:
        with unreferenced_allowed():
            dataset = rasterio.open(path, driver="GTiff")
        with dataset:
            counts = np.zeros(256, np.int64)
            for (rows,) in read_row_blocks(dataset):
                counts += np.bincount(rows.ravel(), minlength=256)
            resampling = Resampling.mode if dataset.height > height else Resampling.nearest
            return dataset.read(1, out_shape=(height, width), resampling=resampling), counts
    except GDAL_ERRORS as error:
        raise OutputError(f"{path}: the class map cannot be read ({reason(error)})") from error


def _entries(legend: Legend, counts: NDArray[np.int64]) -> list[Entry]:
    mapped = max(int(counts[:NODATA].sum()), 1)
    entries = [
        Entry(item.rgb, _name(item), _percent(int(counts[item.id]) / mapped))
        for item in legend.classes
    ]
    return entries + ([Entry(EMPTY, "no data", "")] if counts[NODATA] else [])


def _name(item: LegendClass) -> str:
    """The name of a class, or its id if the name's script cannot be drawn."""
    return item.name if can_draw(item.name) else f"class {item.id}"


def _percent(share: float) -> str:
    return "< 0.1 %" if 0 < share < 0.001 else f"{100 * share:.1f} %"


def _legend_places(entries: Sequence[Entry], width: int) -> Iterator[tuple[int, int]]:
    """Row and column of every entry, in aligned columns."""
    column = max(entry.width for entry in entries) + MARGIN
    most = max((width - MARGIN) // column, 1)
    lines = -(-len(entries) // most)
    per_line = -(-len(entries) // lines)
    for k in range(len(entries)):
        line, place = divmod(k, per_line)
        yield line * (LINE_HEIGHT + GAP // 2), place * column


def _draw_entry(picture: NDArray[np.uint8], entry: Entry, *, row: int, col: int) -> None:
    swatch = np.full((SWATCH, SWATCH, 3), entry.colour, np.uint8)
    _place_framed(picture, swatch, row=row + (LINE_HEIGHT - SWATCH) // 2 + 1, col=col)
    col += SWATCH + GAP
    draw_text(picture, entry.name, row=row, col=col, colour=INK)
    col += text_width(entry.name + "  ")
    draw_text(picture, entry.share, row=row, col=col, colour=FAINT)


def _place_framed(
    picture: NDArray[np.uint8], pixels: NDArray[np.uint8], *, row: int, col: int
) -> None:
    rows, cols = pixels.shape[:2]
    picture[row - 1 : row + rows + 1, col - 1 : col + cols + 1] = FRAME
    picture[row : row + rows, col : col + cols] = pixels


def write_png(path: Path, picture: NDArray[np.uint8], *, name: Path | None = None) -> None:
    """Write (rows, cols, 3) uint8, red, green and blue, as a PNG.

    Args:
        name: path shown in an error; `path` by default.

    Raises:
        OutputError: the file cannot be written.
    """
    try:
        path.write_bytes(encode_picture(picture, "PNG"))
    except GDAL_ERRORS as error:
        raise OutputError(f"{name or path}: cannot be written ({reason(error)})") from error
