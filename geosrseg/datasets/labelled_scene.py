"""A labelled scene: a native HR image with its reference, read by window.

Three things are read from it: chips for training (`read_chip`), and for evaluation the
degraded image (`read_inputs`, what `predict` would see) beside image and reference.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from geosrseg.core.legend import NODATA
from geosrseg.core.normalize import Normalization
from geosrseg.core.tiling.windows import Window
from geosrseg.datasets.augment.degradation import REACH, degrade
from geosrseg.datasets.dataset_image import DatasetImage
from geosrseg.datasets.lr_image import LrImage
from geosrseg.datasets.polygon_reference import PolygonReference
from geosrseg.datasets.reference import Reference
from geosrseg.datasets.scene_split import SceneSplit
from geosrseg.raster.files.grid import Grid

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

    def cut(self, window: Window) -> "Chip":
        """A window inside this one, not copied."""
        place = (window.rows, window.cols)
        return Chip(self.hr[:, *place], self.target[place], self.in_split[place])


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
    reference: Reference | PolygonReference
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

    @property
    def source_name(self) -> str:
        """The source that it is of; empty where a dataset has none."""
        return ""

    @property
    def is_lr(self) -> bool:
        """Image and labels lie on the LR grid: there is no native image."""
        return False

    def label_pixels(self, factor: int) -> int:
        """Target pixels along each side of a label's pixel."""
        return factor if self.is_lr else 1

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
        total, count = np.zeros(len(self.normalization.low)), 0
        for inputs in self.training_inputs(factor):
            total += inputs.sum(axis=1, dtype=np.float64)
            count += inputs.shape[1]
        return total, count

    def training_inputs(self, factor: int) -> Iterator[NDArray[np.float32]]:
        """(bands, pixels) network inputs of the training pixels, strip by strip."""
        height, width = self.size(factor)
        for top in range(0, height, STRIP // factor):
            window = Window(top, 0, min(STRIP // factor, height - top), width)
            fine = window.scaled(factor)
            used = self._read_target(fine, "train", valid=self.image.read_valid(fine))[1]
            used = used[::factor, ::factor]  # the corner of an LR pixel stands for it
            yield self.read_inputs(window, factor=factor)[:, used]

    def _read_native(self, window: Window) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        normalization = self.normalization
        if self.lr:  # the model's is that of the other sensor
            normalization = replace(self.ranges, fill=normalization.fill)
        return self.image.read(window, normalization=normalization)

    def usable(self, window: Window, splits: Sequence[str]) -> dict[str, NDArray[np.bool_]]:
        """By split, (rows, cols) True where the image is valid and belongs to it."""
        valid = self.image.read_valid(window)
        if self.lr:
            valid &= self.lr.covers(window)
        return {split: valid & self.split.read(window, split) for split in splits}

    def _read_target(
        self, window: Window, split: str, *, valid: NDArray[np.bool_]
    ) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
        """Class indices, and which pixels are usable and in the split."""
        in_split = valid & self.split.read(window, split)
        if self.lr:
            in_split &= self.lr.covers(window)
        return np.where(in_split, self.reference.read(window), np.uint8(NODATA)), in_split
