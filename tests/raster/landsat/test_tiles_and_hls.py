"""Landsat ARD tiles, HLS products and their items, and files that stand for their product."""

import json
from datetime import date

import numpy as np
import pytest
import rasterio
from affine import Affine
from rasterio.crs import CRS

from geosrseg.core.normalize import Radiometry
from geosrseg.core.tiling.windows import Window
from geosrseg.errors import SceneError
from geosrseg.raster.landsat.hls import HlsId
from geosrseg.raster.scene import open_scene
from tests.tiny_products import LEVEL_1, LEVEL_2, write_product, write_tar

TILE = "LC08_CU_003008_20161026_20210502_02"
ALBERS = (
    "+proj=aea +lat_0=23 +lon_0=-96 +lat_1=29.5 +lat_2=45.5 +x_0=0 +y_0=0 +datum=WGS84 +units=m"
)
L30 = "HLS.L30.T36NYN.2020115T074512.v2.0"
S30 = "HLS.S30.T36NYN.2020117T080611.v2.0"
BANDS = ("blue", "green", "red", "nir", "swir1", "swir2")
SHAPE = 20, 24


def read_all(path, **options):
    with open_scene(path, **{"model_bands": BANDS, **options}) as scene:
        grid = scene.grid
        return (*scene.read(Window(0, 0, grid.height, grid.width)), scene.header)


def write_bands(folder, files, crs):
    folder.mkdir(parents=True)
    for name, values in files.items():
        with rasterio.open(
            folder / name, "w", driver="GTiff", count=1, height=SHAPE[0], width=SHAPE[1], crs=crs,
            dtype=values.dtype.name, transform=Affine(30, 0, -2_265_585, 0, -30, 3_164_805),
        ) as dataset:  # fmt: skip
            dataset.write(values, 1)
    return folder


def numbers(count, dtype, fill):
    values = np.random.default_rng(4).integers(100, 9000, (count, *SHAPE)).astype(dtype)
    values[:, 0, 0] = fill
    return values


def write_tile(folder, *, prefix="SR_"):
    values = numbers(7, np.uint16, 0)
    files = {f"{TILE}_{prefix}B{k}.TIF": band for k, band in enumerate(values, start=1)}
    flags = np.full(SHAPE, 1 << 6, np.uint16)
    flags[3, 4] = 1 << 3
    files[f"{TILE}_QA_PIXEL.TIF"] = flags
    return write_bands(folder, files, CRS.from_proj4(ALBERS)), values[1:7]


def write_hls(folder, product):
    names = ("02", "03", "04", "05", "06", "07")
    if product == S30:
        names = ("02", "03", "04", "8A", "11", "12")
    values = numbers(6, np.int16, -9999)
    files = {f"{product}.B{name}.tif": band for name, band in zip(names, values, strict=True)}
    if product == S30:
        files[f"{product}.B08.tif"] = np.full(SHAPE, 9999, np.int16)
    flags = np.full(SHAPE, 0b01000000, np.uint8)
    flags[3, 4:7] = 1 << 1, 1 << 3, 1 << 4
    files[f"{product}.Fmask.tif"] = flags
    return write_bands(folder, files, "EPSG:32636"), values


def test_a_tile_is_surface_reflectance_in_albers(tmp_path):
    folder, expected = write_tile(tmp_path / "tile")
    for path in (folder, write_tar(folder)):
        found, valid, header = read_all(path, mask=["cloud"])
        assert np.array_equal(found, expected)
        assert np.argwhere(~valid).tolist() == [[0, 0], [3, 4]]
        assert header.radiometry == Radiometry.uniform(6, scale=2.75e-05, offset=-0.2)
        assert header.grid.crs.to_dict()["proj"] == "aea"
        assert (header.name, header.taken) == (TILE, date(2016, 10, 26))
        assert header.kind == "Landsat 8 OLI, Collection 2 Analysis Ready Data"


def test_a_tile_of_collection_1_or_without_surface_reflectance_is_refused(tmp_path):
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "LC08_CU_003008_20161026_20190502_C01_V01_SRB4.tif").touch()
    with pytest.raises(SceneError, match="is of Collection 1"):
        read_all(tmp_path / "old")
    (tmp_path / "none").mkdir()
    (tmp_path / "none" / f"{TILE}_QA_PIXEL.TIF").touch()
    with pytest.raises(SceneError, match=f"expected {TILE}_SR_B2.TIF"):
        read_all(tmp_path / "none")


def test_a_tile_at_the_top_of_the_atmosphere_is_refused_by_its_name(tmp_path):
    """The item has the keys of surface reflectance, which has another scale."""
    folder, _ = write_tile(tmp_path / "toa", prefix="TOA_")
    keys = ("blue", "green", "red", "nir08", "swir16", "swir22")
    assets = {key: {"href": f"./{TILE}_TOA_B{k}.TIF"} for k, key in enumerate(keys, start=2)}
    item = {"type": "Feature", "id": f"{TILE}_TA", "properties": {}, "assets": assets}
    (folder / "item.json").write_text(json.dumps(item), encoding="utf-8")
    for path in (folder, write_tar(folder), folder / "item.json", folder / f"{TILE}_TOA_B4.TIF"):
        with pytest.raises(SceneError, match=rf"_B\d.TIF is a tile's top-of-.*get .*{TILE}_SR.tar"):
            read_all(path)


@pytest.mark.parametrize(("product", "day"), [(L30, date(2020, 4, 24)), (S30, date(2020, 4, 26))])
def test_hls(tmp_path, product, day):
    folder, expected = write_hls(tmp_path / product, product)
    assets = {path.name.split(".")[-2]: {"href": f"./{path.name}"} for path in folder.glob("*.tif")}
    item = {"type": "Feature", "id": product, "properties": {}, "assets": assets}
    (folder / "item.json").write_text(json.dumps(item), encoding="utf-8")
    for path in (folder, folder / "item.json", folder / f"{product}.B02.tif"):
        found, valid, header = read_all(path, mask=["cloud", "snow"])
        assert np.array_equal(found, expected)
        assert np.argwhere(~valid).tolist() == [[0, 0], [3, 4], [3, 6]]
        assert header.radiometry == Radiometry.uniform(6, scale=1e-4)
        assert (header.name, header.taken) == (product, day)


def test_day_366_of_a_common_year_is_none():
    assert HlsId.find("HLS.L30.T36NYN.2019366T074512.v2.0").taken is None


class TestParts:
    @pytest.mark.parametrize("part", ["SR_B4.TIF", "QA_PIXEL.TIF", "MTL.txt"])
    def test_a_file_stands_for_its_product_among_others(self, tmp_path, part):
        flags = np.full((40, 56), 1 << 6)
        folder = write_product(tmp_path / "p", qa_pixel=flags)
        expected, *_ = read_all(folder)
        write_product(folder, LEVEL_1)
        found, _, header = read_all(folder / f"{LEVEL_2}_{part}")
        assert np.array_equal(found, expected)
        assert header.name == LEVEL_2

    def test_a_stack_that_is_named_after_a_product_is_a_file(self, tmp_path):
        path = tmp_path / f"{LEVEL_2}_stack.tif"
        with rasterio.open(
            path, "w", driver="GTiff", count=6, height=8, width=8, dtype="float32",
            crs="EPSG:32630", transform=Affine(30, 0, 0, 0, -30, 0),
        ) as dataset:  # fmt: skip
            dataset.write(np.full((6, 8, 8), 0.25, np.float32))
        assert read_all(path)[2].kind == "GeoTIFF"
