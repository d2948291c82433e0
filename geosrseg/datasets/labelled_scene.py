"""LabelledScene: a native HR image with its reference, read by window.

Training reads chips (`read_chip`). Evaluation reads the LR image that `predict` would see
(`read_inputs`), the native image and the reference.
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
"""Rows read at once when a whole scene is read."""


@dataclass(frozen=True, slots=True)
class Chip:
    """A window of native image and reference.

    Attributes:
        hr: (bands, rows, cols) float32, normalized reflectance in [0, 1].
        target: (rows, cols) uint8 class indices; NODATA where ignored.
        in_split: (rows, cols) True where the image is valid and belongs to the split, with or
            without a class.
    """

    hr: NDArray[np.float32]
    target: NDArray[np.uint8]
    in_split: NDArray[np.bool_]

    def cut(self, window: Window) -> "Chip":
        """Return a view of a window inside this one."""
        place = (window.rows, window.cols)
        return Chip(self.hr[:, *place], self.target[place], self.in_split[place])


@dataclass(frozen=True)
class LabelledScene:
    """An image and its reference; see `open_labelled_scenes`.

    Attributes:
        image: the native image.
        reference: labels on the image's grid.
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
        return self.image.path

    @property
    def grid(self) -> Grid:
        return self.image.grid

    @property
    def source_name(self) -> str:
        """Name of the scene's source; empty where the dataset has none."""
        return ""

    @property
    def is_lr(self) -> bool:
        """True where image and labels are on the LR grid, without a native image."""
        return False

    def label_pixels(self, factor: int) -> int:
        """Target pixels along each side of a labelled pixel."""
        return factor if self.is_lr else 1

    def size(self, factor: int) -> tuple[int, int]:
        """Height and width in LR pixels; a remainder at the far edges is not used.

        Raises:
            DatasetError: the real LR image has another factor.
        """
        if self.lr and factor > 1:
            self.lr.check_factor(factor)
        return self.grid.height // factor, self.grid.width // factor

    def read_hr(self, window: Window) -> NDArray[np.float32]:
        """Return the native image, (bands, rows, cols), normalized."""
        return self._read_native(window)[0]

    def read_target(self, window: Window, split: str) -> NDArray[np.uint8]:
        """Return (rows, cols) class indices inside `split`; NODATA elsewhere and where ignored.

        The training split stays the guard's distance away from validation and test pixels.
        Pixels without a valid image are in no split.
        """
        return self._read_target(window, split, valid=self.image.read_valid(window))[0]

    def read_reference(self, window: Window) -> NDArray[np.uint8]:
        """Return (rows, cols) class indices of all splits; NODATA where there is no class."""
        return self.reference.read(window)

    def read_chip(self, window: Window, split: str) -> Chip:
        """Return image and target of a window."""
        hr, valid = self._read_native(window)
        return Chip(hr, *self._read_target(window, split, valid=valid))

    def strips(self) -> Iterator[Window]:
        """Yield the strips of rows that make up the scene, from top to bottom."""
        grid = self.grid
        for top in range(0, grid.height, STRIP):
            yield Window(top, 0, min(STRIP, grid.height - top), grid.width)

    def read_inputs(self, window: Window, *, factor: int) -> NDArray[np.float32]:
        """Return the LR image, (bands, height, width), of a window given in LR pixels.

        This is the real LR image, or else the degraded native one. Degradation also reads the
        ground around the window, so the result equals a cut from the whole degraded image.
        With a factor of 1 it is the native image.
        """
        height, width = self.size(factor)
        if factor == 1 or self.lr:
            image = self.lr.image if self.lr and factor > 1 else self.image
            return image.read(window, normalization=self.normalization)[0]
        wide = window.grown(REACH, height=height, width=width)
        lr = degrade(torch.from_numpy(self.read_hr(wide.scaled(factor))), factor=factor)
        own = window.inside(wide)
        return lr[:, own.rows, own.cols].numpy()

    def training_inputs(self, factor: int) -> Iterator[NDArray[np.float32]]:
        """Yield (bands, pixels) network inputs of the training pixels, strip by strip."""
        height, width = self.size(factor)
        for top in range(0, height, STRIP // factor):
            window = Window(top, 0, min(STRIP // factor, height - top), width)
            used = self.usable(window.scaled(factor), ["train"])["train"]
            used = used[::factor, ::factor]  # a corner stands for its LR pixel
            yield self.read_inputs(window, factor=factor)[:, used]

    def _read_native(self, window: Window) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        normalization = self.normalization
        if self.lr:  # `normalization` is that of the LR sensor
            normalization = replace(self.ranges, fill=normalization.fill)
        return self.image.read(window, normalization=normalization)

    def usable(self, window: Window, splits: Sequence[str]) -> dict[str, NDArray[np.bool_]]:
        """Return, by split, (rows, cols): True where the image is valid and in the split."""
        valid = self.image.read_valid(window)
        if self.lr:
            valid &= self.lr.covers(window)
        return {split: valid & self.split.read(window, split) for split in splits}

    def _read_target(
        self, window: Window, split: str, *, valid: NDArray[np.bool_]
    ) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
        """Return class indices, and True where pixels are usable and in the split."""
        in_split = valid & self.split.read(window, split)
        if self.lr:
            in_split &= self.lr.covers(window)
        return np.where(in_split, self.reference.read(window), np.uint8(NODATA)), in_split
