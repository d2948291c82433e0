"""Evaluation areas: the measured part of each scene, prepared once for all models.

Temporary files hold which pixels count, which lie near a class boundary, the small objects, and
the blocks that the bootstrap draws.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from geosrseg.core.legend import NODATA, Legend
from geosrseg.core.tiling.dilation import dilate
from geosrseg.core.tiling.windows import Window
from geosrseg.datasets.labelled_scene import LabelledScene
from geosrseg.evaluation.scoring.small_objects import STRIP, SmallObjects, find_small_objects

BLOCK_SIZES = (512, 256, 128, 64, 32, 16)
"""Sides of a block in HR pixels; the first one that gives enough blocks is used."""

ENOUGH_BLOCKS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class AreaConfig:
    """What is measured, and how.

    Attributes:
        split: name of the split whose pixels count.
        upscale_factors: factors of all models; rows and columns left over for one of them count
            for none.
        boundary: HR pixels up to which a pixel is near a boundary; 1 for pixels that touch it.
        small: HR pixels below which an object is small.
    """

    legend: Legend
    split: str
    upscale_factors: tuple[int, ...]
    boundary: int
    small: int


@dataclass(frozen=True, slots=True, eq=False)
class EvaluationArea:
    """The measured part of one scene, on the grid of its labels.

    Attributes:
        target: (rows, cols) uint8 class indices of the pixels that count, NODATA elsewhere.
        near_boundary: (rows, cols), True near a boundary, in any split.
        objects: small objects of the reference.
        counted_objects: (objects + 1,), True if every pixel of the object counts.
    """

    scene: LabelledScene
    legend: Legend
    target: NDArray[np.uint8]
    near_boundary: NDArray[np.bool_]
    objects: SmallObjects
    counted_objects: NDArray[np.bool_]

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns in HR pixels."""
        rows, cols = self.target.shape
        return rows, cols

    @property
    def window(self) -> Window:
        """The whole area in the scene."""
        return Window(0, 0, *self.size)

    def strips(self) -> Iterator[Window]:
        """Yield strips of rows from top to bottom."""
        return _strips(*self.size)

    def count_pixels(self) -> NDArray[np.int64]:
        """Return (classes,) counted pixels."""
        counts = np.zeros(256, np.int64)
        for strip in self.strips():
            counts += np.bincount(self.target[strip.rows].ravel(), minlength=256)
        return counts[: len(self.legend)]

    def count_objects(self) -> NDArray[np.int64]:
        """Return (classes,) counted small objects."""
        labels = self.objects.label[self.counted_objects]
        return np.bincount(labels, minlength=len(self.legend))


