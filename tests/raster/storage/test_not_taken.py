"""What is no scene is named, with what to type instead."""

import gzip
import zipfile

import numpy as np
import pytest

from geosrseg.errors import SceneError
from geosrseg.raster.array_file import array_file
from geosrseg.raster.scene import find_product
from geosrseg.raster.storage.location import Location


def refused(text):
    with pytest.raises(SceneError) as caught:
        find_product(Location.of(text))
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("address", "advice"),
    [
        ("gs://bucket/a/b.tif", "give https://storage.googleapis.com/bucket/a/b.tif"),
        ("az://data/b.tif", "give https://ACCOUNT.blob.core.windows.net/data/b.tif"),
        ("abfs://data/b.tif", "give https://ACCOUNT.blob.core.windows.net/data/b.tif"),
        ("ftp://host/b.tif", "ftp:// is not read, expected a path or https, http, s3: download"),
        ("/vsis3/bucket/b.tif", "give s3://bucket/b.tif"),
        ("/vsigs/bucket/b.tif", "give https://storage.googleapis.com/bucket/b.tif"),
        ("/vsicurl/https://host/b.tif", "give https://host/b.tif"),
        ("/vsizip/a.zip/b.tif", "give the file itself, unpacked"),
        ("/vsitar/a.tar/b.tif", "give the .tar of a Landsat product"),
        ("/vsimem/b.tif", "give a file, or in Python the array"),
        ("https://host/a.zip", "download and unpack it first"),
    ],
)
def test_addresses_that_are_not_read(address, advice):
    assert advice in refused(address)


def test_an_array_is_read_where_this_program_keeps_it_and_by_no_address_that_is_typed():
    with array_file(np.ones((4, 4), np.uint16)) as location:
        assert find_product(location) is None
        assert "/vsimem/" in refused(location.address)


def test_packed_files(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("b.tif", b"II*\0")
    (tmp_path / "a.tif").write_bytes(gzip.compress(b"II*\0"))  # whatever its name
    assert "is a ZIP archive: unpack it" in refused(tmp_path / "a.zip")
    assert "is compressed with gzip: unpack it" in refused(tmp_path / "a.tif")


@pytest.mark.parametrize(
    ("folder", "file", "message"),
    [
        ("a.zarr", "x", "is a Zarr store"),
        ("a", ".zgroup", "is a Zarr store"),
        ("S2A_MSIL2A_20220101.SAFE", "manifest.safe", "is a Sentinel-2 product"),
        ("ard", "LC08_CU_027009_20130701_20210502_02_SR_B4.TIF", "is a Landsat ARD tile"),
    ],
)
def test_folders_of_other_kinds(tmp_path, folder, file, message):
    (tmp_path / folder).mkdir()
    (tmp_path / folder / file).touch()
    assert message in refused(tmp_path / folder)


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ('{"type": "FeatureCollection", "features": [{}, {}]}', "a collection of 2 items"),
        ('{"type": "Collection"}', "it is a STAC Collection: give the JSON of one of its items"),
    ],
)
def test_documents_of_other_kinds(tmp_path, document, message):
    (tmp_path / "a.json").write_text(document)
    assert message in refused(tmp_path / "a.json")
