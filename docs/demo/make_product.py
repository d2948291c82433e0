"""Makes a small Landsat product from the demo scene, for the tutorials.

Bands and numbers are those of liverpool.tif. The quality file is invented, with one cloud and its
shadow, because the original is not in the repository.

    python docs/demo/make_product.py

writes LC08_L2SP_204023_20200927_20201006_02_T1.tar into the current folder.
"""

import tarfile
import tempfile
from pathlib import Path

import numpy as np
import rasterio

PRODUCT = "LC08_L2SP_204023_20200927_20201006_02_T1"
CLEAR, CLOUD, SHADOW = 1 << 6, 1 << 3, 1 << 4  # bits of QA_PIXEL
CLOUD_CENTRE, SHADOW_CENTRE, RADIUS = (45, 205), (58, 188), 22  # (row, col), pixels


def main() -> None:
    with (
        rasterio.open(Path(__file__).with_name("liverpool.tif")) as scene,
        tempfile.TemporaryDirectory() as folder,
        tarfile.open(f"{PRODUCT}.tar", "w") as product,
    ):
        profile = {**scene.profile, "count": 1, "nodata": 0}
        bands = {f"SR_B{number}": scene.read(number - 1) for number in range(2, 8)}
        for name, values in {**bands, "QA_PIXEL": quality(scene.shape)}.items():
            path = Path(folder, f"{PRODUCT}_{name}.TIF")
            with rasterio.open(path, "w", **profile) as file:
                file.write(values, 1)
            product.add(path, path.name)


def quality(shape: tuple[int, int]) -> np.ndarray:
    """Return QA_PIXEL, clear except for one cloud and its shadow."""
    flags = np.full(shape, CLEAR, np.uint16)
    for (row, col), flag in ((SHADOW_CENTRE, SHADOW), (CLOUD_CENTRE, CLOUD)):
        rows, cols = np.ogrid[: shape[0], : shape[1]]
        flags[(rows - row) ** 2 + (cols - col) ** 2 < RADIUS**2] = flag
    return flags


if __name__ == "__main__":
    main()
