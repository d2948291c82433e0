"""PolygonReference: polygons of a vector file as a reference, rasterized on an image's grid."""

import warnings
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import shapely
from numpy.typing import NDArray

from geosrseg.core.tiling.windows import Window
from geosrseg.datasets.card.polygon_column import PolygonColumn
from geosrseg.datasets.card.reference_coding import NO_CODE, ReferenceCoding
from geosrseg.errors import DatasetError, DatasetWarning, OutputError
from geosrseg.raster.files.burning import burn
from geosrseg.raster.files.features import read_features
from geosrseg.raster.files.grid import Grid


@dataclass(frozen=True, slots=True, eq=False)
class PolygonReference:
    """Polygons with a class each; see `open_polygons`.

    A polygon contains the pixels whose centres it contains. Where polygons overlap, the later
    one counts.

    Attributes:
        coding: codes are class indices.
        tree: the polygons, in the CRS of the grid.
        codes: (polygons,) code of each polygon.
        elsewhere: code of ground without a polygon.
        grid: grid of the image.
    """

    path: Path
    coding: ReferenceCoding
    tree: shapely.STRtree
    codes: NDArray[np.int32]
    elsewhere: int
    grid: Grid

    def read(self, window: Window) -> NDArray[np.uint8]:
        """Return (rows, cols) class indices of a window inside the grid; NODATA where ignored."""
        return self.coding.decode(self.read_codes(window))

    def read_codes(self, window: Window) -> NDArray[np.int32]:
        """Return (rows, cols) codes of a window."""
        part = self.grid.part(window)
        left, bottom, right, top = part.bounds
        near = np.sort(self.tree.query(shapely.box(left, bottom, right, top)))
        shapes = [(self.tree.geometries[index], int(self.codes[index])) for index in near]
        if not shapes:
            return np.full((window.height, window.width), self.elsewhere, np.int32)
        return burn(shapes, part, fill=self.elsewhere, dtype=np.int32)


def open_polygons(
    path: Path, *, column: PolygonColumn, coding: ReferenceCoding, grid: Grid
) -> PolygonReference:
    """Read the polygons of a reference.

    Args:
        path: any vector file that pyogrio reads.
        column: column with the classes, and what its values mean.
        coding: codes are class indices.
        grid: grid of the image.

    Warns:
        DatasetWarning: polygons have a value that belongs to no class; they are ignored.

    Raises:
        DatasetError: the file cannot be read, or lacks the column, or has other geometries.
    """
    try:
        found = read_features(path, grid, column=column.name, kinds="Polygon")
    except OutputError as error:
        raise DatasetError(str(error)) from error
    codes = [column.code_of(value) for value in found.values]
    unknown = Counter(
        str(value) for value, code in zip(found.values, codes, strict=True) if code is None
    )
    if unknown:
        listed = ", ".join(f"{value!r} ({count})" for value, count in unknown.most_common(5))
        warnings.warn(
            f"{path}: {unknown.total()} polygons have a value of {column.name} that the card "
            f"assigns to no class: {listed}; their ground is ignored. List these values under "
            "`ignored` in the card to silence this warning",
            DatasetWarning,
            stacklevel=2,
        )
    return PolygonReference(
        path,
        coding,
        shapely.STRtree(found.geometries),
        np.array([NO_CODE if code is None else code for code in codes], np.int32),
        NO_CODE if column.elsewhere is None else column.elsewhere,
        grid,
    )
