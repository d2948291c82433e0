"""Makes the gallery's pictures from chips of Harmonized Landsat and Sentinel-2.

    python docs/figures/gallery.py HLS30

HLS30 is the folder `hls30` of docs/datasets/landcover.toml. Each picture shows a chip of the
validation split: the image, the map of the default model, and the labels.
"""

import sys
from pathlib import Path

import numpy as np
import rasterio
from numpy.typing import NDArray

import geosrseg
from geosrseg.products.quicklook import write_png
from geosrseg.raster.composite import EMPTY, find_limits, stretch
from geosrseg.raster.storage.gdal import unreferenced_allowed

CHIPS = {
    "river": "077",
    "farmland": "063",
    "mountains": "037",
    "town": "263",
    "ploughed": "021",
    "forest-river": "105",
    "savanna": "210",
}
NATURAL = [2, 1, 0]
GAP, ZOOM = 8, 3


def main(folder: Path) -> None:
    with geosrseg.open_model() as model:
        for name, chip in CHIPS.items():
            numbers = read(folder / "images" / f"{chip}.tif")
            labels = read(folder / "labels" / f"{chip}.tif")
            found = model.map_array(numbers, band_names=model.spec.bands, scale=1e-4, offset=0)
            palette = model.spec.legend.palette()
            palette[[0, 255]] = EMPTY
            natural, valid = numbers[NATURAL], np.ones(numbers.shape[1:], bool)
            panels = [
                zoomed(stretch(natural, valid, find_limits(natural, valid))),
                palette[found.labels],
                zoomed(palette[labels[0]]),
            ]
            gap = np.full((panels[0].shape[0], GAP, 3), 255, np.uint8)
            picture = np.concatenate([panels[0], gap, panels[1], gap, panels[2]], axis=1)
            write_png(Path(__file__).with_name(f"gallery-{name}.png"), picture)


def read(path: Path) -> NDArray[np.generic]:
    """Return the numbers of a chip, (bands, rows, cols)."""
    with unreferenced_allowed(), rasterio.open(path) as dataset:
        return dataset.read()


def zoomed(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a picture of the source grid in target pixels."""
    return picture.repeat(ZOOM, axis=0).repeat(ZOOM, axis=1)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
