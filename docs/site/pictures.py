"""Draws scenes, maps and legends for the site."""

from pathlib import Path
from typing import Any

import numpy as np
import pyogrio.raw
import rasterio
import shapely
from numpy.typing import NDArray
from rasterio import features
from rasterio.warp import transform_geom

from geosrseg.core.legend import Legend
from geosrseg.products.quicklook import write_png
from geosrseg.raster.composite import Composite
from geosrseg.raster.scene import open_scene

BANDS = ("red", "nir", "swir1")
LINE = (20, 20, 20)


def draw_scene(scene: Path, output: Path) -> None:
    """Draw a scene in its own pixels, vegetation in green."""
    with open_scene(scene, model_bands=BANDS) as opened:
        numbers, valid = opened.read_decimated(opened.grid.height, opened.grid.width)
        write_png(output, Composite.of(opened).paint(opened, numbers, valid))


def draw_map(class_map: Path, output: Path, *, over: Path | None = None) -> None:
    """Draw a class map in its colours, under the outlines or points of a vector file."""
    with rasterio.open(class_map) as dataset:
        palette = np.full((256, 3), 255, np.uint8)
        for value, colour in dataset.colormap(1).items():
            palette[value] = colour[:3]
        picture = palette[dataset.read(1)]
        if over is not None:
            picture[_drawn(over, dataset)] = LINE
    write_png(output, picture)


def draw_legend(legend: Legend) -> str:
    """Return a list of the classes with their colours, as HTML."""
    entries = (f'<li><i style="background:{x.colour}"></i>{x.name}</li>' for x in legend.classes)
    return f'<ul class="legend">{"".join(entries)}</ul>'


def _drawn(vector: Path, dataset: Any) -> NDArray[np.bool_]:
    """Return which pixels the outlines and points of a vector file cover, (rows, cols)."""
    about, _, geometries, _ = pyogrio.raw.read(vector)
    about_points, about_lines = 4 * dataset.res[0], 1.2 * dataset.res[0]
    lines = []
    for geometry in shapely.from_wkb(geometries):
        is_point = geometry.geom_type == "Point"
        line = geometry if is_point else geometry.boundary
        there = transform_geom(about["crs"], dataset.crs, shapely.geometry.mapping(line))
        lines.append(
            shapely.geometry.shape(there).buffer(about_points if is_point else about_lines)
        )
    return features.rasterize(lines, dataset.shape, transform=dataset.transform).astype(bool)
