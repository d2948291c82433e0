"""SourceScene: an image of a source with its labels, decoded once into memory.

A file packed of chips gives one scene per chip, so that nothing is read across their borders.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray

from geosrseg.core.legend import NODATA
from geosrseg.core.normalize import Normalization, Radiometry, normalize_bands
from geosrseg.core.text.counted import counted
from geosrseg.core.tiling.windows import Window
from geosrseg.datasets.augment.atmosphere import WAVELENGTHS
from geosrseg.datasets.augment.landsat_view import REACH, adjust_bands, reduce_image
from geosrseg.datasets.card.card import DatasetCard
from geosrseg.datasets.card.reference_coding import number_codes
from geosrseg.datasets.card.source import Source, SourceFile
from geosrseg.datasets.dataset_image import DatasetImage, open_image
from geosrseg.datasets.labelled_scene import LabelledScene
from geosrseg.datasets.reference import Reference
from geosrseg.datasets.scene_split import SceneSplit
from geosrseg.errors import DatasetError
from geosrseg.raster.files.grid import Grid
from geosrseg.raster.files.raster_files import RasterFiles
from geosrseg.raster.files.warp import find_warp


@dataclass(frozen=True)
class DecodedImage(DatasetImage):
    """An image in memory.

    Attributes:
        numbers: (bands, rows, cols) digital numbers.
        valid: (rows, cols) True where every band has a measurement.
    """

    numbers: NDArray[np.generic] = field(kw_only=True)
    valid: NDArray[np.bool_] = field(kw_only=True)

    def read_numbers(self, window: Window) -> tuple[NDArray[np.generic], NDArray[np.bool_]]:
        place = (window.rows, window.cols)
        return self.numbers[:, *place], self.valid[place]

    def read_reflectance(self, window: Window) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Return reflectance of a window, (bands, rows, cols), and valid (rows, cols)."""
        numbers, valid = self.read_numbers(window)
        scale, offset = (
            np.asarray(values, np.float32)[:, None, None]
            for values in (self.radiometry.scale, self.radiometry.offset)
        )
        return numbers.astype(np.float32) * scale + offset, valid


@dataclass(frozen=True)
class DecodedReference(Reference):
    """A reference in memory.

    Attributes:
        place: window of the scene in its file, which may hold several scenes.
        labels: (rows, cols) class indices; NODATA where there is none.
        confidence: (rows, cols) percent; None where unknown.
    """

    place: Window = field(kw_only=True)
    labels: NDArray[np.uint8] = field(kw_only=True)
    confidence: NDArray[np.uint8] | None = field(kw_only=True)

    def read(self, window: Window) -> NDArray[np.uint8]:
        return self.labels[window.rows, window.cols]

    def read_codes(self, window: Window) -> NDArray[np.int32]:
        return super().read_codes(window.outside(self.place))

    def read_weight(self, window: Window) -> NDArray[np.float32]:
        """Return (rows, cols) confidence in the labels, 0 to 1."""
        if self.confidence is None:
            return np.ones((window.height, window.width), np.float32)
        percent = self.confidence[window.rows, window.cols]
        return np.divide(percent, 100, dtype=np.float32)


