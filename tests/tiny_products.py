"""Small Landsat Collection 2 products, as a folder, a tar and a STAC item."""

import json
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from affine import Affine

from geosrseg.raster.landsat.product_id import INSTRUMENTS
from geosrseg.raster.storage.gdal import unreferenced_allowed

LEVEL_2 = "LC08_L2SP_204023_20200927_20201006_02_T1"
LEVEL_1 = "LC09_L1TP_204023_20220927_20221006_02_T1"
TM = "LT05_L2SP_204023_19900927_20201006_02_T1"
ETM_LEVEL_1 = "LE07_L1TP_204023_20000927_20201006_02_T1"

HEIGHT, WIDTH = 40, 56
TRANSFORM = Affine(30, 0, 487_005, 0, -30, 5_929_995)
SUN_ELEVATION = 30.0  # its sine is one half

FILL, DILATED, CIRRUS, CLOUD, SHADOW, SNOW = (1 << bit for bit in range(6))
CLEAR = 1 << 6

STAC_KEYS = {"nir": "nir08", "swir1": "swir16", "swir2": "swir22"}


def numbers(product: str) -> dict[str, int]:
    """The product's bands, by name."""
    return dict(INSTRUMENTS[product[:4]][1])


def band_numbers(product: str) -> np.ndarray:
    """(bands, rows, cols) digital numbers with two columns of fill at the left."""
    dtype = np.uint8 if product == ETM_LEVEL_1 else np.uint16
    top = 250 if dtype == np.uint8 else 43_000
    shape = (len(numbers(product)), HEIGHT, WIDTH)
    values = np.random.default_rng(5).integers(top // 6, top, shape).astype(dtype)
    values[:, :, :2] = 0
    return values


def write_product(
    folder: Path,
    product: str = LEVEL_2,
    *,
    qa_pixel: np.ndarray | None = None,
    qa_radsat: np.ndarray | None = None,
    mtl: str | None = "txt",
    georeferenced: bool = True,
    bands: np.ndarray | None = None,
    **profile: Any,
) -> Path:
    """Write a product's files into `folder`; returns it."""
    folder.mkdir(parents=True, exist_ok=True)
    values = band_numbers(product) if bands is None else bands
    prefix = "SR_" if "_L2" in product else ""
    files = {
        f"{product}_{prefix}B{number}.TIF": band
        for number, band in zip(numbers(product).values(), values, strict=True)
    }
    if qa_pixel is not None:
        files[f"{product}_QA_PIXEL.TIF"] = qa_pixel.astype(np.uint16)
    if qa_radsat is not None:
        files[f"{product}_QA_RADSAT.TIF"] = qa_radsat.astype(np.uint16)
    settings = {"crs": "EPSG:32630", "transform": TRANSFORM} if georeferenced else {}
    for name, band in files.items():
        with (
            unreferenced_allowed(),
            rasterio.open(
                folder / name, "w", driver="GTiff", count=1, height=band.shape[0],
                width=band.shape[1], dtype=band.dtype.name, **(settings | profile),
            ) as dataset,
        ):  # fmt: skip
            dataset.write(band, 1)
    if mtl is not None:
        path = folder / f"{product}_MTL.{mtl}"
        path.write_text(_MTL_WRITERS[mtl](mtl_groups(product)), encoding="utf-8")
    return folder


def mtl_groups(product: str) -> dict[str, dict[str, Any]]:
    """What the MTL says; a Level 2 product's repeats keys of its Level 1 source."""

    def rescaling(scale: float, offset: float) -> dict[str, float]:
        found = numbers(product).values()
        return {f"REFLECTANCE_MULT_BAND_{number}": scale for number in found} | {
            f"REFLECTANCE_ADD_BAND_{number}": offset for number in found
        }

    groups: dict[str, dict[str, Any]] = {
        "PRODUCT_CONTENTS": {"LANDSAT_PRODUCT_ID": product},
        "IMAGE_ATTRIBUTES": {"SUN_ELEVATION": SUN_ELEVATION},
        "PROJECTION_ATTRIBUTES": {
            "MAP_PROJECTION": "UTM", "DATUM": "WGS84", "UTM_ZONE": 30,
            "GRID_CELL_SIZE_REFLECTIVE": 30.0,
            "REFLECTIVE_LINES": HEIGHT, "REFLECTIVE_SAMPLES": WIDTH,
            "CORNER_UL_PROJECTION_X_PRODUCT": 487_020.0,
            "CORNER_UL_PROJECTION_Y_PRODUCT": 5_929_980.0,
            "CORNER_LR_PROJECTION_X_PRODUCT": 487_020.0 + 30 * (WIDTH - 1),
            "CORNER_LR_PROJECTION_Y_PRODUCT": 5_929_980.0 - 30 * (HEIGHT - 1),
        },
    }  # fmt: skip
    if "_L2" in product:
        groups["LEVEL2_SURFACE_REFLECTANCE_PARAMETERS"] = rescaling(2.75e-05, -0.2)
    groups["LEVEL1_RADIOMETRIC_RESCALING"] = rescaling(2.0e-05, -0.1)
    return groups


def _odl(groups: dict[str, dict[str, Any]]) -> str:
    lines = ["GROUP = LANDSAT_METADATA_FILE"]
    for name, values in groups.items():
        quoted = ((k, f'"{v}"' if isinstance(v, str) else v) for k, v in values.items())
        lines += [f"  GROUP = {name}", *(f"    {key} = {value}" for key, value in quoted)]
        lines += [f"  END_GROUP = {name}"]
    return "\n".join([*lines, "END_GROUP = LANDSAT_METADATA_FILE", "END", "\0" * 9])


def _json(groups: dict[str, dict[str, Any]]) -> str:
    texts = {name: {k: str(v) for k, v in values.items()} for name, values in groups.items()}
    return json.dumps({"LANDSAT_METADATA_FILE": texts})


def _xml(groups: dict[str, dict[str, Any]]) -> str:
    inside = "".join(
        f"<{name}>{''.join(f'<{k}>{v}</{k}>' for k, v in values.items())}</{name}>"
        for name, values in groups.items()
    )
    return f'<?xml version="1.0"?><LANDSAT_METADATA_FILE>{inside}</LANDSAT_METADATA_FILE>'


_MTL_WRITERS = {"txt": _odl, "json": _json, "xml": _xml}


def write_tar(folder: Path, *, prefix: str = "", mode: Any = "w", suffix: str = ".tar") -> Path:
    """Pack a product's folder; returns the tar beside it."""
    path = folder.with_name(folder.name + suffix)
    with tarfile.open(path, mode) as archive:
        for file in sorted(folder.iterdir()):
            member = archive.gettarinfo(file)
            member.name = f"{prefix}{file.name}"
            with file.open("rb") as content:
                archive.addfile(member, content)
    return path


def write_item(folder: Path, *, base: str = "./", **changes: Any) -> Path:
    """Describe a product's folder as a STAC item inside it; returns its path."""
    files = sorted(file.name for file in folder.iterdir() if file.suffix != ".json")
    product = "_".join(next(name for name in files if name.endswith("2.TIF")).split("_")[:7])
    names = {number: name for name, number in numbers(product).items()}
    assets: dict[str, Any] = {}
    for name in files:
        tail = name.removeprefix(f"{product}_").removeprefix("SR_").removesuffix(".TIF")
        asset: dict[str, Any] = {"href": f"{base}{name}"}
        key = tail.lower()
        if key.removeprefix("b").isdigit():
            band = names[int(key[1:])]
            key = STAC_KEYS.get(band, band)
            if "_L2" in product:
                asset["raster:bands"] = [{"scale": 2.75e-05, "offset": -0.2, "nodata": 0}]
        assets[key] = asset
    item = {
        "type": "Feature", "stac_version": "1.0.0", "id": f"{product}_SR",
        "properties": {}, "assets": assets, **changes,
    }  # fmt: skip
    path = folder / f"{product}_stac.json"
    path.write_text(json.dumps(item), encoding="utf-8")
    return path
