"""A small labelled dataset whose classes are told apart by their brightness."""

from pathlib import Path

import numpy as np
import rasterio
from affine import Affine

HEIGHT, WIDTH = 160, 192
BANDS = ("red", "nir")
TRANSFORM = Affine(30, 0, 800_000, 0, -30, 850_000)

CARD = """
name = "squares"
licence = "CC0"
source = "this test"
guard = 8
ignored = [7]

[bands]
red = [0.0, 0.5]
nir = [0.0, 1.0]

[[classes]]
id = 1
name = "dark"
colour = "#222222"

[[classes]]
id = 4
name = "bright"
colour = "#eeeeee"

[[scenes]]
image = "image.tif"
reference = "reference.tif"
split = "split.tif"
"""


def write_dataset(folder: Path, *, card: str = CARD, side: int = 24) -> Path:
    """Write image, reference, split and card into a folder; returns the card's path.

    Squares of `side` pixels alternate between class 1 (reflectance 0.1) and 4 (0.4), with a
    little noise. The first rows of the reference hold 7, which no class has.
    """
    rows, cols = np.mgrid[:HEIGHT, :WIDTH] // side
    bright = (rows + cols) % 2 == 1
    noise = np.random.default_rng(0).normal(0, 0.01, (2, HEIGHT, WIDTH))
    image = np.where(bright, 0.4, 0.1) + noise
    reference = np.where(bright, 4, 1).astype(np.uint8)
    reference[:5] = 7
    split = np.where(np.arange(WIDTH) < WIDTH // 2, 1, 2) * np.ones((HEIGHT, 1))
    write_raster(folder / "image.tif", (image * 10_000).astype(np.int16), names=BANDS)
    write_raster(folder / "reference.tif", reference[None])
    write_raster(folder / "split.tif", split.astype(np.uint8)[None])
    path = folder / "squares.toml"
    path.write_text(card, encoding="utf-8")
    return path


def write_raster(
    path: Path,
    values: np.ndarray,
    *,
    names: tuple[str, ...] = (),
    crs: str | None = "EPSG:32636",
    transform: Affine = TRANSFORM,
) -> None:
    """Write (bands, rows, cols); named bands get the scale of reflectance x 10000."""
    count, height, width = values.shape
    profile = {"driver": "GTiff", "count": count, "height": height, "width": width}
    with rasterio.open(
        path, "w", dtype=values.dtype.name, crs=crs, transform=transform, **profile
    ) as file:
        file.write(values)
        if names:
            file.scales, file.descriptions = (1e-4,) * count, names
