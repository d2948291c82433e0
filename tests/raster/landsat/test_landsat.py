"""Landsat Collection 2 products, by folder, tar and STAC item."""

import json
import shutil
import subprocess

import numpy as np
import pytest
import rasterio
from affine import Affine
from rasterio.crs import CRS

from geosrseg.core.normalize import Radiometry
from geosrseg.core.tiling.windows import Window
from geosrseg.errors import SceneError
from geosrseg.raster.scene import open_scene
from tests.shared_data import shared
from tests.tiny_products import (
    CIRRUS,
    CLEAR,
    CLOUD,
    DILATED,
    ETM_LEVEL_1,
    FILL,
    HEIGHT,
    LEVEL_1,
    LEVEL_2,
    SHADOW,
    SNOW,
    TM,
    TRANSFORM,
    WIDTH,
    band_numbers,
    numbers,
    write_item,
    write_product,
    write_tar,
)

BANDS = ("blue", "green", "red", "nir", "swir1", "swir2")
PRODUCTS = (LEVEL_2, LEVEL_1, TM, ETM_LEVEL_1)


REFUSED = {
    "luna_L5_float": "no product of Landsat Collection 2",
    "opengeos_peru_4326": "no product of Landsat Collection 2",
    "rasterio_RGBbyte": "no product of Landsat Collection 2",
    "stars_L7_olinda": "no product of Landsat Collection 2",
    "rstoolbox_L5": "before the Collections",
    "satellite_small/extdata": "Collection 1",
    "satellite_small/testdata/LC8": "before the Collections",
    "satellite_small/testdata/LE7": "before the Collections",
    "satellite_small/testdata/LT05": "Collection 1",
    "satellite_small/testdata/LT5": "before the Collections",
    "xlandsat/LC08_L1TP_204023_20200927_20201006_02_T1": "the band blue is missing",
}
"""Folders of the shared data that hold no usable product, and the reason."""


def read_all(path, **options):
    with open_scene(path, **{"model_bands": BANDS, **options}) as scene:
        grid = scene.grid
        return (*scene.read(Window(0, 0, grid.height, grid.width)), scene.header)


def refused(path, **options) -> str:
    with pytest.raises(SceneError) as caught:
        read_all(path, **options)
    message = str(caught.value)
    assert message.startswith(str(path))
    assert "\n" not in message
    return message


@pytest.mark.parametrize("product", PRODUCTS)
def test_bands_are_found_by_name_whatever_their_number(tmp_path, product):
    found, valid, header = read_all(
        write_product(tmp_path / "p", product), model_bands=("swir2", "blue")
    )
    order = list(numbers(product))
    expected = band_numbers(product)[[order.index("swir2"), order.index("blue")]]
    assert np.array_equal(found, expected)
    assert found.dtype == expected.dtype
    assert np.array_equal(valid, (expected != 0).all(axis=0))
    assert (header.grid.crs, header.grid.transform) == (CRS.from_epsg(32630), TRANSFORM)
    assert header.warnings == ()


@pytest.mark.parametrize("product", PRODUCTS)
@pytest.mark.parametrize("prefix", ["", "a product/"])
def test_folder_tar_and_item_give_the_same(tmp_path, product, prefix):
    flags = np.where(np.random.default_rng(2).random((HEIGHT, WIDTH)) < 0.1, CLOUD, CLEAR)
    folder = write_product(tmp_path / "p", product, qa_pixel=flags, qa_radsat=flags * 0)
    tar, item = write_tar(folder, prefix=prefix), write_item(folder)
    first, *others = (read_all(path, mask=["cloud"]) for path in (folder, tar, item))
    for found, valid, header in others:
        assert found.tobytes() == first[0].tobytes()
        assert valid.tobytes() == first[1].tobytes()
        assert (header.grid, header.radiometry, header.kind) == (
            first[2].grid,
            first[2].radiometry,
            first[2].kind,
        )


