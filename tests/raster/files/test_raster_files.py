import os
import pickle

import numpy as np
import pytest
import rasterio

from geosrseg.errors import DatasetError
from geosrseg.raster.files import raster_files
from geosrseg.raster.files.raster_files import RasterFiles, find_driver
from geosrseg.raster.storage.gdal import unreferenced_allowed


def write_image(path, *, driver="GTiff", bands=3, size=(40, 50), value=7):
    values = np.full((bands, *size), value, np.uint8)
    profile = {"driver": driver, "count": bands, "height": size[0], "width": size[1]}
    with unreferenced_allowed(), rasterio.open(path, "w", dtype="uint8", **profile) as file:
        file.write(values)
    return path


@pytest.fixture
def files():
    files = RasterFiles(open_files=3)
    yield files
    files.close()


@pytest.mark.parametrize("driver", ["GTiff", "JPEG", "PNG", "ENVI"])
def test_a_file_is_known_by_its_content(tmp_path, files, driver):
    path = write_image(tmp_path / "image.dat", driver=driver)
    assert find_driver(path) == driver
    with files.use(path) as dataset:
        assert dataset.read().shape == (3, 40, 50)
        assert (dataset.read() == 7).all()


def test_an_image_without_random_access_is_decoded_once(tmp_path, files, monkeypatch):
    path = write_image(tmp_path / "image.png", driver="PNG")
    decoded = []
    decode = raster_files._decode
    monkeypatch.setattr(
        raster_files, "_decode", lambda *args: decoded.append(args[0]) or decode(*args)
    )
    for _ in range(3):
        with files.use(path) as dataset:
            assert dataset.driver == "GTiff"
    assert decoded == [path]


def test_a_palette_outlives_the_decoding(tmp_path, files):
    path = tmp_path / "palette.png"
    profile = {"driver": "PNG", "count": 1, "height": 4, "width": 4, "dtype": "uint8"}
    with unreferenced_allowed(), rasterio.open(path, "w", **profile) as file:
        file.write_colormap(1, {0: (0, 0, 255), 1: (255, 255, 255)})
        file.write(np.eye(4, dtype=np.uint8), 1)
    with files.use(path) as dataset:
        assert dataset.colormap(1)[1] == (255, 255, 255, 255)
        assert np.array_equal(dataset.read(1), np.eye(4))


def test_the_file_not_read_longest_is_closed_first(tmp_path, files):
    paths = [write_image(tmp_path / f"{number}.tif", value=number) for number in range(4)]
    for number in (0, 1, 2, 0, 3):
        with files.use(paths[number]) as dataset:
            assert (dataset.read() == number).all()
    assert [path for path, _ in files._entries] == [paths[2], paths[0], paths[3]]


def test_decoded_images_are_kept_up_to_a_number_of_bytes(tmp_path):
    paths = [write_image(tmp_path / f"{number}.png", driver="PNG") for number in range(3)]
    files = RasterFiles(decoded_bytes=2 * 40 * 50 * 3)
    for path in paths:
        with files.use(path):
            pass
    assert [path for path, _ in files._entries] == paths[1:]
    files.close()
    tiny = RasterFiles(decoded_bytes=100)
    with (
        pytest.raises(DatasetError, match="50 x 40 pixels of 3 bands, and PNG must be decoded"),
        tiny.use(paths[0]),
    ):
        pass


def test_a_forked_process_opens_its_own_files(tmp_path, files, monkeypatch):
    tiff, png = write_image(tmp_path / "a.tif"), write_image(tmp_path / "b.png", driver="PNG")
    for path in (tiff, png):
        with files.use(path):
            pass
    monkeypatch.setattr(os, "getpid", lambda: -1)
    with files.use(png):
        assert [path for path, _ in files._entries] == [
            png
        ]  # it is memory, which processes do share


def test_files_go_to_another_process_closed(tmp_path, files):
    path = write_image(tmp_path / "a.tif")
    with files.use(path):
        copy = pickle.loads(pickle.dumps(files))
    assert copy.open_files == 3
    with copy.use(path) as dataset:
        assert (dataset.read() == 7).all()
    copy.close()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "cannot read .*No such file"),
        (b"<VRTDataset rasterXSize='1'>", "has an unknown format: expected GeoTIFF, JPEG, PNG"),
        (b"II*\0broken", "cannot open .* as GTiff"),
        (b"\xff\xd8\xff\xe0broken", "cannot open .* as JPEG"),
    ],
)
def test_what_is_no_image_is_refused(tmp_path, files, content, message):
    path = tmp_path / "image.tif"
    if content:
        path.write_bytes(content)
    with pytest.raises(DatasetError, match=message), files.use(path):
        pass


def test_a_truncated_image_is_named(tmp_path, files):
    whole = write_image(tmp_path / "whole.png", driver="PNG", size=(400, 500)).read_bytes()
    path = tmp_path / "part.png"
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DatasetError, match=r"part\.png"), files.use(path) as dataset:
        dataset.read()
