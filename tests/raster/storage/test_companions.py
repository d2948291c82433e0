"""A scene makes GDAL open no other file and reach no network."""

import os
import tarfile
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from xml.sax.saxutils import escape

import numpy as np
import pytest
import rasterio
from rasterio.crs import CRS

from geosrseg.core.tiling.windows import Window
from geosrseg.errors import DatasetError, SceneError
from geosrseg.raster.files.dataset import open_dataset
from geosrseg.raster.files.raster_files import RasterFiles
from geosrseg.raster.scene import open_scene
from geosrseg.raster.storage.gdal import unreferenced_allowed
from geosrseg.raster.storage.location import Location
from tests.raster.conftest import BANDS

SECRET = 77


def vrt(source):
    """A VRT of 16 x 16 pixels that shows another file."""
    return (
        '<VRTDataset rasterXSize="16" rasterYSize="16"><VRTRasterBand dataType="Byte" band="1">'
        f'<SimpleSource><SourceFilename relativeToVRT="0">{source}</SourceFilename>'
        "<SourceBand>1</SourceBand></SimpleSource></VRTRasterBand></VRTDataset>"
    )


def pam(overview):
    return (
        '<PAMDataset><Metadata domain="OVERVIEWS">'
        f'<MDI key="OVERVIEW_FILE">{overview}</MDI></Metadata></PAMDataset>'
    )


@pytest.fixture
def scene(write_scene):
    return write_scene(np.full((1, 32, 32), 5, np.uint8), bands=None)


@pytest.fixture
def secret(write_scene):
    return write_scene(np.full((1, 16, 16), SECRET, np.uint8), name="secret.tif", bands=None)


def beside(scene, suffix, content):
    path = scene.with_name(scene.name + suffix)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def read(scene):
    """Everything that a prediction with a quicklook reads."""
    with open_scene(scene, model_bands=("grey",), scale=1) as opened:
        numbers, valid = opened.read(Window(0, 0, 32, 32))
        decimated, _ = opened.read_decimated(16, 16)
    return numbers, valid, decimated


def refusal(scene):
    with pytest.raises(SceneError) as caught:
        read(scene)
    message = str(caught.value)
    assert message.startswith(str(scene))
    assert "\n" not in message
    return message


def test_gdal_alone_would_follow_them(scene, secret):
    """GDAL does follow these files; if a later version does not, the check can go."""
    beside(scene, ".ovr", vrt(secret))
    with rasterio.open(scene, driver="GTiff") as dataset:
        assert (dataset.read(1, out_shape=(16, 16)) == SECRET).all()


@pytest.mark.parametrize("suffix", [".ovr", ".OVR", ".msk", ".Msk", ".msk.ovr", ".ovr.msk"])
def test_a_vrt_in_the_place_of_overviews_or_a_mask(scene, secret, suffix):
    path = beside(scene, suffix, vrt(secret))
    assert f"would use {path.name} beside it as overviews or mask" in refusal(scene)


def test_overviews_that_lead_further(scene, secret, write_scene):
    overview = write_scene(np.zeros((1, 16, 16), np.uint8), name="scene.tif.ovr", bands=None)
    with rasterio.open(overview, "r+") as dataset:
        dataset.update_tags(ns="OVERVIEWS", OVERVIEW_FILE=str(secret))
    assert "not a plain GeoTIFF (it names another file as its overviews, " in refusal(scene)


def test_overviews_of_erdas(scene):
    path = beside(scene, ".aux", b"EHFA_HEADER_TAG\0" + bytes(100))
    assert f"{path.name} beside it" in refusal(scene)
    path.write_text("\\relax")  # LaTeX calls its files so
    read(scene)


@pytest.mark.parametrize("key", ["OVERVIEW_FILE", "overview_file"])
def test_a_tag_that_names_the_overviews(scene, secret, key):
    with rasterio.open(scene, "r+") as dataset:
        dataset.update_tags(ns="OVERVIEWS", **{key: str(secret)})
    assert "remove its metadata item OVERVIEW_FILE" in refusal(scene)


def test_a_sidecar_that_names_the_overviews(scene, secret):
    beside(scene, ".aux.xml", pam(secret))
    assert "or the .aux.xml beside it if that holds it" in refusal(scene)


def test_the_network_is_never_asked(scene, secret):
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_error(404)

        def do_HEAD(self):
            self.do_GET()

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"/vsicurl/http://127.0.0.1:{server.server_port}/secret.tif"
        sidecar = beside(scene, ".aux.xml", pam(url))
        refusal(scene)
        sidecar.unlink()
        beside(scene, ".msk", vrt(url))
        refusal(scene)
        server.shutdown()
    assert asked == []


