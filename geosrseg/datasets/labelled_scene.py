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

from geosrseg.core.legend import NODATA
from geosrseg.core.normalize import Normalization
from geosrseg.core.windows import Window
from geosrseg.datasets.card.card import DatasetCard
from geosrseg.datasets.card.card_scene import CardScene
from geosrseg.datasets.dataset_image import DatasetImage, open_image
from geosrseg.datasets.degradation import REACH, degrade
from geosrseg.datasets.lr_image import LrImage, open_lr_image
from geosrseg.datasets.reference import Reference, open_reference
from geosrseg.datasets.scene_split import SceneSplit, open_split
from geosrseg.errors import DatasetWarning
from geosrseg.raster.files.gdal import small_cache
from geosrseg.raster.files.grid import Grid
from geosrseg.raster.files.raster_files import RasterFiles

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
        image: the native image.
        reference: the reference, on the image's grid.
        split: which pixels are in which split.
        normalization: reflectance to network input.
        ranges: the card's normalization of native images.
        lr: the real LR image; None where the native one is degraded instead.
    """

    image: DatasetImage
    reference: Reference
    split: SceneSplit
    normalization: Normalization
    ranges: Normalization
    lr: LrImage | None = None

    @property
    def path(self) -> Path:
        """The image's file."""
        return self.image.path

    @property
    def grid(self) -> Grid:
        """Where the image's pixels lie."""
        return self.image.grid

    def size(self, factor: int) -> tuple[int, int]:
        """Height and width in LR pixels; what is left over at the far edges is not used.

        Raises:
            DatasetError: there is a real LR image, of another factor.
        """
        if self.lr and factor > 1:
            self.lr.check_factor(factor)
        return self.grid.height // factor, self.grid.width // factor

    def read_hr(self, window: Window) -> NDArray[np.float32]:
        """(bands, rows, cols) native image, normalized."""
        return self._read_native(window)[0]

    def read_target(self, window: Window, split: str) -> NDArray[np.uint8]:
        """(rows, cols) class indices inside `split`; NODATA elsewhere and where ignored.

        The training split keeps the guard's distance from validation and test pixels, and
        pixels without a valid image are never used.
        """
        return self._read_target(window, split, valid=self.image.read_valid(window))[0]

    def read_reference(self, window: Window) -> NDArray[np.uint8]:
        """(rows, cols) class indices of all splits; NODATA where the legend has no class."""
        return self.reference.read(window)

    def read_chip(self, window: Window, split: str) -> Chip:
        """Image and target of a window."""
        hr, valid = self._read_native(window)
        return Chip(hr, *self._read_target(window, split, valid=valid))

    def strips(self) -> Iterator[Window]:
        """The whole scene from top to bottom, a strip of rows at a time."""
        grid = self.grid
        for top in range(0, grid.height, STRIP):
            yield Window(top, 0, min(STRIP, grid.height - top), grid.width)

    def read_inputs(self, window: Window, *, factor: int) -> NDArray[np.float32]:
        """(bands, height, width) LR image of a window given in LR pixels.

        It is the real one where there is one, else the degraded native image: the ground
        around the window is read too, so the result is the same as cutting the window out
        of the whole degraded image. With a factor of 1 it is the native image.
        """
        height, width = self.size(factor)
        if factor == 1:
            return self.image.read(window, normalization=self.normalization)[0]
        if self.lr:
            return self.lr.read(window, normalization=self.normalization)[0]
        wide = window.grown(REACH, height=height, width=width)
        lr = degrade(torch.from_numpy(self.read_hr(wide.scaled(factor))), factor=factor)
        own = window.inside(wide)
        return lr[:, own.rows, own.cols].numpy()

    def sum_inputs(self, *, native: bool) -> tuple[NDArray[np.float64], int]:
        """(bands,) sum of the network inputs over all training pixels, and their number.

        Args:
            native: of the native image, though there may be a real LR image.
        """
        factor = 1 if native or self.lr is None else self.lr.factor
        height, width = self.size(factor)
        total, count = np.zeros(len(self.normalization.low)), 0
        for top in range(0, height, STRIP // factor):
            window = Window(top, 0, min(STRIP // factor, height - top), width)
            inputs = self.read_inputs(window, factor=factor)
            fine = window.scaled(factor)
            used = self._read_target(fine, "train", valid=self.image.read_valid(fine))[1]
            used = used[::factor, ::factor]  # the corner of an LR pixel stands for it
            total += inputs[:, used].sum(axis=1, dtype=np.float64)
            count += int(used.sum())
        return total, count

    def _read_native(self, window: Window) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        normalization = self.normalization
        if self.lr:  # the model's is that of the other sensor
            normalization = replace(self.ranges, fill=normalization.fill)
        return self.image.read(window, normalization=normalization)

    def _read_target(
        self, window: Window, split: str, *, valid: NDArray[np.bool_]
    ) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
        """Class indices, and which pixels are usable and in the split."""
        in_split = valid & self.split.read(window, split)
        if self.lr:
            in_split &= self.lr.covers(window)
        return np.where(in_split, self.reference.read(window), np.uint8(NODATA)), in_split


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
    lr = None
    if scene.lr and card.lr:
        lr = open_lr_image(scene.lr, image, bands=card.bands, stored=card.lr.image, files=files)
    return LabelledScene(
        image=image,
        reference=open_reference(scene.reference, coding=card.coding, grid=image.grid, files=files),
        split=open_split(scene, guard=card.guard, grid=image.grid, files=files),
        normalization=normalization,
        ranges=Normalization(card.low, card.high, normalization.fill),
        lr=lr,
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


def measure_normalization(card: DatasetCard, *, native: bool = False) -> Normalization:
    """The normalization of the network's input, with the training pixels' mean as its fill.

    Args:
        card: the dataset.
        native: the network's input is the native image, though there may be real LR images.
    """
    native = native or card.lr is None
    low, high = (card.low, card.high) if native or not card.lr else (card.lr.low, card.lr.high)
    bare = Normalization(low, high, (0.0,) * len(card.bands))
    total, count = np.zeros(len(card.bands)), 0
    with _open_scenes(card, bare) as scenes:
        for scene in scenes:
            sums, pixels = scene.sum_inputs(native=native)
            total, count = total + sums, count + pixels
    fill = tuple(float(value) for value in np.round(total / max(count, 1), 4))
    return replace(bare, fill=fill)
