"""Input that is not a scene is refused, with advice what to give instead."""

import gzip
import zipfile

import numpy as np
import pytest

from geosrseg.errors import SceneError
from geosrseg.raster.array_file import array_file
from geosrseg.raster.files.dataset import open_dataset
from geosrseg.raster.sensors.recognition import find_product
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
        ("gcs://bucket/b.tif", "give https://storage.googleapis.com/bucket/b.tif"),
        ("s3a://bucket/b.tif", "give s3://bucket/b.tif"),
        (
            "abfss://data@acc.dfs.core.windows.net/b.tif",
            "give https://acc.blob.core.windows.net/data/b.tif",
        ),
        ("/vsiaz/data/b.tif", "give https://ACCOUNT.blob.core.windows.net/data/b.tif"),
        ("file://scene.tif", "a local file has three slashes, file:///"),
        ("zip://a.zip!b.tif", "unpack it and give the file inside"),
        ("", "the scene has an empty name"),
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


@pytest.mark.parametrize(
    "address",
    [
        "ftp://me:s3cr3t@host/b.tif",
        "gs://bucket/b.tif?sig=s3cr3t",
        "/vsicurl/https://me:s3cr3t@host/b.tif?sig=s3cr3t",
    ],
)
def test_secrets_in_addresses_that_are_not_read_are_not_shown(address):
    message = refused(address)
    assert "b.tif" in message
    assert "s3cr3t" not in message


def test_an_array_is_read_where_this_program_keeps_it_and_by_no_address_that_is_typed():
    with array_file(np.ones((4, 4), np.uint16)) as location:
        assert find_product(location) is None
        assert "/vsimem/" in refused(location.address)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "is empty: the download is incomplete, get it again"),
        (b"II*\0\x40\x42\x0f\0" + bytes(90), "ends at byte 98, and its directory is at 1000000"),
        (b"<!DOCTYPE html><html>", "is a web page, as servers send for a login or an error"),
        (b"<?xml version='1.0'?><Error/>", "is XML, as servers send for an error"),
        (b'{"message": "Unauthorized"}', "is JSON, expected a raster"),
        (b"version https://git-lfs.github.com/spec/v1\n", "not the file itself: run git lfs pull"),
        (b"\x89PNG\r\n\x1a\n", "is a picture (PNG), expected a GeoTIFF: convert it with"),
    ],
)
def test_files_that_are_no_raster_are_named_by_what_they_are(tmp_path, content, why):
    (tmp_path / "a.tif").write_bytes(content)
    assert why in refused(tmp_path / "a.tif")


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("-", "standard input is not read"),
        ('NETCDF:"a.nc":sr', 'with gdal_translate NETCDF:"a.nc":sr scene.tif'),
        ("~/a.tif", "~ means your home folder only outside quotes"),
        ("no_folder/a.tif", "and no folder no_folder"),
        ("*.tif", "no file name matches this pattern"),
        ("scenne.tif", "is it scene.tif?"),
        ("SCENE.TIF", "is it scene.tif?"),
    ],
)
def test_names_that_no_file_has(tmp_path, monkeypatch, name, why):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "scene.tif").touch()
    with pytest.raises(SceneError) as caught, open_dataset(Location.of(name)):
        pass
    assert why in str(caught.value)


def test_a_file_address_may_have_one_slash(tmp_path):
    assert Location.of(f"file:{tmp_path}/a%20b.tif").path == tmp_path / "a b.tif"


def test_a_folder_of_geotiffs_names_one_to_give(tmp_path):
    (tmp_path / "scene.tif").touch()
    assert f"or a file such as {tmp_path}/scene.tif" in refused(tmp_path)


def test_packed_files(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("b.tif", b"II*\0")
    (tmp_path / "a.tif").write_bytes(gzip.compress(b"II*\0"))  # whatever its name
    assert "found b.tif: unpack it and give the GeoTIFF" in refused(tmp_path / "a.zip")
    assert "is compressed with gzip: unpack it" in refused(tmp_path / "a.tif")


@pytest.mark.parametrize(
    ("folder", "file", "message"),
    [
        ("a.zarr", "x", "is a Zarr store"),
        ("a", ".zgroup", "is a Zarr store"),
    ],
)
def test_folders_of_other_kinds(tmp_path, folder, file, message):
    (tmp_path / folder).mkdir()
    (tmp_path / folder / file).touch()
    assert message in refused(tmp_path / folder)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.vrt", b"<VRTDataset/>", "if you trust it, convert it with gdal_translate "
         "{path}.vrt {path}.tif"),
        ("a.tif", b" <VRTDataset/>", "with gdal_translate {path}.tif {path}_geotiff.tif"),
        ("a.jp2", b"\0\0\0\x0cjP  \r\n\x87\n", "is JPEG 2000: give its product's folder, or "
         "convert it with gdal_translate {path}.jp2 {path}.tif"),
        ("a.j2k", b"\xff\x4f\xff\x51\0", "is JPEG 2000"),
        ("a.h5", b"\x89HDF\r\n\x1a\n", "is HDF5 or NetCDF: convert the variable"),
        ("a.nc", b"CDF\x01", "is NetCDF: convert the variable"),
    ],
)  # fmt: skip
def test_rasters_of_other_kinds_are_answered_with_the_command(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    assert message.format(path=tmp_path / "a") in refused(tmp_path / name)


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