class TestRadiometry:
    @pytest.mark.parametrize("mtl", ["txt", "json", "xml", None])
    def test_level_2_is_surface_reflectance(self, tmp_path, mtl):
        *_, header = read_all(write_product(tmp_path / "p", mtl=mtl))
        assert header.radiometry == Radiometry.uniform(6, scale=2.75e-05, offset=-0.2)

    @pytest.mark.parametrize("mtl", ["txt", "json", "xml"])
    def test_level_1_is_corrected_for_the_suns_elevation(self, tmp_path, mtl):
        *_, header = read_all(write_product(tmp_path / "p", LEVEL_1, mtl=mtl))
        assert header.radiometry.scale == pytest.approx((4.0e-05,) * 6)
        assert header.radiometry.offset == pytest.approx((-0.2,) * 6)

    def test_level_1_needs_its_metadata(self, tmp_path):
        assert f"{LEVEL_1}_MTL.txt is missing" in refused(
            write_product(tmp_path / "p", LEVEL_1, mtl=None)
        )

    def test_the_user_knows_better(self, tmp_path):
        *_, header = read_all(write_product(tmp_path / "p"), scale=0.5)
        assert header.radiometry == Radiometry.uniform(6, scale=0.5)

    def test_an_item_may_say_it_in_either_version_of_the_extension(self, tmp_path):
        item = write_item(write_product(tmp_path / "p"))
        document = json.loads(item.read_text())
        document["assets"]["red"]["raster:bands"] = [{"scale": 0.5, "offset": 0.25}]
        del document["assets"]["nir08"]["raster:bands"]
        document["assets"]["nir08"] |= {"raster:scale": 0.125, "raster:offset": 0}
        item.write_text(json.dumps(document))
        *_, header = read_all(item, model_bands=("blue", "red", "nir"))
        assert header.radiometry == Radiometry((2.75e-05, 0.5, 0.125), (-0.2, 0.25, 0.0))

    @pytest.mark.parametrize("elevation", ["-3.5", "0", "high"])
    def test_a_night_has_no_reflectance(self, tmp_path, elevation):
        folder = write_product(tmp_path / "p", LEVEL_1)
        mtl = folder / f"{LEVEL_1}_MTL.txt"
        mtl.write_text(mtl.read_text().replace("ELEVATION = 30.0", f"ELEVATION = {elevation}"))
        assert elevation in refused(folder)


class TestValid:
    FLAGS = (FILL, DILATED, CIRRUS, CLOUD, SHADOW, SNOW, CLEAR, 1 << 7, 3 << 8)

    @pytest.fixture
    def folder(self, tmp_path):
        flags = np.full((HEIGHT, WIDTH), CLEAR)
        flags[0, 10 : 10 + len(self.FLAGS)] = self.FLAGS
        return write_product(tmp_path / "p", qa_pixel=flags)

    @pytest.mark.parametrize(
        ("mask", "excluded"),
        [
            ((), FILL),
            (("cloud",), FILL | CLOUD | DILATED),
            (("shadow",), FILL | SHADOW),
            (("cirrus",), FILL | CIRRUS),
            (("snow", "cloud"), FILL | SNOW | CLOUD | DILATED),
        ],
    )
    def test_flags_exclude_what_the_user_names_and_always_fill(self, folder, mask, excluded):
        _, valid, _ = read_all(folder, mask=mask)
        assert valid[0, 10 : 10 + len(self.FLAGS)].tolist() == [
            not flag & excluded for flag in self.FLAGS
        ]
        assert valid[1:, 2:].all()
        assert not valid[:, :2].any()

    def test_number_0_is_fill_whatever_the_files_declare(self, tmp_path):
        values = band_numbers(LEVEL_2)
        values[1, 7, 8] = 65535
        _, valid, _ = read_all(write_product(tmp_path / "p", bands=values, nodata=65535))
        assert np.array_equal(valid, ((values != 0) & (values != 65535)).all(axis=0))

    def test_only_saturation_of_the_bands_that_are_read_counts(self, tmp_path):
        saturated = np.zeros((HEIGHT, WIDTH))
        saturated[5, 10:20] = 1 << np.arange(10)  # bands 1 to 9, and a dropped pixel
        folder = write_product(tmp_path / "p", qa_radsat=saturated)
        _, valid, _ = read_all(folder, model_bands=("green", "nir"))
        assert np.flatnonzero(~valid[5, 2:]).tolist() == [10, 12, 17]

    @pytest.mark.parametrize(("nodata_if", "columns"), [("any", 6), ("all", 2), ("never", 0)])
    def test_a_fill_flag_follows_the_choice_and_a_mask_stays(self, tmp_path, nodata_if, columns):
        bands = band_numbers(LEVEL_2)
        bands[list(numbers(LEVEL_2)).index("red"), :, 2:6] = 0
        flags = np.full((HEIGHT, WIDTH), CLEAR)
        flags[:, :6], flags[:, 20] = FILL, CLOUD
        folder = write_product(tmp_path / "p", bands=bands, qa_pixel=flags)
        found, valid, _ = read_all(folder, mask=("cloud",), nodata_if=nodata_if)
        assert np.flatnonzero(~valid.any(axis=0)).tolist() == [*range(columns), 20]
        red = BANDS.index("red")
        if nodata_if != "any":  # reflectance 0, without a model to say another
            assert (found[red, :, 2:6] == round(0.2 / 2.75e-5)).all()

    def test_decimated_reads_take_flags_too(self, tmp_path):
        flags = np.full((HEIGHT, WIDTH), CLEAR)
        flags[10:20, 16:24] = FILL
        with open_scene(write_product(tmp_path, qa_pixel=flags), model_bands=BANDS) as scene:
            small, valid = scene.read_decimated(4, 7)
        assert small.shape == (6, 4, 7)
        assert np.argwhere(~valid).tolist() == [[1, 2]]

    def test_a_mask_needs_the_flags(self, tmp_path):
        folder = write_product(tmp_path / "p")
        assert f"{LEVEL_2}_QA_PIXEL.TIF" in refused(folder, mask=["cloud"])
        (folder / f"{LEVEL_2}_SR_B2.TIF").rename(scene := tmp_path / "blue.tif")
        assert "needs a product" in refused(scene, mask=["cloud"])

    def test_unknown_masks_are_refused(self, folder):
        with pytest.raises(SceneError, match="'fog', expected some of cloud, shadow"):
            read_all(folder, mask=["fog"])

    def test_cirrus_is_not_flagged_before_landsat_8(self, tmp_path):
        folder = write_product(tmp_path / "p", TM, qa_pixel=np.full((HEIGHT, WIDTH), CLEAR))
        *_, header = read_all(folder, mask=["cirrus"])
        assert "has no cirrus flag" in header.warnings[0]


