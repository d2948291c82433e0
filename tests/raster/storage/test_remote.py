"""Scenes behind URLs, from a local server that may misbehave."""

import io
import shutil
import socket
from email.message import Message
from urllib.request import Request

import numpy as np
import pytest
import rasterio

from geosrseg.core.tiling.windows import Window
from geosrseg.errors import SceneError
from geosrseg.raster.scene import open_scene
from geosrseg.raster.storage import remote
from geosrseg.raster.storage.location import Location
from tests.range_server import serve
from tests.raster.conftest import BANDS, NORTH_UP, UTM
from tests.tiny_products import HEIGHT, LEVEL_1, WIDTH, write_item, write_product, write_tar

SIZE = 512
PART = Window(250, 350, 60, 50)
OLI = ("blue", "nir")


@pytest.fixture(scope="module")
def numbers():
    return np.random.default_rng(0).integers(1, 9000, (3, SIZE, SIZE)).astype(np.int16)


@pytest.fixture(scope="module")
def cog(tmp_path_factory, numbers):
    path = tmp_path_factory.mktemp("remote") / "scene.tif"
    with rasterio.open(
        path, "w", driver="COG", count=3, height=SIZE, width=SIZE, dtype="int16", crs=UTM,
        transform=NORTH_UP, blocksize=128, compress="deflate", num_threads=1,
    ) as dataset:  # fmt: skip
        dataset.write(numbers)
        dataset.descriptions, dataset.scales = BANDS, (1e-4,) * 3
    return path


@pytest.fixture
def server(tmp_path, cog):
    """A server of the scene in `tmp_path`, with GDAL's cache of its port cleared."""
    shutil.copy(cog, tmp_path / "scene.tif")
    with serve(tmp_path) as running:
        yield running


@pytest.fixture(autouse=True)
def _impatient(monkeypatch):
    """Wait 1 s where users wait 10 s."""
    monkeypatch.setattr(remote, "TIMEOUT", 1)
    monkeypatch.setattr(remote, "PAUSE", 0)
    for key, value in (("LOW_SPEED_TIME", "1"), ("MAX_RETRY", "1"), ("RETRY_DELAY", "0")):
        monkeypatch.setitem(remote.OPTIONS, f"GDAL_HTTP_{key}", value)


def read(url, window=PART, model_bands=BANDS):
    with open_scene(url, model_bands=model_bands) as scene:
        return scene.read(window)[0]


def refused(url) -> str:
    with pytest.raises(SceneError) as caught:
        read(url)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def cut_of(numbers):
    return numbers[:, PART.rows, PART.cols]


def test_only_the_blocks_that_are_needed_are_asked_for(server, numbers, cog):
    assert np.array_equal(read(f"{server.url}/scene.tif"), cut_of(numbers))
    assert server.bytes_asked_for < cog.stat().st_size / 4
    paths = {path for _, path, _ in server.requests}
    assert "/scene.tif" in paths
    assert all(path.startswith("/scene.") for path in paths)  # sidecars are looked for by name


def test_a_handle_of_its_own_for_a_thread(server, numbers):
    with open_scene(f"{server.url}/scene.tif", model_bands=BANDS) as scene, scene.reopen() as own:
        assert np.array_equal(own.read(PART)[0], cut_of(numbers))


class TestCredentials:
    def test_are_sent_and_never_shown(self, server):
        url = server.url.replace("//", "//me:p%40ss@")
        with open_scene(f"{url}/scene.tif?sig=geheim", model_bands=BANDS) as scene:
            shown = f"{scene.location} {scene.location.name} {scene.header!r}"
        assert f"{server.url}/scene.tif" in shown
        assert "geheim" not in shown
        assert "ss@" not in shown
        sent = {headers.get("Authorization") for _, _, headers in server.requests}
        assert sent == {"Basic bWU6cEBzcw=="}  # me:p@ss
        assert all("sig=geheim" in path for _, path, _ in server.requests)

    @pytest.mark.parametrize("status", [401, 403, 404])
    def test_are_in_no_message(self, server, status):
        server.misbehave = lambda handler: handler.refuse(status)
        url = server.url.replace("//", "//me:geheim@")
        message = refused(f"{url}/scene.tif?sig=geheim")
        assert "geheim" not in message
        assert f"{server.url}/scene.tif" in message
        assert f"HTTP response code: {status}" in message
        assert len(server.requests) <= 4  # an answer is not asked for again


