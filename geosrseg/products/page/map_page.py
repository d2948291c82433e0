"""The page: class map and scene in one self-contained HTML file.

``page.js`` implements swipe, zoom and legend without a library. The file contains the pictures as
the tiles of `tile_pyramid`.
"""

import json
import math
from collections.abc import Sequence
from functools import partial
from html import escape
from importlib import resources
from pathlib import Path
from string import Template
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.enums import Resampling

from geosrseg.core.composite import choose_composite
from geosrseg.core.legend import Legend, LegendClass
from geosrseg.errors import OutputError
from geosrseg.products.areas import Areas, ClassArea
from geosrseg.products.asset import Asset
from geosrseg.products.ground_area import pixel_areas
from geosrseg.products.page.facts import map_cautions, map_facts
from geosrseg.products.page.tile_pyramid import TILE, Pyramid, class_map_pyramid, scene_pyramid
from geosrseg.products.product_file import FinishedMap, ProductFile
from geosrseg.raster.files.grid import Grid
from geosrseg.raster.maps.strips import open_strips
from geosrseg.raster.scene import Scene
from geosrseg.raster.storage.gdal import GDAL_ERRORS, reason, unreferenced_allowed
from geosrseg.raster.storage.publication import check_output, publish_text
from geosrseg.version import __version__

SUFFIXES = (".html",)

MAX_BYTES = 24_000_000
"""Size limit of all pictures in a page, half of it for the scene. Phones open such a page, and mail
servers accept it."""

NBSP = "\N{NO-BREAK SPACE}"


class MapPage(ProductFile):
    """The page as a product of `predict`."""

    suffixes = SUFFIXES

    def asset(self, path: Path) -> Asset:
        return Asset(title="Map page", media_type="text/html", roles=("overview",))

    def write(self, path: Path, finished: FinishedMap, options: Any) -> None:
        write_page(
            path,
            scene=finished.scene,
            class_map_path=finished.class_map,
            legend=finished.legend,
            areas=finished.areas,
            title=finished.name,
            facts=list(map_facts(finished)),
            cautions=map_cautions(finished),
            overwrite=True,
        )


