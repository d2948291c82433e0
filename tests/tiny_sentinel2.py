"""Small Sentinel-2 products with names and metadata like real ones, as folder and ZIP archive."""

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from affine import Affine

LEVEL_2A = "S2B_MSIL2A_20220413T150759_N0400_R025_T33XWJ_20220414T082126"
LEVEL_1C = "S2A_MSIL1C_20210908T042701_N0301_R133_T46RER_20210908T070248"

SIDE = 72
"""Pixels of 10 m: also whole ones of 20, 30 and 60 m."""

CORNER = 499_980.0, 8_700_000.0

NATIVE = {
    **dict.fromkeys(("B02", "B03", "B04", "B08"), 10),
    **dict.fromkeys(("B05", "B06", "B07", "B8A", "B11", "B12"), 20),
    **dict.fromkeys(("B01", "B09", "B10"), 60),
}

_LEVEL = """<?xml version='1.0' encoding='UTF-8'?>
<n1:Level-{level}_User_Product xmlns:n1="https://psd-14.sentinel2.eo.esa.int/PSD/U.xsd">
  <n1:General_Info>
    <Product_Info>
      <PRODUCT_START_TIME>{start}.024Z</PRODUCT_START_TIME>
      <PRODUCT_URI>{name}.SAFE</PRODUCT_URI>
      <PROCESSING_LEVEL>Level-{level}</PROCESSING_LEVEL>
      <PROCESSING_BASELINE>{baseline}</PROCESSING_BASELINE>
      <Datatake datatakeIdentifier="G">
        <SPACECRAFT_NAME>Sentinel-2{satellite}</SPACECRAFT_NAME>
      </Datatake>
      <Product_Organisation><Granule_List><Granule imageFormat="JPEG2000">
        <IMAGE_FILE>../../../../etc/passwd</IMAGE_FILE>
      </Granule></Granule_List></Product_Organisation>
    </Product_Info>
    <Product_Image_Characteristics>{values}</Product_Image_Characteristics>
  </n1:General_Info>
</n1:Level-{level}_User_Product>
"""


def metadata(name: str, *, baseline: str | None = None, offset: int | None = None) -> str:
    """The text of a product's MTD file."""
    level, tag = ("2A", "BOA") if "L2A" in name else ("1C", "RADIO")
    stated = f"{name[28:30]}.{name[30:32]}" if baseline is None else baseline
    if offset is None:
        offset = -1000 if float(stated) >= 4 else 0
    unit = "BOA_QUANTIFICATION_VALUE" if level == "2A" else "QUANTIFICATION_VALUE"
    values = f'<{unit} unit="none">10000</{unit}>' + "".join(
        f'<{tag}_ADD_OFFSET band_id="{number}">{offset}</{tag}_ADD_OFFSET>'
        for number in range(13 * (offset != 0))
    )
    start = f"{name[11:15]}-{name[15:17]}-{name[17:19]}T{name[20:22]}:{name[22:24]}:{name[24:26]}"
    return _LEVEL.format(
        level=level, start=start, name=name, baseline=stated, satellite=name[2], values=values
    )


def band_numbers(band: str) -> np.ndarray:
    """(rows, cols) of a band's native pixels, of which the first ones have no data."""
    side = SIDE * 10 // NATIVE[band]
    seed = sorted(NATIVE).index(band)
    values = np.random.default_rng(seed).integers(1100, 6000, (side, side)).astype(np.uint16)
    values[: 60 // NATIVE[band], : 60 // NATIVE[band]] = 0
    return values


def write_jp2(path: Path, values: np.ndarray, metres: int, **profile: Any) -> None:
    """Write a lossless JPEG 2000 file of one or several bands."""
    path.parent.mkdir(parents=True, exist_ok=True)
    bands = np.atleast_3d(values.T).T
    settings: dict[str, Any] = {
        "driver": "JP2OpenJPEG", "QUALITY": "100", "REVERSIBLE": "YES", "crs": "EPSG:32633",
        "transform": Affine(metres, 0, CORNER[0], 0, -metres, CORNER[1]),
    }  # fmt: skip
    with rasterio.open(
        path, "w", count=len(bands), height=bands.shape[1], width=bands.shape[2],
        dtype=bands.dtype.name, **(settings | profile),
    ) as dataset:  # fmt: skip
        dataset.write(bands)


def write_safe(
    folder: Path, name: str = LEVEL_2A, *, scl: np.ndarray | None = None, text: str | None = None
) -> Path:
    """Write a product's SAFE folder into `folder`; returns it."""
    safe = folder / f"{name}.SAFE"
    is_level_2 = "L2A" in name
    level, tile, start = name[7:10], name[38:44], name[11:26]
    granule = safe / "GRANULE" / f"{level}_{tile}_A026649_{start}"
    for band, metres in NATIVE.items():
        if is_level_2:
            place = granule / "IMG_DATA" / f"R{metres}m" / f"{tile}_{start}_{band}_{metres}m.jp2"
        else:
            place = granule / "IMG_DATA" / f"{tile}_{start}_{band}.jp2"
        if not (is_level_2 and band == "B10"):
            write_jp2(place, band_numbers(band), metres)
    if is_level_2:
        coarse = granule / "IMG_DATA" / "R60m" / f"{tile}_{start}_B02_60m.jp2"
        write_jp2(coarse, np.full((SIDE // 6, SIDE // 6), 9999, np.uint16), 60)
        flags = np.full((SIDE // 2, SIDE // 2), 4, np.uint8) if scl is None else scl
        write_jp2(granule / "IMG_DATA" / "R20m" / f"{tile}_{start}_SCL_20m.jp2", flags, 20)
    for place in (granule / "QI_DATA", safe / "DATASTRIP" / "DS" / "QI_DATA"):
        place.mkdir(parents=True)
        (place / "FORMAT_CORRECTNESS.xml").write_text("<report/>", encoding="utf-8")
    xml = metadata(name) if text is None else text
    (safe / f"MTD_MSI{level}.xml").write_text(xml, encoding="utf-8")
    (safe / "manifest.safe").write_text("<xfdu/>", encoding="utf-8")
    return safe


def write_zip(safe: Path, **more: Any) -> Path:
    """Pack a SAFE folder as it is downloaded; returns the archive beside it."""
    path = safe.with_suffix(".zip")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, **more) as archive:
        for file in sorted(safe.rglob("*")):
            archive.write(file, file.relative_to(safe.parent))
    return path
