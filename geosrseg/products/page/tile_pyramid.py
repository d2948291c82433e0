"""Tile pyramids: a scene and its class map as small pictures, coarse levels first.

A level shows the whole picture in tiles of `TILE` pixels, with twice the resolution of the level
before. Levels are added until the tiles would exceed a size limit.
"""

import base64
import math
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import rasterio

from geosrseg.core.tiling.windows import Window
from geosrseg.errors import OutputError
from geosrseg.products.png import encode_picture
from geosrseg.raster.composite import Composite, LandOf
from geosrseg.raster.files.grid import Grid, rasterio_window
from geosrseg.raster.scene import Scene
from geosrseg.raster.storage.gdal import GDAL_ERRORS, reason, unreferenced_allowed

TILE = 512
"""Rows and columns of a tile; tiles at the right and lower borders have fewer."""

JPEG_QUALITY = 85


@dataclass(frozen=True, slots=True)
class Level:
    """One resolution of a picture.

    Attributes:
        tiles: base64, row by row from the top left.
    """

    height: int
    width: int
    tiles: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        return {"height": self.height, "width": self.width, "tiles": self.tiles}


@dataclass(frozen=True, slots=True)
class Pyramid:
    """A picture at several resolutions.

    Attributes:
        levels: coarse to fine.
        height: rows of the whole picture.
        width: columns of the whole picture.
    """

    levels: tuple[Level, ...]
    height: int
    width: int

    @property
    def reduction(self) -> int:
        """Pixels of the picture per pixel of the finest level, along an axis."""
        return round(self.width / self.levels[-1].width)


def scene_pyramid(scene: Scene, *, max_bytes: int, land: LandOf | None = None) -> Pyramid:
    """Pictures of a scene as JPEG.

    Args:
        max_bytes: size limit of all tiles as base64; the coarsest level is always included.
        land: see `Composite.of`.

    Raises:
        SceneError: the scene cannot be read.
    """
    height, width = scene.grid.height, scene.grid.width
    composite = Composite.of(scene, land=land)

    def read(step: int, row: int, col: int) -> bytes:
        window = Window(row * TILE * step, col * TILE * step, TILE * step, TILE * step)
        window = scene.grid.upright_window(window.clipped(height, width))
        size = -(-window.height // step), -(-window.width // step)
        pixels = composite.paint(scene, *scene.read_decimated(*size, window))
        return encode_picture(scene.grid.upright(pixels), "JPEG", quality=JPEG_QUALITY)

    steps = [2**k for k in range(math.ceil(math.log2(max(height, width, TILE) / TILE)) + 1)]
    sizes = [(-(-height // step), -(-width // step)) for step in steps]
    levels = _levels(list(zip(steps, sizes, strict=True)), read, max_bytes=max_bytes)
    return Pyramid(levels, height, width)


def class_map_pyramid(path: Path, *, max_bytes: int) -> Pyramid:
    """A class map and its overviews: class ids, row by row, deflated (zlib).

    Args:
        max_bytes: size limit of all tiles as base64; the coarsest level is always included.

    Raises:
        OutputError: the class map cannot be read.
    """
    try:
        with unreferenced_allowed(), rasterio.open(path, driver="GTiff") as dataset:
            height, width = dataset.shape
            steps = [1, *dataset.overviews(1)]
        grids = {}
        for number, step in enumerate(steps):
            with _open_level(path, number) as level:
                grids[step] = Grid.of(level)
        sizes = {step: (grid.height, grid.width) for step, grid in grids.items()}

        def read(step: int, row: int, col: int) -> bytes:
            rows, cols = sizes[step]
            shown = Window(row * TILE, col * TILE, TILE, TILE).clipped(rows, cols)
            area = grids[step].upright_window(shown)
            with _open_level(path, steps.index(step)) as level:
                labels = level.read(1, window=rasterio_window(area))
            return zlib.compress(grids[step].upright(labels).tobytes())

        levels = _levels([(step, sizes[step]) for step in steps], read, max_bytes=max_bytes)
    except GDAL_ERRORS as error:
        raise OutputError(f"{path}: the class map cannot be read ({reason(error)})") from error
    return Pyramid(levels, height, width)


def _open_level(path: Path, number: int) -> Any:
    """Open the class map itself for 0, else its overview with this number, from 1."""
    options = {"overview_level": number - 1} if number else {}
    with unreferenced_allowed():
        return rasterio.open(path, driver="GTiff", **options)


def _levels(
    steps: list[tuple[int, tuple[int, int]]],
    read: Callable[[int, int, int], bytes],
    *,
    max_bytes: int,
) -> tuple[Level, ...]:
    """As many levels as fit into the size limit, coarse to fine.

    Args:
        steps: for each level, fine to coarse: pixels of the picture per pixel of the level, along
            an axis, and the level's rows and columns.
        read: reads the tile at a step, row and column of tiles.
        max_bytes: size limit of all tiles as base64.
    """
    levels: list[Level] = []
    left = max_bytes
    for step, (height, width) in reversed(steps):
        places = _places(height, width)
        encoded = (base64.b64encode(read(step, row, col)).decode() for row, col in places)
        tiles = _within(encoded, left) if levels else list(encoded)
        if tiles is None:
            break
        left -= sum(map(len, tiles))
        levels.append(Level(height, width, tuple(tiles)))
    return tuple(levels)


def _places(height: int, width: int) -> Iterator[tuple[int, int]]:
    for row in range(-(-height // TILE)):
        for col in range(-(-width // TILE)):
            yield row, col


def _within(texts: Iterable[str], max_length: int) -> list[str] | None:
    """All texts, or None as soon as their total length exceeds `max_length`."""
    found: list[str] = []
    length = 0
    for text in texts:
        length += len(text)
        if length > max_length:
            return None
        found.append(text)
    return found
