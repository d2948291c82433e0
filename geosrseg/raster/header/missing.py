"""Handles pixels that have a number in some bands only, as ``nodata_if`` says."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from rasterio.io import DatasetReader

from geosrseg.core.spec import ModelSpec
from geosrseg.core.tiling.windows import Window
from geosrseg.raster.header.header import SceneHeader
from geosrseg.raster.header.quality import NOTHING
from geosrseg.raster.header.sample import Pixels, take_sample
from geosrseg.raster.reading import NodataIf

MOST = 0.5
"""Share of a scene; a warning follows where one band alone makes more of it nodata."""


def with_nodata_if(header: SceneHeader, nodata_if: NodataIf, spec: ModelSpec | None) -> SceneHeader:
    """The header of a scene whose missing pixels are handled as `nodata_if` says.

    Flags mark empty pixels for all bands at once, so unless `nodata_if` is "any" only the bands
    themselves count. What the user masks stays masked.

    Args:
        spec: the model, whose fill replaces missing numbers; reflectance 0 if None.
    """
    if nodata_if == "any":
        return header
    stand_ins = iter(_stand_ins(header, spec))
    files = []
    for file in header.files:
        own = tuple(next(stand_ins) for _ in file.selection.indexes)
        files.append(
            replace(file, selection=replace(file.selection, nodata_if=nodata_if, stand_in=own))
        )
    quality = tuple(replace(flags, fill=NOTHING) for flags in header.quality)
    return replace(header, files=tuple(files), quality=quality)


def _stand_ins(header: SceneHeader, spec: ModelSpec | None) -> list[float]:
    """The digital number of each band that is normalised to the model's fill."""
    reflectance = np.zeros(len(header.band_names))
    if spec is not None:
        normal = spec.normalization
        low, high, fill = map(np.array, (normal.low, normal.high, normal.fill))
        reflectance = low + fill * (high - low)
    scale, offset = map(np.array, (header.radiometry.scale, header.radiometry.offset))
    return list(((reflectance - offset) / scale).tolist())


def describe_losses(
    header: SceneHeader, datasets: Sequence[DatasetReader], *, has_overviews: bool
) -> list[str]:
    """A warning for each band that lacks most pixels, while others have them.

    Args:
        datasets: the open files of the header's `files`.
        has_overviews: a reduced copy is cheap to read.

    Raises:
        RasterioError: a block cannot be decoded.
    """

    def present(window: Window, shape: tuple[int, int] | None = None) -> Pixels:
        found = [
            file.selection.present(dataset, window, shape=shape)
            for file, dataset in zip(header.files, datasets, strict=True)
        ]
        bands = np.concatenate([each for each, _ in found])
        return bands, np.logical_or.reduce(bands)

    size = header.grid.height, header.grid.width
    nothing = np.empty((len(header.band_names), 0), np.bool_)
    sample = take_sample(present, *size, nothing, has_overviews=has_overviews)
    pixels = sum(part.valid.size for part in sample.parts)
    lost = (~sample.values.astype(np.bool_)).sum(axis=1) / max(pixels, 1)
    return [
        f"{name} is nodata in {share:.0%} of the scene where other bands have data: that part is "
        "nodata in the map, unless `nodata_if` is all"
        for name, share in zip(header.band_names, lost.tolist(), strict=True)
        if share > MOST
    ]
