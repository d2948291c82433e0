"""Sentinel-2 products as SAFE folders and ZIP archives."""

import zipfile
from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from affine import Affine

from geosrseg.core.domain import Domain
from geosrseg.core.normalize import Radiometry
from geosrseg.core.tiling.windows import Window
from geosrseg.errors import SceneError
from geosrseg.raster.scene import open_scene
from tests.tiny_models import make_spec
from tests.tiny_sentinel2 import (
    CORNER,
    LEVEL_1C,
    LEVEL_2A,
    SIDE,
    band_numbers,
    metadata,
    write_jp2,
    write_safe,
    write_zip,
)


def read_all(path, bands, **options):
    with open_scene(path, model_bands=bands, **options) as scene:
        grid = scene.grid
        return (*scene.read(Window(0, 0, grid.height, grid.width)), scene.header)


def refused(path, **options) -> str:
    with pytest.raises(SceneError) as caught:
        read_all(path, ("red",), **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def model_for(metres, bands):
    spec = replace(make_spec(bands=len(bands)), bands=bands)
    return replace(spec, domain=Domain(resolution=metres))


def block_means(values, factor):
    """Block means of the numbers above 0 (nodata), and where a block has any."""
    side = len(values) // factor
    blocks = values.reshape(side, factor, side, factor).transpose(0, 2, 1, 3)
    blocks = blocks.reshape(side, side, -1).astype(float)
    counted = (blocks > 0).sum(axis=-1)
    return blocks.sum(axis=-1) / np.maximum(counted, 1), counted > 0


@pytest.mark.parametrize("name", [LEVEL_2A, LEVEL_1C])
def test_bands_of_10_metres_are_read_as_they_are(tmp_path, name):
    safe = write_safe(tmp_path, name)
    for path in (safe, write_zip(safe), next(safe.glob("MTD_MSI*.xml"))):
        found, valid, header = read_all(path, ("red", "nir"))
        expected = np.stack([band_numbers("B04"), band_numbers("B08")])
        assert np.array_equal(found, expected)
        assert np.array_equal(valid, expected[0] != 0)
        assert header.grid.transform == Affine(10, 0, CORNER[0], 0, -10, CORNER[1])
        assert header.grid.crs.to_epsg() == 32633
        assert header.name == name
        assert header.warnings == ()


def test_coarser_bands_are_interpolated(tmp_path):
    found, valid, header = read_all(write_safe(tmp_path), ("red", "swir1"))
    swir = band_numbers("B11").astype(float)
    # Bilinear: a quarter of the way to the neighbours along each axis.
    rows = 0.75 * swir[10:30] + 0.25 * swir[9:29]
    expected = 0.75 * rows[:, 10:30] + 0.25 * rows[:, 9:29]
    assert np.abs(found[1, 20:60:2, 20:60:2] - expected).max() <= 1
    assert found.shape == (2, SIDE, SIDE)
    assert not valid[:6, :6].any()
    assert valid[8:, 8:].all()
    assert header.warnings == ("its bands of 20 m are interpolated to 10 m",)


def test_bands_of_20_metres_alone_are_of_20_metres(tmp_path):
    found, _, header = read_all(write_safe(tmp_path), ("nir narrow", "swir1", "swir2"))
    assert np.array_equal(found[1], band_numbers("B11"))
    assert header.grid.transform.a == 20


@pytest.mark.parametrize(("metres", "factor"), [(20, 2), (30, 3), (60, 6)])
def test_a_model_for_coarser_pixels_gets_means(tmp_path, metres, factor):
    bands = ("red", "nir")
    found, valid, header = read_all(
        write_safe(tmp_path), bands, spec=model_for(float(metres), bands)
    )
    means, expected = block_means(band_numbers("B04"), factor)
    assert np.abs(found[0] - means)[expected].max() <= 0.5 + 1e-6
    assert np.array_equal(valid, expected)
    assert header.grid.transform == Affine(metres, 0, CORNER[0], 0, -metres, CORNER[1])
    assert (header.grid.height, header.grid.width) == (SIDE // factor, SIDE // factor)
    assert f"its bands of 10 m are averaged to the {metres} m that tiny is for" in header.warnings


@pytest.mark.parametrize("metres", [10, 30])
def test_no_mean_includes_the_users_nodata(tmp_path, metres):
    numbers = np.full((SIDE // 2, SIDE // 2), 3000, np.uint16)
    numbers[15, 15] = 65535
    safe, bands = write_safe(tmp_path), ("red", "swir1")
    path = next(safe.glob("GRANULE/*/IMG_DATA/R20m/*_B11_20m.jp2"))
    path.unlink()
    write_jp2(path, numbers, 20)
    spec = model_for(float(metres), bands)
    found, valid, _ = read_all(safe, bands, spec=spec, nodata=[65535, -1])
    assert set(np.unique(found[1, valid])) == {3000}


def test_a_window_is_the_same_whatever_is_read_around_it(tmp_path):
    bands = ("red", "swir1")
    safe, spec = write_safe(tmp_path), model_for(30.0, bands)
    whole, _, _ = read_all(safe, bands, spec=spec)
    with open_scene(safe, model_bands=bands, spec=spec) as scene:
        part, _ = scene.read(Window(7, 5, 9, 11))
    assert np.array_equal(part, whole[:, 7:16, 5:16])


def test_a_model_for_other_pixels_is_refused_or_insisted_on(tmp_path):
    safe, bands = write_safe(tmp_path), ("red",)
    spec = model_for(2.0, bands)
    assert "its pixels are 10 m" in refused(safe, spec=spec)
    *_, header = read_all(safe, bands, spec=spec, any_resolution=True)
    assert header.grid.transform.a == 10


class TestRadiometry:
    @pytest.mark.parametrize(
        ("name", "offset", "kind"),
        [(LEVEL_2A, -0.1, "surface"), (LEVEL_1C, 0.0, "top of atmosphere")],
    )
    def test_it_is_that_of_the_metadata(self, tmp_path, name, offset, kind):
        *_, header = read_all(write_safe(tmp_path, name), ("red", "swir1"))
        assert header.radiometry == Radiometry((1e-4, 1e-4), (offset, offset))
        assert header.reflectance == kind
        assert header.taken == date(int(name[11:15]), int(name[15:17]), int(name[17:19]))

    def test_level_1c_since_2022_has_an_offset_too(self, tmp_path):
        text = metadata(LEVEL_1C, baseline="05.11")
        *_, header = read_all(write_safe(tmp_path, LEVEL_1C, text=text), ("red",))
        assert header.radiometry == Radiometry((1e-4,), (-0.1,))

    def test_level_2ap_names_its_values_otherwise(self, tmp_path):
        text = metadata(LEVEL_2A, baseline="02.05")
        for found, older in (
            ("PRODUCT_URI>", "PRODUCT_URI_2A>"),
            ("Level-2A<", "Level-2Ap<"),
            ("BOA_QUANTIFICATION_VALUE", "L2A_BOA_QUANTIFICATION_VALUE"),
        ):
            text = text.replace(found, older)
        *_, header = read_all(write_safe(tmp_path, text=text), ("red",))
        assert header.radiometry == Radiometry((1e-4,), (0.0,))

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            (metadata(LEVEL_2A, offset=0), "no offset of B01, which baseline '04.00' requires"),
            (metadata(LEVEL_2A).replace("10000", "0"), "quantification value is 0"),
            (metadata(LEVEL_2A).replace("10000", "many"), "is a number, got 'many'"),
            (metadata(LEVEL_2A).replace("Level-2A<", "Level-3<"), "expected 1C or 2A"),
            (metadata(LEVEL_2A).replace('band_id="3"', 'band_id="99"'), "band_id"),
            ("<a>", "it is not XML"),
            ('<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>', "entities"),
        ],
    )
    def test_metadata_that_is_wrong(self, tmp_path, text, message):
        assert message in refused(write_safe(tmp_path, text=text))

    def test_without_metadata_nothing_is_guessed(self, tmp_path):
        safe = write_safe(tmp_path)
        (safe / "MTD_MSIL2A.xml").unlink()
        assert "0 files MTD_MSIL1C.xml or MTD_MSIL2A.xml" in refused(safe)


class TestFlags:
    CLASSES = tuple(range(12))

    @pytest.mark.parametrize(
        ("mask", "excluded"),
        [
            ((), {0, 1}),
            (("cloud",), {0, 1, 8, 9}),
            (("shadow", "cirrus"), {0, 1, 3, 10}),
            (("snow",), {0, 1, 11}),
        ],
    )
    def test_classes_of_level_2a(self, tmp_path, mask, excluded):
        scl = np.full((SIDE // 2, SIDE // 2), 4, np.uint8)
        scl[20, 8:20] = self.CLASSES
        _, valid, _ = read_all(write_safe(tmp_path, scl=scl), ("red",), mask=mask)
        for row in (40, 41):
            for half in (0, 1):
                found = valid[row, 16 + half : 40 : 2].tolist()
                assert found == [k not in excluded for k in self.CLASSES]

    def test_a_coarser_pixel_is_masked_if_any_class_inside_it_is(self, tmp_path):
        scl = np.full((SIDE // 2, SIDE // 2), 4, np.uint8)
        scl[7, 22] = 9  # rows 14 and 15, columns 44 and 45 of 10 m
        bands = ("red", "nir")
        safe, spec = write_safe(tmp_path, scl=scl), model_for(30.0, bands)
        _, measured, _ = read_all(safe, bands, spec=spec)
        with open_scene(safe, model_bands=bands, spec=spec, mask="cloud") as scene:
            _, valid = scene.read(Window(0, 0, SIDE // 3, SIDE // 3))
            masked = scene.read_masked(SIDE // 3, SIDE // 3)
        assert np.argwhere(measured & ~valid).tolist() == [[4, 14], [4, 15], [5, 14], [5, 15]]
        assert np.argwhere(masked).tolist() == [[4, 14], [4, 15], [5, 14], [5, 15]]

    def test_classes_of_level_1c(self, tmp_path):
        safe = write_safe(tmp_path, LEVEL_1C)
        assert "MSK_CLASSI_B00.jp2" in refused(safe, mask=["cloud"])
        classes = np.zeros((3, SIDE // 6, SIDE // 6), np.uint8)
        classes[0, 5, 5] = classes[1, 6, 6] = classes[2, 7, 7] = 1
        granule = next(safe.glob("GRANULE/*"))
        write_jp2(granule / "QI_DATA" / "MSK_CLASSI_B00.jp2", classes, 60)
        _, valid, header = read_all(safe, ("red",), mask=["cloud", "snow", "shadow"])
        assert not valid[30:36, 30:36].any()
        assert not valid[42:48, 42:48].any()
        assert valid[36:42, 36:42].all()
        assert "has no shadow flag" in header.warnings[-1]


class TestRefused:
    def test_several_granules(self, tmp_path):
        safe = write_safe(tmp_path)
        (safe / "GRANULE" / "L2A_T33XWK_A0" / "IMG_DATA").mkdir(parents=True)
        (safe / "GRANULE" / "L2A_T33XWK_A0" / "MTD_TL.xml").touch()
        assert "it has 2 granules" in refused(safe)

    def test_a_missing_band_is_named(self, tmp_path):
        safe = write_safe(tmp_path)
        for path in safe.rglob("*_B04_*.jp2"):
            path.unlink()
        assert "the band red is missing" in refused(safe)

    def test_a_band_that_is_no_jpeg_2000_is_not_opened_as_anything_else(self, tmp_path):
        safe = write_safe(tmp_path)
        next(safe.rglob("*_B04_10m.jp2")).write_text(
            '<VRTDataset rasterXSize="1" rasterYSize="1"></VRTDataset>', encoding="utf-8"
        )
        assert "cannot be opened as JPEG 2000" in refused(safe)

    @pytest.mark.parametrize(
        ("member", "message"),
        [("../MTD_MSIL2A.xml", "leads out of it"), ("/etc/MTD_MSIL2A.xml", "leads out of it")],
    )
    def test_archives_whose_members_lead_elsewhere(self, tmp_path, member, message):
        path = write_zip(write_safe(tmp_path))
        with zipfile.ZipFile(path, "a") as archive:
            archive.writestr(member, "<a/>")
        assert message in refused(path)

    def test_an_archive_that_would_grow_without_end(self, tmp_path):
        path = write_zip(write_safe(tmp_path))
        with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(f"{LEVEL_2A}.SAFE/HTML/a.html", b"0" * 2**23)
        assert "would unpack to 8388608 bytes" in refused(path)

    def test_a_name_that_occurs_twice(self, tmp_path):
        path = write_zip(write_safe(tmp_path))
        with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr(f"{LEVEL_2A}.SAFE/MTD_MSIL2A.xml", "<a/>")
        assert "twice" in refused(path)

    def test_what_is_no_archive(self, tmp_path):
        (tmp_path / "a.zip").write_bytes(b"PK\3\4 and no more")
        assert "is not a ZIP archive" in refused(tmp_path / "a.zip")
