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
        return self._read_hr_and_valid(window)[0]

    def read_target(self, window: Window, split: str) -> NDArray[np.uint8]:
        """(rows, cols) class indices inside `split`; NODATA elsewhere and where ignored.

        The training split keeps the guard's distance from validation and test pixels, and
        pixels without a valid image are never used.
        """
        return self._read_target(window, split, valid=self.scene.read(window)[1])

    def read_chip(self, window: Window, split: str) -> Chip:
        """Image and target of a window."""
        hr, valid = self._read_hr_and_valid(window)
        return Chip(hr, self._read_target(window, split, valid=valid))

    def strips(self) -> Iterator[Window]:
        """The whole scene from top to bottom, a strip of rows at a time."""
        grid = self.scene.grid
        for top in range(0, grid.height, STRIP):
            yield Window(top, 0, min(STRIP, grid.height - top), grid.width)

    def sum_inputs(self) -> tuple[NDArray[np.float64], int]:
        """(bands,) sum of the network inputs over all valid pixels, and their number."""
        total, count = np.zeros(len(self.normalization.low)), 0
        for strip in self.strips():
            hr, valid = self._read_hr_and_valid(strip)
            total += hr[:, valid].sum(axis=1, dtype=np.float64)
            count += int(valid.sum())
        return total, count

    def read_inputs(self, window: Window, *, factor: int) -> NDArray[np.float32]:
        """(bands, height, width) degraded image of a window given in LR pixels.

        The ground around the window is read too, so the result is the same as cutting the
        window out of the whole degraded image.
        """
        height, width = self.size(factor)
        wide = window.grown(REACH, height=height, width=width)
        lr = degrade(torch.from_numpy(self.read_hr(wide.scaled(factor))), factor=factor)
        own = window.inside(wide)
        return lr[:, own.rows, own.cols].numpy()

    def _read_hr_and_valid(self, window: Window) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        numbers, valid = self.scene.read(window)
        hr = normalize_bands(
            numbers, valid, radiometry=self.scene.radiometry, normalization=self.normalization
        )
        return hr, valid

    def _read_target(
        self, window: Window, split: str, *, valid: NDArray[np.bool_]
    ) -> NDArray[np.uint8]:
        values = self.reference.read(window)
        used = valid & self._in_split(window, split)
        return np.where(used, self.legend.index_table()[values], NODATA).astype(np.uint8)

    def _in_split(self, window: Window, split: str) -> NDArray[np.bool_]:
        if isinstance(self.split, str):
            return np.full((window.height, window.width), self.split == split)
        if split != "train" or not self.guard:
            return self.split.read(window) == SPLITS[split]
        grid = self.scene.grid
        wide = window.grown(self.guard, height=grid.height, width=grid.width)
        values = self.split.read(wide)
        held_out = np.isin(values, [SPLITS["validation"], SPLITS["test"]])
        usable = (values == SPLITS["train"]) & ~dilate(held_out, self.guard)
        own = window.inside(wide)
        return usable[own.rows, own.cols]


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
            sums, pixels = scene.sum_inputs()
            total, count = total + sums, count + pixels
    fill = tuple(float(value) for value in np.round(total / max(count, 1), 4))
    return replace(bare, fill=fill)