class TestRedirects:
    def test_on_the_same_server_are_followed(self, server, numbers):
        server.misbehave = lambda handler: (
            handler.path == "/old.tif" and handler.redirect("/scene.tif")
        )
        assert np.array_equal(read(f"{server.url}/old.tif"), cut_of(numbers))

    @pytest.mark.parametrize("there", ["file:///etc/passwd", "ftp://127.0.0.1/a.tif", "s3://b/a"])
    def test_to_other_schemes_are_refused(self, server, there):
        server.misbehave = lambda handler: handler.redirect(there)
        message = refused(f"{server.url}/scene.tif")
        assert f"redirects to '{there}', expected https" in message
        assert len(server.requests) == 1

    def test_even_at_the_end_of_a_chain(self, server):
        server.misbehave = lambda handler: handler.redirect(
            "file:///etc/passwd" if "b.tif" in handler.path else "/b.tif"
        )
        assert "redirects to 'file:///etc/passwd'" in refused(f"{server.url}/a.tif")

    def test_a_later_answer_to_ftp_is_refused_by_name(self, server):
        there = "ftp://127.0.0.1:9/a.tif"
        server.misbehave = lambda handler: len(server.requests) > 1 and handler.redirect(there)
        message = refused(f"{server.url}/scene.tif")
        assert "302; redirects to another scheme, and too many of them, are refused" in message
        assert "proxy" not in message

    def test_an_item_is_not_redirected_to_a_file_either(self, server):
        server.misbehave = lambda handler: handler.redirect("file:///etc/passwd")
        assert "redirects to 'file:///etc/passwd'" in refused(f"{server.url}/item.json")

    @pytest.mark.parametrize(
        ("source", "target", "safe"),
        [
            ("https://a/x", "https://b/y", True),
            ("https://a/x", "/y", True),
            ("http://a/x", "https://b/y", True),
            ("http://a/x", "http://b/y", True),
            ("https://a/x", "http://a/x", False),
        ],
    )
    def test_never_to_less_safety(self, monkeypatch, source, target, safe):
        headers = Message()
        headers["location"] = target
        followed = []
        monkeypatch.setattr(
            remote.HTTPRedirectHandler, "http_error_302", lambda *args: followed.append(args)
        )
        follow = remote._SameOrSafer().http_error_302
        arguments = (Request(source), io.BytesIO(), 302, "Found", headers)
        if safe:
            follow(*arguments)
            assert followed
        else:
            with pytest.raises(SceneError, match="expected https"):
                follow(*arguments)

    @pytest.mark.parametrize("there", ["http://[x", "http://a..b/x", "https://:0/"])
    def test_to_what_is_no_address(self, server, there):
        server.misbehave = lambda handler: handler.redirect(there)
        assert "redirects to" in refused(f"{server.url}/scene.tif")

    def test_a_later_answer_does_not_lead_to_ftp(self, server):
        """GDAL repeats the request and could get another answer."""
        with socket.create_server(("127.0.0.1", 0)) as ftp:
            ftp.settimeout(0.1)
            there = f"ftp://127.0.0.1:{ftp.getsockname()[1]}/x.tif"
            server.misbehave = lambda handler: (
                "Python" not in handler.headers.get("User-Agent", "") and handler.redirect(there)
            )
            assert "cannot be opened" in refused(f"{server.url}/scene.tif")
            with pytest.raises(TimeoutError):
                ftp.accept()


class TestFailures:
    def test_what_trickles_in_is_given_up_as_a_whole(self, server, monkeypatch):
        monkeypatch.setattr(remote, "DEADLINE", 1)

        def trickle(handler):
            handler.send_response(200)
            handler.send_header("Content-Length", "1000000")
            handler.end_headers()
            while not handler.server_of.stop.wait(0.2):
                try:
                    handler.wfile.write(b" ")
                except OSError:
                    break
            return True

        server.misbehave = trickle
        assert "not within 1 s" in refused(f"{server.url}/item.json")

    @pytest.mark.parametrize("number", range(1, 7))
    def test_a_connection_that_is_cut_once_does_not_matter(self, server, numbers, number):
        count = iter(range(1, 1000))
        server.cut = lambda handler: next(count) == number
        assert np.array_equal(read(f"{server.url}/scene.tif"), cut_of(numbers))

    def test_one_that_is_always_cut_is_said(self, server):
        server.cut = lambda handler: True
        assert "try again later" in refused(f"{server.url}/scene.tif")

    def test_one_that_is_cut_in_the_midst_is_said(self, server):
        with open_scene(f"{server.url}/scene.tif", model_bands=BANDS) as scene:
            server.cut = lambda handler: True
            with pytest.raises(SceneError, match=r"rows 250 to 309, .* try again later"):
                scene.read(PART)
            server.cut = lambda handler: False
            assert scene.read(PART)[1].all()

    def test_a_server_that_stalls_is_given_up(self, server):
        server.misbehave = lambda handler: handler.stall()
        assert "too slow" in refused(f"{server.url}/scene.tif")

    def test_one_that_stalls_once_is_asked_again(self, server, numbers):
        with open_scene(f"{server.url}/scene.tif", model_bands=BANDS) as scene:
            count = iter(range(1000))
            server.misbehave = lambda handler: next(count) == 0 and handler.stall()
            assert np.array_equal(scene.read(PART)[0], cut_of(numbers))

    def test_one_that_is_busy_is_asked_again(self, server, numbers):
        count = iter(range(1000))
        server.misbehave = lambda handler: next(count) % 2 == 0 and handler.refuse(503)
        assert np.array_equal(read(f"{server.url}/scene.tif"), cut_of(numbers))

    def test_no_server_at_all(self):
        assert "the connection" in refused("http://127.0.0.1:9/scene.tif")

    def test_what_is_no_geotiff(self, server, tmp_path):
        (tmp_path / "vrt.tif").write_text("<VRTDataset rasterXSize='1' rasterYSize='1'/>")
        assert "cannot be opened as a GeoTIFF" in refused(f"{server.url}/vrt.tif")


