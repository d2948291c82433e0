"""A labelled scene: a native HR image with its reference, read by window.

Three things are read from it: chips for training (`read_chip`), and for evaluation the
degraded image (`read_inputs`, what `predict` would see) beside image and reference.
"""

import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from geosrseg.core.dilation import dilate
from geosrseg.core.legend import NODATA
from geosrseg.core.normalize import Normalization
from geosrseg.core.windows import Window
from geosrseg.data.block_split import BlockSplit
from geosrseg.data.card import SPLITS, DatasetCard
from geosrseg.data.card_scene import CardScene
from geosrseg.data.dataset_image import DatasetImage, open_image
from geosrseg.data.degradation import REACH, degrade
from geosrseg.data.reference import Reference, open_reference
from geosrseg.errors import DatasetError, DatasetWarning
from geosrseg.raster.gdal import small_cache
from geosrseg.raster.grid import Grid
from geosrseg.raster.layer import Layer, open_layer
from geosrseg.raster.raster_files import RasterFiles

STRIP = 1024
"""Rows read at once when a whole scene is gone through."""


@dataclass(frozen=True, slots=True)
class Chip:
    """A window of native image and reference.

    Attributes:
        hr: (bands, rows, cols) float32, normalized reflectance in [0, 1].
        target: (rows, cols) uint8 class indices; NODATA where ignored.
        in_split: (rows, cols) True where the image is valid and belongs to the split, with
            a class or without.
    """

    hr: NDArray[np.float32]
    target: NDArray[np.uint8]
    in_split: NDArray[np.bool_]


@dataclass(frozen=True)
class LabelledScene:
    """An image and its reference; see `open_labelled_scenes`.

    Attributes:
        image: the image.
        reference: the reference, on the same grid.
        split: what says which split a pixel is in, or the one that all are in.
        used: the part of the image that is in a split at all.
        normalization: reflectance to network input.
        guard: pixels around other splits that never train.
    """

    image: DatasetImage
    reference: Reference
    split: Layer | BlockSplit | str
    used: Window
    normalization: Normalization
    guard: int

    @property
    def path(self) -> Path:
        """The image's file."""
        return self.image.path

    @property
    def grid(self) -> Grid:
        """Where the image's pixels lie."""
        return self.image.grid

    def size(self, factor: int) -> tuple[int, int]:
        """Height and width in LR pixels; what is left over at the far edges is not used."""
        return self.grid.height // factor, self.grid.width // factor

    def read_hr(self, window: Window) -> NDArray[np.float32]:
        """(bands, rows, cols) native image, normalized."""
        return self.image.read(window, normalization=self.normalization)[0]

    def read_target(self, window: Window, split: str) -> NDArray[np.uint8]:
        """(rows, cols) class indices inside `split`; NODATA elsewhere and where ignored.

        The training split keeps the guard's distance from validation and test pixels, and
        pixels without a valid image are never used.
        """
        in_split = self.image.read_valid(window) & self._in_split(window, split)
        return self._read_target(window, in_split)

    def read_reference(self, window: Window) -> NDArray[np.uint8]:
        """(rows, cols) class indices of all splits; NODATA where the legend has no class."""
        return self.reference.read(window)

    def read_chip(self, window: Window, split: str) -> Chip:
        """Image and target of a window."""
        hr, valid = self.image.read(window, normalization=self.normalization)
        in_split = valid & self._in_split(window, split)
        return Chip(hr, self._read_target(window, in_split), in_split)

    def strips(self) -> Iterator[Window]:
        """The whole scene from top to bottom, a strip of rows at a time."""
        grid = self.grid
        for top in range(0, grid.height, STRIP):
            yield Window(top, 0, min(STRIP, grid.height - top), grid.width)

    def sum_inputs(self) -> tuple[NDArray[np.float64], int]:
        """(bands,) sum of the network inputs over all training pixels, and their number."""
        total, count = np.zeros(len(self.normalization.low)), 0
        for strip in self.strips():
            chip = self.read_chip(strip, "train")
            total += chip.hr[:, chip.in_split].sum(axis=1, dtype=np.float64)
            count += int(chip.in_split.sum())
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

    def _read_target(self, window: Window, used: NDArray[np.bool_]) -> NDArray[np.uint8]:
        return np.where(used, self.reference.read(window), np.uint8(NODATA))

    def _in_split(self, window: Window, split: str) -> NDArray[np.bool_]:
        rows, cols = np.ogrid[window.rows, window.cols]
        used = (
            (self.used.row_off <= rows)
            & (rows < self.used.row_stop)
            & (self.used.col_off <= cols)
            & (cols < self.used.col_stop)
        )
        return used & self._marked(window, split)

    def _marked(self, window: Window, split: str) -> NDArray[np.bool_]:
        """What the card says of each pixel, with the guard around what does not train."""
        if isinstance(self.split, str):
            return np.full((window.height, window.width), self.split == split)
        if split != "train" or not self.guard:
            return self.split.read(window) == SPLITS[split]
        wide = window.grown(self.guard, height=self.grid.height, width=self.grid.width)
        values = self.split.read(wide)
        held_out = np.isin(values, [SPLITS["validation"], SPLITS["test"]])
        usable = (values == SPLITS["train"]) & ~dilate(held_out, self.guard)
        own = window.inside(wide)
        return usable[own.rows, own.cols]