class TestGeoreference:
    def test_corners_of_the_metadata_are_centres_of_pixels(self, tmp_path):
        for path in self.all_forms(write_product(tmp_path / "p", georeferenced=False)):
            *_, header = read_all(path)
            assert (header.grid.crs, header.grid.transform) == (CRS.from_epsg(32630), TRANSFORM)
            assert header.warnings == ()

    def test_an_items_projection_is_of_the_pixels_corner(self, tmp_path):
        folder = write_product(tmp_path / "p", georeferenced=False, mtl=None)
        item = write_item(
            folder,
            properties={
                "proj:epsg": 32630,
                "proj:shape": [HEIGHT, WIDTH],
                "proj:transform": list(TRANSFORM),
            },
        )
        *_, header = read_all(item)
        assert (header.grid.crs, header.grid.transform) == (CRS.from_epsg(32630), TRANSFORM)

    def test_nothing_says_where_it_is(self, tmp_path):
        folder = write_product(tmp_path / "p", georeferenced=False, mtl=None)
        *_, header = read_all(folder)
        assert "no georeference" in header.warnings[0]

    def test_metadata_of_another_size_is_not_used(self, tmp_path):
        cut = band_numbers(LEVEL_2)[:, 1:]
        *_, header = read_all(write_product(tmp_path / "p", georeferenced=False, bands=cut))
        assert header.grid.transform == Affine.identity()
        assert f"{WIDTH} x {HEIGHT}" in header.warnings[0]

    def test_files_on_different_grids_are_refused(self, tmp_path):
        folder = write_product(tmp_path / "p")
        shifted = folder / f"{LEVEL_2}_SR_B5.TIF"
        with rasterio.open(shifted, "r+") as dataset:
            dataset.transform = TRANSFORM @ Affine.translation(0, 0.5)
        assert "expected one grid" in (message := refused(folder))
        assert "SR_B5" in message

    def test_flags_on_another_grid_are_refused(self, tmp_path):
        folder = write_product(tmp_path / "p", qa_pixel=np.zeros((HEIGHT, WIDTH - 1)))
        assert "QA_PIXEL" in refused(folder)

    def all_forms(self, folder):
        return folder, write_tar(folder), write_item(folder)