@dataclass(frozen=True)
class SourceScene(LabelledScene):
    """An image of a source; see `open_source_scenes`."""

    image: DecodedImage
    reference: DecodedReference
    source: Source = field(kw_only=True)
    bands: tuple[str, ...] = field(kw_only=True)

    @property
    def source_name(self) -> str:
        return self.source.name

    @property
    def is_lr(self) -> bool:
        return self.source.is_lr

    def size(self, factor: int) -> tuple[int, int]:
        if self.source.is_lr:
            return self.grid.height, self.grid.width
        return super().size(factor)

    def read_reflectance(self, window: Window) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Return reflectance in Landsat's bands, (bands, rows, cols), and valid (rows, cols).

        Invalid pixels have the mean of the training data.
        """
        image, valid = self.image.read_reflectance(window)
        if self.source.sensor:
            image = adjust_bands(image, sensor=self.source.sensor, bands=self.bands)
        if not valid.all():
            low, high, fill = (
                np.asarray(values, np.float32)[:, None, None]
                for values in (
                    self.normalization.low,
                    self.normalization.high,
                    self.normalization.fill,
                )
            )
            image = np.where(valid, image, low + fill * (high - low))
        return image, valid

    def normalized(self, reflectance: NDArray[np.float32]) -> NDArray[np.float32]:
        """Convert reflectance to network input, both (bands, rows, cols)."""
        return normalize_bands(
            reflectance,
            np.ones(reflectance.shape[1:], np.bool_),
            radiometry=Radiometry.uniform(len(reflectance)),
            normalization=self.normalization,
        )

    def read_inputs(self, window: Window, *, factor: int) -> NDArray[np.float32]:
        if self.source.is_lr or factor == 1:
            return self._read_native(window)[0]
        if self.source.sensor is None:
            return super().read_inputs(window, factor=factor)
        height, width = self.size(factor)
        wide = window.grown(REACH, height=height, width=width)
        hr = torch.from_numpy(self.read_reflectance(wide.scaled(factor))[0])
        own = window.inside(wide)
        lr = reduce_image(hr, factor=factor)[:, own.rows, own.cols]
        return self.normalized(np.ascontiguousarray(lr.numpy()))

    def training_inputs(self, factor: int) -> Iterator[NDArray[np.float32]]:
        if not self.split.may_hold("train"):
            return
        height, width = self.size(factor)
        window = Window(0, 0, height, width)
        step = 1 if self.source.is_lr else factor
        valid = self.read_reflectance(window.scaled(step))[1][::step, ::step]
        yield self.read_inputs(window, factor=factor)[:, valid]

    def _read_native(self, window: Window) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        image, valid = self.read_reflectance(window)
        return self.normalized(image), valid


def open_source_scenes(
    card: DatasetCard, normalization: Normalization, files: RasterFiles
) -> list[SourceScene]:
    """Decode all images of a card's sources, except those without a label.

    Raises:
        DatasetError: a file cannot be read or contradicts the card, or the wavelength of a
            band is unknown.
    """
    if unknown := [band for band in card.bands if band not in WAVELENGTHS]:
        raise DatasetError(
            f"the card {card.name} has [[sources]] and the band {unknown[0]}, whose wavelength is "
            f"not known: expected bands of {', '.join(WAVELENGTHS)}"
        )
    return [
        scene
        for source in card.sources
        for file in source.files
        for scene in _decode(source, file, card, normalization, files)
    ]


def _decode(
    source: Source,
    file: SourceFile,
    card: DatasetCard,
    normalization: Normalization,
    files: RasterFiles,
) -> Iterator[SourceScene]:
    image = open_image(file.image, bands=card.bands, stored=source.image, files=files)
    grid = image.grid
    whole = Window(0, 0, grid.height, grid.width)
    with files.use(file.image) as dataset:
        numbers, valid = image.selection.read(dataset, whole)
    labels, confidence = _read_labels(source, file, grid, files)
    for cell in _cells(source, grid, file):
        place = (cell.rows, cell.cols)
        if (labels[place] == NODATA).all():
            continue
        own = Grid(grid.crs, grid.transform, cell.height, cell.width)
        decoded = DecodedImage(
            **{**vars(image), "grid": own}, numbers=numbers[:, *place], valid=valid[place]
        )
        reference = DecodedReference(
            path=file.reference,
            coding=source.coding,
            palette=None,
            empty=(),
            warp=None,
            files=files,
            place=cell,
            labels=labels[place],
            confidence=None if confidence is None else confidence[place],
        )
        yield SourceScene(
            image=decoded,
            reference=reference,
            split=SceneSplit(
                file.split,
                used=Window(0, 0, cell.height, cell.width),
                guard=0,
                height=cell.height,
                width=cell.width,
            ),
            normalization=normalization,
            ranges=normalization,
            source=source,
            bands=card.bands,
        )


def _cells(source: Source, grid: Grid, file: SourceFile) -> Iterator[Window]:
    """Yield the whole image, or every chip in a packed file."""
    side = source.chip_grid
    height, width = (side, side) if side else (grid.height, grid.width)
    if grid.height % height or grid.width % width:
        raise DatasetError(
            f"{file.image} has {grid.height}x{grid.width} pixels, expected multiples of the "
            f"chip_grid {side} of source {source.name}"
        )
    for row in range(0, grid.height, height):
        for col in range(0, grid.width, width):
            yield Window(row, col, height, width)


def _read_labels(
    source: Source, file: SourceFile, grid: Grid, files: RasterFiles
) -> tuple[NDArray[np.uint8], NDArray[np.uint8] | None]:
    """Return class indices and their confidence in percent, each (rows, cols)."""
    path = file.reference
    with files.use(path) as dataset:
        if (dataset.height, dataset.width) != (grid.height, grid.width) or find_warp(
            path, dataset, grid
        ):
            raise DatasetError(
                f"{path} has {dataset.height}x{dataset.width} pixels and a grid of its own, "
                f"expected that of its image, {grid.height}x{grid.width}"
            )
        if source.confidence_band and source.confidence_band > dataset.count:
            raise DatasetError(
                f"{path} has {counted(dataset.count, 'band')}, but source {source.name} "
                f"takes the confidence from band {source.confidence_band}"
            )
        labels = source.coding.decode(number_codes(dataset.read(1)))
        confidence = None
        if source.confidence_band:
            confidence = dataset.read(source.confidence_band).clip(0, 100).astype(np.uint8)
    return labels, confidence
