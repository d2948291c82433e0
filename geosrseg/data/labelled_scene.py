"""A labelled scene: a native HR image with its reference, read by window.

Three things are read from it: chips for training (`read_chip`), and for evaluation the
degraded image (`read_inputs`, what `predict` would see) beside image and reference.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from geosrseg.core.legend import NODATA, Legend
from geosrseg.core.normalize import Normalization, normalize_bands
from geosrseg.core.windows import Window
from geosrseg.data.card import SPLITS, CardScene, DatasetCard
from geosrseg.data.degradation import REACH, degrade
from geosrseg.errors import DatasetError
from geosrseg.raster.grid import Grid
from geosrseg.raster.layer import Layer, open_layer
from geosrseg.raster.scene import Scene, open_scene

STRIP = 1024
"""Rows read at once when a whole scene is gone through."""


@dataclass(frozen=True, slots=True)
class Chip:
    """A window of native image and reference.

    Attributes:
        hr: (bands, rows, cols) float32, normalized reflectance in [0, 1].
        target: (rows, cols) uint8 class indices; NODATA where ignored.
    """

    hr: NDArray[np.float32]
    target: NDArray[np.uint8]


@dataclass(frozen=True)
class LabelledScene:
    """An open image and reference; see `open_labelled_scenes`.

    Attributes:
        scene: the image.
        reference: the reference's layer, on the same grid.
        split: the split's layer, or the name of the split that all pixels are in.
        legend: the classes.
        normalization: reflectance to network input.
        guard: pixels around other splits that never train.
    """

    scene: Scene
    reference: Layer
    split: Layer | str
    legend: Legend
    normalization: Normalization
    guard: int

    def size(self, factor: int) -> tuple[int, int]:
        """Height and width in LR pixels; what is left over at the far edges is not used."""
        return self.scene.grid.height // factor, self.scene.grid.width // factor

    def read_hr(self, window: Window) -> NDArray[np.float32]:
        """(bands, rows, cols) native image, normalized."""
        numbers, valid = self.scene.read(window)
        return normalize_bands(
            numbers, valid, radiometry=self.scene.radiometry, normalization=self.normalization
        )

    def read_target(self, window: Window, split: str) -> NDArray[np.uint8]:
        """(rows, cols) class indices inside `split`; NODATA elsewhere and where ignored.

        The training split keeps the guard's distance from validation and test pixels, and
        pixels without a valid image are never used.
        """
        values = self.reference.read(window)
        used = self.scene.read(window)[1] & self._in_split(window, split)
        return np.where(used, self.legend.index_table()[values], NODATA).astype(np.uint8)

    def read_chip(self, window: Window, split: str) -> Chip:
        """Image and target of a window."""
        return Chip(self.read_hr(window), self.read_target(window, split))

    def read_inputs(self, window: Window, *, factor: int) -> NDArray[np.float32]:
        """(bands, height, width) degraded image of a window given in LR pixels.

        The ground around the window is read too, so the result is the same as cutting the
        window out of the whole degraded image.
        """
        height, width = self.size(factor)
        top, left = max(window.row_off - REACH, 0), max(window.col_off - REACH, 0)
        bottom = min(window.row_stop + REACH, height)
        right = min(window.col_stop + REACH, width)
        wide = Window(top, left, bottom - top, right - left)
        lr = degrade(torch.from_numpy(self.read_hr(wide.scaled(factor))), factor=factor)
        rows = slice(window.row_off - top, window.row_stop - top)
        cols = slice(window.col_off - left, window.col_stop - left)
        return lr[:, rows, cols].numpy()

    def _in_split(self, window: Window, split: str) -> NDArray[np.bool_]:
        if isinstance(self.split, str):
            return np.full((window.height, window.width), self.split == split)
        if split != "train" or not self.guard:
            return self.split.read(window) == SPLITS[split]
        grid, guard = self.scene.grid, self.guard
        top, left = max(window.row_off - guard, 0), max(window.col_off - guard, 0)
        wide = Window(
            top,
            left,
            min(window.row_stop + guard, grid.height) - top,
            min(window.col_stop + guard, grid.width) - left,
        )
        values = self.split.read(wide)
        held_out = np.isin(values, [SPLITS["validation"], SPLITS["test"]])
        rows = slice(window.row_off - top, window.row_stop - top)
        cols = slice(window.col_off - left, window.col_stop - left)
        near = dilate(held_out, guard)[rows, cols]
        return (values[rows, cols] == SPLITS["train"]) & ~near


def dilate(marked: NDArray[np.bool_], radius: int) -> NDArray[np.bool_]:
    """True within `radius` pixels, along rows and columns, of a marked pixel."""
    for axis in (0, 1):
        width = [(0, 0), (0, 0)]
        width[axis] = (radius + 1, radius)
        sums = np.cumsum(np.pad(marked, width), axis=axis, dtype=np.int32)
        length = marked.shape[axis]
        reach = 2 * radius + 1
        upper = np.take(sums, range(reach, reach + length), axis=axis)
        marked = upper > np.take(sums, range(length), axis=axis)
    return marked


@contextmanager
def open_labelled_scenes(
    card: DatasetCard, *, normalization: Normalization
) -> Iterator[list[LabelledScene]]:
    """Open all scenes of a dataset.

    Raises:
        DatasetError: image, reference and split of a scene are not on one grid.
        SceneError: an image cannot be read.
    """
    with ExitStack() as stack:
        yield [_open(files, card, normalization, stack) for files in card.scenes]


def _open(
    files: CardScene, card: DatasetCard, normalization: Normalization, stack: ExitStack
) -> LabelledScene:
    scene = stack.enter_context(open_scene(files.image, model_bands=card.bands))
    reference = stack.enter_context(open_layer(files.reference))
    _check_grid(reference, scene.grid)
    split: Layer | str
    if isinstance(files.split, str):
        split = files.split
    else:
        split = stack.enter_context(open_layer(files.split))
        _check_grid(split, scene.grid)
    return LabelledScene(scene, reference, split, card.legend, normalization, card.guard)


def _check_grid(layer: Layer, expected: Grid) -> None:
    grid = layer.grid
    same_size = (grid.height, grid.width) == (expected.height, expected.width)
    if not same_size or not grid.transform.almost_equals(expected.transform, 1e-6):
        raise DatasetError(
            f"{layer.path} has {grid.height}x{grid.width} pixels at {grid.bounds}, its image "
            f"{expected.height}x{expected.width} at {expected.bounds}: put both on one grid"
        )


def measure_normalization(card: DatasetCard) -> Normalization:
    """The card's normalization, with the mean over all valid pixels as its fill."""
    bare = Normalization(card.low, card.high, (0.0,) * len(card.bands))
    total, count = np.zeros(len(card.bands)), 0
    with open_labelled_scenes(card, normalization=bare) as scenes:
        for scene in scenes:
            grid = scene.scene.grid
            for top in range(0, grid.height, STRIP):
                window = Window(top, 0, min(STRIP, grid.height - top), grid.width)
                valid = scene.scene.read(window)[1]
                total += scene.read_hr(window)[:, valid].sum(axis=1, dtype=np.float64)
                count += int(valid.sum())
    fill = tuple(float(value) for value in np.round(total / max(count, 1), 4))
    return replace(bare, fill=fill)
