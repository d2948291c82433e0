"""Fifty small real scenes of many coordinate systems and sensors, of which three are broken.

They are cut from the shared data: Landsat 7 and 8 as products and as files, HLS, and
Sentinel-2 averaged to 30 m, in their own zones or warped to other systems.
"""

import shutil
from pathlib import Path

import numpy as np
import rasterio
from affine import Affine
from numpy.typing import NDArray
from rasterio.enums import Resampling
from rasterio.warp import calculate_default_transform, reproject
from rasterio.windows import Window

NAMES = ("blue", "green", "red", "nir", "swir1", "swir2")

SYSTEMS = ("EPSG:32636", "EPSG:32637", "EPSG:20136", "EPSG:3857", "EPSG:6933", "EPSG:4326")
"""Of the crops of one Landsat 7 scene in Ethiopia."""

BROKEN = ("rgb", "cut", "vanished")


def make_scenes(data: Path, folder: Path, *, side: int = 72) -> list[Path]:
    """Write the scenes into a folder; `vanished` is to be removed once it is planned.

    Args:
        data: the shared data.
        folder: where they go.
        side: pixels of a crop.
    """
    folder.mkdir(parents=True, exist_ok=True)
    crops = _landsat_7(data / "gewata" / "landsat7_sr_30m.tif", folder, side)
    made = [*crops, *_sentinel_2(data / "landcover" / "s2_world", folder), *_products(data, folder)]
    made += _chips(data / "landcover" / "hls30", folder, 50 - len(BROKEN) - len(made))
    return made + _broken(data, folder, crops[0])


def _landsat_7(source: Path, folder: Path, side: int) -> list[Path]:
    made = []
    with rasterio.open(source) as dataset:
        for number in range(18):
            window = Window(60 * number, 50 * number, side, side)
            values = dataset.read(window=window)
            path = folder / f"LE07_crop{number:02}.tif"
            crs = SYSTEMS[number % len(SYSTEMS)]
            values, transform = _warped(
                values, dataset.crs, dataset.window_transform(window), crs, -9999
            )
            _write(path, values, crs=crs, transform=transform, nodata=-9999)
            made.append(path)
    return made


def _warped(
    values: NDArray[np.int16], own: object, transform: Affine, crs: str, nodata: int
) -> tuple[NDArray[np.int16], Affine]:
    if own == crs:
        return values, transform
    height, width = values.shape[1:]
    bounds = rasterio.transform.array_bounds(height, width, transform)
    there, cols, rows = calculate_default_transform(own, crs, width, height, *bounds)
    warped = np.full((len(values), rows, cols), nodata, values.dtype)
    reproject(
        values, warped, src_transform=transform, src_crs=own, dst_transform=there, dst_crs=crs,
        src_nodata=nodata, dst_nodata=nodata, resampling=Resampling.bilinear,
    )  # fmt: skip
    return warped, there


def _sentinel_2(source: Path, folder: Path) -> list[Path]:
    """Averaged to 30 m, each in its own UTM zone."""
    made = []
    for file in sorted(source.glob("s2_*.tif")):
        if file.stem.endswith(("_dw", "_esri")) or len(made) == 16:
            continue
        with rasterio.open(file) as dataset:
            rows, cols = dataset.height // 3, dataset.width // 3
            values = dataset.read(window=Window(0, 0, cols * 3, rows * 3)).astype(np.float64)
            means = values.reshape(6, rows, 3, cols, 3).mean(axis=(2, 4)).round().astype(np.int16)
            path = folder / f"{file.stem}_30m.tif"
            transform = dataset.transform @ Affine.scale(3)
            _write(path, means, crs=dataset.crs, transform=transform)
            made.append(path)
    return made


def _products(data: Path, folder: Path) -> list[Path]:
    """Landsat 8 products as folders, and a Landsat 7 image of 8 bits whose numbers are scaled."""
    names = [
        "scenes/xlandsat/LC08_L2SP_204023_20200927_20201006_02_T1",
        "scenes/xlandsat/LC08_L2SP_017051_20151205_20200908_02_T1",
    ]
    for name in names:
        shutil.copytree(data / name, folder / Path(name).name, dirs_exist_ok=True)
    with rasterio.open(data / "scenes" / "stars_L7_olinda" / "L7_ETMs.tif") as dataset:
        olinda = folder / "LE07_olinda.tif"
        place = {"crs": dataset.crs, "transform": dataset.transform}
        _write(olinda, dataset.read(), scale=1 / 400, **place)
    return [*(folder / Path(name).name for name in names), olinda]


def _chips(source: Path, folder: Path, count: int) -> list[Path]:
    """HLS, which has lost its place on the ground."""
    made = []
    for file in sorted(source.glob("images/*.tif"))[:count]:
        with rasterio.open(file) as dataset:
            values = dataset.read(window=Window(0, 0, 64, 64))
            path = folder / f"HLS_{file.stem}.tif"
            _write(path, values, crs=None, transform=Affine.scale(30, -30), nodata=dataset.nodata)
            made.append(path)
    return made


def _broken(data: Path, folder: Path, whole: Path) -> list[Path]:
    """A scene without infrared bands, one cut in half, and one that will not be there."""
    rgb, cut, vanished = (folder / f"{name}.tif" for name in BROKEN)
    shutil.copy(data / "scenes" / "rasterio_RGBbyte" / "RGB.byte.tif", rgb)
    content = whole.read_bytes()
    cut.write_bytes(content[: len(content) // 2])
    shutil.copy(whole, vanished)
    return [rgb, cut, vanished]


def _write(
    path: Path,
    values: NDArray[np.generic],
    *,
    scale: float = 1e-4,
    nodata: float | None = None,
    **place: object,
) -> None:
    count, height, width = values.shape
    with rasterio.open(
        path, "w", driver="GTiff", dtype=values.dtype, count=count, height=height, width=width,
        nodata=nodata, **place,
    ) as file:  # fmt: skip
        file.write(values)
        file.descriptions, file.scales = NAMES, (scale,) * count