@dataclass(frozen=True, slots=True, eq=False)
class Blocks:
    """The blocks of one area; numbering continues from the areas before it.

    Attributes:
        side: side of a block in HR pixels.
        numbers: (block rows, block cols); -1 where no pixel counts.
    """

    side: int
    numbers: NDArray[np.int64]

    def of(self, rows: NDArray[np.int64], cols: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the block number of each pixel; the arrays broadcast."""
        return self.numbers[rows // self.side, cols // self.side]


def prepare_areas(
    scenes: Sequence[LabelledScene], config: AreaConfig, *, folder: Path
) -> list[EvaluationArea]:
    """Prepare an area for every scene with a counted pixel; `folder` holds large files."""
    areas = []
    for number, scene in enumerate(scenes):
        own = folder / str(number)
        own.mkdir()
        target = _read_target(scene, config, own / "target")
        if target is not None:
            areas.append(_prepare(scene, target, config, own))
    return areas


def _read_target(scene: LabelledScene, config: AreaConfig, file: Path) -> NDArray[np.uint8] | None:
    """Read (rows, cols) divisible by all factors; None if no pixel counts."""
    grid = scene.grid
    factors = (1,) if scene.is_lr else config.upscale_factors
    height, width = (
        min(length // factor * factor for factor in factors) for length in (grid.height, grid.width)
    )
    if not height or not width or not scene.split.may_hold(config.split):
        return None
    target = np.memmap(file, np.uint8, "w+", shape=(height, width))
    for strip in _strips(height, width):
        target[strip.rows] = scene.read_target(strip, config.split)
    return target if (target != NODATA).any() else None


def _prepare(
    scene: LabelledScene,
    target: NDArray[np.uint8],
    config: AreaConfig,
    folder: Path,
) -> EvaluationArea:
    reference = np.memmap(folder / "reference", np.uint8, "w+", shape=target.shape)
    near = np.memmap(folder / "boundary", np.bool_, "w+", shape=target.shape)
    for strip in _strips(*target.shape):
        reference[strip.rows] = scene.read_reference(strip)
    side = max(config.upscale_factors) if scene.is_lr else 1
    reach, small = max(config.boundary // side, 1), max(config.small // side**2, 1)
    for strip in _strips(*target.shape):
        near[strip.rows] = _near_boundary(reference, strip, reach=reach)
    objects = find_small_objects(reference, classes=len(config.legend), limit=small, folder=folder)
    inside = np.zeros_like(objects.size)
    for strip in _strips(*target.shape):
        inside += objects.count_pixels(strip, target[strip.rows] != NODATA)
    counted = inside == objects.size
    counted[0] = False
    return EvaluationArea(scene, config.legend, target, near, objects, counted)


def _near_boundary(reference: NDArray[np.uint8], strip: Window, *, reach: int) -> NDArray[np.bool_]:
    """Mark pixels of a strip within `reach` pixels of an edge between two classes."""
    height, width = reference.shape
    wide = strip.grown(reach, height=height, width=width)
    values = reference[wide.rows]
    touching = np.zeros(values.shape, np.bool_)
    for axis in (0, 1):
        before, after = np.delete(values, -1, axis), np.delete(values, 0, axis)
        edge = (before != after) & (before != NODATA) & (after != NODATA)
        one = [(0, 0), (0, 0)]
        for side in ((0, 1), (1, 0)):
            one[axis] = side
            touching |= np.pad(edge, one)
    return dilate(touching, reach - 1)[strip.inside(wide).rows]


def plan_blocks(areas: Sequence[EvaluationArea], *, side: int | None = None) -> list[Blocks]:
    """Divide the areas into the largest blocks of which there are enough.

    Errors of neighbouring pixels correlate, so small blocks give too narrow intervals, and so
    do few blocks.

    Args:
        side: side of a block in HR pixels, a multiple of 16. Chosen by default.
    """
    cells = [_counted_cells(area) for area in areas]
    sides = BLOCK_SIZES if side is None else (side,)
    for chosen in sides:
        used = [_coarser(cell, chosen // BLOCK_SIZES[-1]) for cell in cells]
        if sum(int(blocks.sum()) for blocks in used) >= ENOUGH_BLOCKS:
            break
    starts = np.cumsum([0, *(int(blocks.sum()) for blocks in used)])
    return [
        Blocks(chosen, np.where(blocks, start + np.cumsum(blocks).reshape(blocks.shape) - 1, -1))
        for blocks, start in zip(used, starts[:-1], strict=True)
    ]


def _counted_cells(area: EvaluationArea) -> NDArray[np.bool_]:
    """Mark the smallest blocks with a counted pixel."""
    strips = [
        _coarser(area.target[strip.rows] != NODATA, BLOCK_SIZES[-1]) for strip in area.strips()
    ]
    return np.concatenate(strips)


def _coarser(marked: NDArray[np.bool_], factor: int) -> NDArray[np.bool_]:
    """Mark squares of `factor` by `factor` pixels with a marked pixel."""
    rows, cols = (math.ceil(length / factor) for length in marked.shape)
    padded = np.zeros((rows * factor, cols * factor), np.bool_)
    padded[: marked.shape[0], : marked.shape[1]] = marked
    return np.logical_or.reduce(padded.reshape(rows, factor, cols, factor), axis=(1, 3))


def _strips(height: int, width: int) -> Iterator[Window]:
    for top in range(0, height, STRIP):
        yield Window(top, 0, min(STRIP, height - top), width)
