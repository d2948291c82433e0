"""Small GeoTIFFs, written with rasterio."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from affine import Affine
from rasterio.crs import CRS

from geosrseg.core.legend import Legend, LegendClass
from geosrseg.raster.files.grid import Grid
from geosrseg.raster.storage.gdal import unreferenced_allowed

BANDS = ("green", "red", "nir")
UTM = CRS.from_epsg(32636)
NORTH_UP = Affine(30, 0, 800_000, 0, -30, 850_000)

WriteScene = Callable[..., Path]


@pytest.fixture
def write_scene(tmp_path: Path) -> WriteScene:
    """Write (bands, rows, cols) numbers as a GeoTIFF; returns its path."""

    def write(
        numbers: np.ndarray,
        *,
        name: str = "scene.tif",
        bands: tuple[str, ...] | None = BANDS,
        mask: np.ndarray | None = None,
        scales: float | None = None,
        offsets: float = 0.0,
        alpha: int | None = None,
        **profile: Any,
    ) -> Path:
        path = tmp_path / name
        count, height, width = numbers.shape
        settings = {"crs": UTM, "transform": NORTH_UP, "dtype": numbers.dtype.name} | profile
        with (
            unreferenced_allowed(),
            rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True),
            rasterio.open(
                path, "w", driver="GTiff", count=count, height=height, width=width, **settings
            ) as dataset,
        ):
            dataset.write(numbers)
            for index, band in enumerate(bands or (), start=1):
                dataset.set_band_description(index, band)
            if scales is not None:
                dataset.scales, dataset.offsets = (scales,) * count, (offsets,) * count
            if alpha is not None:
                meanings = list(dataset.colorinterp)
                meanings[alpha - 1] = rasterio.enums.ColorInterp.alpha
                dataset.colorinterp = meanings
            if mask is not None:
                dataset.write_mask(mask)
        return path

    return write


@pytest.fixture
def reflectance() -> np.ndarray:
    """(3, 37, 53) float32 reflectance."""
    return np.random.default_rng(1).uniform(0.01, 0.6, (3, 37, 53)).astype(np.float32)


@pytest.fixture
def legend() -> Legend:
    """Three classes with a gap between their ids."""
    return Legend(
        (
            LegendClass(1, "cropland", "#e8c868"),
            LegendClass(2, "bamboo & <reed>", "#9bc53d"),
            LegendClass(5, "café", "#7a4419"),
        )
    )


@pytest.fixture
def grid() -> Grid:
    """A grid that divides by nothing, with more than one block and an overview."""
    return Grid(UTM, NORTH_UP, 701, 1333)


@pytest.fixture
def labels(grid: Grid, legend: Legend) -> np.ndarray:
    """Random labels on `grid`, nodata among them."""
    values = np.array([*legend.ids, 255], np.uint8)
    return np.random.default_rng(2).choice(values, (grid.height, grid.width))