def test_a_real_mask_and_real_overviews_beside_it_are_used(scene):
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=False), rasterio.open(scene, "r+") as dataset:
        dataset.write_mask(np.eye(32, dtype=bool))
    with rasterio.Env(TIFF_USE_OVR=True), rasterio.open(scene, "r+") as dataset:
        dataset.build_overviews([2])
    assert {path.name for path in scene.parent.iterdir()} >= {"scene.tif.msk", "scene.tif.ovr"}
    overviews = scene.with_name("scene.tif.ovr")
    with unreferenced_allowed(), rasterio.open(overviews, "r+") as overview:
        overview.write(np.full((1, 16, 16), 9, np.uint8))
    numbers, valid, decimated = read(scene)
    assert np.array_equal(valid, np.eye(32, dtype=bool))
    assert (numbers == 5).all()
    assert (decimated == 9).all()


def test_a_sidecar_that_says_what_is_nodata_is_used(scene):
    band = '<PAMRasterBand band="1"><NoDataValue>5</NoDataValue></PAMRasterBand>'
    beside(scene, ".aux.xml", f"<PAMDataset>{band}</PAMDataset>")
    assert not read(scene)[1].any()


def test_a_tar_that_holds_overviews_which_lead_out_of_it(scene, secret, tmp_path):
    overview = beside(scene, ".ovr", vrt(secret))
    with tarfile.open(tmp_path / "product.tar", "w") as tar:
        tar.add(scene, "a.TIF")
        tar.add(overview, "a.TIF.ovr")
    with open_dataset(Location(str(tmp_path / "product.tar"), "a.TIF")) as dataset:
        assert dataset.overviews(1) == []
        assert (dataset.read(1, out_shape=(16, 16)) == 5).all()


def test_a_file_of_a_dataset(scene, secret):
    with rasterio.open(scene, "r+") as dataset:
        dataset.update_tags(ns="OVERVIEWS", OVERVIEW_FILE=str(secret))
    with pytest.raises(DatasetError, match="OVERVIEW_FILE"), RasterFiles().use(scene):
        pass
    beside(scene, ".msk", vrt(secret))
    with pytest.raises(DatasetError, match=r"would use scene\.tif\.msk"), RasterFiles().use(scene):
        pass


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root lists every folder")
def test_a_folder_that_cannot_be_listed(scene, secret):
    beside(scene, ".msk", vrt(secret))
    scene.parent.chmod(0o311)
    try:
        assert "scene.tif.msk beside it" in refusal(scene)
    finally:
        scene.parent.chmod(0o755)


class TestSidecarsOfStrangers:
    """A PAM file may state a CRS, which GDAL also reads from a path or URL."""

    @pytest.mark.parametrize(
        "text",
        [
            "<PAMDataset><SRS>http://127.0.0.1:9/x</SRS></PAMDataset>",
            "<PAMDataset><SRS>/etc/hostname</SRS></PAMDataset>",
            "<PAMDataset><SRS a='1,2'>+proj=longlat +nadgrids=/f</SRS></PAMDataset>",
            "<PAMDataset><GCPList Projection='http://127.0.0.1:9/x'></GCPList></PAMDataset>",
            "<PAMDataset><SRS>http://127.0.0.1:9/x</SRS>",
            "<!DOCTYPE a [<!ENTITY b 'c'>]><PAMDataset/>",
        ],
    )
    def test_only_codes_and_wkt_are_taken(self, write_scene, reflectance, capfd, text):
        path = write_scene(reflectance)
        path.with_name(f"{path.name}.aux.xml").write_text(text)
        with (
            pytest.raises(SceneError, match=r"aux\.xml beside it is refused"),
            open_scene(path, model_bands=BANDS),
        ):
            pass
        assert capfd.readouterr().err == ""

    def test_a_pipe_is_not_waited_for(self, write_scene, reflectance):
        path = write_scene(reflectance)
        os.mkfifo(path.with_name(f"{path.name}.aux.xml"))
        with (
            pytest.raises(SceneError, match="not a regular file"),
            open_scene(path, model_bands=BANDS),
        ):
            pass

    def test_what_gdal_itself_writes_is_taken(self, write_scene, reflectance):
        path = write_scene(reflectance)
        wkt = CRS.from_epsg(32637).to_wkt()
        path.with_name(f"{path.name}.aux.xml").write_text(
            f"<PAMDataset><SRS>{escape(wkt)}</SRS></PAMDataset>"
        )
        with open_scene(path, model_bands=BANDS):
            pass


@pytest.mark.parametrize(
    "suffix", [".tif.msk", ".tif.ovr", ".tif.aux", ".aux", ".tfw", ".wld", "_RPC.TXT"]
)
def test_a_pipe_beside_a_scene_is_not_waited_for(scene, suffix):
    os.mkfifo(scene.with_name(scene.stem + suffix))
    with pytest.raises(SceneError, match="is not a regular file: move it away"):
        read(scene)


def test_a_pipe_of_another_name_is_nobodys_business(scene):
    os.mkfifo(scene.with_name(f"{scene.stem}x.msk"))
    read(scene)