class TestBands:
    def test_a_missing_file_is_named_with_what_is_there(self, tmp_path):
        folder = write_product(tmp_path / "p")
        (folder / f"{LEVEL_2}_SR_B5.TIF").unlink()
        for path in (folder, write_tar(folder), write_item(folder)):
            message = refused(path)
            assert "the band nir is missing" in message
            assert f"{LEVEL_2}_SR_B5.TIF" in message
        assert read_all(folder, model_bands=("blue", "red"))[1].any()

    def test_the_option_counts_as_the_sensor_does(self, tmp_path):
        folder = write_product(tmp_path / "p", TM)
        found, *_ = read_all(folder, model_bands=("a", "b"), bands="7,1")
        assert np.array_equal(found, band_numbers(TM)[[5, 0]])
        assert "1, 2, 3, 4, 5, 7" in refused(folder, model_bands=("a", "b"), bands="6,1")

    def test_a_band_that_no_sensor_has(self, tmp_path):
        assert "1 'coastal', 2 'blue'" in refused(
            write_product(tmp_path / "p"), model_bands=("blue", "thermal")
        )

    def test_names_of_files_may_be_in_lower_case(self, tmp_path):
        folder = write_product(tmp_path / "p")
        for file in folder.iterdir():
            file.rename(file.with_name(file.name.lower()))
        assert read_all(folder)[1].any()


class TestRefused:
    @pytest.mark.parametrize(
        ("name", "reason"),
        [
            ("LC08_L1TP_195025_20130707_20170503_01_T1_B4.TIF", "Collection 1"),
            ("LC81950252013188LGN00_B4.TIF", "before the Collections"),
            ("LM05_L1TP_204023_19850707_20170503_02_T1_B4.TIF", "LM05"),
            ("LT08_L1GT_204023_20150707_20170503_02_T1_B10.TIF", "LT08"),
            ("holiday.tif", "no product of Landsat Collection 2"),
        ],
    )
    def test_other_products(self, tmp_path, name, reason):
        (tmp_path / name).write_bytes(b"II*\0")
        message = refused(tmp_path)
        assert reason in message
        assert name.split("_B")[0] in message

    def test_an_empty_folder(self, tmp_path):
        assert "no files" in refused(tmp_path)

    def test_two_products_in_one_folder(self, tmp_path):
        folder = write_product(write_product(tmp_path / "p"), LEVEL_1)
        message = refused(folder)
        assert "2 products" in message
        assert LEVEL_1 in message

    @pytest.mark.parametrize(
        "text",
        ["", "GROUP = A\n", "no metadata", "GROUP = L1_METADATA_FILE\n GROUP = A\n B = 1\n"],
    )
    def test_metadata_that_is_none(self, tmp_path, text):
        folder = write_product(tmp_path / "p")
        (folder / f"{LEVEL_2}_MTL.txt").write_text(text)
        assert "MTL cannot be read" in refused(folder)

    def test_xml_with_entities_is_not_expanded(self, tmp_path):
        folder = write_product(tmp_path / "p", mtl=None)
        (folder / f"{LEVEL_2}_MTL.xml").write_text('<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>')
        assert "entities" in refused(folder)

    def test_metadata_without_the_numbers(self, tmp_path):
        folder = write_product(tmp_path / "p")
        mtl = folder / f"{LEVEL_2}_MTL.txt"
        mtl.write_text(mtl.read_text().replace("LEVEL2_SURFACE_REFLECTANCE", "LEVEL_2"))
        assert "REFLECTANCE_MULT_BAND_1 in the group" in refused(folder)

    def test_a_damaged_file_is_named(self, tmp_path):
        folder = write_product(tmp_path / "p")
        path = folder / f"{LEVEL_2}_SR_B3.TIF"
        path.write_bytes(path.read_bytes()[:-1000])
        message = refused(folder)
        assert path.name in message
        assert "get it again" in message


