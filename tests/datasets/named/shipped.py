"""Small files in the layout and under the names that the distributors use."""

import zipfile
from pathlib import Path

import numpy as np
import rasterio

from geosrseg.raster.storage.gdal import unreferenced_allowed

AREAS = (1, 3, 5, 7, 11, 13, 15, 17, 21, 23, 26, 28, 30, 32, 34, 37)
COLOURS = np.array(
    [
        [255, 255, 255],
        [0, 0, 255],
        [0, 255, 255],
        [0, 255, 0],
        [255, 255, 0],
        [255, 0, 0],  # clutter
    ],
    np.uint8,
)


def write(path: Path, values: np.ndarray, *, driver: str = "GTiff") -> Path:
    """Write (bands, rows, cols) without a georeference."""
    path.parent.mkdir(parents=True, exist_ok=True)
    count, height, width = values.shape
    profile = {"driver": driver, "count": count, "height": height, "width": width}
    with unreferenced_allowed(), rasterio.open(path, "w", dtype=values.dtype, **profile) as file:
        file.write(values)
    return path


def zip_folder(folder: Path, path: Path) -> Path:
    """Zip a folder and remove it."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for item in sorted(folder.rglob("*")):
            if item.is_file():
                file.write(item, item.relative_to(folder))
                item.unlink()
    return path


def vaihingen_image(area: int) -> np.ndarray:
    return np.random.default_rng(area).integers(0, 256, (3, 60, 70), np.uint8)


def vaihingen_labels(area: int) -> np.ndarray:
    """(rows, cols) indices of `COLOURS`."""
    return np.random.default_rng(area).integers(0, 6, (60, 70))


def write_vaihingen(folder: Path, *, eroded: str = "", references: str = "gts") -> None:
    """Write ``top/`` and ``dsm/``, and the references into a folder; eroded ones on request."""
    for area in AREAS:
        name = f"top_mosaic_09cm_area{area}"
        write(folder / "top" / f"{name}.tif", vaihingen_image(area))
        write(folder / "dsm" / f"dsm_09cm_matching_area{area}.tif", np.zeros((1, 60, 70), "f4"))
        colours = np.moveaxis(COLOURS[vaihingen_labels(area)], -1, 0)
        write(folder / references / f"{name}.tif", colours)
        if eroded:
            colours[:, 20:23] = 0
            write(folder / eroded / f"{name}_noBoundary.tif", colours)
    write(folder / "top" / "top_mosaic_09cm_area2.tif", vaihingen_image(2))


def thetford_ids(shape: tuple[int, int]) -> np.ndarray:
    return np.random.default_rng(shape[0]).integers(0, 8, (1, *shape)).astype(np.uint8)


def write_thetford(folder: Path, *, header: bool = True, test: str = "TestMap.raw") -> None:
    """Write small versions of both parts of the contest."""
    for image, labels, shape in (
        ("TelopsDatasetCityVisible_20cm_Subset.img", "TrainingMap_ENVI_RAW_format.raw", (600, 560)),
        ("TelopsDatasetCityVisible.img", test, (300, 350)),
    ):
        values = np.random.default_rng(0).integers(0, 256, (3, *shape)).astype(np.uint8)
        write(folder / image, values, driver="ENVI")
        if labels:
            path = write(folder / labels, thetford_ids(shape), driver="ENVI")
            if not header:
                path.with_suffix(".hdr").unlink()
    write(folder / "TelopsDatasetCityLWIR_Subset.img", np.zeros((84, 5, 5), "f4"), driver="ENVI")
