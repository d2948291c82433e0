"""Sentinel-2 by STAC items with the fields that catalogues serve."""

import json
from datetime import date

import numpy as np
import pytest
import rasterio
from affine import Affine

from geosrseg.core.normalize import Radiometry
from geosrseg.core.tiling.windows import Window
from geosrseg.errors import SceneError
from geosrseg.raster.scene import open_scene
from tests.range_server import serve
from tests.tiny_sentinel2 import CORNER, LEVEL_2A, NATIVE, band_numbers, write_safe

BANDS = ("red", "nir", "nir narrow", "swir1")

KEYS = {
    **{"B02": "blue", "B03": "green", "B04": "red", "B08": "nir", "B8A": "nir08"},
    **{"B11": "swir16", "B12": "swir22", "SCL": "scl"},
}
"""Keys of Earth Search: nir08 is Landsat's near infrared elsewhere."""

PLANETARY = LEVEL_2A.replace("_N0400", "")


def write_tiff(path, values, metres):
    path.parent.mkdir(parents=True, exist_ok=True)
    with rasterio.open(
        path, "w", driver="GTiff", count=1, height=len(values), width=len(values),
        dtype=values.dtype.name, crs="EPSG:32633", nodata=0,
        transform=Affine(metres, 0, CORNER[0], 0, -metres, CORNER[1]),
    ) as dataset:  # fmt: skip
        dataset.write(values, 1)


def numbers_of(band):
    if band != "SCL":
        return band_numbers(band)
    classes = np.full_like(band_numbers("B11"), 4, np.uint8)
    classes[20, 20] = 8
    return classes


def write_item(folder, *, item_id, names, assets=None, query="", **properties):
    """An item and its files; `names` gives key and file name of a band."""
    found = {}
    for band in KEYS:
        key, name = names(band)
        metres = NATIVE.get(band, 20)
        write_tiff(folder / name, numbers_of(band), metres)
        fields = dict(assets(band)) if assets else {}
        found[key] = {"href": f"./{name}{query}", **fields}
    item = {
        "type": "Feature", "stac_version": "1.0.0", "id": item_id, "collection": "sentinel-2-l2a",
        "properties": {"datetime": "2022-04-13T15:08:00.5Z", **properties}, "assets": found,
    }  # fmt: skip
    path = folder / "item.json"
    path.write_text(json.dumps(item), encoding="utf-8")
    return path


def earth_search(folder, **changes):
    def raster(band):
        scale = {} if band == "SCL" else {"scale": 0.0001, "offset": -0.1}
        return {
            "raster:bands": [{"nodata": 0, "spatial_resolution": NATIVE.get(band, 20), **scale}]
        }

    values = {
        "s2:processing_baseline": "04.00",
        "earthsearch:boa_offset_applied": True,
        "query": "",
        **changes,
    }
    return write_item(
        folder,
        item_id="S2B_33XWJ_20220413_0_L2A",
        names=lambda band: (KEYS[band], f"{band}.tif"),
        assets=raster,
        **values,
    )


def planetary_computer(folder, **changes):
    tile = LEVEL_2A[38:44]
    return write_item(
        folder,
        item_id=PLANETARY,
        names=lambda band: (band, f"{tile}_20220413T150759_{band}_{NATIVE.get(band, 20)}m.tif"),
        **{"s2:processing_baseline": "04.00", **changes},
    )


def read_all(path, **options):
    with open_scene(path, **{"model_bands": BANDS, **options}) as scene:
        grid = scene.grid
        return (*scene.read(Window(0, 0, grid.height, grid.width)), scene.header)


@pytest.mark.parametrize("served", [earth_search, planetary_computer])
def test_it_is_the_product_on_10_metres(tmp_path, served):
    found, valid, header = read_all(served(tmp_path / "i"), mask=["cloud"])
    folder, expected, _ = read_all(write_safe(tmp_path))
    assert np.array_equal(found, folder)
    assert not valid[40:42, 40:42].any()
    expected[40:42, 40:42] = False
    assert np.array_equal(valid, expected)
    assert header.kind == "Sentinel-2B MSI, Level 2A"
    assert header.taken == date(2022, 4, 13)


