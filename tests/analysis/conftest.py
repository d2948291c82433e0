"""A small class map of ours, and the legend and grid that it has."""

from pathlib import Path

import numpy as np
import pytest
from affine import Affine
from rasterio.crs import CRS

from geosrseg.core.legend import Legend, LegendClass
from geosrseg.raster.files.grid import Grid
from tests.raster.conftest import reflectance, write_scene
from tests.tiny_maps import write_class_map

__all__ = ["reflectance", "write_scene"]

LEGEND = Legend(
    (
        LegendClass(1, "water", "#2166ac"),
        LegendClass(2, "forest", "#1b7837"),
        LegendClass(5, "cropland", "#e8c868"),
    )
)
GRID = Grid(CRS.from_epsg(32636), Affine(10, 0, 500_000, 0, -10, 4_000_000), 60, 80)


@pytest.fixture
def labels() -> np.ndarray:
    """(60, 80) class ids in patches of 5 pixels; the first 4 columns are nodata."""
    patches = np.random.default_rng(3).choice(LEGEND.ids, (12, 16)).astype(np.uint8)
    labels = patches.repeat(5, axis=0).repeat(5, axis=1)
    labels[:, :4] = 255
    return labels


@pytest.fixture
def class_map(tmp_path: Path, labels: np.ndarray) -> Path:
    """The labels as `predict` would publish them."""
    return write_class_map(tmp_path / "map.tif", labels, grid=GRID, legend=LEGEND)


def write_polygons(path: Path, geometries, *, crs="EPSG:32636", **columns) -> Path:
    """Write polygons or points with columns."""
    import pyogrio
    import shapely

    pyogrio.raw.write(
        path,
        shapely.to_wkb(np.array(geometries, np.object_)),
        [np.array(values, np.object_ if isinstance(values[0], str) else None)
         for values in columns.values()],
        list(columns),
        geometry_type=geometries[0].geom_type,
        crs=crs,
    )  # fmt: skip
    return path