class TestTar:
    def test_a_compressed_one_is_refused(self, tmp_path):
        folder = write_product(tmp_path / "p")
        assert "unpack it" in refused(write_tar(folder, mode="w:gz", suffix=".tar.gz"))
        assert "not a tar" in refused(write_tar(folder, mode="w:gz", suffix=".tar"))

    @pytest.mark.parametrize("prefix", ["../", "/tmp/", "a/../../"])
    def test_a_member_that_leads_elsewhere_is_refused(self, tmp_path, prefix):
        tar = write_tar(write_product(tmp_path / "p"), prefix=prefix)
        assert "not a plain file inside it" in refused(tar)

    def test_a_link_is_refused(self, tmp_path):
        folder = write_product(tmp_path / "p")
        band = folder / f"{LEVEL_2}_SR_B3.TIF"
        band.rename(tmp_path / "elsewhere.tif")
        band.symlink_to(tmp_path / "elsewhere.tif")
        assert "not a plain file inside it" in refused(write_tar(folder))

    def test_a_name_that_occurs_twice_is_refused(self, tmp_path):
        folder = write_product(tmp_path / "p")
        tar = write_tar(folder)
        shutil.copytree(folder, tmp_path / "q")
        subprocess.run(["tar", "-rf", tar, "-C", tmp_path, "q"], check=True)
        assert "twice" in refused(tar)

    def test_no_tar_and_a_missing_one(self, tmp_path):
        (tmp_path / "a.tar").write_bytes(b"no tar" * 200)
        assert "not a tar" in refused(tmp_path / "a.tar")
        assert "No such file" in refused(tmp_path / "b.tar")


class TestItem:
    def test_older_keys_and_common_names(self, tmp_path):
        folder = write_product(tmp_path / "p")
        item = write_item(folder)
        document = json.loads(item.read_text())
        assets = document["assets"]
        assets["SR_B4"] = assets.pop("red")
        assets["infrared"] = assets.pop("nir08") | {"eo:bands": [{"common_name": "nir08"}]}
        assets["short"] = assets.pop("swir16") | {"bands": [{"eo:common_name": "swir16"}]}
        item.write_text(json.dumps(document))
        assert read_all(item)[0].tobytes() == read_all(folder)[0].tobytes()

    @pytest.mark.parametrize("base", ["./", "", "{folder}/", "file://{folder}/"])
    def test_local_hrefs(self, tmp_path, base):
        folder = write_product(tmp_path / "a p")
        item = write_item(folder, base=base.format(folder=folder))
        assert read_all(item)[0].tobytes() == read_all(folder)[0].tobytes()

    @pytest.mark.parametrize(
        ("text", "reason"),
        [
            ("", "is empty: the download is incomplete"),
            ("[]", "not a STAC item"),
            ('{"id": "x"}', "'assets' is missing"),
            ('{"id": "x", "assets": {"red": {}}}', "'href' is missing"),
            ('{"id": "x", "assets": {"red": {"href": 3}}}', "href is text"),
            ('{"id": "S2A_10TEM", "assets": {"red": {"href": "a.tif"}}}', "S2A_10TEM"),
            ("[" * 100_000, "not a STAC item"),
        ],
    )
    def test_what_is_none(self, tmp_path, text, reason):
        path = tmp_path / "item.json"
        path.write_text(text)
        assert reason in refused(path)

    @pytest.mark.parametrize("name", ["/vsizip/a.zip/b.tif", "GTIFF_DIR:1:a.tif", "<VRTDataset/>"])
    def test_gdals_other_names_are_no_hrefs(self, tmp_path, name):
        item = write_item(write_product(tmp_path / "p"))
        document = json.loads(item.read_text())
        document["assets"]["red"]["href"] = name
        item.write_text(json.dumps(document))
        assert "no such file" in refused(item)

    def test_who_pays_for_requests_reads_from_the_bucket(self, tmp_path, monkeypatch):
        item = write_item(write_product(tmp_path / "p"))
        document = json.loads(item.read_text())
        real = document["assets"]["red"]["href"]
        document["assets"]["red"] = {"href": "gone.tif", "alternate": {"s3": {"href": real}}}
        item.write_text(json.dumps(document))
        assert "no such file" in refused(item, model_bands=("red",))
        monkeypatch.setenv("AWS_REQUEST_PAYER", "requester")
        assert read_all(item, model_bands=("red",))[1].any()


