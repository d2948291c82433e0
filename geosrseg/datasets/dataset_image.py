"""DatasetImage: an image of a dataset, read by window as its card says."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from geosrseg.core.normalize import Normalization, Radiometry, normalize_bands
from geosrseg.core.tiling.windows import Window
from geosrseg.datasets.card.image_format import ImageFormat
from geosrseg.errors import DatasetError, SceneError
from geosrseg.raster.files.grid import Grid
from geosrseg.raster.files.raster_files import RasterFiles
from geosrseg.raster.files.warp import Warp
from geosrseg.raster.header.bands import SceneBand, choose_bands, listed_bands
from geosrseg.raster.header.header import SceneOptions, describe_bands, read_header
from geosrseg.raster.header.selection import BandSelection
from geosrseg.raster.reading import MAX_PIXELS
from geosrseg.raster.storage.location import Location

SCALE_REMEDY = (
    "write scale, and offset if there is one, into [image] of the dataset card: scale = 0.0001 "
    "for reflectance times 10000, scale = 0.0000275 and offset = -0.2 for Landsat Collection 2 "
    "Level 2, scale = 1 with the values' own range in [bands] for anything else; for images "
    "without a card, geosrseg card FOLDER -o card.toml drafts one"
)


@dataclass(frozen=True)
class DatasetImage:
    """An image of a dataset; see `open_image`.

    Attributes:
        grid: grid of the pixels that are read, after warping.
        selection: the bands, in the card's order.
        warp: brings the image onto `grid`; None where it is there already.
        scale_from: where the radiometry comes from, in words.
    """

    path: Path
    grid: Grid
    selection: BandSelection
    radiometry: Radiometry
    files: RasterFiles
    warp: Warp | None = None
    scale_from: str = "the card"

    def read(
        self, window: Window, *, normalization: Normalization
    ) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Return (bands, rows, cols) network input in [0, 1], and valid (rows, cols).

        Raises:
            DatasetError: the window cannot be decoded.
        """
        numbers, valid = self.read_numbers(window)
        inputs = normalize_bands(
            numbers, valid, radiometry=self.radiometry, normalization=normalization
        )
        return inputs, valid

    def read_valid(self, window: Window) -> NDArray[np.bool_]:
        """Return (rows, cols): True where every band has a measurement."""
        return self.read_numbers(window)[1]

    def read_numbers(self, window: Window) -> tuple[NDArray[np.generic], NDArray[np.bool_]]:
        """Return stored digital numbers (bands, rows, cols), and valid (rows, cols)."""
        with self.files.use(self.path, self.warp) as dataset:
            return self.selection.read(dataset, window)


def open_image(
    path: Path, *, bands: tuple[str, ...], stored: ImageFormat, files: RasterFiles
) -> DatasetImage:
    """Open an image and check it against its card.

    Args:
        bands: names of the card's bands.
        stored: what the card says of the file; the file itself says the rest.

    Raises:
        DatasetError: the image cannot be opened, or contradicts the card.
    """
    with files.use(path) as dataset:
        _check_bands(path, describe_bands(dataset), bands, stored)
        try:
            header = read_header(
                dataset,
                Location.of(path),
                SceneOptions(
                    model_bands=bands,
                    bands=",".join(map(str, stored.indexes)) if stored.indexes else None,
                    scale=1.0 if stored.radiometry else None,
                    max_pixels=MAX_PIXELS,
                    scale_remedy=SCALE_REMEDY,
                ),
            )
        except SceneError as error:
            raise DatasetError(f"{path}: {error}") from error
        selection = header.files[0].selection
        stated = {(dataset.scales[i - 1], dataset.offsets[i - 1]) for i in selection.indexes}
    radiometry = stored.radiometry or header.radiometry
    guessed = stated == {(1.0, 0.0)} and radiometry != Radiometry.uniform(len(bands))
    source = "the card" if stored.radiometry else "its values" if guessed else "the file"
    if stored.nodata is not None:
        selection = replace(selection, nodata=(stored.nodata,) * len(bands))
    return DatasetImage(path, header.grid, selection, radiometry, files, scale_from=source)


def _check_bands(
    path: Path, found: Sequence[SceneBand], bands: tuple[str, ...], stored: ImageFormat
) -> None:
    """Refuse an image without the card's bands, in the words of a card.

    The card alone says which band is which: a network would learn a guessed order.
    """
    shown = listed_bands(found)
    if stored.indexes:
        wanted = set(stored.indexes)
        there = {band.index for band in found}
        unread = {band.index for band in found if not band.is_alpha} - wanted
        if wanted - there or (stored.example and unread):
            beside = f"the card reads the bands {', '.join(map(str, stored.indexes))}"
            if stored.example:
                beside = f"{stored.example} has {len(wanted)}"
            raise DatasetError(
                f"{path} has {shown}, and {beside}: all images of a dataset need the same bands"
            )
        return
    try:
        choose_bands(found, model_bands=bands, option=None)
    except SceneError as error:
        dots = ", ".join([".."] * len(bands))
        raise DatasetError(
            f"{path} has {shown}, and [bands] of the card names {', '.join(bands)}: write "
            f"bands = [{dots}] into [image] of the card, the numbers of the file's bands in the "
            "order of [bands]"
        ) from error