@contextmanager
def open_labelled_scenes(
    card: DatasetCard, *, normalization: Normalization
) -> Iterator[list[LabelledScene]]:
    """All scenes of a dataset; their files are open until the end of the context.

    References with values or colours that the card does not know give one DatasetWarning.

    Raises:
        DatasetError: a file cannot be read, is not what the card says, or image, reference
            and split of a scene are not on one grid.
    """
    with _open_scenes(card, normalization) as scenes:
        _warn_of_unknown_codes(card, scenes)
        yield scenes


@contextmanager
def _open_scenes(card: DatasetCard, normalization: Normalization) -> Iterator[list[LabelledScene]]:
    files = RasterFiles()
    try:
        with small_cache():
            yield [_open(scene, card, normalization, files) for scene in card.scenes]
    finally:
        files.close()


def _open(
    scene: CardScene, card: DatasetCard, normalization: Normalization, files: RasterFiles
) -> LabelledScene:
    image = open_image(scene.image, bands=card.bands, stored=card.image, files=files)
    reference = open_reference(scene.reference, coding=card.coding, files=files)
    _check_grid(reference.path, reference.grid, image.grid)
    split: Layer | BlockSplit | str
    if isinstance(scene.split, str):
        split = scene.split
    elif isinstance(scene.split, BlockSplit):
        split = scene.split.fitted(image.grid.height, image.grid.width)
    else:
        split = open_layer(scene.split, files=files)
        _check_grid(split.path, split.grid, image.grid)
    used = _used_part(scene, image.grid)
    return LabelledScene(image, reference, split, used, normalization, card.guard)


def _used_part(scene: CardScene, grid: Grid) -> Window:
    for interval, length, axis in (
        (scene.rows, grid.height, "rows"),
        (scene.cols, grid.width, "cols"),
    ):
        if not interval.holds_part_of(length):
            raise DatasetError(
                f"{scene.image} has {length} {axis}, the card uses those from {interval.start} "
                f"on: give {axis} that begin inside"
            )
    rows, cols = scene.rows, scene.cols
    return Window(
        rows.start,
        cols.start,
        min(rows.stop or grid.height, grid.height) - rows.start,
        min(cols.stop or grid.width, grid.width) - cols.start,
    )


def _check_grid(path: Path, grid: Grid, expected: Grid) -> None:
    """Refuse another size, and another place if both files say where they lie."""
    same_size = (grid.height, grid.width) == (expected.height, expected.width)
    located = not grid.transform.is_identity and not expected.transform.is_identity
    if not same_size or (located and not grid.transform.almost_equals(expected.transform, 1e-6)):
        raise DatasetError(
            f"{path} has {grid.height}x{grid.width} pixels at {grid.bounds}, its image "
            f"{expected.height}x{expected.width} at {expected.bounds}: put both on one grid"
        )


def _warn_of_unknown_codes(card: DatasetCard, scenes: Sequence[LabelledScene]) -> None:
    """Read every reference once: a code that nobody thought of is a mistake of the card."""
    counts: Counter[int] = Counter()
    first: dict[int, Path] = {}
    for scene in scenes:
        for strip in scene.strips():
            for code, count in scene.reference.count_unknown(strip).items():
                counts[code] += count
                first.setdefault(code, scene.reference.path)
    if counts:
        listed = [
            f"{card.coding.show(code)} ({count} pixels, first in {first[code]})"
            for code, count in counts.most_common(5)
        ]
        more = f" and {len(counts) - 5} more" if len(counts) > 5 else ""
        warnings.warn(
            f"the references of {card.name} have {counts.total()} pixels whose value no class "
            f"has: {', '.join(listed)}{more}; they are ignored, and without this warning if the "
            "card's list `ignored` has them",
            DatasetWarning,
            stacklevel=3,
        )


def measure_normalization(card: DatasetCard) -> Normalization:
    """The card's normalization, with the mean over all training pixels as its fill."""
    bare = Normalization(card.low, card.high, (0.0,) * len(card.bands))
    total, count = np.zeros(len(card.bands)), 0
    with _open_scenes(card, bare) as scenes:
        for scene in scenes:
            sums, pixels = scene.sum_inputs()
            total, count = total + sums, count + pixels
    fill = tuple(float(value) for value in np.round(total / max(count, 1), 4))
    return replace(bare, fill=fill)