class TestReal:
    """Real products, see the README of the shared data."""

    def test_every_folder_opens_or_says_why_not(self):
        root = shared("scenes")
        folders = {f.parent for f in root.rglob("*") if f.suffix.lower() == ".tif"}
        opened = set()
        for folder in folders:
            name = folder.relative_to(root).as_posix()
            if name in REFUSED:
                assert REFUSED[name] in refused(folder)
            else:
                found, valid, header = read_all(folder)
                assert 0.5 < valid.mean() <= 1
                scale, offset = header.radiometry.scale[3], header.radiometry.offset[3]
                assert -0.01 < np.median(found[3][valid]) * scale + offset < 1  # from sea to cloud
                assert header.grid.crs.is_projected
                opened.add(name)
        assert len(opened) == 4

    def test_a_crop_lies_where_its_metadata_says(self):
        folder = shared("scenes/xlandsat/LC08_L2SP_204023_20200927_20201006_02_T1")
        *_, header = read_all(folder)
        # corners 487020..499980 and 5922000..5929980 are centres of 433 x 267 pixels
        assert header.grid.bounds == (487_005, 5_921_985, 499_995, 5_929_995)

    def test_the_three_forms_are_one(self, tmp_path):
        product = "LC08_L2SP_008059_20191201_20200825_02_T1"
        folder = tmp_path / product
        shutil.copytree(shared(f"scenes/landsat_c2_products/{product}"), folder)
        results = [
            read_all(path, mask=["cloud", "shadow", "cirrus"])
            for path in (folder, write_tar(folder), write_item(folder))
        ]
        assert {found.tobytes() for found, _, _ in results} == {results[0][0].tobytes()}
        assert {valid.tobytes() for _, valid, _ in results} == {results[0][1].tobytes()}
        with rasterio.open(folder / f"{product}_QA_PIXEL.TIF") as dataset:
            flags = dataset.read(1)
        cloudy = flags & (FILL | CLOUD | DILATED | SHADOW | CIRRUS) != 0
        assert np.array_equal(results[0][1], ~cloudy & (results[0][0] != 0).all(axis=0))


class TestItemsOfStrangers:
    """Contents of an item are validated before use."""

    @pytest.mark.parametrize(
        "code",
        [
            "http://127.0.0.1:9/x",
            "/etc/hostname",
            "+proj=longlat +nadgrids=/f",
            "EPSG:²",
            7,
            None,
            [],
        ],
    )
    def test_a_code_that_is_none_is_no_grid(self, tmp_path, capfd, code):
        properties = {
            "proj:code": code,
            "proj:shape": [HEIGHT, WIDTH],
            "proj:transform": [30, 0, 8e5, 0, -30, 85e4],
        }
        item = write_item(write_product(tmp_path / "p"), properties=properties)
        with open_scene(item, model_bands=("red",)) as scene:
            assert scene.grid.crs == CRS.from_epsg(32630)  # of the files
        assert capfd.readouterr().err == ""

    @pytest.mark.parametrize("value", [[1, "2"], [1e400, 2], [-1, 2], [True, 2], [10**30, 3]])
    def test_a_shape_that_is_none_is_no_grid(self, tmp_path, value):
        properties = {"proj:code": "EPSG:32636", "proj:shape": value, "proj:transform": [1] * 6}
        item = write_item(write_product(tmp_path / "p"), properties=properties)
        with open_scene(item, model_bands=("red",)):
            pass

    @pytest.mark.parametrize(
        "href", ["https://[x/a_B4.TIF", "http://a..b/B4.TIF", "s3://a:1?x/B4.TIF"]
    )
    def test_an_address_that_is_none(self, tmp_path, href):
        folder = write_product(tmp_path / "p")
        item = write_item(folder)
        document = json.loads(item.read_text())
        document["assets"]["red"]["href"] = href
        item.write_text(json.dumps(document))
        with pytest.raises(SceneError), open_scene(item, model_bands=("red",)):
            pass

    @pytest.mark.parametrize("scale", [10**400, 1e400, float("nan")])
    def test_a_scale_that_is_no_number(self, tmp_path, scale):
        folder = write_product(tmp_path / "p")
        item = write_item(folder)
        document = json.loads(item.read_text())
        document["assets"]["red"]["raster:bands"] = [{"scale": scale}]
        item.write_text(json.dumps(document))
        with (
            pytest.raises(SceneError, match="the scale of the asset 'red'"),
            open_scene(item, model_bands=("red",)),
        ):
            pass

    @pytest.mark.parametrize("text", ["[" * 100_000, '{"a": ' * 5000, "1" * 5000, "\x00", "nan"])
    def test_what_is_no_item(self, tmp_path, text):
        (tmp_path / "item.json").write_text(text)
        with (
            pytest.raises(SceneError, match="not a STAC item"),
            open_scene(tmp_path / "item.json", model_bands=("red",)),
        ):
            pass