class TestProducts:
    @pytest.fixture
    def folder(self, tmp_path):
        return write_product(tmp_path / "p", LEVEL_1)

    def test_an_item_behind_a_url_leads_to_its_files(self, server, folder):
        item = write_item(folder)
        there = read(f"{server.url}/p/{item.name}", Window(0, 0, 20, 30), OLI)
        assert there.tobytes() == read(folder, Window(0, 0, 20, 30), OLI).tobytes()

    def test_a_local_item_may_name_urls(self, server, folder):
        item = write_item(folder, base=f"{server.url}/p/")
        there = read(item, Window(0, 0, 20, 30), OLI)
        assert there.tobytes() == read(folder, Window(0, 0, 20, 30), OLI).tobytes()

    def test_a_remote_item_names_no_local_file(self, server, folder):
        for base in ("file:///data/", "file://localhost/"):
            item = write_item(folder, base=base)
            assert "is a local file" in refused(f"{server.url}/p/{item.name}")
        item = write_item(folder, base=f"{folder}/")  # a path on the server, not here
        with pytest.raises(SceneError, match=r"HTTP|cannot be read"):
            read(f"{server.url}/p/{item.name}", Window(0, 0, 20, 30), OLI)

    def test_redirects_are_watched_for_every_file_that_is_read(self, server, tmp_path):
        flags = np.zeros((HEIGHT, WIDTH))
        folder = write_product(tmp_path / "q", LEVEL_1, qa_pixel=flags, qa_radsat=flags)
        item = write_item(folder, base=f"{server.url}/q/")
        for part in ("_B5.TIF", "_QA_PIXEL.TIF", "_QA_RADSAT.TIF", "_MTL.txt"):
            server.misbehave = lambda handler, part=part: (
                part in handler.path and handler.redirect("file:///etc/passwd")
            )
            with pytest.raises(SceneError, match=f"{part}: redirects to 'file:"):
                read(item, Window(0, 0, 20, 30), OLI)

    def test_a_tar_behind_a_url_is_refused(self, server, folder):
        assert "download it" in refused(f"{server.url}/{write_tar(folder).name}")

    def test_what_is_too_large_for_an_item(self, server, tmp_path):
        (tmp_path / "item.json").write_bytes(b" " * (2**22 + 1))
        assert "larger than" in refused(f"{server.url}/item.json")

    def test_items_are_not_read_from_a_bucket(self):
        assert "download it first" in refused("s3://bucket/item.json")


def test_files_beside_a_remote_one_are_asked_for_whatever_extensions_are_allowed(monkeypatch):
    monkeypatch.setenv("CPL_VSIL_CURL_ALLOWED_EXTENSIONS", ".tif")
    monkeypatch.setenv("GDAL_PAM_ENABLED", "NO")
    with remote.gdal_options(Location("https://host/a.tif"), beside=True) as env:
        allowed = env.options["CPL_VSIL_CURL_ALLOWED_EXTENSIONS"].split(",")
        assert {".tif", ".msk", ".ovr", ".xml"} <= set(allowed)
        assert env.options["GDAL_PAM_ENABLED"] == "YES"


def test_the_users_environment_wins(monkeypatch):
    monkeypatch.setenv("GDAL_HTTP_MAX_RETRY", "7")
    with remote.gdal_options(Location("https://host/a.tif")) as env:
        assert "GDAL_HTTP_MAX_RETRY" not in env.options
        assert env.options["GDAL_DISABLE_READDIR_ON_OPEN"] == "EMPTY_DIR"