class TestOffset:
    @pytest.mark.parametrize(
        ("changes", "offset"),
        [
            ({"earthsearch:boa_offset_applied": True}, 0.0),
            ({"earthsearch:boa_offset_applied": False}, -0.1),
            (
                {"earthsearch:boa_offset_applied": False, "s2:processing_baseline": "03.01"},
                0.0,
            ),
        ],
    )
    def test_earth_search_says_whether_it_is_off_already(self, tmp_path, changes, offset):
        *_, header = read_all(earth_search(tmp_path, **changes))
        assert header.radiometry == Radiometry((1e-4,) * 4, (offset,) * 4)

    @pytest.mark.parametrize(("baseline", "offset"), [("04.00", -0.1), ("02.12", 0.0)])
    def test_the_planetary_computer_says_the_baseline_only(self, tmp_path, baseline, offset):
        item = planetary_computer(tmp_path, **{"s2:processing_baseline": baseline})
        assert read_all(item)[2].radiometry.offset == (offset,) * 4

    def test_unknown_is_not_guessed(self, tmp_path):
        item = planetary_computer(tmp_path, **{"s2:processing_baseline": None})
        with pytest.raises(SceneError, match="neither an offset nor a processing baseline"):
            read_all(item)


def test_an_item_of_level_1c_has_no_flags(tmp_path):
    path = planetary_computer(tmp_path)
    item = json.loads(path.read_text().replace("MSIL2A", "MSIL1C"))
    del item["assets"]["SCL"]
    path.write_text(json.dumps(item))
    with pytest.raises(SceneError, match="Level 1C has no flags, leave `mask` out"):
        read_all(path, mask=["cloud"])


def test_signed_addresses_are_read_and_not_shown(tmp_path):
    earth_search(tmp_path / "collections" / "c" / "items", query="?se=2030&sig=s3cr3t%2F")
    items = tmp_path / "collections" / "c" / "items"
    (items / "item.json").rename(items / "S2B_33XWJ_20220413_0_L2A")
    with serve(tmp_path) as server:
        # Without its signature a file is not given; the item itself needs none.
        server.misbehave = lambda handler: (
            ".tif" in handler.path and "sig=s3cr3t" not in handler.path and handler.refuse(403)
        )
        address = f"{server.url}/collections/c/items/S2B_33XWJ_20220413_0_L2A"
        found, _, header = read_all(address)
        assert np.array_equal(found[0], band_numbers("B04"))
        assert "s3cr3t" not in " ".join(map(str, header.locations))
        item = items / "S2B_33XWJ_20220413_0_L2A"
        item.write_text(item.read_text().replace("s3cr3t", "expired"))
        with pytest.raises(SceneError) as caught:
            read_all(address)
        assert "HTTP response code" in str(caught.value)
        assert "expired" not in str(caught.value)


def test_the_data_space_serves_jpeg_2000_at_several_sizes(tmp_path):
    safe = write_safe(tmp_path)
    granule = next(safe.glob("GRANULE/*/IMG_DATA"))
    assets = {
        path.stem.split("_", 2)[2]: {
            "href": str(path), "raster:scale": 0.0001, "raster:offset": -0.1, "type": "image/jp2",
        }
        for path in sorted(granule.rglob("*.jp2"), reverse=True)
    }  # fmt: skip
    item = {
        "type": "Feature", "id": LEVEL_2A, "collection": "sentinel-2-l2a",
        "properties": {"datetime": "2022-04-13T15:07:59Z", "processing:version": "04.00"},
        "assets": assets,
    }  # fmt: skip
    (tmp_path / "item.json").write_text(json.dumps(item), encoding="utf-8")
    found, _, header = read_all(tmp_path / "item.json")
    assert np.array_equal(found, read_all(safe)[0])
    assert header.radiometry == Radiometry((1e-4,) * 4, (-0.1,) * 4)