def write_page(
    path: str | Path,
    *,
    class_map_path: str | Path,
    legend: Legend,
    areas: Areas,
    facts: Sequence[tuple[str, str]],
    scene: Scene | None = None,
    title: str = "",
    cautions: Sequence[str] = (),
    max_bytes: int = MAX_BYTES,
    overwrite: bool = False,
) -> None:
    """Write the page of a class map.

    Args:
        path: the output, ``.html``.
        facts: names and values of how the map was made, in order; empty values are left out.
        scene: the open scene that the map was made from, for a swipe between the two.
        title: the scene's name, or else the map's, by default.
        cautions: notes on the figures, shown at the top.
        max_bytes: size limit of all pictures. Resolutions beyond it are left out, and the page
            says so.
        overwrite: replace an existing page.

    Raises:
        OutputError: the class map cannot be read, or the page cannot be written.
        SceneError: the scene cannot be read.
    """
    path, class_map_path = Path(path), Path(class_map_path)
    check_output(path, suffixes=SUFFIXES, overwrite=overwrite)
    land = partial(_read_land, class_map_path, legend)
    source = scene_pyramid(scene, max_bytes=max_bytes // 2, land=land) if scene else None
    target = class_map_pyramid(class_map_path, max_bytes=max_bytes // 2)
    with open_strips(class_map_path) as strips:
        grid = strips.grid
    text = Template(_static("page.html")).substitute(
        title=escape(title or (scene.header.name if scene else class_map_path.name)),
        subtitle=escape(_subtitle(grid)),
        aspect=f"{grid.width}/{grid.height}",
        cautions="\n".join(f'<p class="caution">{escape(text)}</p>' for text in cautions),
        shown="Scene and class map" if scene else "Class map",
        view="Scene on the left of the swipe, class map on the right" if scene else "Class map",
        swipe="" if scene else "hidden",
        keys=_SWIPE_KEYS if scene else _KEYS,
        scene_caption=escape(f"Scene: {_bands(scene)}"),
        generator=escape(f"geosrseg {__version__}", quote=True),
        style=_static("page.css"),
        script=_static("page.js"),
        classes="\n".join(map(_class_row, legend.classes, areas.classes)),
        total=escape(_total(areas)),
        notes="\n".join(f'<p class="note">{escape(note)}</p>' for note in _notes(source, target)),
        facts="\n".join(
            f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in facts if value
        ),
        data=_data(source, target, legend, _pixel_side(grid)),
    )
    publish_text(path, text)


_SWIPE_KEYS = "arrows move the swipe or the map, whichever has the focus"
_KEYS = "arrows move the map when it has the focus"


def _read_land(class_map: Path, legend: Legend, height: int, width: int) -> NDArray[np.bool_]:
    """(height, width) True where the map, resampled, has a class other than water."""
    try:
        with unreferenced_allowed(), rasterio.open(class_map, driver="GTiff") as dataset:
            labels = dataset.read(1, out_shape=(height, width), resampling=Resampling.nearest)
    except GDAL_ERRORS as error:
        raise OutputError(f"{class_map}: the class map cannot be read ({reason(error)})") from error
    return legend.is_land()[labels]


def _bands(scene: Scene | None) -> str:
    """The names of the scene's bands that are shown."""
    return ", ".join(dict.fromkeys(choose_composite(scene.band_names))) if scene else ""


def _static(name: str) -> str:
    return (resources.files("geosrseg.products.page") / name).read_text(encoding="utf-8")


def _data(source: Pyramid | None, target: Pyramid, legend: Legend, side: float | None) -> str:
    """The script's data as JSON; ``<`` is escaped so that it cannot end the script element."""
    values = {
        "width": target.width,
        "height": target.height,
        "tile": TILE,
        "metres": side,
        "classes": [{"id": item.id, "rgb": item.rgb} for item in legend.classes],
        "scene": [level.to_json() for level in source.levels] if source else [],
        "map": [level.to_json() for level in target.levels],
    }
    return json.dumps(values, separators=(",", ":")).replace("<", "\\u003c")


def _pixel_side(grid: Grid) -> float | None:
    """Side in metres of a pixel in the middle of the map."""
    areas = pixel_areas(grid)
    if areas is None:
        return None
    return math.sqrt(areas.row(grid.height // 2)[grid.width // 2])


def _class_row(item: LegendClass, area: ClassArea) -> str:
    """A class in the legend: a checkbox, and a bar for its share."""
    return (
        f'<label class="class"><input type="checkbox" value="{item.id}" checked>'
        f'<span class="swatch" style="background:{item.colour}"></span>'
        f'<span class="name">{escape(item.name)}</span>'
        f'<span class="share">{_percent(area.percent)}</span>'
        f'<span class="bar"><span style="width:{area.percent:.2f}%;'
        f'background:{item.colour}"></span></span>'
        f'<span class="area">{escape(_area(area))}</span></label>'
    )


def _percent(percent: float) -> str:
    return f"&lt;{NBSP}0.1{NBSP}%" if 0 < percent < 0.1 else f"{percent:.1f}{NBSP}%"


def _area(area: ClassArea) -> str:
    if area.hectares is None:
        return f"{area.pixels:,} pixels"
    text = f"{_number(area.hectares)}{NBSP}ha"
    if area.estimate is not None:
        estimate, margin = area.estimate.square_metres / 1e4, area.estimate.margin / 1e4
        text += f"; adjusted {_number(estimate)} ±{NBSP}{_number(margin)}{NBSP}ha"
    return text


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:,.3g}"


def _total(areas: Areas) -> str:
    total = areas.square_metres
    mapped = f"{areas.pixels:,} pixels" if total is None else f"{_number(total / 1e4)}{NBSP}ha"
    share = areas.nodata_pixels / max(areas.nodata_pixels + areas.pixels, 1)
    nodata = f"; {100 * share:.1f} % of the map is nodata" if areas.nodata_pixels else ""
    return f"{mapped} mapped{nodata}."


def _subtitle(grid: Grid) -> str:
    side = _pixel_side(grid)
    size = f"{grid.width:,} × {grid.height:,} pixels"
    return f"Class map of {size}" + ("" if side is None else f" of {side:,.1f}{NBSP}m")


def _notes(source: Pyramid | None, target: Pyramid) -> list[str]:
    """Notes on resolutions that the page leaves out."""
    return [
        f"To keep this page small, one pixel of the {name} shown stands for "
        f"{pyramid.reduction} × {pyramid.reduction}; the files have full resolution."
        for name, pyramid in (("scene", source), ("class map", target))
        if pyramid and pyramid.reduction > 1
    ]
