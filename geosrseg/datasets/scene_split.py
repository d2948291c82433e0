"""SceneSplit: the split of each pixel of a scene."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geosrseg.core.tiling.dilation import dilate
from geosrseg.core.tiling.windows import Window
from geosrseg.datasets.block_split import BlockSplit
from geosrseg.datasets.card.card_scene import SPLITS, CardScene
from geosrseg.errors import DatasetError
from geosrseg.raster.files.grid import Grid
from geosrseg.raster.files.index_raster import IndexRaster, open_index_raster
from geosrseg.raster.files.raster_files import RasterFiles


@dataclass(frozen=True)
class SceneSplit:
    """The split of a scene; see `open_split`.

    Attributes:
        source: raster or blocks that give each pixel its split, or the name of one for all.
        used: the part of the image that is in any split.
        guard: width in pixels around validation and test areas that never trains.
        height: rows of the image.
        width: columns of the image.
        held_out: parts of the image that other scenes of the card validate or test.
    """

    source: IndexRaster | BlockSplit | str
    used: Window
    guard: int
    height: int
    width: int
    held_out: tuple[Window, ...] = ()

    def may_hold(self, split: str) -> bool:
        """Return False where the card excludes `split`, so that nothing has to be read."""
        return not isinstance(self.source, str) or self.source == split

    def read(self, window: Window, split: str) -> NDArray[np.bool_]:
        """Return (rows, cols): True where a pixel is in `split`."""
        used = np.zeros((window.height, window.width), np.bool_)
        if common := window.overlap(self.used):
            own = common.inside(window)
            used[own.rows, own.cols] = True
        for part in self.held_out if split == "train" and self.guard else ():
            near = part.grown(self.guard, height=self.height, width=self.width)
            if common := window.overlap(near):
                own = common.inside(window)
                used[own.rows, own.cols] = False
        return used & self._marked(window, split)

    def _marked(self, window: Window, split: str) -> NDArray[np.bool_]:
        """Return (rows, cols) membership by the card, less the guard where `split` is train."""
        if isinstance(self.source, str):
            return np.full((window.height, window.width), self.source == split)
        if split != "train" or not self.guard:
            return self.source.read(window) == SPLITS[split]
        wide = window.grown(self.guard, height=self.height, width=self.width)
        values = self.source.read(wide)
        held_out = np.isin(values, [SPLITS["validation"], SPLITS["test"]])
        usable = (values == SPLITS["train"]) & ~dilate(held_out, self.guard)
        own = window.inside(wide)
        return usable[own.rows, own.cols]


def open_split(
    scene: CardScene,
    *,
    others: Iterable[CardScene],
    guard: int,
    grid: Grid,
    files: RasterFiles,
) -> SceneSplit:
    """Open the split of a scene.

    Args:
        others: all scenes of the card; those of the same image may hold parts of it out.
        guard: width in pixels around validation and test areas that never trains.
        grid: grid of the image.

    Raises:
        DatasetError: a split raster cannot be read, or no part of the image is used.
    """
    source: IndexRaster | BlockSplit | str
    if isinstance(scene.split, str):
        source = scene.split
    elif isinstance(scene.split, BlockSplit):
        source = scene.split.fitted(grid.height, grid.width)
    else:
        source = open_index_raster(scene.split, grid=grid, files=files)
    held_out = tuple(
        _used_part(other, grid)
        for other in others
        if other.image == scene.image and other.split in ("validation", "test")
    )
    return SceneSplit(source, _used_part(scene, grid), guard, grid.height, grid.width, held_out)


def _used_part(scene: CardScene, grid: Grid) -> Window:
    rows, cols = scene.rows, scene.cols
    for interval, length, axis in ((rows, grid.height, "rows"), (cols, grid.width, "cols")):
        if interval.start >= length:
            raise DatasetError(
                f"{scene.image} has {length} {axis}, and the card uses {axis} from "
                f"{interval.start}: start inside the image"
            )
    return Window(
        rows.start,
        cols.start,
        min(rows.stop or grid.height, grid.height) - rows.start,
        min(cols.stop or grid.width, grid.width) - cols.start,
    )
