"""Scenes in a bucket of a local S3 server."""

import socket
import subprocess
import sys
import time

import numpy as np
import pytest

from geosrseg.core.tiling.windows import Window
from geosrseg.errors import SceneError
from geosrseg.raster.scene import open_scene
from geosrseg.raster.storage import remote
from tests.raster.conftest import BANDS
from tests.tiny_products import write_item, write_product

boto3 = pytest.importorskip("boto3")
pytest.importorskip("moto.server")

PART = Window(3, 4, 20, 30)


@pytest.fixture(scope="module")
def endpoint():
    """A server in a separate process, because rasterio blocks other threads while it waits."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, **quiet) as server:
        while server.poll() is None and not _answers(port):
            time.sleep(0.1)
        yield f"127.0.0.1:{port}"
        server.terminate()


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


@pytest.fixture
def bucket(endpoint, monkeypatch):
    """An empty bucket, and the environment by which GDAL finds it."""
    keys = {"aws_access_key_id": "geheim", "aws_secret_access_key": "geheim"}
    for key, value in keys.items():
        monkeypatch.setenv(key.upper(), value)
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("AWS_S3_ENDPOINT", endpoint)
    monkeypatch.setenv("AWS_HTTPS", "NO")
    monkeypatch.setenv("AWS_VIRTUAL_HOSTING", "FALSE")
    monkeypatch.setattr(remote, "PAUSE", 0)
    client = boto3.client("s3", endpoint_url=f"http://{endpoint}", region_name="us-east-1", **keys)
    client.create_bucket(Bucket="scenes")
    return client


def test_a_scene_in_a_bucket(bucket, write_scene, reflectance):
    bucket.upload_file(str(write_scene(reflectance)), "scenes", "a/scene.tif")
    with open_scene("s3://scenes/a/scene.tif", model_bands=BANDS) as scene:
        assert np.array_equal(scene.read(PART)[0], reflectance[:, PART.rows, PART.cols])
        assert str(scene.location) == "s3://scenes/a/scene.tif"


def test_an_item_whose_files_are_in_a_bucket(bucket, tmp_path):
    folder = write_product(tmp_path / "p")
    for file in folder.glob("*.TIF"):
        bucket.upload_file(str(file), "scenes", f"p/{file.name}")
    item = write_item(folder, base="s3://scenes/p/")
    reads = []
    for path in (item, folder):
        with open_scene(path, model_bands=("red", "nir")) as scene:
            reads.append(scene.read(PART)[0].tobytes())
    assert reads[0] == reads[1]


def test_what_is_not_there_is_said_without_keys(bucket):
    with (
        pytest.raises(SceneError, match=r"^s3://scenes/none\.tif: cannot be opened") as caught,
        open_scene("s3://scenes/none.tif", model_bands=BANDS),
    ):
        pass
    assert "geheim" not in str(caught.value)
